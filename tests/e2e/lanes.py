"""The catalog of these tests: an application per story, so that no story disturbs another.

The first entry is the one that is shipped, as it is; the others are as small as their story allows.
"""

import shutil
from pathlib import Path
from typing import Any, Final

import yaml

from cloud.embedded import ROOT

Settings = dict[str, Any]

APPROVER: Final = "ada"
STAGING: Final = "staging"


# A look per second, and five until the verdict.
_JUDGED: Final = {
    "checks": [{"path": "/health", "version_field": "version"}],
    "interval_seconds": 1,
    "attempts": 5,
}


def _lane(name: str, **settings: Any) -> Settings:
    return {
        "push": {"repository": name, "tags": ["v*"]},
        "target": {"cluster": f"{name}-staging", "service": "api", "container": "api"},
        "verification": _JUDGED,
        **settings,
    }


def _baked(seconds: int) -> Settings:
    """Long enough for a person to step in while the release is being judged."""
    return {"verification": {**_JUDGED, "bake_seconds": seconds}}


def _approved(minutes: int = 60) -> Settings:
    return {"approval": {"approvers": [APPROVER, "grace"], "expires_after_minutes": minutes}}


def _migrated(database: str) -> Settings:
    migration = {
        "command": ["alembic", "upgrade", "head"],
        "downgrade": ["alembic", "downgrade", "{schema}"],
    }
    return {"database": {"identifier": database}, "migration": migration}


# One for each kill point of test_crashes.py.
KILLED: Final = tuple(f"killed-{number}" for number in range(1, 41))
KILLED_MIGRATING: Final = tuple(f"killed-migrating-{number}" for number in range(1, 21))

_STORIES: Final[dict[str, Settings]] = {
    "alarmed": {"gates": {"alarms": ["alarmed-5xx"]}},
    "asked-and-stopped": _approved(),
    "broken-migration": _migrated("broken-migration"),
    "cancelled-running": _baked(seconds=15),
    "cancelled-waiting": _approved(),
    "crashing": {},
    "decided": _approved(),
    "expiring": _approved(minutes=1),
    "held": {},
    "lost-push": {},
    "lost-rollout": {},
    "lost-snapshot": _migrated("lost-snapshot"),
    "queued": {},
    "redelivered": {},
    "rejected": _approved(),
    "rolling-back": {},
    "scanned": {},
    "side-effects": _migrated("side-effects"),
    "shared-one": _migrated("shared"),
    "shared-two": _migrated("shared"),
    "stopped": {},
    "strangers": _approved(),
    "superseded": _approved(),
    "unhealthy": {},
    **{name: {} for name in KILLED},
    **{name: _migrated(name) for name in KILLED_MIGRATING},
}


def write_catalog(folder: Path) -> Path:
    """Write one file per application, as people write them; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "catalog" / "fastapi-rds.yaml", folder)
    for name, settings in _STORIES.items():
        entry = {"application": name, "environments": {STAGING: _lane(name, **settings)}}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(entry))
    return folder
