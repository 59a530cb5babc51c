"""Releases that are no good: each is told, and the service goes on with the last good one."""

from collections.abc import Callable

import pytest

from cloud.schema import schema_revision
from slipway.domain.deployment import Deployment
from slipway.domain.errors import Reason
from slipway.domain.failure import Failure
from slipway.domain.outcome import Outcome
from tests.e2e.stage import Lane

Build = Callable[[str], Lane]


def _why(failure: Failure | None) -> str:
    return failure.reason if failure else "nothing"


def _is_held_for(lane: Lane, deployment: Deployment) -> None:
    """The lane is free but on hold, and the digest is marked bad."""
    state = lane.state()
    assert state.holder is None
    assert state.hold is not None
    assert (state.hold.reason, state.hold.by) == ("RolledBack", deployment.deployment_id)
    assert state.bad_digests == {deployment.release.digest: deployment.deployment_id}


def test_a_release_that_is_not_healthy_is_taken_back(lane: Build) -> None:
    unhealthy = lane("unhealthy")
    good = unhealthy.deployed("v2")

    bad = unhealthy.ended(unhealthy.push("v3"))

    assert (bad.outcome, _why(bad.cause)) == (Outcome.ROLLED_BACK, Reason.RELEASE_UNHEALTHY)
    assert unhealthy.live_revision() == unhealthy.revision_of(good)
    assert unhealthy.serves() == "2"
    _is_held_for(unhealthy, bad)
    assert unhealthy.told(bad) == ["deployment started", "rolling back", "rolled back"]
    assert unhealthy.noted(bad)[-2:] == ["rollback verified", "settled"]


def test_a_migration_that_fails_half_way_leaves_the_schema_as_it_was(lane: Build) -> None:
    broken = lane("broken-migration")
    good = broken.deployed("v2")
    settings = broken.cloud.catalog.environment(broken.application, broken.environment)
    assert settings is not None
    before = schema_revision(broken.cloud, settings)

    bad = broken.ended(broken.push("v4"))

    assert (bad.outcome, _why(bad.cause)) == (Outcome.ROLLED_BACK, Reason.MIGRATION_FAILED)
    assert (before, schema_revision(broken.cloud, settings)) == ("0002_author", "0002_author")
    assert broken.live_revision() == broken.revision_of(good)
    assert "rollout requested" not in broken.noted(bad)
    _is_held_for(broken, bad)


def test_a_release_that_crashes_is_given_up_by_ecs_and_never_a_success(lane: Build) -> None:
    crashing = lane("crashing")
    good = crashing.deployed("v2")

    bad = crashing.ended(crashing.push("v5"))

    assert (bad.outcome, _why(bad.cause)) == (Outcome.ROLLED_BACK, Reason.CIRCUIT_BREAKER_TRIPPED)
    assert crashing.execution(bad)["status"] == "FAILED"
    assert crashing.live_revision() == crashing.revision_of(good)
    _is_held_for(crashing, bad)


@pytest.mark.parametrize(
    ("application", "reason"),
    [("scanned", Reason.SCAN_FINDINGS), ("alarmed", Reason.ALARM_FIRING)],
)
def test_a_gate_blocks_before_anything_changes(
    lane: Build, application: str, reason: Reason
) -> None:
    blocked = lane(application)
    before = blocked.live_revision()
    finding = {"repository": "scanned", "tag": "v1", "findings": {"CRITICAL": 1}}
    blocked.cloud.twin.ask("/_twin/ecr/scan", finding)
    if application == "alarmed":
        alarm = {"AlarmName": "alarmed-5xx", "StateValue": "ALARM", "StateReason": "Threshold"}
        blocked.cloud.client("cloudwatch").set_alarm_state(**alarm)

    ended = blocked.ended(blocked.push("v1"))

    assert (ended.outcome, _why(ended.failure)) == (Outcome.BLOCKED, reason)
    assert blocked.live_revision() == before
    assert blocked.state().hold is None
    assert blocked.told(ended) == ["deployment started", "blocked by a gate"]
