"""What a person decides, in time or not, and what a wrong link does."""

from collections.abc import Callable
from http import HTTPStatus

import pytest
import requests

from demo.approver import decide
from slipway.domain.approval import Decision
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.outcome import Outcome
from tests.e2e.lanes import APPROVER
from tests.e2e.stage import Lane

Build = Callable[[str], Lane]


def _decision(lane: Lane, deployment: Deployment) -> Decision | None:
    approval = lane.records.approval(deployment.deployment_id)
    assert approval is not None
    return approval.decision


def _sent(link: str, signature: str) -> requests.Response:
    """The approval page's form, filled in without looking at the page."""
    form = {"by": APPROVER, "answer": "approve", "comment": "", "sig": signature}
    return requests.post(link, data=form, timeout=30)


def _signature(link: str) -> str:
    return link.partition("sig=")[2]


def test_a_rejected_deployment_ends_and_nothing_was_changed(lane: Build) -> None:
    rejected = lane("rejected")
    before = rejected.live_revision()
    asked = rejected.reached(rejected.push("v1"), Phase.AWAITING_APPROVAL)
    link = rejected.approval_link(asked)

    answer = decide(link, "reject", APPROVER, "Not on a Friday.")

    ended = rejected.settled(asked.deployment_id)
    assert answer.status_code == HTTPStatus.OK
    assert (ended.outcome, ended.failure and ended.failure.message) == (
        Outcome.REJECTED,
        "Rejected by ada: Not on a Friday.",
    )
    assert rejected.live_revision() == before
    assert rejected.told(ended) == ["deployment started", "waiting for approval", "rejected"]
    assert _sent(link, _signature(link)).status_code == HTTPStatus.CONFLICT


def decide_again(link: str) -> requests.Response:
    """Send the form once more, as an impatient finger does."""
    form = {"by": APPROVER, "answer": "approve", "comment": "", "sig": link.partition("sig=")[2]}
    return requests.post(link, data=form, timeout=30)


def test_a_wrong_link_and_a_stranger_decide_nothing(lane: Build) -> None:
    waiting = lane("strangers")
    asked = waiting.reached(waiting.push("v1"), Phase.AWAITING_APPROVAL)
    link = waiting.approval_link(asked)
    forged = link[:-1] + ("0" if link[-1] != "0" else "1")

    statuses = (
        requests.get(forged, timeout=30).status_code,
        _sent(link, _signature(forged)).status_code,
        decide(link, "approve", "mallory").status_code,
    )

    assert statuses == (HTTPStatus.FORBIDDEN,) * 3
    assert _decision(waiting, asked) is None


def test_the_newer_push_replaces_one_that_waits_for_approval(lane: Build) -> None:
    lane_ = lane("superseded")
    older = lane_.reached(lane_.push("v1"), Phase.AWAITING_APPROVAL)
    link = lane_.approval_link(older)

    newer = lane_.reached(lane_.push("v2"), Phase.AWAITING_APPROVAL)

    ended = lane_.settled(older.deployment_id)
    sentence = f"{newer.deployment_id} is newer and replaces this deployment."
    assert ended.outcome is Outcome.SUPERSEDED
    assert ended.failure is not None
    assert ended.failure.message.startswith(sentence)
    assert lane_.told(ended)[-1] == "replaced by a newer deployment"
    assert sentence in lane_.message(ended, "replaced by a newer deployment")
    assert requests.get(link, timeout=30).status_code == HTTPStatus.GONE
    decide(lane_.approval_link(newer), "approve", APPROVER)
    assert lane_.settled(newer.deployment_id).outcome is Outcome.SUCCEEDED
    assert lane_.serves() == "2"


@pytest.mark.long
def test_an_approval_that_nobody_gives_expires(lane: Build) -> None:
    expiring = lane("expiring")
    asked = expiring.reached(expiring.push("v1"), Phase.AWAITING_APPROVAL)
    link = expiring.approval_link(asked)

    ended = expiring.settled(asked.deployment_id)

    approval = expiring.records.approval(asked.deployment_id)
    assert approval is not None
    assert ended.outcome is Outcome.EXPIRED
    assert ended.settled_at is not None and ended.settled_at >= approval.expires_at
    assert expiring.told(ended)[-1] == "approval expired"
    assert requests.get(link, timeout=30).status_code == HTTPStatus.GONE
