"""Rollback: schema first, code after, once, and never over what only a person may decide."""

from typing import Any

import pytest

from slipway.domain.deployment import Phase
from slipway.domain.effect import Effect
from slipway.domain.errors import Broken, Reason, Rejected, Transient, Unhealthy
from slipway.domain.outcome import Outcome
from slipway.domain.progress import SchemaWork, ServiceProgress
from slipway.domain.verdict import RolloutState
from slipway.steps.rollback import RollbackRequest, keys
from slipway.steps.step import StepResult
from tests.builders.crashes import Crash, Crashes
from tests.builders.documents import (
    FIRST_REVISION,
    SERVICE_ARN,
    SETTINGS,
    START,
    compatible,
    environment,
    stable,
)
from tests.builders.worlds import World

BACK = StepResult(done=True, reason=Reason.ROLLED_BACK, message="notes-staging-0 is live again")
NOTHING_DEPLOYED = StepResult(done=True, reason=Reason.ROLLED_BACK, message="no code was deployed")
CODE_GOES_BACK = StepResult(
    done=False, reason=Reason.WAITING, message="1 of 2 tasks running the old release"
)
SCHEMA_GOES_BACK = StepResult(done=False, reason=Reason.WAITING, message="the downgrade is running")
DOWNGRADE = "slipway/downgrade/notes-staging-1"
RESTORE = (
    " To restore the data from before into a new database: aws rds "
    "restore-db-instance-from-db-snapshot "
    "--db-instance-identifier notes-staging-restored "
    "--db-snapshot-identifier slipway-notes-staging-1 or: aws rds "
    "restore-db-instance-to-point-in-time --source-db-instance-identifier notes-staging "
    "--target-db-instance-identifier notes-staging-restored --restore-time 2026-11-21T09:00:00Z"
)
RESTORE_TO_TIME = (
    " To restore the data from before into a new database: aws rds "
    "restore-db-instance-to-point-in-time --source-db-instance-identifier notes-staging "
    "--target-db-instance-identifier notes-staging-restored --restore-time 2026-11-21T09:00:00Z"
)


def without_migration() -> World:
    return World(environment(migration=None)).entered_and_deployed()


def without_downgrade(**world: Any) -> World:
    settings = environment(migration={"command": SETTINGS["migration"]["command"]})
    return World(settings, **world)


def broken(world: World) -> tuple[Reason, str]:
    with pytest.raises(Broken) as error:
        world.rollback()
    return error.value.reason, error.value.message


def unhealthy(world: World) -> tuple[Reason, str]:
    with pytest.raises(Unhealthy) as error:
        world.rollback()
    return error.value.reason, error.value.message


def revisions(world: World) -> list[str]:
    return [revision for revision, _ in world.service.updates]


def test_code_goes_back_to_the_last_good_revision_once() -> None:
    world = without_migration()

    assert world.rollback() == CODE_GOES_BACK
    assert world.deployment.phase is Phase.ROLLING_BACK
    assert world.rollback() == CODE_GOES_BACK
    world.service.complete()
    assert world.rollback() == BACK
    assert world.rollback() == BACK

    assert revisions(world)[1:] == [FIRST_REVISION]
    assert world.told[-3:] == ["rolling back", "rollback requested", "rollback started"]
    assert world.deployment.service.rollback == Effect(requested_at=START)


def test_schema_goes_back_before_the_code() -> None:
    world = World().deployed()

    assert world.rollback() == SCHEMA_GOES_BACK
    assert world.rollback() == SCHEMA_GOES_BACK
    assert world.service.primary.revision_arn != FIRST_REVISION
    world.task_ends("downgrade", 0, "INFO 0002 -> 0001")
    assert world.rollback() == CODE_GOES_BACK
    world.service.complete()
    assert world.rollback() == BACK

    assert world.one_offs.commands[DOWNGRADE] == ("alembic", "downgrade", "0001")
    assert world.told[-7:] == [
        "rolling back",
        "downgrade requested",
        "downgrade started",
        "downgrade ended",
        "downgrade log",
        "rollback requested",
        "rollback started",
    ]


def test_a_schema_that_the_old_code_runs_on_stays() -> None:
    world = World(pushed=compatible()).deployed()

    assert world.rollback() == CODE_GOES_BACK
    assert DOWNGRADE not in world.one_offs.tasks


def test_without_a_downgrade_command_a_person_decides_with_the_restore_commands() -> None:
    world = without_downgrade().deployed()
    before = revisions(world)

    assert broken(world) == (
        Reason.SCHEMA_MOVED,
        "The schema was migrated, the release is not declared backward compatible, and there is "
        f"no downgrade command.{RESTORE}",
    )
    assert revisions(world) == before


def test_a_target_that_does_not_name_its_schema_cannot_be_downgraded_to() -> None:
    world = World(last_good=stable(schema_revision=None)).deployed()

    assert broken(world)[0] is Reason.SCHEMA_MOVED


def test_without_a_downgrade_command_compatible_code_goes_back_all_the_same() -> None:
    world = without_downgrade(pushed=compatible()).deployed()

    assert world.rollback() == CODE_GOES_BACK


def test_without_a_snapshot_the_restore_command_names_the_time_before_the_migration() -> None:
    settings = environment(
        migration={"command": ["alembic", "upgrade", "head"]}, backup={"policy": "off"}
    )
    world = World(settings).entered()
    world.backup()
    world.migrate()
    world.task_ends("migrate")
    world.migrate()

    assert broken(world)[1].endswith(RESTORE_TO_TIME)


def test_a_first_deployment_has_nothing_to_go_back_to() -> None:
    world = World(environment(migration=None))
    world.rewrite_lane(stable=None)
    world.entered_and_deployed()

    assert broken(world) == (
        Reason.NOTHING_TO_ROLL_BACK_TO,
        "No release was ever verified on notes/staging.",
    )
    assert len(world.service.updates) == 1


def test_a_first_deployment_that_migrated_carries_the_restore_commands() -> None:
    world = World()
    world.rewrite_lane(stable=None)
    world.deployed()

    assert broken(world)[1] == f"No release was ever verified on notes/staging.{RESTORE}"


def test_a_migration_that_failed_half_way_is_taken_back_and_no_code_is_touched() -> None:
    world = World().backed_up()
    world.migrate()
    world.task_ends("migrate", 1)
    with pytest.raises(Unhealthy):
        world.migrate()

    assert world.rollback() == SCHEMA_GOES_BACK
    world.task_ends("downgrade")
    assert world.rollback() == NOTHING_DEPLOYED
    assert world.service.updates == []


def test_half_a_compatible_migration_is_taken_back_too() -> None:
    world = World(pushed=compatible()).backed_up()
    world.migrate()
    world.task_ends("migrate", 1)

    assert world.rollback() == SCHEMA_GOES_BACK


def test_a_migration_that_still_runs_is_waited_for_before_anything_is_taken_back() -> None:
    world = World().backed_up()
    world.migrate()
    world.wait(minutes=16)
    with pytest.raises(Unhealthy):
        world.migrate()

    waiting = StepResult(
        done=False, reason=Reason.WAITING, message="the migration is still running"
    )
    assert world.rollback() == waiting
    world.wait(minutes=14)
    assert world.rollback() == waiting
    assert DOWNGRADE not in world.one_offs.tasks
    world.task_ends("migrate", 1)
    assert world.rollback() == SCHEMA_GOES_BACK


def test_a_migration_that_does_not_end_is_a_persons_matter() -> None:
    world = World().backed_up()
    world.migrate()
    world.wait(minutes=31)

    reason, message = broken(world)

    assert reason is Reason.MIGRATION_TIMED_OUT
    assert message.endswith(
        "slipway/migrate/notes-staging-1 is still running; stop it and check the partly migrated "
        "schema. No other deployment migrates this database until the task has stopped."
        f"{RESTORE}"
    )


def test_a_migration_that_ended_well_after_all_is_on_record() -> None:
    world = World(pushed=compatible()).backed_up()
    world.migrate()
    world.wait(minutes=16)
    with pytest.raises(Unhealthy):
        world.migrate()
    world.task_ends("migrate")

    assert world.rollback() == NOTHING_DEPLOYED
    migration = world.deployment.progress.schema_tasks[SchemaWork.UP]
    assert (migration.ended_at, migration.succeeded) == (world.now, True)
    assert world.told.count("migration ended") == 1


def on_its_way(world: World) -> None:
    """A rollback waits, and leaves everything alone, while a call that died may still come."""
    before = revisions(world), dict(world.one_offs.tasks)

    with pytest.raises(Transient, match="may still be on its way"):
        world.rollback()
    assert (revisions(world), world.one_offs.tasks) == before
    world.wait(seconds=60)


def test_a_migration_whose_start_was_not_written_down_is_found_and_waited_for() -> None:
    world = World().backed_up()
    world.crashes = Crashes("InMemoryOneOffs.run", after=True)
    with pytest.raises(Crash):
        world.migrate()
    world.crashes = Crashes()
    assert world.deployment.progress.schema_tasks[SchemaWork.UP].handle is None

    on_its_way(world)
    assert world.rollback().message == "the migration is still running"
    assert DOWNGRADE not in world.one_offs.tasks


def test_a_downgrade_that_fails_is_a_persons_matter_and_the_code_stays() -> None:
    world = World().deployed()
    world.rollback()
    world.task_ends("downgrade", 1, "ERROR cannot drop")
    before = revisions(world)

    for _ in range(2):
        assert broken(world) == (
            Reason.DOWNGRADE_FAILED,
            "The downgrade ended with exit code 1. "
            f"See the end of its log: operate show notes-staging-1.{RESTORE}",
        )
    assert revisions(world) == before


def test_patience_with_a_downgrade_ends() -> None:
    world = World().deployed()
    world.rollback()
    world.wait(minutes=15)
    assert world.rollback() == SCHEMA_GOES_BACK
    world.wait(seconds=1)

    assert broken(world) == (
        Reason.DOWNGRADE_FAILED,
        f"The downgrade is still running after 15 minutes.{RESTORE}",
    )


def test_a_service_that_ecs_took_back_itself_is_left_alone() -> None:
    world = World(environment(migration=None)).entered()
    world.deploy()
    world.service.give_up("Circuit breaker: rolling back to ecs-svc/1.")
    with pytest.raises(Unhealthy):
        world.deploy()

    assert world.rollback() == BACK
    assert len(world.service.updates) == 1


def test_a_rollback_that_ecs_gives_up_is_not_tried_again() -> None:
    world = without_migration()
    world.rollback()
    bad = world.service.attempts[1]
    world.service.attempts[0].state = RolloutState.GIVEN_UP
    world.service.attempts[0].told = "ROLLBACK_SUCCESSFUL: rolling back to ecs-svc/2."
    world.service.primary = bad

    for _ in range(2):
        assert unhealthy(world) == (
            Reason.ROLLBACK_NOT_LIVE,
            "ECS ended the rollback as ROLLBACK_SUCCESSFUL: rolling back to ecs-svc/2.",
        )
    assert len(world.service.updates) == 2


def test_patience_with_ecs_ends() -> None:
    world = without_migration()
    world.rollback()
    world.wait(minutes=60)
    assert world.rollback() == CODE_GOES_BACK
    world.wait(seconds=1)

    assert unhealthy(world) == (
        Reason.ROLLBACK_TIMED_OUT,
        "ECS did not finish the rollback in time.",
    )


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_update_that_died_is_made_good_and_sent_once(after: bool) -> None:
    world = without_migration()
    world.crashes = Crashes("Service.update", after=after)
    with pytest.raises(Crash):
        world.rollback()
    world.crashes = Crashes()

    on_its_way(world)
    assert world.rollback() == CODE_GOES_BACK
    assert revisions(world)[1:] == [FIRST_REVISION]


def test_nothing_is_taken_back_after_the_lane_was_lost() -> None:
    world = World().deployed()
    world.rewrite_lane(holder="notes-staging-2", fencing=2)
    before = revisions(world)

    with pytest.raises(Rejected) as refused:
        world.rollback()
    assert refused.value.reason is Reason.LANE_LOST
    assert revisions(world) == before
    assert DOWNGRADE not in world.one_offs.tasks


def test_nothing_is_taken_back_after_the_deployment_has_ended() -> None:
    world = without_migration()
    world.rollback()
    world.service.primary = world.service.attempts[1]
    world.rewrite(outcome=Outcome.NEEDS_OPERATOR)

    with pytest.raises(Rejected) as refused:
        world.rollback()
    assert refused.value.reason is Reason.DEPLOYMENT_ENDED
    assert len(world.service.updates) == 2


def test_a_cancelled_deployment_is_taken_back() -> None:
    world = without_migration()
    world.rewrite(cancel_requested_by="ada")

    assert world.rollback() == CODE_GOES_BACK


def test_what_is_live_is_not_taken_for_a_rollback_while_an_update_may_be_on_its_way() -> None:
    # Deploy noted its intent and hangs before UpdateService; a cancel has ended its state.
    world = World(environment(migration=None)).entered()
    revision = Effect(requested_at=world.now, handle="registered:8")
    rollout = Effect(requested_at=world.now)
    service = ServiceProgress(revision=revision, rollout=rollout)
    meant = world.deployment.with_service(service).acting(world.now)
    world.rewrite(progress=meant.progress)
    on_its_way(world)
    assert world.rollback() == BACK


def test_a_migration_that_may_be_about_to_start_is_not_taken_back_beside_it() -> None:
    world = World().backed_up()
    world.crashes = Crashes("InMemoryOneOffs.run")
    with pytest.raises(Crash):
        world.migrate()
    world.crashes = Crashes()

    on_its_way(world)
    # It was never placed, which ECS tells once the call can come no more.
    assert world.rollback().message == "no code was deployed"
    assert "downgrade requested" not in world.told


def test_a_rollback_before_anything_was_changed_changes_nothing() -> None:
    world = World(environment(migration=None)).entered()

    assert world.rollback() == StepResult(
        done=True, reason=Reason.NOTHING_CHANGED, message="nothing was changed"
    )
    assert world.service.updates == []


def test_a_rollback_is_woken_by_its_service_its_tasks_and_the_sweep() -> None:
    request = RollbackRequest(
        deployment_id="notes-staging-1", lane="notes/staging", service_arn=SERVICE_ARN
    )

    assert keys(request) == (
        f"service:{SERVICE_ARN}",
        "task:slipway/current/notes-staging-1",
        "task:slipway/downgrade/notes-staging-1",
        "deployment:notes-staging-1",
    )
