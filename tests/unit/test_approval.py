"""An approval is bound to one plan, taken once, by the right person, in time."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.domain.approval import (
    Answer,
    Approval,
    Decision,
    is_signed,
    link_subject,
    request_approval,
    signature,
)
from slipway.domain.errors import ControlPlaneError, Reason, Rejected
from tests.builders.documents import NEW, START, environment
from tests.builders.worlds import World

POLICY = {"approvers": ["ada", "grace"], "expires_after_minutes": 60}
TICKET = Approval(
    deployment_id="notes-staging-1",
    digest=NEW,
    plan_hash="5" * 64,
    approvers=("ada", "grace"),
    asked_at=START,
    expires_at=START + timedelta(minutes=60),
)


def said(
    answer: Answer = Answer.APPROVE, by: str = "ada", minutes: float = 1, comment: str = ""
) -> Decision:
    return Decision(answer=answer, by=by, at=START + timedelta(minutes=minutes), comment=comment)


def told(error: pytest.ExceptionInfo[ControlPlaneError]) -> tuple[Reason, str]:
    return error.value.reason, error.value.message


def test_a_ticket_names_deployment_digest_plan_approvers_and_its_end() -> None:
    world = World(environment(approval=POLICY))
    world.admit()
    world.plan()
    plan = world.deployment.planned()

    assert request_approval(plan, START) == TICKET.model_copy(update={"plan_hash": plan.plan_hash})


def test_a_plan_that_needs_no_approval_has_no_ticket() -> None:
    world = World()
    world.admit()
    world.plan()

    with pytest.raises(Rejected) as refused:
        request_approval(world.deployment.planned(), START)
    assert told(refused) == (Reason.INTERNAL_ERROR, "notes/staging requires no approval.")


AGAIN = "To request approval again, run operate deploy."
APPROVERS = " or ".join(TICKET.approvers)


def test_an_approver_decides_in_time() -> None:
    decided = TICKET.decided(said(minutes=59.9))

    assert decided.decision == said(minutes=59.9)
    assert decided.approved(START + timedelta(minutes=90)) is True


def test_a_decision_is_final() -> None:
    decided = TICKET.decided(said(Answer.REJECT))

    with pytest.raises(Rejected) as refused:
        decided.decided(said(by="grace"))
    assert told(refused) == (Reason.ALREADY_DECIDED, "ada has already decided this deployment.")


def test_a_decision_at_the_last_moment_is_too_late() -> None:
    with pytest.raises(Rejected) as refused:
        TICKET.decided(said(minutes=60))
    assert told(refused) == (Reason.APPROVAL_EXPIRED, f"The approval has expired. {AGAIN}")


@pytest.mark.parametrize("name", ["mallory", "Ada", "ada ", ""])
def test_only_a_named_approver_decides(name: str) -> None:
    with pytest.raises(Rejected) as refused:
        TICKET.decided(said(by=name))
    assert told(refused) == (
        Reason.NOT_AN_APPROVER,
        f"'{name}' is not an approver of this lane; ask {APPROVERS}.",
    )


def test_an_open_ticket_waits_until_it_expires() -> None:
    assert TICKET.approved(TICKET.expires_at - timedelta(seconds=1)) is False

    with pytest.raises(Rejected) as refused:
        TICKET.approved(TICKET.expires_at)
    assert told(refused) == (
        Reason.APPROVAL_EXPIRED,
        f"Nobody decided by 2026-11-21 10:00Z. {AGAIN}",
    )


@pytest.mark.parametrize(
    ("comment", "sentence"),
    [("", "Rejected by ada."), ("not on Friday", "Rejected by ada: not on Friday")],
)
def test_a_rejection_ends_the_deployment_with_its_comment(comment: str, sentence: str) -> None:
    rejected = TICKET.decided(said(Answer.REJECT, comment=comment))

    with pytest.raises(Rejected) as refused:
        rejected.approved(START)
    assert told(refused) == (Reason.APPROVAL_REJECTED, sentence)


def test_a_link_is_good_for_this_deployment_digest_and_plan_only() -> None:
    subjects = {
        link_subject(TICKET.model_copy(update=change))
        for change in ({}, {"deployment_id": "x"}, {"digest": "x"}, {"plan_hash": "x"})
    }

    assert len(subjects) == 4


def test_the_signature_is_hmac_sha256_of_purpose_and_subject() -> None:
    # Computed with: printf 'approve\nx' | openssl dgst -sha256 -hmac key
    assert signature("key", "approve", "x") == (
        "04d3c8b97979e84b94e204dfad5531f55253bde0617ea5c789b65359931c5941"
    )


@given(st.text(max_size=80))
def test_no_other_text_is_taken_for_the_signature(offered: str) -> None:
    ours = signature("key", "approve", "subject")

    assert is_signed("key", "approve", "subject", offered) is (offered == ours)


@pytest.mark.parametrize(
    ("key", "purpose", "subject"),
    [("other", "approve", "x"), ("key", "view", "x"), ("key", "approve", "y")],
)
def test_a_signature_for_something_else_is_refused(key: str, purpose: str, subject: str) -> None:
    ours = signature("key", "approve", "x")

    assert is_signed("key", "approve", "x", ours)
    assert not is_signed(key, purpose, subject, ours)
