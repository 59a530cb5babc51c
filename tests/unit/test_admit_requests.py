"""A person's request on a lane where something waits: served, refused, or in its place."""

from typing import Any

import pytest

from slipway.domain.approval import Answer
from slipway.domain.deployment import Origin, Phase
from slipway.domain.errors import Reason, Transient
from slipway.domain.outcome import Outcome
from slipway.ports.records import Admission
from slipway.requests.admit import AdmitResult
from tests.builders.crashes import Crash, Crashes
from tests.builders.documents import OLD, OTHER, environment, release, wish
from tests.builders.wished import (
    HOLD,
    asked,
    ended,
    event,
    once,
    pushed,
    refusal,
    waiting,
)
from tests.builders.worlds import World

# ------------------------------------------------------------------------------- asked for again


def test_a_request_for_what_waits_is_served_by_it_and_its_page_stays_open() -> None:
    world = waiting()
    page = world.records.approval("notes-staging-1")
    world.wait(minutes=5)

    result = world.admit(asked())

    assert result == AdmitResult(
        deployment_id="notes-staging-1",
        lane="notes/staging",
        new=False,
        reason=Reason.WAITS_ALREADY,
    )
    assert once(world)
    assert world.records.approval("notes-staging-1") == page
    assert (world.deployment.explicit, world.deployment.phase) == (True, Phase.AWAITING_APPROVAL)
    newest = world.lane.newest
    assert newest is not None
    assert (newest.explicit, newest.order) == (True, world.now)
    told = world.evidence[-1]
    assert (told.what, told.reason) == ("requested again", Reason.WAITS_ALREADY)
    assert told.message == "by ada: It cannot wait."
    assert world.chain_errors() == []
    world.decide(Answer.APPROVE)
    assert world.approve().done


def test_a_request_that_is_served_goes_over_a_hold_that_came_meanwhile() -> None:
    world = waiting()
    world.rewrite_lane(hold=HOLD)

    world.admit(asked())

    assert world.approve().done is False


def test_a_request_that_is_delivered_twice_is_in_the_record_once() -> None:
    world = waiting()
    world.admit(asked())
    count = len(world.evidence)

    assert world.admit(asked()).reason == Reason.WAITS_ALREADY
    assert len(world.evidence) == count


@pytest.mark.parametrize("call", range(8))
def test_a_request_that_is_served_survives_a_death_at_any_call(call: int) -> None:
    world = waiting()
    for after in (False, True):
        world.crashes = Crashes(call, after=after)
        try:
            world.admit(asked())
        except Crash:
            world.crashes = Crashes()
            world.admit(asked())
        world.crashes = Crashes()

    assert once(world)
    assert world.told.count("requested again") == 1
    assert world.chain_errors() == []


@pytest.mark.parametrize("phase", [Phase.BACKING_UP, Phase.MIGRATING, Phase.VERIFYING])
def test_a_request_for_what_is_under_way_is_served_by_it(phase: Phase) -> None:
    world = World()
    pushed(world, event("e1"))
    world.rewrite(phase=phase)

    assert world.admit(asked()).deployment_id == "notes-staging-1"
    assert world.deployment.explicit is True


def test_a_request_for_what_is_being_cancelled_is_a_new_one() -> None:
    world = waiting()
    world.rewrite(cancel_requested_by="grace")

    assert world.admit(asked()).new is True


def test_the_event_of_a_push_that_a_person_asked_for_first_keeps_the_open_page() -> None:
    world = World(environment(approval={"approvers": ["ada"]}))
    world.admit(asked())
    world.plan()
    world.approve()

    assert pushed(world, event("e1")).reason == Reason.WAITS_ALREADY
    assert once(world)
    assert world.lane.superseded_by("notes-staging-1") is None


def test_a_promotion_of_what_waits_keeps_the_open_page() -> None:
    world = waiting()
    promoted = wish("promotion:notes-dev-7:staging", origin=Origin.PROMOTION)

    assert world.admit(promoted).reason == Reason.WAITS_ALREADY
    assert once(world)
    assert world.deployment.explicit is False


# -------------------------------------------------------------------------------------- replaced


def test_a_request_over_another_release_that_waits_is_refused_and_the_refusal_is_kept() -> None:
    world = waiting()

    reason, message = refusal(world, asked(OTHER))

    assert reason is Reason.WOULD_REPLACE
    assert "notes-staging-1 (v2, sha256:b2b2b2b2b2b2) is waiting" in message
    assert once(world)
    assert world.lane.superseded_by("notes-staging-1") is None
    assert world.records.admission("request:1") == Admission(
        admission_id="request:1", deployment_id="", reason=reason, message=message
    )
    # The same request again hears the same, also once nothing waits any more.
    ended(world, Outcome.REJECTED)
    assert refusal(world, asked(OTHER)) == (reason, message)
    assert world.admit(asked(OTHER, "2")).new is True


def test_a_request_for_the_live_release_does_not_take_the_place_of_what_waits() -> None:
    world = waiting()

    assert refusal(world, asked(OLD))[0] is Reason.WOULD_REPLACE


def test_a_request_that_says_so_replaces_what_waits() -> None:
    world = waiting()

    assert world.admit(asked(OTHER, replace=True)).new is True
    assert world.lane.superseded_by("notes-staging-1") == "notes-staging-2"


def test_a_release_that_comes_to_wait_while_a_request_is_admitted_is_not_replaced_unseen() -> None:
    world = World()
    write = world.records.write
    racing: list[str] = []

    def raced(*args: Any, **named: Any) -> None:
        if not racing:
            racing.append("once")
            pushed(world, event("e1"))
        write(*args, **named)

    world.records.write = raced  # type: ignore[method-assign]

    assert refusal(world, asked(OTHER))[0] is Reason.WOULD_REPLACE
    assert once(world)


def test_a_push_and_a_promotion_replace_what_waits_as_before() -> None:
    world = waiting()
    promoted = wish("promotion:x:staging", release=release(OTHER), origin=Origin.PROMOTION)
    world.admit(promoted)
    pushed(world, event("e2", f"sha256:{'d4' * 32}", "v4", after=60))

    assert world.lane.superseded_by("notes-staging-1") == "notes-staging-3"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"environment": "mars"},
            "The catalog has no notes/mars (known: notes/staging, notes/production).",
        ),
        (
            {"release": release().model_copy(update={"repository": "shop"})},
            "notes/staging runs images of notes, not of shop. Request an image of notes.",
        ),
    ],
)
def test_every_refusal_of_a_request_is_kept_for_whoever_asked(
    changes: dict[str, Any], told: str
) -> None:
    world = World()

    reason = Reason.LANE_UNKNOWN if "catalog" in told else Reason.WRONG_REPOSITORY
    assert refusal(world, asked(**changes)) == (reason, told)
    assert world.records.admission("request:1") == Admission(
        admission_id="request:1", deployment_id="", reason=reason, message=told
    )
    assert world.executions.started == {}


def test_the_repository_is_held_to_that_of_the_environment_before() -> None:
    world = World()
    elsewhere = release().model_copy(update={"repository": "shop"})

    assert refusal(world, asked(environment="production", release=elsewhere))[1].startswith(
        "notes/production runs images of notes, not of shop."
    )


def test_a_refusal_that_cannot_be_written_now_is_no_answer_yet() -> None:
    world = waiting()

    def refuse(*args: Any, **named: Any) -> None:
        raise Transient(Reason.AWS_UNAVAILABLE, "DynamoDB is busy.")

    world.records.write = refuse  # type: ignore[method-assign]

    with pytest.raises(Transient, match="DynamoDB is busy"):
        world.admit(asked(OTHER))


def test_a_request_id_that_served_another_release_serves_no_second_one() -> None:
    world = World()
    world.admit(asked())
    world.admit(asked())

    reason, message = refusal(world, asked(OTHER, replace=True))
    assert reason is Reason.REQUEST_REUSED
    assert "with a new request_id" in message
    assert once(world)
