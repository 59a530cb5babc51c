"""One lane's story for the pages and the messages: a release that wants into production."""

from datetime import UTC, datetime, timedelta
from typing import Any

from slipway.domain.approval import Approval, request_approval
from slipway.domain.catalog import Application, Catalog, Environment
from slipway.domain.deployment import Deployment, Origin, Phase
from slipway.domain.evidence import Note, with_evidence
from slipway.domain.failure import Failure
from slipway.domain.lane import Candidate, Lane, Stable
from slipway.domain.model import Versioned
from slipway.domain.outcome import Outcome
from slipway.domain.plan import LiveService, Plan, differences
from slipway.domain.release import Image, Release
from tests.builders.fakes.records import InMemoryRecords

KEY = "a key that only the test knows"
START = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
ASKED = START + timedelta(seconds=42)
OLD_DIGEST = "sha256:" + "a1" * 32
NEW_DIGEST = "sha256:" + "b2" * 32
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/fastapi-rds"
ID = "fastapi-rds-production-7"

ENVIRONMENT = Environment.model_validate(
    {
        "push": {"repository": "fastapi-rds", "tags": ["v*"]},
        "target": {"cluster": "production", "service": "api", "container": "api"},
        "approval": {"approvers": ["ada", "grace"], "expires_after_minutes": 60},
        "database": {"identifier": "fastapi-rds-production"},
        "migration": {"command": ["alembic", "upgrade", "head"]},
    }
)
CATALOG = Catalog(
    applications={
        "fastapi-rds": Application(
            application="fastapi-rds", environments={"production": ENVIRONMENT}
        )
    }
)
STABLE = Stable(
    deployment_id="fastapi-rds-production-6",
    digest=OLD_DIGEST,
    platform_digest=OLD_DIGEST,
    revision_arn="arn:aws:ecs:us-east-1:123456789012:task-definition/api:6",
    image_uri=f"{REGISTRY}@{OLD_DIGEST}",
    version="1.0.0",
    schema_revision="0001",
    verified_at=START - timedelta(days=3),
)
LIVE = LiveService(
    service_arn="arn:aws:ecs:us-east-1:123456789012:service/production/api",
    revision_arn=STABLE.revision_arn,
    image_uri=STABLE.image_uri,
    architecture="ARM64",
    desired_count=2,
    target_group_arn=None,
    base_url="https://notes.example.com",
)


def image(**labels: str) -> Image:
    """The new release's image, with these labels over the usual ones."""
    return Image(
        repository_uri=REGISTRY,
        digest=NEW_DIGEST,
        platform_digest=NEW_DIGEST,
        architecture="ARM64",
        status="ACTIVE",
        labels={
            "org.opencontainers.image.version": "1.1.0",
            "org.opencontainers.image.revision": "5d1f0c2",
            "dev.slipway.schema": "0002",
            "dev.slipway.backward-compatible": "true",
            **labels,
        },
    )


def plan(
    tag: str = "v1.1.0", environment: Environment = ENVIRONMENT, stable: Stable | None = STABLE
) -> Plan:
    """The plan that production's approvers see."""
    return Plan(
        deployment_id=ID,
        application="fastapi-rds",
        environment="production",
        release=release(tag),
        image=image(),
        settings=environment,
        live=LIVE,
        rollback_target=stable,
        needs_migration=True,
        needs_approval=environment.approval is not None,
        differences=differences(image(), LIVE, stable),
        planned_at=START + timedelta(seconds=1),
    )


def release(tag: str = "v1.1.0") -> Release:
    """The release that wants into production."""
    return Release(
        repository="fastapi-rds",
        digest=NEW_DIGEST,
        tag=tag,
        pushed_at=START - timedelta(minutes=5),
    )


def deployment(**fields: Any) -> Deployment:
    """The deployment as it waiting for approval, with these fields over the usual ones."""
    usual: dict[str, Any] = {
        "deployment_id": ID,
        "application": "fastapi-rds",
        "environment": "production",
        "number": 7,
        "origin": Origin.PROMOTION,
        "requested_by": "success of fastapi-rds-staging-9",
        "requested_at": START,
        "release": release(),
        "phase": Phase.AWAITING_APPROVAL,
        "plan": plan(),
    }
    return Deployment(**{**usual, **fields})


def ended(outcome: Outcome, **fields: Any) -> Deployment:
    """The deployment after its end, two minutes and five seconds after it was asked for."""
    usual: dict[str, Any] = {
        "phase": Phase.SETTLED,
        "outcome": outcome,
        "settled_at": START + timedelta(seconds=125),
    }
    return deployment(**{**usual, **fields})


def failure(
    state: str = "Verify",
    error: str = "Unhealthy",
    reason: str = "ReleaseUnhealthy",
    message: str = "/health answered 500 instead of 200.",
) -> Failure:
    """What went wrong."""
    return Failure(state=state, error=error, reason=reason, message=message)


def approval(**fields: Any) -> Approval:
    """The ticket, with these fields over the usual ones."""
    return request_approval(plan(), ASKED).model_copy(update=fields)


def lane(**fields: Any) -> Lane:
    """Production's lane, on which this deployment is the newest candidate."""
    newest = Candidate(deployment_id=ID, order=START, digest=NEW_DIGEST)
    usual: dict[str, Any] = {
        "application": "fastapi-rds",
        "environment": "production",
        "next_number": 8,
        "newest": newest,
        "stable": STABLE,
    }
    return Lane(**{**usual, **fields})


NOTES = (
    (0, Note(what="admitted", message="v1.1.0 by success of fastapi-rds-staging-9")),
    (1, Note(what="planned", data={"plan_hash": "0"})),
    (2, Note(what="gate: digest", message="v1.1.0 names it", data={"state": "passed"})),
    (2, Note(what="gate: scan", message="nothing at or above HIGH", data={"state": "passed"})),
    (42, Note(what="approval requested", message="of ada, grace")),
)


def stored(
    asked: Deployment | None = None, ticket: Approval | None = None, where: Lane | None = None
) -> InMemoryRecords:
    """Records that hold the story so far: lane, deployment with its evidence, and approval."""
    records = InMemoryRecords()
    documents: list[Versioned] = [where or lane(), ticket or approval()]
    found, entries = asked or deployment(), []
    for seconds, note in NOTES:
        found, added = with_evidence(found, [note], START + timedelta(seconds=seconds))
        entries += added
    records.write([found, *documents], evidence=entries)
    return records
