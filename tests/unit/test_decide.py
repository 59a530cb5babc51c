"""One answer, from one link, for one digest and one plan."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from slipway.domain.approval import Answer, Decision, link_subject, signature
from slipway.domain.deployment import Deployment
from slipway.domain.errors import ControlPlaneError, Reason, Rejected, Transient
from slipway.domain.evidence import chain_errors
from slipway.domain.lane import Candidate
from slipway.domain.model import Versioned
from slipway.domain.outcome import Outcome
from slipway.journal import Journal
from slipway.requests.decide import DecideRequest, decide
from tests.builders.fakes.control import InMemoryAnnouncements
from tests.builders.fakes.records import InMemoryRecords
from tests.builders.stories import ASKED, ID, KEY, approval, deployment, ended, lane, stored

NOW = ASKED + timedelta(minutes=5)
SIG = signature(KEY, "approve", link_subject(approval()))


def request(**fields: Any) -> DecideRequest:
    usual: dict[str, Any] = {"deployment_id": ID, "answer": "approve", "by": "ada", "sig": SIG}
    return DecideRequest(**{**usual, **fields})


def answer(
    records: InMemoryRecords, asked: DecideRequest, announcements: InMemoryAnnouncements
) -> Decision | None:
    journal = Journal(records, NOW)
    return decide(asked, journal=journal, announcements=announcements, key=KEY).decision


def refusal(records: InMemoryRecords, asked: DecideRequest) -> tuple[Reason, str]:
    """The reason and sentence of a refusal that changes nothing and tells nobody."""
    before = dict(records._stored)
    announcements = InMemoryAnnouncements()
    with pytest.raises(Rejected) as refused:
        answer(records, asked, announcements)
    assert records._stored == before
    assert announcements.published == []
    return refused.value.reason, refused.value.message


def test_an_approval_is_written_recorded_and_announced() -> None:
    records, announcements = stored(), InMemoryAnnouncements()
    expected = Decision(answer=Answer.APPROVE, by="ada", at=NOW, comment="looks good")

    assert answer(records, request(comment=" looks good "), announcements) == expected

    written = records.approval(ID)
    entries = records.evidence(ID)
    assert written is not None and written.decision == expected
    assert (entries[-1].what, entries[-1].reason, entries[-1].message) == (
        "approval decided",
        "approve",
        "by ada: looks good",
    )
    assert chain_errors(records.deployment(ID), entries) == []
    assert announcements.published == [
        ("Approval Decided", {"deployment_id": ID, "lane": "fastapi-rds/production"})
    ]


def test_a_rejection_is_a_decision_too() -> None:
    records = stored()

    decision = answer(records, request(answer="reject", by="grace"), InMemoryAnnouncements())

    assert decision == Decision(answer=Answer.REJECT, by="grace", at=NOW)


def test_a_link_is_used_once() -> None:
    records = stored()
    answer(records, request(), InMemoryAnnouncements())

    assert refusal(records, request(answer="reject", by="grace")) == (
        Reason.ALREADY_DECIDED,
        "ada has already approved this deployment, on 2026-11-21 09:35:42 UTC.",
    )


@pytest.mark.parametrize(
    "sig",
    [
        "0" * 64,
        signature("another key", "approve", link_subject(approval())),
        signature(KEY, "view", link_subject(approval())),
        signature(KEY, "view", ID),
        signature(KEY, "approve", link_subject(approval(plan_hash="of an earlier plan"))),
        signature(KEY, "approve", link_subject(approval(digest="sha256:" + "c3" * 32))),
        signature(KEY, "approve", link_subject(approval(deployment_id="fastapi-rds-production-6"))),
    ],
)
def test_a_link_for_something_else_decides_nothing(sig: str) -> None:
    assert refusal(stored(), request(sig=sig))[0] is Reason.LINK_INVALID


def test_an_unknown_deployment_is_refused_like_a_wrong_link() -> None:
    unknown = refusal(stored(), request(deployment_id="fastapi-rds-production-99"))

    assert unknown == refusal(stored(), request(sig="0" * 64))
    assert unknown[0] is Reason.LINK_INVALID


def test_a_signature_of_the_bare_name_opens_nothing() -> None:
    name = "fastapi-rds-production-99"
    forged = request(deployment_id=name, sig=signature(KEY, "approve", name))

    assert refusal(stored(), forged)[0] is Reason.LINK_INVALID


def test_a_decision_on_the_expiry_second_is_too_late() -> None:
    records = stored(ticket=approval(expires_at=NOW))

    assert refusal(records, request()) == (
        Reason.APPROVAL_EXPIRED,
        "The approval has expired. To request approval again, run operate deploy.",
    )


def test_only_an_approver_decides() -> None:
    assert refusal(stored(), request(by="mallory"))[0] is Reason.NOT_AN_APPROVER


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (ended(Outcome.SUPERSEDED), Reason.DEPLOYMENT_ENDED),
        (deployment(cancel_requested_by="grace"), Reason.CANCELLED),
    ],
)
def test_a_deployment_that_has_ended_is_not_decided(asked: Deployment, reason: Reason) -> None:
    assert refusal(stored(asked), request())[0] is reason


def test_a_replaced_deployment_is_not_decided_even_before_it_has_ended() -> None:
    newer = Candidate(deployment_id="fastapi-rds-production-8", order=NOW, digest=approval().digest)

    found = refusal(stored(where=lane(newest=newer)), request())

    assert found == (
        Reason.SUPERSEDED,
        "fastapi-rds-production-8 is newer and replaces this deployment. To deploy this release "
        f"anyway, request it: operate deploy fastapi-rds/production --digest {approval().digest} "
        "--reason ...",
    )


class RacingRecords(InMemoryRecords):
    """Somebody else gets in just before a write."""

    def __init__(self, records: InMemoryRecords) -> None:
        super().__init__()
        self._stored = records._stored
        self.others: list[Callable[[], object]] = []

    def write(self, documents: Sequence[Versioned], **arguments: Any) -> None:
        if self.others:
            self.others.pop(0)()
        super().write(documents, **arguments)


def test_of_two_decisions_at_once_one_counts() -> None:
    records, told = RacingRecords(stored()), InMemoryAnnouncements()
    records.others = [lambda: answer(records, request(by="grace", answer="reject"), told)]

    with pytest.raises(Rejected) as refused:
        answer(records, request(), told)

    written = records.approval(ID)
    assert refused.value.reason is Reason.ALREADY_DECIDED
    assert written is not None and written.decision is not None
    assert (written.decision.by, written.decision.answer) == ("grace", Answer.REJECT)
    assert len(told.published) == 1
    assert [e.what for e in records.evidence(ID)].count("approval decided") == 1


def test_a_record_that_moved_meanwhile_is_read_again() -> None:
    records = RacingRecords(stored())

    def moved() -> None:
        InMemoryRecords.write(records, [records.deployment(ID)])

    records.others = [moved, moved]

    decision = answer(records, request(), InMemoryAnnouncements())

    assert decision is not None and decision.by == "ada"


def test_a_record_that_keeps_moving_asks_for_another_try() -> None:
    records = RacingRecords(stored())
    records.others = [lambda: InMemoryRecords.write(records, [records.deployment(ID)])] * 9

    with pytest.raises(Transient):
        answer(records, request(), InMemoryAnnouncements())

    written = records.approval(ID)
    assert written is not None and written.decision is None


class LostAnnouncements(InMemoryAnnouncements):
    """An event bus that cannot be reached."""

    def publish(self, what: str, detail: dict[str, str]) -> None:
        raise Transient(Reason.AWS_UNAVAILABLE, "no bus")


def test_a_decision_stands_when_its_announcement_gets_lost() -> None:
    records = stored()

    try:
        decision = answer(records, request(), LostAnnouncements())
    except ControlPlaneError:
        pytest.fail("the decision was written, so the person must not be told otherwise")

    assert decision is not None


def test_a_secret_in_a_comment_is_not_kept() -> None:
    records = stored()
    told = decide(
        request(comment="try redis://:CANARY@cache"),
        journal=Journal(records, NOW),
        announcements=InMemoryAnnouncements(),
        key=KEY,
    )

    assert told.decision is not None and told.decision.comment == "try redis://***@cache"
    assert "CANARY" not in str(records._stored)
