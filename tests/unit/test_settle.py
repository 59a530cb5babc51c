"""Settle: one outcome, written once, that the record bears out; the lane freed or held."""

from contextlib import suppress
from typing import Any

import pytest

from slipway.domain.deployment import Phase
from slipway.domain.errors import Broken, Reason, Rejected, Transient, Unhealthy
from slipway.domain.failure import Failure
from slipway.domain.lane import Hold, Stable
from slipway.domain.outcome import Outcome
from slipway.steps.revision import revision_of
from slipway.steps.settle import SettleResult
from slipway.steps.step import Caught
from tests.builders.crashes import Crash, Crashes
from tests.builders.documents import NEW, OLD, REGISTRY, SERVICE_ARN, START, environment, stable
from tests.builders.worlds import World, caught

SLOT = "rds:notes-staging"
ILL = caught("Verify", "Unhealthy", "ReleaseUnhealthy: /health answered 500.")
SUPERSEDED = caught("Enter", "Rejected", "Superseded: notes-staging-2 is newer.")


def failure(state: str, error: str, reason: str, message: str) -> Failure:
    return Failure(state=state, error=error, reason=reason, message=message)


def rolled_back() -> World:
    world = World(environment(migration=None)).entered_and_deployed()
    world.rollback()
    world.service.complete()
    world.rollback()
    world.answer_as("1.0.0")
    assert world.verify("rollback").done
    return world


def test_a_verified_release_succeeds_and_becomes_the_last_good_one() -> None:
    world = World().verified()
    revision = revision_of(world.deployment)

    assert world.settle() == SettleResult(outcome=Outcome.SUCCEEDED, reason="", message="")

    assert (world.deployment.phase, world.deployment.outcome, world.deployment.settled_at) == (
        Phase.SETTLED,
        Outcome.SUCCEEDED,
        START,
    )
    assert world.lane.model_dump(include={"holder", "hold", "proven", "bad_digests"}) == {
        "holder": None,
        "hold": None,
        "proven": (NEW,),
        "bad_digests": {},
    }
    assert world.lane.stable == Stable(
        deployment_id="notes-staging-1",
        digest=NEW,
        platform_digest=NEW,
        revision_arn=revision,
        image_uri=f"{REGISTRY}@{NEW}",
        version="2.0.0",
        schema_revision="0002",
        verified_at=START,
        service_arn=SERVICE_ARN,
        database_id=SLOT,
    )
    assert world.records.database_slot(SLOT).holder is None
    assert world.evidence[-1].data == {"outcome": "Succeeded"}
    assert world.chain_errors() == []
    assert world.announcements.published == [
        (
            "Deployment Settled",
            {
                "deployment_id": "notes-staging-1",
                "lane": "notes/staging",
                "outcome": "Succeeded",
            },
        )
    ]


def test_a_success_clears_the_digests_own_mark() -> None:
    world = World().verified()
    world.rewrite_lane(bad_digests={NEW: "notes-staging-0", OLD: "notes-staging-8"})

    world.settle()

    assert world.lane.bad_digests == {OLD: "notes-staging-8"}


def test_the_outcome_that_stands_is_answered_again_and_told_again() -> None:
    world = World().verified()
    first = world.settle()
    before = world.deployment, world.lane

    assert world.settle(failure=ILL) == first
    assert (world.deployment, world.lane) == before
    assert [what for what, _ in world.announcements.published] == ["Deployment Settled"] * 2


def test_verified_is_verified_whatever_became_of_the_execution() -> None:
    world = World().verified()

    stopped = caught("Verifying", "ExecutionStopped", "ExecutionStopped: by hand")

    assert world.settle(failure=stopped).outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize("progress", ["admitted", "entered", "backed_up", "migrated", "deployed"])
def test_without_a_verification_nothing_is_called_a_success(progress: str) -> None:
    world = World()
    world.admit() if progress == "admitted" else getattr(world, progress)()

    result = world.settle()
    changed = progress in ("migrated", "deployed")
    assert result == SettleResult(
        outcome=Outcome.NEEDS_OPERATOR if changed else Outcome.FAILED,
        reason=Reason.INTERNAL_ERROR,
        message="The execution reported no failure, but nothing was verified.",
    )
    assert world.lane.stable == stable()


def test_a_rollback_that_was_verified_holds_the_lane_and_marks_the_digest() -> None:
    world = rolled_back()

    assert world.settle(cause=ILL) == SettleResult(
        outcome=Outcome.ROLLED_BACK,
        reason="ReleaseUnhealthy",
        message="/health answered 500.",
    )
    assert world.lane.hold == Hold(
        reason="RolledBack", message="/health answered 500.", by="notes-staging-1", since=START
    )
    assert world.lane.bad_digests == {NEW: "notes-staging-1"}
    assert (world.lane.holder, world.lane.stable, world.lane.proven) == (None, stable(), ())
    assert world.deployment.cause == failure(
        "Verify", "Unhealthy", "ReleaseUnhealthy", "/health answered 500."
    )


def test_a_rollback_that_a_person_asked_for_says_nothing_about_the_digest() -> None:
    world = rolled_back()

    world.settle(cause=caught("Deploy", "Rejected", "Cancelled: Cancelled by ada."))

    assert world.lane.hold is not None
    assert world.lane.bad_digests == {}


def test_a_rollback_that_nobody_verified_is_not_called_one() -> None:
    world = World(environment(migration=None)).entered_and_deployed()
    world.rollback()

    assert world.settle(cause=ILL).outcome is Outcome.NEEDS_OPERATOR


def test_a_verified_rollback_whose_execution_was_stopped_is_a_rollback() -> None:
    world = rolled_back()
    stopped = caught("RollingBack", "ExecutionStopped", "ExecutionStopped: by hand")

    result = world.settle(failure=stopped)

    assert (result.outcome, result.message) == (Outcome.ROLLED_BACK, "by hand")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        ("Unhealthy", Outcome.ROLLBACK_FAILED),
        ("Rejected", Outcome.ROLLBACK_FAILED),
        ("States.Timeout", Outcome.ROLLBACK_FAILED),
        ("Broken", Outcome.NEEDS_OPERATOR),
    ],
)
def test_a_rollback_that_failed_holds_the_lane_with_the_rollbacks_own_words(
    error: str, outcome: Outcome
) -> None:
    world = World().deployed()
    world.rollback()

    result = world.settle(
        cause=ILL, failure=caught("Rollback", error, "RollbackTimedOut: ECS does not finish.")
    )

    assert result == SettleResult(
        outcome=outcome, reason="RollbackTimedOut", message="ECS does not finish."
    )
    hold = world.lane.hold
    assert hold is not None
    assert (hold.reason, hold.message) == (outcome, "ECS does not finish.")
    assert world.lane.bad_digests == {NEW: "notes-staging-1"}


@pytest.mark.parametrize(
    ("ended_by", "outcome"),
    [
        (SUPERSEDED, Outcome.SUPERSEDED),
        (caught("Approve", "Rejected", "ApprovalRejected: Rejected by ada."), Outcome.REJECTED),
        (caught("Approve", "Rejected", "ApprovalExpired: Nobody decided."), Outcome.EXPIRED),
        (caught("Enter", "Rejected", "Cancelled: Cancelled by ada."), Outcome.CANCELLED),
        (caught("Check", "Rejected", "ScanFindings: 1 CRITICAL."), Outcome.BLOCKED),
        (caught("Plan", "Rejected", "Unchanged: live already."), Outcome.UNCHANGED),
        (caught("Backup", "Broken", "BackupFailed: quota"), Outcome.FAILED),
        (caught("Backup", "States.Timeout", ""), Outcome.FAILED),
    ],
)
def test_an_end_before_anything_changed_frees_the_lane_without_a_hold(
    ended_by: Caught, outcome: Outcome
) -> None:
    world = World().backed_up()

    assert world.settle(failure=ended_by).outcome is outcome
    assert (world.lane.holder, world.lane.hold, world.lane.bad_digests) == (None, None, {})
    assert world.records.database_slot(SLOT).holder is None


def test_a_deployment_that_never_entered_leaves_lane_and_database_alone() -> None:
    world = World()
    world.admit()
    world.plan()
    world.rewrite_lane(holder="notes-staging-0", fencing=3)
    before = world.lane

    world.settle(failure=SUPERSEDED)

    assert world.lane == before


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (caught("Deploy", "Broken", "AwsRefused: RegisterTaskDefinition"), Outcome.FAILED),
        (caught("Deploy", "Rejected", "Cancelled: Cancelled by ada."), Outcome.CANCELLED),
    ],
)
def test_what_failed_before_anything_was_changed_is_no_rollback(
    cause: Caught, outcome: Outcome
) -> None:
    world = World(environment(migration=None)).entered()
    world.rewrite(phase=Phase.DEPLOYING)

    assert world.settle(cause=cause).outcome is outcome
    assert (world.lane.holder, world.lane.hold, world.lane.bad_digests) == (None, None, {})


def test_an_execution_that_is_stopped_on_the_way_back_keeps_what_made_it_go_back() -> None:
    world = rolled_back()
    cause = failure("Verify", "Unhealthy", "ReleaseUnhealthy", "/health answered 500.")
    world.rewrite(cause=cause)

    stopped = caught("RollingBack", "ExecutionStopped", "ExecutionStopped: ABORTED")

    assert world.settle(failure=stopped).outcome is Outcome.ROLLED_BACK
    assert world.deployment.cause == cause


def test_an_execution_that_died_while_changing_needs_an_operator() -> None:
    world = World().migrated()
    world.deploy()

    stopped = caught("Deploying", "ExecutionStopped", "ExecutionStopped: TIMED_OUT")

    assert world.settle(failure=stopped).outcome is Outcome.NEEDS_OPERATOR
    assert world.lane.hold is not None


def test_a_lane_is_not_freed_under_a_call_that_may_be_on_its_way() -> None:
    world = World(environment(migration=None)).entered()
    world.crashes = Crashes("Service.update")
    with pytest.raises(Crash):
        world.deploy()
    world.crashes = Crashes()
    refused = caught("Rollback", "Broken", "AwsRefused: DescribeServices")

    for _ in range(2):
        with pytest.raises(Transient, match="may still be on its way"):
            world.settle(failure=refused)
    assert (world.lane.holder, world.deployment.outcome) == ("notes-staging-1", None)
    assert world.told[-1:] == ["ending"]
    # Nothing new is begun meanwhile.
    with pytest.raises(Rejected, match="is ending"):
        world.deploy()

    world.wait(seconds=60)

    assert world.settle(failure=refused).outcome is Outcome.NEEDS_OPERATOR
    assert world.lane.holder is None


STOPPED = caught("Migrating", "ExecutionStopped", "ExecutionStopped: ABORTED")


def test_a_database_stays_taken_while_a_migration_may_be_at_work_in_it() -> None:
    world = World().backed_up()
    world.migrate()

    world.settle(failure=STOPPED)

    assert world.lane.holder is None
    assert world.records.database_slot(SLOT).holder == "notes-staging-1"


def test_a_database_stays_taken_while_a_downgrade_may_be_at_work_in_it() -> None:
    world = World().migrated()
    world.rollback()
    assert "slipway/downgrade/notes-staging-1" in world.one_offs.tasks

    world.settle(failure=STOPPED)

    assert world.records.database_slot(SLOT).holder == "notes-staging-1"


@pytest.mark.parametrize("exit_code", [0, 1])
def test_a_migration_that_was_seen_to_end_keeps_no_database(exit_code: int) -> None:
    world = World().backed_up()
    world.migrate()
    world.task_ends("migrate", exit_code)
    with suppress(Unhealthy):
        world.migrate()

    world.settle(failure=STOPPED)

    assert world.records.database_slot(SLOT).holder is None


@pytest.mark.parametrize("exit_code", [0, 1])
def test_a_downgrade_that_was_seen_to_end_keeps_no_database(exit_code: int) -> None:
    world = World().migrated()
    world.rollback()
    world.task_ends("downgrade", exit_code)
    with suppress(Broken):
        world.rollback()

    world.settle(failure=STOPPED)

    assert world.records.database_slot(SLOT).holder is None


def test_a_lane_that_somebody_else_holds_is_not_touched() -> None:
    world = World().deployed()
    world.rewrite_lane(holder="notes-staging-2", fencing=2)
    before = world.lane

    world.settle(cause=ILL, failure=caught("Rollback", "Rejected", "LaneLost: gone"))

    assert world.lane == before


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(5))
def test_a_try_that_died_is_made_good(call: int, after: bool) -> None:
    world = World().verified()
    world.crashes = Crashes(call, after=after)
    with pytest.raises(Crash):
        world.settle()
    world.crashes = Crashes()

    assert world.settle().outcome is Outcome.SUCCEEDED
    assert world.told.count("settled") == 1
    assert world.announcements.published[-1][1]["outcome"] == "Succeeded"


@pytest.mark.parametrize(
    "cause", ["", "x" * 32_768, "[" * 30_000, "9" * 5000, '{"errorMessage": null}']
)
def test_whatever_the_cause_says_the_deployment_is_settled(cause: str) -> None:
    world = World().deployed()

    result = world.settle(cause=ILL, failure=caught("Rollback", "States.Runtime", cause))

    assert result.outcome is Outcome.ROLLBACK_FAILED


def settled_as(**fields: Any) -> SettleResult:
    world = World()
    world.admit()
    world.rewrite(**fields)
    return world.settle()


def test_a_deployment_that_another_settle_ended_keeps_its_words() -> None:
    told = failure("Enter", "Rejected", "Superseded", "notes-staging-2 is newer.")

    assert settled_as(outcome=Outcome.SUPERSEDED, failure=told, phase=Phase.SETTLED) == (
        SettleResult(
            outcome=Outcome.SUPERSEDED, reason="Superseded", message="notes-staging-2 is newer."
        )
    )
