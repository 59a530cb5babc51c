"""Backup: a snapshot is asked for once, waited for, and believed only when it is sound."""

from datetime import timedelta
from typing import Any

import pytest

from slipway.domain.deployment import Phase
from slipway.domain.effect import Effect
from slipway.domain.errors import Broken, Reason, Rejected, Transient
from slipway.domain.outcome import Outcome
from slipway.ports.databases import SnapshotState
from slipway.steps.backup import BackupRequest, keys
from slipway.steps.step import StepResult
from tests.builders.documents import START, environment
from tests.builders.worlds import World

DATABASE_ID = "rds:notes-staging"
NAME = "slipway-notes-staging-1"
AVAILABLE = StepResult(done=True, reason=Reason.BACKED_UP, message=f"{NAME} is available")
BUSY = Transient(Reason.DATABASE_BUSY, "notes-staging is busy: backing-up")
QUOTA = Broken(Reason.BACKUP_FAILED, "No snapshot of notes-staging is possible.")


def entered(**backup: Any) -> World:
    return World(environment(backup=backup)).entered()


def refusal(world: World) -> str:
    with pytest.raises(Broken) as broken:
        world.backup()
    return str(broken.value)


def waiting(text: str) -> StepResult:
    return StepResult(done=False, reason=Reason.WAITING, message=f"{NAME} {text}")


def test_a_snapshot_is_asked_for_waited_for_and_verified() -> None:
    world = entered()

    assert world.backup() == waiting("is being created (0 %)")
    assert world.deployment.phase is Phase.BACKING_UP
    world.wait(minutes=5)
    assert world.backup() == waiting("is being created (0 %)")
    world.snapshot_ends()
    assert world.backup() == AVAILABLE

    assert world.deployment.progress.backups[DATABASE_ID] == Effect(
        requested_at=START,
        handle=NAME,
        ended_at=START + timedelta(minutes=5),
        succeeded=True,
    )
    assert world.told[-3:] == ["snapshot requested", "snapshot started", "snapshot verified"]
    assert world.evidence[-1].data == {"size_gib": 20, "encrypted": True}


def test_a_verified_snapshot_is_not_looked_at_again() -> None:
    world = World().backed_up()
    before = world.deployment
    world.databases.snapshots.clear()

    assert world.backup() == AVAILABLE
    assert (world.deployment, world.databases.snapshots) == (before, {})


def test_the_intent_stands_in_the_record_before_rds_is_asked() -> None:
    world = entered()
    world.databases.refusal = QUOTA

    refusal(world)

    assert world.deployment.progress.backups == {
        DATABASE_ID: Effect(requested_at=START, handle=NAME)
    }
    assert world.told[-2:] == ["snapshot requested", "call refused"]


def test_a_lost_answer_of_rds_does_not_ask_for_a_second_snapshot() -> None:
    world = entered()
    world.backup()
    first = dict(world.databases.snapshots)
    asked = world.databases.snapshots[NAME]

    world.backup()

    assert world.databases.snapshots == first
    assert world.databases.snapshots[NAME] is asked


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"state": SnapshotState.FAILED, "told": "failed"}, "ended as failed"),
        ({"encrypted": False}, "is not encrypted, but the catalog requires it"),
        ({"size_gib": 0}, "is empty"),
        ({"created_at": None}, "is older than the request for it"),
        ({"created_at": START - timedelta(minutes=2)}, "is older than the request for it"),
    ],
)
def test_a_snapshot_that_is_not_sound_stops_the_deployment(
    wrong: dict[str, object], sentence: str
) -> None:
    world = entered()
    world.backup()
    world.snapshot_ends()
    made = world.databases.snapshots[NAME]
    world.databases.snapshots[NAME] = made.model_copy(update=wrong)

    assert refusal(world) == f"BackupFailed: Snapshot {NAME} {sentence}."
    assert world.deployment.progress.backups[DATABASE_ID].succeeded is None


def test_clocks_may_differ_by_a_little() -> None:
    world = entered()
    world.backup()
    world.databases.finish(NAME, START - timedelta(seconds=59))

    assert world.backup() == AVAILABLE


def test_a_database_that_need_not_be_encrypted_may_have_a_plain_snapshot() -> None:
    world = World(environment(database={"identifier": "notes-staging", "encrypted": False}))
    world.entered().backup()
    world.snapshot_ends()
    made = world.databases.snapshots[NAME]
    world.databases.snapshots[NAME] = made.model_copy(update={"encrypted": False})

    assert world.backup() == AVAILABLE


def test_patience_with_rds_ends() -> None:
    world = entered(timeout_minutes=10)
    world.backup()
    world.wait(minutes=10)
    assert not world.backup().done
    world.wait(seconds=1)

    assert refusal(world) == ("BackupTimedOut: The snapshot was not available after 10 minutes.")


def test_a_snapshot_that_was_ready_in_time_counts_however_late_it_is_seen() -> None:
    world = entered(timeout_minutes=10)
    world.backup()
    world.snapshot_ends()
    world.wait(hours=1)

    assert world.backup() == AVAILABLE


def test_a_busy_database_is_waited_for() -> None:
    world = entered(timeout_minutes=10)
    world.databases.refusal = BUSY

    for _ in range(2):
        assert world.backup() == waiting(f"cannot be created yet: {BUSY.message}")
    world.databases.refusal = None
    assert world.backup() == waiting("is being created (0 %)")
    assert world.told[-3:] == ["snapshot requested", "database busy", "snapshot started"]


def test_what_rds_says_is_on_record_once_per_wording_and_in_the_end() -> None:
    world = entered(timeout_minutes=10)
    said = ("notes-staging is busy: backing-up", "notes-staging is busy: modifying.")
    for words in (said[0], said[0], said[1], said[0]):
        world.databases.refusal = Transient(Reason.DATABASE_BUSY, words)
        world.backup()

    told = [entry.message for entry in world.evidence if entry.what == "database busy"]
    assert told == [said[0], said[1], said[0]]
    world.databases.refusal = Transient(Reason.DATABASE_BUSY, said[1])
    world.wait(minutes=11)
    assert refusal(world) == (
        "BackupTimedOut: The snapshot was not available after 10 minutes: "
        "notes-staging is busy: modifying."
    )


def test_what_rds_said_before_it_took_the_snapshot_explains_nothing_any_more() -> None:
    world = entered(timeout_minutes=10)
    world.databases.refusal = BUSY
    world.backup()
    world.databases.refusal = None
    world.backup()
    world.wait(minutes=11)

    assert refusal(world) == "BackupTimedOut: The snapshot was not available after 10 minutes."


def test_a_state_that_does_not_pass_stops_a_required_backup_at_once() -> None:
    world = entered()
    full = "No snapshot of notes-staging is possible. RDS says: it is storage-full."
    world.databases.refusal = Broken(Reason.DATABASE_UNAVAILABLE, full)

    assert refusal(world) == f"DatabaseUnavailable: {full}"


def test_a_database_that_stays_busy_ends_patience_too() -> None:
    world = entered(timeout_minutes=10)
    world.databases.refusal = BUSY
    world.backup()
    world.wait(minutes=11)

    assert refusal(world).startswith("BackupTimedOut: ")


def test_another_transient_refusal_is_tried_again_by_the_state() -> None:
    world = entered()
    world.databases.refusal = Transient(Reason.AWS_UNAVAILABLE, "CreateDBSnapshot: 503")

    with pytest.raises(Transient):
        world.backup()


def test_a_required_backup_that_cannot_be_had_stops_the_deployment() -> None:
    world = entered()
    world.databases.refusal = QUOTA

    assert refusal(world) == "BackupFailed: No snapshot of notes-staging is possible."


def test_a_best_effort_backup_that_cannot_be_had_is_told_and_passed_over() -> None:
    world = entered(policy="best_effort")
    world.databases.refusal = QUOTA

    assert world.backup() == StepResult(
        done=True,
        reason=Reason.SKIPPED,
        message="no backup: best effort: No snapshot of notes-staging is possible.",
    )
    assert world.told[-3:] == ["snapshot requested", "call refused", "backup skipped"]
    assert world.deployment.progress.backups[DATABASE_ID].succeeded is None


def test_a_best_effort_backup_that_never_ends_is_passed_over() -> None:
    world = entered(policy="best_effort", timeout_minutes=10)
    world.databases.refusal = BUSY
    world.backup()
    world.wait(minutes=11)

    assert world.backup().message == (
        "no backup: best effort: The snapshot was not available after 10 minutes: "
        "notes-staging is busy: backing-up."
    )


def test_a_best_effort_backup_that_can_be_had_is_taken() -> None:
    world = entered(policy="best_effort")
    world.backup()
    world.snapshot_ends()

    assert world.backup() == AVAILABLE


def test_without_a_backup_policy_rds_is_not_asked() -> None:
    world = entered(policy="off")

    assert world.backup() == StepResult(
        done=True,
        reason=Reason.SKIPPED,
        message="no backup: the catalog asks for no backup",
    )
    assert (world.databases.snapshots, world.told[-1]) == ({}, "backup skipped")


def test_a_lane_that_was_lost_gets_no_snapshot() -> None:
    world = entered()
    world.rewrite_lane(holder="notes-staging-2", fencing=2)

    with pytest.raises(Rejected) as refused:
        world.backup()
    assert refused.value.reason is Reason.LANE_LOST
    assert world.databases.snapshots == {}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"cancel_requested_by": "ada"}, Reason.CANCELLED),
        ({"outcome": Outcome.FAILED}, Reason.DEPLOYMENT_ENDED),
    ],
)
def test_what_is_not_wanted_any_more_gets_no_snapshot(
    fields: dict[str, object], reason: Reason
) -> None:
    world = entered()
    world.rewrite(**fields)

    with pytest.raises(Rejected) as refused:
        world.backup()
    assert refused.value.reason is reason
    assert world.databases.snapshots == {}


def test_a_backup_is_woken_by_its_snapshot_and_by_news_of_the_deployment() -> None:
    request = BackupRequest(deployment_id="notes-staging-1", lane="notes/staging")

    assert keys(request) == (f"snapshot:{NAME}", "deployment:notes-staging-1")
