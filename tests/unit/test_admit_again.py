"""A digest that is told again: by the same event, or by a later push."""

import json
import random
from datetime import timedelta
from typing import Any

import pytest

from slipway.domain.deployment import Origin
from slipway.domain.errors import Reason
from slipway.domain.outcome import Outcome
from slipway.domain.plan import Plan
from slipway.ports.records import Admission
from slipway.requests.wishes import push_wish
from tests.builders.documents import NEW, OTHER, START, environment, image, release, stable, wish
from tests.builders.wished import (
    BASE,
    asked,
    ended,
    event,
    once,
    pushed,
    refusal,
    waiting,
)
from tests.builders.worlds import World

# -------------------------------------------------------------------------- the same event again


def test_an_event_that_is_delivered_twice_starts_one_deployment() -> None:
    world = World()
    first = pushed(world, event("e1"))
    world.wait(hours=3)

    assert pushed(world, event("e1")) == first.model_copy(update={"new": False})
    assert once(world)


@pytest.mark.parametrize("outcome", Outcome)
def test_a_redelivery_starts_nothing_however_the_first_one_ended(outcome: Outcome) -> None:
    world = World()
    pushed(world, event("e1"))
    ended(world, outcome)
    world.wait(hours=3)

    assert pushed(world, event("e1")).deployment_id == "notes-staging-1"
    assert once(world)


def test_a_redelivery_whose_time_seems_later_than_our_clock_starts_nothing() -> None:
    world = World()
    pushed(world, event("e1", after=30))
    ended(world, Outcome.BLOCKED)

    assert pushed(world, event("e1", after=30)).new is False
    assert once(world)


def test_a_redelivery_is_known_by_its_id_when_the_registry_does_not_answer_any_more() -> None:
    world = World()
    pushed_at = START + timedelta(seconds=0.7)
    world.registry.images["notes", NEW] = image().model_copy(update={"pushed_at": pushed_at})
    pushed(world, event("e1", after=1))
    ended(world, Outcome.BLOCKED)
    del world.registry.images["notes", NEW]

    assert pushed(world, event("e1", after=1)).new is False
    assert once(world)


@pytest.mark.parametrize("told", [event("e1"), event("e2", after=60)], ids=["first", "again"])
def test_an_event_that_is_delivered_twice_in_parallel_starts_one_deployment(
    told: dict[str, Any],
) -> None:
    world = World()
    if told["id"] == "e2":
        pushed(world, event("e1"))
        ended(world, Outcome.BLOCKED)
    before = world.lane.next_number
    write = world.records.write
    racing: list[str] = []

    def raced(*args: Any, **named: Any) -> None:
        if not racing:
            racing.append("once")
            pushed(world, told)
        write(*args, **named)

    world.records.write = raced  # type: ignore[method-assign]

    result = pushed(world, told)

    assert (result.new, world.lane.next_number) == (False, before + 1)
    assert result.deployment_id == f"notes-staging-{before}"


def test_the_late_event_of_a_push_that_the_sweep_found_starts_nothing() -> None:
    world = World()
    found = release(pushed_at=START - timedelta(seconds=0.3))
    world.wait(minutes=4)
    world.admit(push_wish("notes", "staging", found, Origin.SWEEP))
    ended(world, Outcome.BLOCKED)
    world.wait(minutes=4)

    assert pushed(world, event("e1")).new is False
    assert once(world)


def test_the_late_event_of_an_older_push_does_not_start_its_digest_again() -> None:
    world = World()
    pushed(world, event("e1"))
    ended(world, Outcome.SUPERSEDED)
    pushed(world, event("e2", OTHER, "v3", after=60))
    ended(world, Outcome.SUCCEEDED, "notes-staging-2")

    assert pushed(world, event("e1")).deployment_id == "notes-staging-1"
    assert world.lane.next_number == 3


def test_a_second_tag_of_the_same_push_starts_nothing_and_is_in_the_record() -> None:
    world = World()
    pushed(world, event("e1"))
    world.wait(minutes=5)

    result = pushed(world, event("e2", tag="v2.0", after=2))

    assert (result.deployment_id, result.new) == ("notes-staging-1", False)
    assert once(world)


# ---------------------------------------------------------------------------------- pushed again


def test_what_the_hold_stopped_is_deployed_when_it_is_pushed_again_after_the_lift() -> None:
    world = World()
    pushed(world, event("e1"))
    ended(world, Outcome.BLOCKED)
    world.wait(minutes=10)

    result = pushed(world, event("e2", after=600))

    assert (result.deployment_id, result.new) == ("notes-staging-2", True)
    assert world.records.admission(f"{BASE}:e2") == Admission(
        admission_id=f"{BASE}:e2", deployment_id="notes-staging-2", event_id="e2"
    )
    assert pushed(world, event("e2", after=600)).deployment_id == "notes-staging-2"
    assert world.lane.next_number == 3


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome.SUPERSEDED,
        Outcome.REJECTED,
        Outcome.EXPIRED,
        Outcome.CANCELLED,
        Outcome.FAILED,
        Outcome.BLOCKED,
        Outcome.UNCHANGED,
    ],
)
def test_a_digest_that_is_neither_live_nor_bad_starts_again(outcome: Outcome) -> None:
    world = World()
    pushed(world, event("e1"))
    ended(world, outcome)

    assert pushed(world, event("e2", after=60)).new is True


def test_a_tag_that_is_moved_back_is_a_wish_to_go_back_and_told_as_such() -> None:
    world = World(last_good=stable(digest=OTHER, deployment_id="notes-staging-2"))
    pushed(world, event("e1"))
    ended(world, Outcome.SUCCEEDED)
    pushed(world, event("e2", OTHER, "v3", after=60))
    ended(world, Outcome.SUCCEEDED, "notes-staging-2")
    world.rewrite_lane(proven=(OTHER, NEW))
    world.wait(hours=1)

    result = pushed(world, event("e3", after=3600))

    world.deployment_id = result.deployment_id
    back = "moved back from sha256:c3c3c3c3c3c3 to sha256:b2b2b2b2b2b2"
    assert (result.deployment_id, result.new) == ("notes-staging-3", True)
    assert world.deployment.requested_by == f"push of notes:v2, {back}"
    assert world.deployment.explicit is False
    assert world.evidence[0].message == (f"v2 (sha256:b2b2b2b2b2b2) by push of notes:v2, {back}")
    newest = world.lane.newest
    assert newest is not None
    assert (newest.digest, newest.order) == (NEW, START + timedelta(hours=1))


def test_a_push_to_an_earlier_release_that_nobody_had_pushed_before_is_told_as_well() -> None:
    world = World(last_good=stable(digest=OTHER))
    world.rewrite_lane(proven=(OTHER, NEW))

    pushed(world, event("e1"))

    assert "moved back from" in world.deployment.requested_by


def test_going_back_asks_for_the_approval_like_any_other_push() -> None:
    approval = {"approvers": ["ada"]}
    live = stable(digest=OTHER, schema_revision="0002")
    world = World(environment(approval=approval), last_good=live)
    world.rewrite_lane(proven=(OTHER, NEW))
    pushed(world, event("e1"))
    ended(world, Outcome.EXPIRED)
    world.deployment_id = pushed(world, event("e2", after=60)).deployment_id

    assert world.plan().needs_approval is True
    assert world.approve().done is False


def test_a_digest_that_is_live_is_not_started_again_by_a_push() -> None:
    world = World(last_good=stable(digest=NEW, deployment_id="notes-staging-1"))
    pushed(world, event("e1"))
    ended(world, Outcome.SUCCEEDED)

    told = refusal(world, event("e2", after=60))

    assert told == (
        Reason.UNCHANGED,
        "sha256:b2b2b2b2b2b2 is already live on notes/staging, since notes-staging-1. To deploy it "
        f"again, request it: operate deploy notes/staging --digest {NEW} --reason ...",
    )
    assert once(world)
    assert refusal(world, event("e2", after=60)) == told


def test_a_digest_that_is_bad_is_not_started_again_by_a_push() -> None:
    world = World()
    pushed(world, event("e1"))
    ended(world, Outcome.ROLLED_BACK)
    world.rewrite_lane(bad_digests={NEW: "notes-staging-1"})

    reason, message = refusal(world, event("e2", after=60))

    assert reason is Reason.DIGEST_BAD
    assert f"operate deploy notes/staging --digest {NEW}" in message
    assert once(world)


def test_a_refused_push_stays_refused_when_it_is_delivered_again_later() -> None:
    world = World(last_good=stable(digest=NEW))
    pushed(world, event("e1"))
    ended(world, Outcome.SUCCEEDED)
    refusal(world, event("e2", after=60))
    world.rewrite_lane(stable=stable(digest=OTHER))

    assert refusal(world, event("e2", after=60))[0] is Reason.UNCHANGED
    assert pushed(world, event("e3", after=120)).new is True


def test_a_push_of_what_waits_is_newer_than_what_was_pushed_in_between() -> None:
    world = World()
    pushed(world, event("e1"))
    result = pushed(world, event("e3", after=60))

    assert (result.deployment_id, result.reason) == ("notes-staging-1", Reason.WAITS_ALREADY)
    # The event of a push in between comes late.
    pushed(world, event("e2", OTHER, "v3", after=30))
    assert world.lane.superseded_by("notes-staging-1") is None


# ----------------------------------------------------------------------- order within one second


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("whole", ["down", "up"])
def test_of_three_pushes_within_a_second_the_newest_by_the_registry_wins(
    seed: int, whole: str
) -> None:
    """Events come in whole seconds and in any order, some of them twice."""
    rolled = random.Random(seed)
    world = World()
    offset = rolled.random()
    events = []
    for number in range(3):
        digest = f"sha256:{number + 1:064x}"
        at = offset + 0.3 * number
        pushed_at = START + timedelta(seconds=at)
        world.registry.images["notes", digest] = image(digest).model_copy(
            update={"pushed_at": pushed_at}
        )
        second = int(at) + (1 if whole == "up" else 0)
        events.append(event(f"e{number}", digest, f"v{number}", after=second))
    delivered = events + rolled.sample(events, 2)
    rolled.shuffle(delivered)
    for told in delivered:
        world.wait(seconds=0.2)
        pushed(world, told)

    newest = world.lane.newest
    assert newest is not None
    assert newest.digest == f"sha256:{3:064x}"
    assert world.lane.next_number == 4


def test_a_retag_keeps_the_time_of_its_event() -> None:
    world = World()
    old = image().model_copy(update={"pushed_at": START - timedelta(days=2)})
    world.registry.images["notes", NEW] = old

    pushed(world, event("e1"))

    assert world.deployment.release.pushed_at == START


# ------------------------------------------------------------------------ what 0.1.0 has written


def test_an_admission_that_an_older_slipway_wrote_finds_its_deployment() -> None:
    world = World()
    world.admit(wish(BASE))
    stored = json.dumps({"admission_id": BASE, "deployment_id": "notes-staging-1"})
    world.records._stored["admission", BASE] = stored

    assert pushed(world, event("e1")).deployment_id == "notes-staging-1"
    assert once(world)
    ended(world, Outcome.BLOCKED)
    assert pushed(world, event("e2", after=60)).new is True


def test_a_refusal_with_a_reason_of_a_newer_slipway_is_still_a_refusal() -> None:
    world = World()
    world.records.write(
        [],
        admission=Admission(admission_id="request:1", deployment_id="", reason="New", message="x"),
    )

    assert refusal(world, asked()) == (Reason.NOT_MEANT_FOR_US, "x")


def test_the_plan_of_a_deployment_that_is_asked_for_again_is_the_one_that_was_shown() -> None:
    world = waiting()
    before: Plan = world.deployment.planned()
    world.admit(asked())

    assert world.deployment.planned().plan_hash == before.plan_hash
