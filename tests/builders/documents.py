"""Documents, with defaults for what a test does not care about: one usual application."""

from datetime import UTC, datetime, timedelta
from typing import Any

from slipway.domain.approval import Approval
from slipway.domain.catalog import Environment
from slipway.domain.deployment import Deployment, Origin
from slipway.domain.evidence import Evidence
from slipway.domain.lane import Stable
from slipway.domain.outcome import Outcome
from slipway.domain.release import COMPATIBLE_LABEL, SCHEMA_LABEL, VERSION_LABEL, Image, Release
from slipway.domain.target import EcsTarget
from slipway.domain.verdict import RegisteredTarget, TargetHealth
from slipway.ports.waiting import Parked
from slipway.requests import wish as wishing

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
REPOSITORY = "notes"
REGISTRY = "000000000000.dkr.ecr.us-east-1.amazonaws.com/notes"
OLD, NEW, OTHER = (f"sha256:{pair * 32}" for pair in ("a1", "b2", "c3"))
FAMILY = "arn:aws:ecs:us-east-1:000000000000:task-definition/notes"
SERVICE_ARN = "arn:aws:ecs:us-east-1:000000000000:service/staging/notes"
TARGET_GROUP = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/notes/1"
URL = "http://notes.example.com"
FIRST_REVISION = f"{FAMILY}:7"
DATABASE = "notes-staging"
SETTINGS: dict[str, Any] = {
    "push": {"repository": REPOSITORY, "tags": ["v*"]},
    "target": {"cluster": "staging", "service": "notes", "container": "app"},
    "database": {"identifier": DATABASE},
    "migration": {
        "command": ["alembic", "upgrade", "head"],
        "downgrade": ["alembic", "downgrade", "{schema}"],
    },
    "verification": {
        "checks": [{"path": "/health", "version_field": "version"}],
        "alarms": ["notes-5xx"],
    },
}


def environment(**changes: Any) -> Environment:
    """The environment of SETTINGS with these top-level settings replaced."""
    return Environment.model_validate({**SETTINGS, **changes})


def image(digest: str = NEW, **labels: str) -> Image:
    """A release's image: version 2 with schema 0002 unless the labels say otherwise."""
    known = {VERSION_LABEL: "2.0.0", SCHEMA_LABEL: "0002", **labels}
    return Image(
        repository_uri=REGISTRY,
        digest=digest,
        platform_digest=digest,
        architecture="ARM64",
        status="ACTIVE",
        labels={name: text for name, text in known.items() if text},
    )


def compatible(digest: str = NEW) -> Image:
    """The image of a release that says that the old code runs on its schema."""
    return image(digest, **{COMPATIBLE_LABEL: "true"})


def stable(**changes: Any) -> Stable:
    """The last good release: version 1 with schema 0001."""
    usual: dict[str, Any] = {
        "deployment_id": "notes-staging-0",
        "digest": OLD,
        "platform_digest": OLD,
        "revision_arn": FIRST_REVISION,
        "image_uri": f"{REGISTRY}@{OLD}",
        "version": "1.0.0",
        "schema_revision": "0001",
        "verified_at": START - timedelta(days=1),
    }
    return Stable(**{**usual, **changes})


def release(digest: str = NEW, tag: str = "v2", pushed_at: datetime = START) -> Release:
    """What was pushed."""
    return Release(repository=REPOSITORY, digest=digest, tag=tag, pushed_at=pushed_at)


def deployment(**changes: Any) -> Deployment:
    """Pushed at START and requested two seconds later."""
    usual: dict[str, Any] = {
        "deployment_id": "notes-staging-1",
        "application": "notes",
        "environment": "staging",
        "number": 1,
        "origin": Origin.PUSH,
        "requested_by": "push of notes:v2",
        "requested_at": START + timedelta(seconds=2),
        "release": release(),
    }
    return Deployment(**{**usual, **changes})


def wish(wish_id: str = "push:1", **changes: Any) -> wishing.Wish:
    """The wish of one push."""
    usual: dict[str, Any] = {
        "wish_id": wish_id,
        "application": "notes",
        "environment": "staging",
        "release": release(),
        "origin": Origin.PUSH,
        "requested_by": "push of notes:v2",
    }
    return wishing.Wish(**{**usual, **changes})


def healthy(number: int) -> RegisteredTarget:
    """A target that the load balancer likes."""
    address = f"10.0.0.{number}:8000"
    return RegisteredTarget(address=address, health=TargetHealth.HEALTHY, told="healthy", reason="")


NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64
TARGET = EcsTarget(cluster="production", service="notes", container="app")


def a_deployment(
    number: int = 1, *, environment: str = "staging", outcome: Outcome | None = None
) -> Deployment:
    return Deployment(
        deployment_id=f"notes-{environment}-{number}",
        application="notes",
        environment=environment,
        number=number,
        origin=Origin.PUSH,
        requested_by="ecr",
        requested_at=NOON + timedelta(minutes=number),
        release=Release(repository="notes", digest=DIGEST, tag="v1", pushed_at=NOON),
        outcome=outcome,
    )


def an_approval(deployment_id: str) -> Approval:
    return Approval(
        deployment_id=deployment_id,
        digest=DIGEST,
        plan_hash="f" * 64,
        approvers=("ada", "grace"),
        asked_at=NOON,
        expires_at=NOON + timedelta(hours=1),
    )


def an_entry(deployment_id: str, number: int) -> Evidence:
    return Evidence(
        deployment_id=deployment_id,
        number=number,
        at=NOON,
        what="gate",
        reason="GatesPassed",
        message="quiet",
        data={"alarms": ["errors"], "count": 1},
        previous_hash="",
    ).sealed()


def a_parked_request(key: str, *, waiting_id: str = "notes-staging-1", token: str = "t1") -> Parked:
    return Parked(
        key=key,
        waiting_id=waiting_id,
        token=token,
        request='{"deployment_id": "notes-staging-1"}',
        expires_at=NOON + timedelta(days=1),
    )
