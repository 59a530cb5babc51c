"""Enter: lane and database are taken together, by one deployment at a time."""

import pytest

from slipway.domain.catalog import Backup, BackupPolicy
from slipway.domain.deployment import Phase
from slipway.domain.errors import Reason, Rejected
from slipway.domain.lane import DatabaseSlot, Hold
from slipway.domain.outcome import Outcome
from slipway.steps.enter import EnterRequest, keys
from slipway.steps.step import StepResult
from tests.builders.crashes import Crash, Crashes
from tests.builders.documents import OTHER, START, environment, release, stable, wish
from tests.builders.worlds import World

SLOT = "rds:notes-staging"


def refusal(world: World) -> Reason:
    with pytest.raises(Rejected) as refused:
        world.enter()
    return refused.value.reason


def busy(holder: str = "notes-staging-0") -> StepResult:
    return StepResult(done=False, reason=Reason.LANE_BUSY, message=f"waiting for {holder}")


def test_a_free_lane_is_taken_with_its_database_and_a_fencing_number() -> None:
    world = World().planned()
    world.rewrite_lane(fencing=4)

    assert world.enter() == StepResult(
        done=True, reason=Reason.LANE_TAKEN, message="notes/staging taken"
    )
    assert (world.lane.holder, world.lane.fencing) == ("notes-staging-1", 5)
    assert world.records.database_slot(SLOT).holder == "notes-staging-1"
    deployment = world.deployment
    assert (deployment.phase, deployment.fencing, deployment.rollback_target) == (
        Phase.AWAITING_LANE,
        5,
        stable(),
    )
    assert world.evidence[-1].message == "fencing number 5, rollback target notes-staging-0"


def test_a_second_look_changes_nothing() -> None:
    world = World().planned()
    first = world.enter()
    before = world.deployment, world.lane, world.records.database_slot(SLOT)

    assert world.enter() == first
    assert (world.deployment, world.lane, world.records.database_slot(SLOT)) == before


def test_the_rollback_target_is_what_was_good_when_the_lane_was_taken() -> None:
    world = World().planned()
    newer = stable(deployment_id="notes-staging-9", digest=OTHER)
    world.rewrite_lane(stable=newer)

    world.enter()

    assert world.deployment.rollback_target == newer


def test_a_release_without_migration_leaves_the_database_to_others() -> None:
    world = World(environment(migration=None)).planned()

    assert world.enter().done
    assert world.records.database_slot(SLOT).holder is None


def test_a_busy_lane_is_waited_for() -> None:
    world = World().planned()
    world.rewrite_lane(holder="notes-staging-0", fencing=3)
    world.executions.start("notes-staging-0", "{}")

    for _ in range(3):
        assert world.enter() == busy()
    assert (world.deployment.phase, world.deployment.fencing) == (Phase.AWAITING_LANE, None)
    assert world.told == ["admitted", "planned", "lane busy"]
    assert world.announcements.published == []

    world.rewrite_lane(holder=None)

    assert world.enter().done
    assert world.lane.fencing == 4


def holder(world: World, name: str = "notes-staging-0", **fields: object) -> None:
    """Another deployment that is on record, its execution gone."""
    other = world.deployment.model_copy(update={"deployment_id": name, "version": 0, **fields})
    world.records.write([other])


def test_a_holder_whose_execution_is_gone_is_reported() -> None:
    world = World().planned()
    world.rewrite_lane(holder="notes-staging-0")
    holder(world)

    assert world.enter() == busy()
    assert world.announcements.published == [("Holder Lost", {"deployment_id": "notes-staging-0"})]


def test_a_database_whose_holder_has_ended_is_left_to_its_migration() -> None:
    world = World().planned()
    world.records.write([DatabaseSlot(database_id=SLOT, holder="shop-staging-4")])
    holder(world, "shop-staging-4", outcome=Outcome.NEEDS_OPERATOR)

    assert world.enter() == StepResult(
        done=False,
        reason=Reason.LANE_BUSY,
        message="waiting for the migration of shop-staging-4 to end",
    )
    assert world.announcements.published == []
    assert world.evidence[-1].message == "waiting for the migration of shop-staging-4 to end"


def test_whatever_a_wait_is_for_is_on_record_once() -> None:
    world = World().planned()
    world.records.write([DatabaseSlot(database_id=SLOT, holder="shop-staging-4")])
    holder(world, "shop-staging-4")
    world.executions.start("shop-staging-4", "{}")
    world.enter()
    world.enter()
    world.executions.ended.add("shop-staging-4")
    shop = world.records.deployment("shop-staging-4")
    world.records.write([shop.model_copy(update={"outcome": Outcome.NEEDS_OPERATOR})])
    world.enter()
    world.enter()

    assert [entry.message for entry in world.evidence if entry.what == "lane busy"] == [
        "waiting for shop-staging-4",
        "waiting for the migration of shop-staging-4 to end",
    ]


def test_without_a_declared_database_the_lanes_own_migrations_exclude_each_other() -> None:
    backup = Backup(policy=BackupPolicy.OFF)
    world = World(environment(database=None, backup=backup)).planned()
    world.records.write([DatabaseSlot(database_id="lane:notes/staging", holder="notes-staging-0")])
    holder(world, outcome=Outcome.NEEDS_OPERATOR)

    assert world.enter().done is False
    assert world.lane.holder is None


def test_a_database_that_another_application_migrates_is_waited_for_without_the_lane() -> None:
    world = World().planned()
    world.records.write([DatabaseSlot(database_id=SLOT, holder="shop-staging-4")])
    world.executions.start("shop-staging-4", "{}")

    assert world.enter() == busy("shop-staging-4")
    assert world.lane.holder is None


def test_a_newer_candidate_ends_the_wait() -> None:
    world = World().planned()
    world.rewrite_lane(holder="notes-staging-0")
    holder(world)
    world.enter()
    world.admit(wish("push:2", release=release(OTHER, "v3", START.replace(hour=10))))

    assert refusal(world) is Reason.SUPERSEDED
    assert world.lane.holder == "notes-staging-0"


def test_a_hold_meanwhile_ends_the_wait() -> None:
    world = World().planned()
    world.rewrite_lane(hold=Hold(reason="RolledBack", message="", by="x", since=START))

    assert refusal(world) is Reason.HELD


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"cancel_requested_by": "ada"}, Reason.CANCELLED),
        ({"outcome": Outcome.FAILED}, Reason.DEPLOYMENT_ENDED),
    ],
)
def test_what_is_not_wanted_any_more_takes_no_lane(
    fields: dict[str, object], reason: Reason
) -> None:
    world = World().planned()
    world.rewrite(**fields)

    assert refusal(world) is reason
    assert world.lane.holder is None


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(4))
def test_a_try_that_died_is_made_good_by_the_next_look(call: int, after: bool) -> None:
    world = World().planned()
    world.crashes = Crashes(call, after=after)

    with pytest.raises(Crash):
        world.enter()
    world.crashes = Crashes()

    assert world.enter().done
    assert (world.lane.holder, world.lane.fencing) == ("notes-staging-1", 1)
    assert world.told == ["admitted", "planned", "lane taken"]


def test_a_wait_for_the_lane_is_woken_by_lane_deployment_and_any_database() -> None:
    request = EnterRequest(deployment_id="notes-staging-1", lane="notes/staging")

    assert keys(request) == ("lane:notes/staging", "deployment:notes-staging-1", "databases")
