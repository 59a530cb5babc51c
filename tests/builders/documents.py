"""Documents for the adapters' tests, with defaults for what a test does not care about."""

from datetime import UTC, datetime, timedelta

from slipway.domain.approval import Approval
from slipway.domain.deployment import Deployment, Origin
from slipway.domain.evidence import Evidence
from slipway.domain.outcome import Outcome
from slipway.domain.release import Release
from slipway.domain.target import EcsTarget
from slipway.ports.waiting import Parked

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
