"""Every step survives a death just before or just after each of its calls to the outside.

The function is called again, as Step Functions' Retry does, with the record as it was left. The
world must end as it does without the accident: everything that changes it happened once.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from slipway.domain.errors import Reason, Rejected, Transient, Unhealthy
from slipway.domain.progress import Progress
from tests.builders.crashes import Crash, Crashes
from tests.builders.documents import environment
from tests.builders.worlds import World

Act = Callable[[World], Any]


def without_migration() -> World:
    return World(environment(migration=None))


def awaiting_rollback() -> World:
    world = World().deployed()
    world.answer_as("2.0.0", status=500)
    for _ in range(2):
        world.verify()
    with pytest.raises(Unhealthy):
        world.verify()
    world.answer_as("1.0.0")
    return world


def rolled_back() -> World:
    world = awaiting_rollback()
    until_done(world, World.rollback)
    return world


STORIES: dict[str, tuple[Callable[[], World], Act]] = {
    "check": (lambda: World().planned(), World.check),
    "enter": (lambda: World().planned(), World.enter),
    "backup": (lambda: World().entered(), World.backup),
    "migrate": (lambda: World().backed_up(), World.migrate),
    "deploy": (lambda: without_migration().entered(), World.deploy),
    "deploy after migrate": (lambda: World().migrated(), World.deploy),
    "verify": (lambda: World().deployed(), World.verify),
    "rollback": (awaiting_rollback, World.rollback),
    "verify the rollback": (rolled_back, lambda world: world.verify("rollback")),
}


def until_done(world: World, step: Act) -> int:
    """Call the step until it is done, the world doing its part in between; how often it died."""
    deaths = 0
    for _ in range(12):
        try:
            if step(world).done:
                return deaths
        except Crash:
            deaths += 1
        except Transient:
            # The state's Retry: a call that died may have been on its way.
            world.wait(seconds=60)
        world.everything_ends_well()
    raise AssertionError(f"not done: {world.told}")


def ending(world: World) -> dict[str, Any]:
    """What the story left: in the world, and in the record but for what depends on the calls."""
    return {
        "updates": world.service.updates,
        "live": world.service.primary,
        "revisions": world.revisions.registered,
        "images": world.revisions.images,
        "tasks": world.one_offs.commands,
        "snapshots": world.databases.snapshots,
        "progress": _reached(world.deployment.progress),
        "phase": world.deployment.phase,
        "holder": (world.lane.holder, world.lane.fencing),
        "broken chain": world.chain_errors(),
    }


def _reached(progress: Progress) -> dict[str, Any]:
    """The progress without its times: a death may cost a minute, and leave its call unanswered."""
    found: dict[str, Any] = _timeless(progress.model_dump(exclude_defaults=True))
    return found


def _timeless(value: Any) -> Any:
    if isinstance(value, datetime):
        return "reached"
    if not isinstance(value, dict):
        return value
    kept = {name: one for name, one in value.items() if name not in ("acting", "unanswered", "at")}
    return {name: _timeless(one) for name, one in kept.items()}


def faultless(name: str) -> tuple[dict[str, Any], int]:
    start, step = STORIES[name]
    world = start()
    world.crashes = Crashes()
    until_done(world, step)
    return ending(world), len(world.crashes.calls)


FAULTLESS = {name: faultless(name) for name in STORIES}
CASES = [
    pytest.param(name, call, after, id=f"{name}-{'after' if after else 'before'}-{call}")
    for name, (_, calls) in FAULTLESS.items()
    for call in range(calls)
    for after in (False, True)
]


@pytest.mark.parametrize(("name", "call", "after"), CASES)
def test_a_step_that_died_at_any_call_ends_as_if_it_had_not(
    name: str, call: int, after: bool
) -> None:
    start, step = STORIES[name]
    world = start()
    world.crashes = Crashes(call, after=after)

    assert until_done(world, step) == 1
    assert ending(world) == FAULTLESS[name][0]


@pytest.mark.parametrize("name", STORIES)
def test_a_step_that_is_done_changes_nothing_when_it_is_called_again(name: str) -> None:
    start, step = STORIES[name]
    world = start()
    until_done(world, step)
    before = ending(world)

    assert step(world).done
    assert ending(world) == before


def test_a_whole_deployment_survives_a_death_at_every_call() -> None:
    """The same story with a death at each call in turn, from admission to the settled end."""
    _, calls = _whole(Crashes())
    endings = [_whole(Crashes(call, after=bool(call % 2)))[0] for call in range(calls)]

    assert endings == [_whole(Crashes())[0]] * calls


def _whole(crashes: Crashes) -> tuple[dict[str, Any], int]:
    world = World()
    world.crashes = crashes
    for once in (World.admit, World.plan):
        _until_answered(world, once)
    for step in (World.check, World.enter, World.check, World.backup, World.migrate):
        until_done(world, step)
    for step in (World.deploy, World.verify):
        until_done(world, step)
    _until_answered(world, World.settle)
    return ending(world) | {"outcome": world.deployment.outcome}, len(crashes.calls)


def _until_answered(world: World, step: Act) -> None:
    for _ in range(3):
        try:
            step(world)
        except Crash:
            continue
        return


@pytest.mark.parametrize(
    ("story", "call"),
    [
        ("backup", "InMemoryDatabases.create_snapshot"),
        ("migrate", "InMemoryRevisions.register"),
        ("migrate", "InMemoryOneOffs.run"),
        ("deploy", "InMemoryRevisions.register"),
        ("deploy", "Service.update"),
        ("rollback", "InMemoryOneOffs.run"),
        ("rollback", "Service.update"),
    ],
)
def test_no_further_try_changes_anything_once_the_lane_is_lost(story: str, call: str) -> None:
    """A stale holder is refused at every try of a call, not only at the first."""
    begin, step = STORIES[story]
    world = begin()
    world.crashes = Crashes(call)
    with pytest.raises(Crash):
        for _ in range(5):
            step(world)
            world.everything_ends_well()
    world.rewrite_lane(holder="notes-staging-2", fencing=world.lane.fencing + 1)
    world.crashes = Crashes()
    world.wait(seconds=60)

    with pytest.raises(Rejected) as refused:
        step(world)

    assert refused.value.reason is Reason.LANE_LOST
    assert call not in world.crashes.calls
