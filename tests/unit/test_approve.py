"""Approve: ask once, wait, and take only an answer for this very plan."""

import pytest

from slipway.domain.approval import Answer, Approval
from slipway.domain.deployment import Phase
from slipway.domain.errors import Reason
from slipway.domain.lane import Hold
from slipway.domain.outcome import Outcome
from slipway.steps.approve import ApproveRequest, keys
from slipway.steps.step import StepResult
from tests.builders.documents import NEW, OTHER, START, environment, image, release, wish
from tests.builders.worlds import World, rejected

POLICY = {"approvers": ["ada", "grace"], "expires_after_minutes": 60}
WAITING = StepResult(done=False, reason=Reason.WAITING, message="waiting for ada or grace")


def test_the_ticket_is_published_once_and_waited_for() -> None:
    world = World(environment(approval=POLICY)).planned()

    assert world.approve() == WAITING
    asked = world.records.approval("notes-staging-1")
    world.wait(minutes=30)
    assert world.approve() == WAITING

    assert asked == Approval(
        version=1,
        deployment_id="notes-staging-1",
        digest=NEW,
        plan_hash=world.deployment.planned().plan_hash,
        approvers=("ada", "grace"),
        asked_at=START,
        expires_at=START.replace(hour=10),
    )
    assert world.records.approval("notes-staging-1") == asked
    assert world.told == ["admitted", "planned", "approval requested"]
    assert world.evidence[-1].message == "from ada, grace, until 2026-11-21 10:00Z"
    assert world.deployment.phase is Phase.AWAITING_APPROVAL


def test_a_yes_lets_it_through_however_late_it_is_seen() -> None:
    world = World(environment(approval=POLICY)).planned()
    world.approve()
    world.decide(Answer.APPROVE)
    world.wait(days=2)

    assert world.approve() == StepResult(
        done=True, reason=Reason.APPROVED, message="approved by ada"
    )


def test_a_no_ends_it() -> None:
    world = World(environment(approval=POLICY)).planned()
    world.approve()
    world.decide(Answer.REJECT, "grace", "not on Friday")

    assert rejected(world.approve) == (Reason.APPROVAL_REJECTED, "Rejected by grace: not on Friday")


def test_no_answer_in_time_ends_it() -> None:
    world = World(environment(approval=POLICY)).planned()
    world.approve()
    world.wait(minutes=60)

    assert rejected(world.approve) == (
        Reason.APPROVAL_EXPIRED,
        "Nobody decided by 2026-11-21 10:00Z. To request approval again, run operate deploy.",
    )


def test_a_newer_candidate_replaces_a_waiting_approval() -> None:
    world = World(environment(approval=POLICY)).planned()
    world.approve()
    world.admit(wish("push:2", release=release(OTHER, "v3", START.replace(hour=10))))

    assert rejected(world.approve)[0] is Reason.SUPERSEDED


def test_a_hold_meanwhile_ends_it_even_when_approved() -> None:
    world = World(environment(approval=POLICY)).planned()
    world.approve()
    world.decide(Answer.APPROVE)
    world.rewrite_lane(hold=Hold(reason="ByHand", message="incident", by="ada", since=START))

    assert rejected(world.approve)[0] is Reason.HELD


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"cancel_requested_by": "ada"}, Reason.CANCELLED),
        ({"outcome": Outcome.FAILED}, Reason.DEPLOYMENT_ENDED),
    ],
)
def test_what_is_not_wanted_any_more_is_not_asked_for(
    fields: dict[str, object], reason: Reason
) -> None:
    world = World(environment(approval=POLICY)).planned()
    world.rewrite(**fields)

    assert rejected(world.approve)[0] is reason
    assert world.records.approval("notes-staging-1") is None


def test_an_answer_to_another_plan_is_not_taken() -> None:
    world = World(environment(approval=POLICY)).planned()
    world.approve()
    world.decide(Answer.APPROVE)
    world.rewrite_plan(world.deployment.planned().model_copy(update={"image": image(OTHER)}))

    assert rejected(world.approve) == (
        Reason.PLAN_CHANGED,
        "The plan is not the one that approval was requested for; request the release again.",
    )


def test_an_approval_is_woken_by_news_of_the_deployment_and_of_its_lane() -> None:
    request = ApproveRequest(deployment_id="notes-staging-1", lane="notes/staging")

    assert keys(request) == ("deployment:notes-staging-1", "lane:notes/staging")
