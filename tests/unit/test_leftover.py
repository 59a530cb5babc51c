"""The command has ended while another container keeps its task running."""

import pytest

from slipway.domain.errors import Broken, Reason, Transient, Unhealthy
from slipway.steps.schema_task import may_change_schema
from tests.builders.crashes import Crash, Crashes
from tests.builders.worlds import World

MIGRATION = "arn:aws:ecs:us-east-1:000000000000:task/staging/slipway/migrate/notes-staging-1"


def left(exit_code: int | None) -> World:
    world = World().backed_up()
    world.migrate()
    world.task_ends("migrate", exit_code, "the end", leftover=True, began=True)
    return world


def test_the_containers_end_is_the_migrations_end_and_the_rest_is_stopped() -> None:
    world = left(0)

    assert world.migrate().done
    assert world.one_offs.stopped == [MIGRATION]
    assert world.told[-3:] == [
        "migration ended",
        "migration task stopped",
        "migration log",
    ]
    assert world.evidence[-3].data == {"exit_code": 0, "reason": "", "leftover": True}
    assert world.deployment.progress.acting == ()


@pytest.mark.parametrize("exit_code", [1, None])
def test_a_command_that_failed_beside_another_container_has_failed(exit_code: int | None) -> None:
    world = left(exit_code)

    with pytest.raises(Unhealthy, match="MigrationFailed"):
        world.migrate()
    assert world.one_offs.stopped == [MIGRATION]


def test_the_database_is_free_though_the_task_runs_on() -> None:
    world = left(1)

    assert not may_change_schema(
        world.deployment, world.one_offs, world.deployment.requested_at.replace(hour=23)
    )


def test_a_rest_that_may_not_be_stopped_does_not_decide_how_the_command_ended() -> None:
    world = left(0)

    def refuse(*_: object) -> None:
        raise Broken(Reason.AWS_REFUSED, "StopTask: not authorized")

    world.one_offs.stop = refuse  # type: ignore[assignment]

    assert world.migrate().done
    assert world.told[-3:] == [
        "migration task stopped",
        "call refused",
        "migration log",
    ]


def test_a_death_before_the_rest_is_stopped_is_made_good() -> None:
    world = left(1)
    world.crashes = Crashes("InMemoryOneOffs.stop")
    with pytest.raises(Crash):
        world.migrate()
    world.crashes = Crashes()

    with pytest.raises(Unhealthy):
        world.migrate()
    assert world.one_offs.stopped == [MIGRATION]
    assert world.told.count("migration ended") == 1


def test_a_downgrade_ends_with_its_container_as_well() -> None:
    world = World().deployed()
    world.rollback()
    world.task_ends("downgrade", 0, leftover=True)

    world.rollback()
    assert world.deployment.progress.has_downgraded
    assert len(world.one_offs.stopped) == 1


def test_a_migration_that_a_rollback_waits_for_ends_with_its_container() -> None:
    world = World().backed_up()
    world.migrate()
    world.wait(minutes=16)
    with pytest.raises(Unhealthy):
        world.migrate()
    world.task_ends("migrate", 1, leftover=True)

    assert world.rollback().message == "the downgrade is running"
    assert world.one_offs.stopped == [MIGRATION]


def throttled(world: World) -> None:
    """ECS takes the next StopTask only after this one."""
    stop = world.one_offs.stop

    def once(*_: object) -> None:
        world.one_offs.stop = stop  # type: ignore[method-assign]
        raise Transient(Reason.AWS_UNAVAILABLE, "StopTask: throttled")

    world.one_offs.stop = once  # type: ignore[assignment]


def test_whoever_goes_on_with_a_migration_stops_what_another_look_could_not() -> None:
    world = left(0)
    throttled(world)
    with pytest.raises(Transient):
        world.migrate()
    assert world.one_offs.stopped == []

    assert world.migrate().done
    assert world.one_offs.stopped == [MIGRATION]
    assert world.migrate().done
    assert world.one_offs.stopped == [MIGRATION]


def test_a_rollback_stops_what_no_look_at_the_migration_could() -> None:
    world = left(1)
    throttled(world)
    with pytest.raises(Transient):
        world.migrate()
    world.wait(minutes=2)

    world.rollback()
    assert world.one_offs.stopped == [MIGRATION]
