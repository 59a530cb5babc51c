"""ECS has no room for a one-off task: it is waited for, and nothing that was not placed ran."""

import pytest

from slipway.domain.deployment import Phase
from slipway.domain.errors import Broken, Reason, Rejected, Transient, Unhealthy
from slipway.domain.lane import DatabaseSlot
from slipway.domain.outcome import Outcome
from slipway.domain.progress import SchemaWork
from slipway.domain.start import Start
from slipway.steps.step import StepResult
from tests.builders.crashes import Crash, Crashes
from tests.builders.documents import DATABASE, FIRST_REVISION, NEW, START, environment
from tests.builders.worlds import World, caught

SAID = "ECS placed no task: Capacity is unavailable at this time."
NO_ROOM = Transient(Reason.CAPACITY_UNAVAILABLE, SAID)
LOST = Transient(Reason.AWS_UNAVAILABLE, "AWS did not answer: Read timeout.")
MISSING = Broken(Reason.AWS_REFUSED, "ECS placed no task: MISSING.")
WAITS = StepResult(done=False, reason=Reason.WAITING, message=f"the migration is waiting: {SAID}")
UP, DOWN = "slipway/migrate/notes-staging-1", "slipway/downgrade/notes-staging-1"


def waiting(*refusals: Broken | Transient) -> World:
    """A world whose next tries of a migration's start are answered like this."""
    world = World().backed_up()
    world.one_offs.refusals.extend(refusals)
    return world


def ended(world: World, state: str, error: Exception) -> Outcome:
    """The way from a failed state through Rollback to the end, as the state machine takes it."""
    cause = caught(state, type(error).__name__, str(error))
    assert world.rollback().message == "nothing was changed"
    assert world.verify("rollback").done
    return world.settle(cause=cause).outcome


def test_a_migration_waits_for_room_and_runs_when_there_is_some() -> None:
    world = waiting(NO_ROOM)

    assert world.migrate() == WAITS
    world.wait(minutes=4)
    assert world.migrate().message == "the migration is running"
    world.task_ends("migrate")
    assert world.migrate().done
    assert list(world.one_offs.tasks) == [UP]


def test_what_ecs_says_is_on_record_once_per_wording() -> None:
    other = Transient(Reason.CAPACITY_UNAVAILABLE, "ECS placed no task: RESOURCE:CPU.")
    world = waiting(NO_ROOM, NO_ROOM, other, other)
    for _ in range(4):
        world.migrate()

    told = [entry for entry in world.evidence if entry.what.startswith("migration")]
    assert [(entry.what, entry.message) for entry in told] == [
        ("migration requested", "alembic upgrade head"),
        ("migration delayed", SAID),
        ("migration delayed", other.message),
    ]
    assert world.chain_errors() == []


def test_every_answered_try_is_made_under_a_token_of_its_own() -> None:
    world = waiting(NO_ROOM, NO_ROOM)
    for _ in range(3):
        world.migrate()

    assert world.one_offs.attempts == [(UP, 0), (UP, 1), (UP, 2)]


def test_a_try_without_an_answer_is_made_again_under_its_token() -> None:
    """A task may have been started for it: another token would start a second one."""
    world = waiting(NO_ROOM, LOST, NO_ROOM, NO_ROOM)
    world.migrate()
    with pytest.raises(Transient):
        world.migrate()
    for _ in range(3):
        world.migrate()

    assert [attempt for _, attempt in world.one_offs.attempts] == [0, 1, 1, 1, 1]


def test_room_that_never_comes_ends_the_deployment_before_anything_changed() -> None:
    world = waiting(*[NO_ROOM] * 9)
    world.migrate()
    world.wait(minutes=15)
    assert world.migrate() == WAITS
    world.wait(seconds=1)

    for _ in range(2):
        with pytest.raises(Broken) as broken:
            world.migrate()
        assert str(broken.value) == (
            f"CapacityUnavailable: The migration did not start within 15 minutes: {SAID}"
        )
    tries = len(world.one_offs.attempts)
    assert ended(world, "Migrate", broken.value) is Outcome.FAILED
    assert (world.lane.hold, NEW in world.lane.bad_digests, world.one_offs.tasks) == (
        None,
        False,
        {},
    )
    assert world.deployment.failure is not None
    assert SAID in world.deployment.failure.message
    assert len(world.one_offs.attempts) == tries
    assert world.told.count("migration abandoned") == 1


def test_a_migration_that_was_never_placed_keeps_no_database() -> None:
    world = waiting(NO_ROOM, NO_ROOM)
    world.migrate()
    world.wait(minutes=16)
    with pytest.raises(Broken) as broken:
        world.migrate()
    ended(world, "Migrate", broken.value)

    slot = world.records.database_slot(f"rds:{DATABASE}")
    assert slot.holder is None
    assert isinstance(slot, DatabaseSlot)


def test_room_that_comes_late_leaves_the_migration_its_time() -> None:
    world = waiting(NO_ROOM)
    world.migrate()
    world.wait(minutes=14)
    world.migrate()
    world.wait(minutes=15)

    assert world.migrate().message == "the migration is running"
    world.wait(seconds=1)
    with pytest.raises(Unhealthy, match="is still running after 15 minutes"):
        world.migrate()


def test_a_wish_to_cancel_is_granted_while_there_is_no_room() -> None:
    world = waiting(NO_ROOM, NO_ROOM)
    world.migrate()
    world.rewrite(cancel_requested_by="ada")

    with pytest.raises(Rejected) as refused:
        world.migrate()
    assert refused.value.reason is Reason.CANCELLED
    assert ended(world, "Migrate", refused.value) is Outcome.CANCELLED


def test_an_execution_that_is_stopped_while_there_is_no_room_changed_nothing() -> None:
    world = waiting(NO_ROOM)
    world.migrate()

    result = world.settle(failure=caught("Migrating", "ExecutionStopped", "ExecutionStopped: x"))
    assert (result.outcome, world.lane.hold) == (Outcome.FAILED, None)


def test_a_task_that_ecs_refuses_ends_the_deployment_before_anything_changed() -> None:
    world = waiting(MISSING)

    with pytest.raises(Broken) as broken:
        world.migrate()
    assert broken.value is MISSING
    assert world.told[-2:] == ["migration requested", "call refused"]
    assert ended(world, "Migrate", broken.value) is Outcome.FAILED


def test_what_was_refused_for_good_is_not_asked_for_again() -> None:
    world = waiting(MISSING)
    with pytest.raises(Broken):
        world.migrate()

    with pytest.raises(Broken, match="MISSING"):
        world.migrate()
    assert world.one_offs.attempts == [(UP, 0)]


def test_a_downgrade_that_ecs_refuses_asks_a_person_at_every_look() -> None:
    world = rolling_back(MISSING)

    for _ in range(2):
        with pytest.raises(Broken, match="MISSING"):
            world.rollback()
    assert world.one_offs.attempts[-1:] == [(DOWN, 0)]


@pytest.mark.parametrize("refusal", [NO_ROOM, MISSING])
def test_a_refusal_proves_nothing_of_an_earlier_try_without_an_answer(
    refusal: Broken | Transient,
) -> None:
    world = waiting(LOST, *[refusal] * 3)
    with pytest.raises(Transient):
        world.migrate()
    world.wait(minutes=16)

    with pytest.raises(Broken):
        world.migrate()
    assert world.deployment.has_changed
    world.wait(seconds=60)
    world.one_offs.refusals.clear()
    # ECS has no task of that try, running or stopped: nothing is taken back.
    assert world.rollback().message == "no code was deployed"
    assert world.told[-1] == "migration never placed"
    assert not world.deployment.has_changed


def test_what_ecs_may_have_forgotten_is_taken_back() -> None:
    """ECS shows a stopped task for an hour at least; later its silence proves nothing."""
    world = waiting(LOST, *[NO_ROOM] * 3)
    with pytest.raises(Transient):
        world.migrate()
    world.wait(minutes=51)
    with pytest.raises(Broken):
        world.migrate()
    world.wait(seconds=60)
    world.one_offs.refusals.clear()

    assert world.rollback().message == "the downgrade is running"


def test_a_cancel_comes_before_a_try_that_may_not_have_been_heard() -> None:
    world = waiting(Transient(Reason.AWS_UNAVAILABLE, "RunTask: Rate exceeded"))
    with pytest.raises(Transient):
        world.migrate()
    world.rewrite(cancel_requested_by="ada")
    world.wait(seconds=61)

    with pytest.raises(Rejected, match="Cancelled by ada"):
        world.migrate()
    assert world.one_offs.tasks == {}
    assert world.rollback().message == "no code was deployed"


def test_a_function_that_dies_over_the_answer_leaves_it_open() -> None:
    world = waiting()
    world.crashes = Crashes("InMemoryOneOffs.run", after=True)
    with pytest.raises(Crash):
        world.migrate()
    world.crashes = Crashes()

    assert world.deployment.has_changed
    assert world.deployment.progress.schema_tasks[SchemaWork.UP].start == Start(unanswered=1)


def test_a_migration_that_an_older_slipway_asked_for_may_have_run() -> None:
    world = waiting(NO_ROOM, NO_ROOM)
    world.migrate()
    older = world.deployment.progress.schema_tasks[SchemaWork.UP].starting(None)
    world.records.write([world.deployment.with_schema_task(SchemaWork.UP, older)])

    assert world.deployment.has_changed
    world.wait(minutes=16)
    with pytest.raises(Broken, match="did not start"):
        world.migrate()
    assert world.deployment.has_changed


def rolling_back(*refusals: Broken | Transient) -> World:
    world = World().deployed()
    world.one_offs.refusals.extend(refusals)
    return world


def test_a_downgrade_waits_for_room_and_runs_when_there_is_some() -> None:
    world = rolling_back(NO_ROOM)

    assert world.rollback() == StepResult(
        done=False, reason=Reason.WAITING, message=f"the downgrade is waiting: {SAID}"
    )
    assert world.service.primary.revision_arn != FIRST_REVISION
    world.wait(minutes=4)
    assert world.rollback().message == "the downgrade is running"
    world.task_ends("downgrade")
    world.rollback()
    world.service.complete()
    assert world.rollback().done
    assert world.one_offs.attempts[-2:] == [(DOWN, 0), (DOWN, 1)]


def test_a_downgrade_that_finds_no_room_asks_a_person_with_what_ecs_says() -> None:
    world = rolling_back(*[NO_ROOM] * 5)
    world.rollback()
    world.wait(minutes=15, seconds=1)

    with pytest.raises(Broken) as broken:
        world.rollback()
    assert broken.value.reason is Reason.DOWNGRADE_FAILED
    assert broken.value.message.startswith(
        f"The downgrade did not start within 15 minutes: {SAID} To restore the data from before"
    )
    assert world.deployment.phase is Phase.ROLLING_BACK
    assert not world.deployment.may_be_migrating


def test_a_migration_without_a_way_back_may_wait_for_room_as_well() -> None:
    world = World(environment(migration={"command": ["alembic", "upgrade", "head"]})).backed_up()
    world.one_offs.refusals.append(NO_ROOM)

    assert world.migrate() == WAITS
    assert not world.deployment.has_changed
    assert world.deployment.progress.schema_tasks[SchemaWork.UP].requested_at == START
