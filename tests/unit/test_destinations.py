"""The contract of a destination, kept by every kind of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from cloud.simulation.clients import CallFailed
from cloud.simulation.faults import CallKind
from cloud.simulation.outside import Session, Slack, slack_answer
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.errors import Broken, Transient
from slipway.domain.news import News
from slipway.domain.notice import SLACK
from slipway.domain.outcome import Outcome
from slipway.ports.people import Arrival, Delivery, Destination
from slipway.slack.secret import slack_from
from tests.builders.destinations import DOWN, MAY_BE_FOUND, REFUSED, InMemoryDestination
from tests.builders.stories import ASKED, approval, deployment, ended

BOT = {"bot_token": "xoxb-1", "channel": "C0DEPLOYS"}
WEBHOOK = {"webhook_url": "https://hooks.slack.com/services/T/B/x"}
STATES = [*(phase for phase in Phase if phase is not Phase.SETTLED), *Outcome]


@dataclass
class Kind:
    """A destination, what has arrived there, and how its next call goes wrong."""

    destination: Destination
    arrived: Callable[[], int]
    is_down: Callable[[], None]
    refuses: Callable[[], None]
    loses_its_answer: Callable[[], None]


def in_memory() -> Kind:
    memory = InMemoryDestination()
    return Kind(
        destination=memory,
        arrived=lambda: len(memory.told),
        is_down=lambda: memory.troubles.append(DOWN),
        refuses=lambda: memory.troubles.append(REFUSED),
        loses_its_answer=lambda: memory.troubles.append(MAY_BE_FOUND),
    )


def over_http(fields: dict[str, str], refusal: dict[str, Any]) -> Kind:
    """Slack as it is wired, over a Slack in this process."""
    slack, lost = Slack(), list[CallKind]()

    def perform(service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        answer = slack_answer(slack, operation, params)
        if lost:
            raise CallFailed(lost.pop())
        return answer

    def refuse() -> None:
        slack.odd = lambda operation, params: refusal

    return Kind(
        destination=slack_from(fields, Session(perform)),  # type: ignore[arg-type]
        arrived=lambda: len(slack.messages),
        is_down=lambda: setattr(slack, "busy", True),
        refuses=refuse,
        loses_its_answer=lambda: lost.append(CallKind.LOST),
    )


def bot() -> Kind:
    body = json.dumps({"ok": False, "error": "invalid_auth"}).encode()
    return over_http(BOT, {"status": 200, "body": body})


def webhook() -> Kind:
    return over_http(WEBHOOK, {"status": 404, "body": b"no_service"})


@pytest.fixture(params=[bot, webhook, in_memory], ids=["bot", "webhook", "in-memory"])
def kind(request: pytest.FixtureRequest) -> Kind:
    made: Kind = request.param()
    return made


def news(about: Deployment) -> News:
    state = about.outcome or about.phase
    return News(
        deployment=about,
        state=state,
        approval=approval(),
        page_url="https://slipway.example.com/deployments/x?sig=1",
        approval_url="https://slipway.example.com/approvals/x?sig=2",
        at=ASKED,
    )


START = news(deployment(phase=Phase.PLANNING))
QUESTION = news(deployment())


def test_every_question_and_every_end_is_told(kind: Kind) -> None:
    must_be_told = {Phase.AWAITING_APPROVAL, *Outcome} - {Outcome.UNCHANGED}

    assert {state for state in must_be_told if not kind.destination.tells(state)} == set()
    assert {state for state in must_be_told if not kind.destination.sends(state, None)} == set()


@pytest.mark.parametrize("state", STATES)
def test_whatever_is_told_can_be_sent(kind: Kind, state: Phase | Outcome) -> None:
    about = ended(state) if isinstance(state, Outcome) else deployment(phase=state)

    assert kind.destination.send(news(about), None).arrival is Arrival.ARRIVED
    assert kind.arrived() == 1


def test_what_was_sent_is_found_or_is_nobodys_to_know(kind: Kind) -> None:
    sent = kind.destination.send(START, None)

    found = kind.destination.find(START, None)

    assert found in (sent, Delivery(arrival=Arrival.UNKNOWABLE))
    assert kind.arrived() == 1


def test_what_was_not_sent_is_not_found(kind: Kind) -> None:
    kind.destination.send(START, None)

    found = kind.destination.find(QUESTION, None)

    assert found in (None, Delivery(arrival=Arrival.UNKNOWABLE))


def test_what_was_told_is_brought_up_to_date_without_telling_it_again(kind: Kind) -> None:
    place = kind.destination.send(START, None).place

    if place is not None:
        assert [kind.destination.update(QUESTION, place) for _ in range(2)] == [True, True]
    assert kind.arrived() == 1


def test_what_stands_somewhere_is_found_there(kind: Kind) -> None:
    place = kind.destination.send(START, None).place

    kind.destination.send(QUESTION, place)

    found = kind.destination.find(QUESTION, place)
    assert found is not None and found.arrival in (Arrival.ARRIVED, Arrival.UNKNOWABLE)
    assert kind.arrived() == 2


def test_what_is_down_has_certainly_told_nothing(kind: Kind) -> None:
    kind.is_down()

    with pytest.raises(Transient):
        kind.destination.send(START, None)
    assert kind.arrived() == 0


def test_a_refusal_for_good_is_broken_and_has_told_nothing(kind: Kind) -> None:
    kind.refuses()

    with pytest.raises(Broken):
        kind.destination.send(START, None)
    assert kind.arrived() == 0


def test_a_lost_answer_has_not_arrived_for_certain(kind: Kind) -> None:
    kind.loses_its_answer()

    delivery = kind.destination.send(START, None)

    found = kind.destination.find(START, None)
    assert found is not None
    # Whoever says that it can be found has to find it.
    assert (delivery.arrival, found.arrival) in (
        (Arrival.UNCONFIRMED, Arrival.ARRIVED),
        (Arrival.UNKNOWABLE, Arrival.UNKNOWABLE),
    )
    assert kind.arrived() == 1


def test_bot_and_webhook_are_one_slack_for_what_was_told() -> None:
    """Whoever changes the secret from the one to the other is told nothing again."""
    assert bot().destination.name == webhook().destination.name == SLACK
