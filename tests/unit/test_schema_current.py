"""A schema that has not moved is not taken back: its own tool is asked where it stands."""

from typing import Any

import pytest

from slipway.domain.errors import Broken, Reason, Transient, Unhealthy
from slipway.domain.release import SCHEMA_LABEL
from slipway.domain.schema import is_at_revision
from slipway.steps.step import StepResult
from tests.builders.documents import SETTINGS, environment, image, stable
from tests.builders.worlds import World

ASKING = StepResult(done=False, reason=Reason.WAITING, message="reading the schema's revision")
CURRENT, DOWN = "slipway/current/notes-staging-1", "slipway/downgrade/notes-staging-1"
NOTHING_DEPLOYED = "no code was deployed"
NO_ROOM = Transient(Reason.CAPACITY_UNAVAILABLE, "ECS placed no task: RESOURCE:CPU.")


def failed(*, downgrade: bool = True, **world: Any) -> World:
    """A migration that has failed, where the catalog says how the schema tells its revision."""
    migration = {**SETTINGS["migration"], "current": ["alembic", "current"]}
    if not downgrade:
        del migration["downgrade"]
    made = World(environment(migration=migration), **world).backed_up()
    made.migrate()
    made.task_ends("migrate", 1)
    with pytest.raises(Unhealthy):
        made.migrate()
    return made


@pytest.mark.parametrize("downgrade", [True, False])
def test_a_schema_that_is_as_it_was_is_not_taken_back(downgrade: bool) -> None:
    world = failed(downgrade=downgrade)

    assert world.rollback() == ASKING
    world.task_ends("current", 0, "INFO Context impl PostgresqlImpl.", "0001 (head)")
    assert world.rollback().message == NOTHING_DEPLOYED
    assert world.one_offs.commands[CURRENT] == ("alembic", "current")
    assert DOWN not in world.one_offs.tasks
    assert world.told[-2:] == ["schema query log", "schema unchanged"]
    assert world.evidence[-1].message == ("The schema is at 0001, as before: nothing to downgrade.")
    assert world.rollback().message == NOTHING_DEPLOYED
    assert world.told[-1] == "schema unchanged"


@pytest.mark.parametrize(
    ("exit_code", "log"),
    [
        (1, ("0001",)),
        (0, ()),
        (0, ("0002 (head)",)),
        (0, ("0001", "0002")),
        (0, ("0002", "0001")),
        (0, ("Rev: 0002_half (head)", "Parent: 0001", "Path: versions/0002_half.py")),
        (0, ("0002_half", "0001 (base)")),
        (0, ("00010", "x0001", "0001_first")),
        (0, ("FAILED: Can't locate revision identified by '0009'",)),
        (None, ()),
    ],
)
def test_without_a_clear_answer_the_schema_goes_back(
    exit_code: int | None, log: tuple[str, ...]
) -> None:
    world = failed()
    world.rollback()
    world.task_ends("current", exit_code, *log)

    assert world.rollback().message == "the downgrade is running"


def test_without_a_clear_answer_and_a_way_back_a_person_decides() -> None:
    world = failed(downgrade=False)
    world.rollback()
    world.task_ends("current", 0, "0002")

    with pytest.raises(Broken) as broken:
        world.rollback()
    assert broken.value.reason is Reason.SCHEMA_MOVED


def test_a_question_that_ecs_refuses_leaves_the_schema_to_the_downgrade() -> None:
    world = failed()
    world.one_offs.refusals.append(Broken(Reason.AWS_REFUSED, "ECS placed no task: MISSING."))

    assert world.rollback().message == "the downgrade is running"
    assert "schema unknown" in world.told


def test_a_question_waits_for_room_and_not_for_ever() -> None:
    world = failed()
    world.one_offs.refusals.extend([NO_ROOM] * 2)

    assert world.rollback() == ASKING
    world.wait(minutes=15, seconds=1)
    assert world.rollback().message == "the downgrade is running"


def test_a_question_that_is_not_answered_in_time_is_dropped() -> None:
    world = failed()
    world.rollback()
    world.wait(minutes=15)
    assert world.rollback() == ASKING
    world.wait(seconds=1)

    assert world.rollback().message == "the downgrade is running"


def test_a_migration_that_succeeded_is_believed() -> None:
    settings = environment(migration={**SETTINGS["migration"], "current": ["alembic", "current"]})
    world = World(settings).deployed()

    assert world.rollback().message == "the downgrade is running"
    assert CURRENT not in world.one_offs.tasks


def test_an_image_that_names_no_schema_may_have_had_nothing_to_migrate() -> None:
    settings = environment(migration={**SETTINGS["migration"], "current": ["alembic", "current"]})
    world = World(settings, pushed=image(**{SCHEMA_LABEL: ""})).deployed()

    assert world.rollback() == ASKING
    world.task_ends("current", 0, "Current revision: '0001'.")
    assert "running the old release" in world.rollback().message
    assert DOWN not in world.one_offs.tasks


def test_a_target_that_names_no_schema_gives_nothing_to_compare() -> None:
    world = failed(last_good=stable(schema_revision=None))

    with pytest.raises(Broken):
        world.rollback()
    assert CURRENT not in world.one_offs.tasks


def test_nothing_is_taken_back_where_both_releases_name_the_same_schema() -> None:
    """The lane's last good release may have moved between the plan and the lane."""
    world = World().backed_up()
    world.migrate()
    world.task_ends("migrate", 1)
    world.rewrite(rollback_target=stable(schema_revision="0002"))

    assert world.rollback().message == NOTHING_DEPLOYED
    assert DOWN not in world.one_offs.tasks


@pytest.mark.parametrize(
    "line",
    ["0001", "0001 (head)", "Current revision for db: 0001", "[0001]", '"0001",', "rev=x 0001."],
)
def test_a_revision_is_read_as_a_word(line: str) -> None:
    assert is_at_revision([line], "0001", "0002")


@pytest.mark.parametrize("line", ["", "10001", "0001_first", "v0001", "0001 -> 0002", "0002"])
def test_what_is_no_word_of_its_own_or_stands_beside_the_other_tells_nothing(line: str) -> None:
    assert not is_at_revision([line], "0001", "0002")
