"""The users' side of the simulation: a small catalog, images and how each of them behaves."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from cloud.simulation.template import ACCOUNT, REGION
from cloud.twin.ecr.blobs import digest_of
from slipway.domain.catalog import Application, Catalog

REPOSITORIES = ("shop", "ledger")
BOOTSTRAP = "bootstrap"
SHARED_DATABASE = "main"
DATABASE_CLUSTER = "ledger"
DATABASES = (f"rds:{SHARED_DATABASE}", f"aurora:{DATABASE_CLUSTER}")
ALARM = "shop-errors"
APPROVERS = ("ada", "grace")
# Another container of the migration's task runs on; its host is lost, and with it the exit code.
BESIDE, LOST = "beside", "lost"
CANARY = "canary-5fd1c"
HOSTILE = "hostile"
_URL = f"redis://:{CANARY}@cache"
# As many lines as are read, each nearly as long as CloudWatch takes them, of what looks like URLs.
LOGS = {HOSTILE: (*(f"no answer from {_URL} {'://a:' * 50_000}",) * 19, f"giving up on {_URL}")}


@dataclass(frozen=True)
class Image:
    """One image: what it says about itself, and how it behaves where it runs.

    ``site`` is the status of its health page, ``exits`` the exit code with which its service's
    tasks end at once (None: they stay), ``migration`` and ``downgrade`` are exit codes of its
    one-off tasks. ``how`` is what else becomes of its migration's task: BESIDE or LOST. ``at`` is
    what its tool says of the schema's revision, ``log`` the name of what its migration writes.
    """

    repository: str
    version: str
    schema: str
    compatible: bool = True
    site: int = 200
    exits: int | None = None
    passes_checks: bool = True
    migration: int = 0
    downgrade: int = 0
    migration_seconds: float = 20.0
    how: str = ""
    at: str = ""
    log: str = ""

    @property
    def config(self) -> bytes:
        labels = {
            "org.opencontainers.image.version": self.version,
            "dev.slipway.schema": self.schema,
            "dev.slipway.backward-compatible": str(self.compatible).lower(),
        }
        content = {"architecture": "amd64", "os": "linux", "config": {"Labels": labels}}
        return json.dumps(content).encode()

    @property
    def manifest(self) -> str:
        media = "application/vnd.oci.image"
        config = {"mediaType": f"{media}.config.v1+json", "digest": digest_of(self.config)}
        return json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": f"{media}.manifest.v1+json",
                "config": config,
                "layers": [],
                # The same labels in another repository or with another behaviour are other images.
                "annotations": {"made": repr(self)},
            }
        )

    @property
    def digest(self) -> str:
        return _digest(self)


@cache
def _digest(image: Image) -> str:
    return digest_of(image.manifest.encode())


def _environment(application: str, environment: str, tags: str, **more: Any) -> dict[str, Any]:
    return {
        "push": {"repository": application, "tags": (tags,)},
        "target": {
            "cluster": f"{application}-{environment}",
            "service": "web",
            "container": "app",
        },
        "verification": {"checks": ({"path": "/health", "version_field": "version"},)},
        **more,
    }


def _migrated(policy: str, **more: Any) -> dict[str, Any]:
    return {
        "database": {"identifier": SHARED_DATABASE},
        "backup": {"policy": policy, "timeout_minutes": 30},
        "migration": {
            "command": ("alembic", "upgrade", "head"),
            "downgrade": ("alembic", "downgrade", "{schema}"),
            **({"current": ("alembic", "current")} if policy == "best_effort" else {}),
        },
        **more,
    }


@cache
def catalog() -> Catalog:
    """Two applications that share an instance; one promotes to a cluster, one asks a person."""
    approval = {"approvers": APPROVERS, "expires_after_minutes": 60}
    shop = {
        "staging": _environment("shop", "staging", "rc*", gates={"scan": None}),
        "production": _environment("shop", "production", "v*", approval=approval)
        | _migrated("required", gates={"alarms": (ALARM,)}),
    }
    shop["production"]["verification"] |= {"alarms": (ALARM,), "bake_seconds": 20}
    own = {"slack_channel": "#ledger"}
    ledger = {
        "staging": _environment("ledger", "staging", "v*", gates={"scan": None}, notifications=own)
        | _migrated("best_effort"),
        "production": _environment("ledger", "production", "v*", after="staging")
        | _migrated(
            "required", database={"kind": "aurora_cluster", "identifier": DATABASE_CLUSTER}
        ),
    }
    applications = {
        name: Application.model_validate({"application": name, "environments": environments})
        for name, environments in (("shop", shop), ("ledger", ledger))
    }
    return Catalog(applications=applications)


def uri(repository: str, reference: str) -> str:
    """An image in the simulated registry."""
    return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{repository}{reference}"
