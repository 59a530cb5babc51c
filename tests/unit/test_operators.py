"""What a person can do to a lane or a deployment: cancel, hold, lift."""

from datetime import timedelta
from typing import Any

import pytest

from slipway.domain.errors import Reason, Rejected, Transient
from slipway.domain.lane import Hold
from slipway.domain.outcome import Outcome
from slipway.requests.cancel import cancel
from slipway.requests.lift import hold, lift
from tests.builders.documents import NEW, OLD, START
from tests.builders.worlds import World

BY_HAND = Hold(reason="ByHand", message="incident", by="ada", since=START)


def cancelled(world: World, by: str = "ada") -> None:
    cancel("notes-staging-1", by=by, **world.ports("announcements"))


def test_a_wish_to_cancel_is_recorded_and_told() -> None:
    world = World().entered()

    cancelled(world)

    assert world.deployment.cancel_requested_by == "ada"
    assert (world.evidence[-1].what, world.evidence[-1].message) == (
        "cancel requested",
        "by ada",
    )
    assert world.announcements.published == [
        ("Cancel Requested", {"deployment_id": "notes-staging-1", "lane": "notes/staging"})
    ]
    assert world.chain_errors() == []


def test_a_second_wish_to_cancel_is_told_again_and_the_first_name_stands() -> None:
    world = World().entered()
    cancelled(world)
    before = world.deployment

    cancelled(world, by="grace")

    assert world.deployment == before
    assert len(world.announcements.published) == 2


def test_what_has_ended_cannot_be_cancelled() -> None:
    world = World().entered()
    world.rewrite(outcome=Outcome.SUCCEEDED)

    with pytest.raises(Rejected) as refused:
        cancelled(world)
    assert str(refused.value) == (
        "DeploymentEnded: notes-staging-1 has ended: Succeeded. To go back to "
        f"sha256:a1a1a1a1a1a1, request it: operate deploy notes/staging --digest {OLD} --reason ..."
    )
    assert world.announcements.published == []


def test_what_is_verified_cannot_be_cancelled_any_more() -> None:
    world = World().verified()

    with pytest.raises(Rejected, match="live and verified: it is too late to cancel"):
        cancelled(world)
    assert world.deployment.cancel_requested_by is None


def test_a_record_that_is_written_without_end_is_refused_for_now() -> None:
    world = World().entered()

    def moved(*args: object, **named: object) -> None:
        raise Transient(Reason.RECORD_MOVED, "moved")

    world.records.write = moved  # type: ignore[method-assign]

    with pytest.raises(Transient):
        cancelled(world)
    assert world.announcements.published == []


def test_a_lane_is_held_by_hand_and_the_hold_is_lifted() -> None:
    world = World()
    world.rewrite_lane(bad_digests={NEW: "notes-staging-0"})

    held = hold("notes", "staging", by="ada", message="incident", records=world.records, now=START)
    assert (held.hold, world.lane.hold) == (BY_HAND, BY_HAND)

    later = START + timedelta(hours=1)
    lift("notes", "staging", by="grace", records=world.records, now=later)
    assert (world.lane.hold, world.lane.bad_digests) == (None, {NEW: "notes-staging-0"})
    assert [change.model_dump() for change in world.lane.hold_history] == [
        {"what": "lifted", "by": "grace", "at": later, "message": ""},
        {"what": "held", "by": "ada", "at": START, "message": "incident"},
    ]


def test_a_hold_and_a_lift_that_meet_another_write_look_again() -> None:
    world = World()
    moved = [Transient(Reason.RECORD_MOVED, "moved")] * 3
    write = world.records.write

    def sometimes(*args: Any, **named: Any) -> None:
        if moved:
            raise moved.pop()
        write(*args, **named)

    world.records.write = sometimes  # type: ignore[method-assign]

    hold("notes", "staging", by="ada", message="incident", records=world.records, now=START)
    assert world.lane.hold == BY_HAND


def test_a_table_that_does_not_answer_is_not_taken_for_a_busy_one() -> None:
    world = World().entered()
    world.rewrite_lane(hold=BY_HAND)

    def gone(*args: object, **named: object) -> None:
        raise Transient(Reason.AWS_UNAVAILABLE, "AWS did not answer.")

    world.records.write = gone  # type: ignore[method-assign]

    for act in (
        lambda: cancelled(world),
        lambda: lift("notes", "staging", by="ada", records=world.records, now=START),
    ):
        with pytest.raises(Transient) as refused:
            act()
        assert refused.value.message == "AWS did not answer."


def test_a_lane_that_is_not_held_cannot_be_lifted() -> None:
    with pytest.raises(Rejected) as refused:
        lift("notes", "staging", by="ada", records=World().records, now=START)
    assert str(refused.value) == (
        "NotHeld: notes/staging is not on hold: there is nothing to lift."
    )
