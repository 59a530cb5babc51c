"""A task that ECS says never started has changed nothing, and only such a one."""

import pytest

from slipway.domain.errors import Broken, Reason, Unhealthy
from slipway.domain.outcome import Outcome
from slipway.domain.progress import SchemaWork
from slipway.domain.recovery import recovery_point
from slipway.steps.schema_task import may_change_schema
from tests.builders.crashes import Crash, Crashes
from tests.builders.documents import DATABASE, NEW, SETTINGS, environment
from tests.builders.worlds import World, caught

WHY = "ResourceInitializationError: unable to pull secrets or registry auth"
WITHOUT_WAY_BACK = {"command": SETTINGS["migration"]["command"]}


def asked(migration: dict[str, object] | None = None) -> World:
    world = World(environment(migration=migration or SETTINGS["migration"])).backed_up()
    world.migrate()
    return world


def never_ran(world: World) -> Broken:
    world.task_ends("migrate", None, reason=WHY)
    with pytest.raises(Broken) as broken:
        world.migrate()
    return broken.value


@pytest.mark.parametrize("migration", [SETTINGS["migration"], WITHOUT_WAY_BACK])
def test_a_migration_that_never_started_ends_before_anything_changed(
    migration: dict[str, object],
) -> None:
    world = asked(migration)
    error = never_ran(world)

    assert str(error) == (
        f"MigrationNeverRan: The migration never ran ({WHY}). The schema is unchanged."
    )
    assert world.rollback().message == "nothing was changed"
    assert world.verify("rollback").done
    result = world.settle(cause=caught("Migrate", "Broken", str(error)))
    assert (result.outcome, result.reason) == (Outcome.FAILED, "MigrationNeverRan")
    assert WHY in result.message
    assert (world.lane.hold, NEW in world.lane.bad_digests, world.lane.holder) == (
        None,
        False,
        None,
    )
    assert list(world.one_offs.tasks) == ["slipway/migrate/notes-staging-1"]
    assert world.records.database_slot(f"rds:{DATABASE}").holder is None
    assert recovery_point(world.deployment) is None


def test_the_record_says_so_with_ecss_reason() -> None:
    world = asked()
    never_ran(world)

    assert (world.evidence[-1].what, world.evidence[-1].message) == (
        "migration ended",
        f"never ran ({WHY})",
    )


def test_a_second_look_says_the_same() -> None:
    world = asked()
    first = never_ran(world)

    assert str(never_ran(world)) == str(first)
    assert world.told.count("migration ended") == 1


def test_a_migration_that_never_started_changes_no_schema() -> None:
    world = asked()
    assert may_change_schema(world.deployment, world.one_offs, world.now)
    never_ran(world)

    assert not may_change_schema(world.deployment, world.one_offs, world.now)
    assert not world.deployment.may_be_migrating


def test_a_command_without_an_exit_code_that_may_have_run_is_taken_back() -> None:
    world = asked()
    world.task_ends("migrate", None, reason="Host EC2 terminated.", began=True)

    with pytest.raises(Unhealthy) as unhealthy:
        world.migrate()
    assert unhealthy.value.reason is Reason.MIGRATION_FAILED
    assert "it may have run (Host EC2 terminated.)" in unhealthy.value.message
    assert world.rollback().message == "the downgrade is running"


def test_a_migration_that_outlived_its_patience_and_then_never_started_changed_nothing() -> None:
    """ECS may take long to find out that it cannot start a task."""
    world = asked()
    world.wait(minutes=16)
    with pytest.raises(Unhealthy) as late:
        world.migrate()
    assert world.rollback().message == "the migration is still running"
    world.task_ends("migrate", None, reason=WHY)

    assert world.rollback().message == "no code was deployed"
    cause = caught("Migrate", "Unhealthy", str(late.value))
    assert world.settle(cause=cause).outcome is Outcome.FAILED
    assert list(world.one_offs.tasks) == ["slipway/migrate/notes-staging-1"]


def test_a_migration_whose_start_was_not_written_down_is_found_and_its_end_believed() -> None:
    world = World().backed_up()
    world.crashes = Crashes("InMemoryOneOffs.run", after=True)
    with pytest.raises(Crash):
        world.migrate()
    world.crashes = Crashes()
    world.task_ends("migrate", None, reason=WHY)
    world.wait(seconds=60)

    world.rollback()
    assert not world.deployment.has_changed


def test_a_downgrade_that_never_started_leaves_the_schema_to_a_person() -> None:
    world = World().deployed()
    world.rollback()
    world.task_ends("downgrade", None, reason=WHY)

    with pytest.raises(Broken) as broken:
        world.rollback()
    assert broken.value.reason is Reason.DOWNGRADE_FAILED
    assert broken.value.message.startswith(f"The downgrade never ran ({WHY}). To restore the data")


def test_a_migration_of_an_older_slipway_that_never_started_changed_nothing_either() -> None:
    world = asked()
    older = world.deployment.progress.schema_tasks[SchemaWork.UP].starting(None)
    world.records.write([world.deployment.with_schema_task(SchemaWork.UP, older)])

    never_ran(world)
    assert not world.deployment.has_changed
