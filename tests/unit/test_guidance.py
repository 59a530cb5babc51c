"""What people are told to expect and to do is what the steps do and what the command line takes."""

import re
import shlex
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from slipway.domain.errors import ControlPlaneError, Reason, Unhealthy
from slipway.domain.guidance import way_back, what_next
from slipway.domain.outcome import Outcome
from slipway.operate.arguments import parse
from tests.builders.documents import FIRST_REVISION, compatible, environment, image, stable
from tests.builders.stories import STABLE, deployment, ended, failure
from tests.builders.worlds import World

UP = ["alembic", "upgrade", "head"]
WITH_WAY_DOWN = environment()
WITHOUT_WAY_DOWN = environment(migration={"command": UP})
WITHOUT_MIGRATION = environment(**{"migration": None, "database": None})


@dataclass(frozen=True)
class WentBack:
    """What a rollback did: whether the schema and the code went back, and what it ended with."""

    schema: bool
    code: bool
    refused: str = ""


def world(settings: Any, *, old_code_runs: bool = False, last_good: Any = None) -> World:
    pushed = compatible() if old_code_runs else image()
    return World(settings, pushed=pushed, last_good=last_good)


def back(world: World) -> WentBack:
    """Play the rollback to its end."""
    refused = ""
    updates = len(world.service.updates)
    try:
        for _ in range(4):
            if world.rollback().done:
                break
            with suppress(KeyError):
                world.task_ends("downgrade")
            world.service.complete()
    except ControlPlaneError as error:
        refused = error.reason
    schema = f"slipway/downgrade/{world.deployment_id}" in world.one_offs.tasks
    code = len(world.service.updates) > updates
    assert not code or world.service.updates[-1][0] == FIRST_REVISION
    return WentBack(schema, code, refused)


def after_a_bad_release(world: World) -> WentBack:
    """The migration went well, and the release was found unhealthy."""
    if world.settings.migration is None:
        world.entered_and_deployed()
    else:
        world.deployed()
    return back(world)


def after_a_half_migration(world: World) -> WentBack:
    """The migration's task failed."""
    world.backed_up()
    world.migrate()
    world.task_ends("migrate", 1, "half-way")
    with pytest.raises(Unhealthy):
        world.migrate()
    return back(world)


def said(world: World) -> str:
    world.entered()
    return way_back(world.deployment.planned())


DOWN = "alembic downgrade 0001"
STAYS = (
    "The code is rolled back to version 1.0.0; the migrated schema stays, and the old code "
    "runs on it."
)


def test_without_a_migration_the_code_alone_goes_back() -> None:
    assert said(world(WITHOUT_MIGRATION)) == (
        "The code is rolled back to version 1.0.0; the database is not touched."
    )
    assert after_a_bad_release(world(WITHOUT_MIGRATION)) == WentBack(schema=False, code=True)


def test_a_schema_that_the_old_code_runs_on_stays_unless_the_migration_fails() -> None:
    settings: dict[str, Any] = {"settings": WITH_WAY_DOWN, "old_code_runs": True}

    assert said(world(**settings)) == (
        f"{STAYS} A migration that fails partway is reversed ({DOWN}), before the code changes."
    )
    assert after_a_bad_release(world(**settings)) == WentBack(schema=False, code=True)
    assert after_a_half_migration(world(**settings)) == WentBack(schema=True, code=False)


@pytest.mark.parametrize("last_good", [None, stable(schema_revision=None)])
def test_without_a_way_down_a_half_migration_is_left_to_an_operator(last_good: Any) -> None:
    settings = WITHOUT_WAY_DOWN if last_good is None else WITH_WAY_DOWN
    played: dict[str, Any] = {"settings": settings, "old_code_runs": True, "last_good": last_good}

    assert said(world(**played)) == (
        f"{STAYS} A migration that fails partway is not reversed: the old code keeps running, "
        "and an operator has to check the schema."
    )
    assert after_a_bad_release(world(**played)) == WentBack(schema=False, code=True)
    assert after_a_half_migration(world(**played)) == WentBack(schema=False, code=False)


def test_a_half_migration_that_nothing_took_back_is_named_at_the_end() -> None:
    told = failure("Migrate", reason=Reason.MIGRATION_FAILED, message="exit code 1")
    note = "The migration failed partway and was not reversed: check the schema."

    assert what_next(ended(Outcome.ROLLED_BACK, cause=told)).endswith(note)
    assert note not in what_next(ended(Outcome.ROLLED_BACK, cause=failure()))


def test_the_schema_goes_back_before_code_that_does_not_run_on_it() -> None:
    assert said(world(WITH_WAY_DOWN)) == (
        f"The schema is downgraded first ({DOWN}), then the code is rolled back to version 1.0.0. "
        "If the downgrade fails, the lane is put on hold and an operator decides."
    )
    assert after_a_bad_release(world(WITH_WAY_DOWN)) == WentBack(schema=True, code=True)
    assert after_a_half_migration(world(WITH_WAY_DOWN)) == WentBack(schema=True, code=False)


@pytest.mark.parametrize(
    ("settings", "last_good", "why"),
    [
        (WITHOUT_WAY_DOWN, None, "the catalog has no downgrade command"),
        (
            WITH_WAY_DOWN,
            stable(schema_revision=None),
            "the schema of the last good release is not known",
        ),
    ],
)
def test_a_schema_that_cannot_go_back_keeps_the_code_where_it_is(
    settings: Any, last_good: Any, why: str
) -> None:
    played = {"settings": settings, "last_good": last_good}
    left = WentBack(schema=False, code=False, refused=Reason.SCHEMA_MOVED)

    assert said(world(**played)) == (
        f"Once the migration has started, nothing is rolled back automatically: {why}. The "
        "lane is put on "
        "hold and an operator decides."
    )
    assert after_a_bad_release(world(**played)) == left
    assert after_a_half_migration(world(**played)) == left


def test_without_a_last_good_release_everything_is_left_to_an_operator() -> None:
    played = world(WITH_WAY_DOWN)
    played.rewrite_lane(stable=None)

    assert said(played) == (
        "There is no release to roll back to: changes stay in place, the lane is put on hold "
        "and an "
        "operator decides."
    )
    first = world(WITH_WAY_DOWN)
    first.rewrite_lane(stable=None)
    assert after_a_bad_release(first) == WentBack(
        schema=False, code=False, refused=Reason.NOTHING_TO_ROLL_BACK_TO
    )


REASONS: list[tuple[Outcome, str]] = [
    *((outcome, "") for outcome in Outcome),
    (Outcome.BLOCKED, Reason.HELD),
    (Outcome.BLOCKED, Reason.DIGEST_BAD),
    (Outcome.BLOCKED, Reason.NOT_AN_IMAGE),
    (Outcome.BLOCKED, Reason.SCAN_FINDINGS),
    (Outcome.NEEDS_OPERATOR, Reason.NOTHING_TO_ROLL_BACK_TO),
]


@pytest.mark.parametrize(("outcome", "reason"), REASONS)
@pytest.mark.parametrize("target", [None, STABLE])
def test_every_command_that_is_named_is_one(outcome: Outcome, reason: str, target: Any) -> None:
    end = ended(outcome, failure=failure(reason=reason), rollback_target=target)

    for command in re.findall(r"`([^`]+)`", what_next(end)):
        program, *words = shlex.split(command)
        asked = parse([*words, "--by", "ada"])
        assert (program, asked.command) == ("operate", words[0])
        assert "fastapi-rds/production" in words


def test_a_hold_names_the_lift_and_a_failed_rollback_the_last_good_digest() -> None:
    held = ended(Outcome.BLOCKED, failure=failure("Check", "Rejected", Reason.HELD))
    stuck = ended(Outcome.ROLLBACK_FAILED, failure=failure(), rollback_target=STABLE)

    assert "`operate lift fastapi-rds/production`" in what_next(held)
    assert f"--digest {STABLE.digest}" in what_next(stuck)


def test_nothing_is_said_of_a_deployment_that_goes_on() -> None:
    assert what_next(deployment()) == ""
