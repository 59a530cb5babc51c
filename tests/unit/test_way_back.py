"""A last good revision that was deregistered is registered anew when it is needed, once."""

from collections.abc import Callable
from typing import Any

import pytest

from slipway.domain.deployment import Phase
from slipway.domain.errors import Broken, Reason, Unhealthy
from slipway.domain.guidance import way_back
from slipway.domain.outcome import Outcome
from slipway.domain.preflight import RevisionState
from slipway.steps.revision import revision_of
from tests.builders.crashes import Crash, Crashes
from tests.builders.documents import FIRST_REVISION, OLD, REGISTRY, environment
from tests.builders.worlds import World, caught
from tests.unit.test_plan import with_another_revision_live

AGAIN = "notes-staging-1/rollback"
BAD = caught("Verify", "Unhealthy", "ReleaseUnhealthy: it is not healthy")


def failed(world: World) -> World:
    """Deployed with everything passed, and found unhealthy."""
    world.admit()
    world.plan()
    assert world.check().done
    world.enter()
    world.deploy()
    world.service.complete()
    assert world.deploy().done
    world.answer_as("2.0.0", status=500)
    with pytest.raises(Unhealthy):
        for _ in range(3):
            world.verify()
    world.wait(minutes=2)
    return world


def live_and_deregistered() -> World:
    world = World(environment(migration=None, database=None))
    world.service.revisions[FIRST_REVISION] = RevisionState.DEREGISTERED
    return world


def rolled_back(world: World) -> str:
    """The revision that serves once the rollback is through."""
    assert not world.rollback().done
    world.service.complete()
    assert world.rollback().done
    world.answer_as("1.0.0")
    assert world.verify("rollback").done
    return world.service.primary.revision_arn


def another_live() -> World:
    return with_another_revision_live(RevisionState.DEREGISTERED)


@pytest.mark.parametrize("made", [another_live, live_and_deregistered])
def test_a_deregistered_last_good_revision_is_registered_anew_for_a_rollback(
    made: Callable[[], World],
) -> None:
    world = failed(made())
    back = rolled_back(world)

    assert back not in (FIRST_REVISION, revision_of(world.deployment))
    assert world.service.images[back] == f"{REGISTRY}@{OLD}"
    assert world.told.count("rollback revision registered") == 1
    assert world.settle(cause=BAD).outcome is Outcome.ROLLED_BACK
    assert world.lane.stable is not None
    assert world.lane.stable.revision_arn == back
    assert world.chain_errors() == []


def test_a_registered_last_good_revision_is_not_registered_again() -> None:
    world = failed(with_another_revision_live(RevisionState.REGISTERED))

    assert rolled_back(world) == FIRST_REVISION
    assert AGAIN not in world.revisions.registered


def counted(world: World) -> list[str]:
    """Every revision that is registered again from now on."""
    registered: list[str] = []
    really = world.revisions.register_again

    def register_again(revision_arn: str, name: str, fencing: int) -> str:
        registered.append(really(revision_arn, name, fencing))
        return registered[-1]

    world.revisions.register_again = register_again  # type: ignore[method-assign]
    return registered


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", ["InMemoryRevisions.register_again", "Service.update"])
def test_an_interrupted_way_back_is_completed_on_retry(at: str, after: bool) -> None:
    world = failed(with_another_revision_live(RevisionState.DEREGISTERED))
    registered = counted(world)
    world.crashes = Crashes(at, after=after)
    with pytest.raises(Crash):
        world.rollback()
    world.crashes = Crashes()
    world.wait(minutes=2)

    if not world.rollback().done:
        world.service.complete()
        assert world.rollback().done

    assert world.service.primary.revision_arn == world.revisions.registered[AGAIN]
    assert world.revisions.images[world.revisions.registered[AGAIN]] == f"{REGISTRY}@{OLD}"
    assert len(registered) == 1


def test_a_revision_that_is_deleted_by_then_needs_a_person() -> None:
    world = failed(with_another_revision_live(RevisionState.DEREGISTERED))

    def deleted(*_: Any) -> str:
        raise Broken(Reason.NOTHING_TO_ROLL_BACK_TO, "It was deleted.")

    world.revisions.register_again = deleted  # type: ignore[assignment, method-assign]

    with pytest.raises(Broken):
        world.rollback()
    assert world.deployment.phase is Phase.ROLLING_BACK
    assert world.told[-1] == "call refused"


def test_the_approver_sees_that_the_last_good_revision_was_deregistered() -> None:
    world = with_another_revision_live(RevisionState.DEREGISTERED)
    world.admit()
    world.plan()

    assert way_back(world.deployment.planned()) == (
        "The code is rolled back to version 1.0.0, whose task definition was deregistered and is "
        "registered again; the database is not touched."
    )
