"""Slack through an incoming webhook: it sends, and learns only whether Slack took the message."""

from typing import Any, Final

import requests

from slipway.domain.deployment import Phase
from slipway.domain.news import News
from slipway.domain.notice import SLACK, MessagePlace
from slipway.domain.outcome import Outcome
from slipway.ports.people import Arrival, Delivery
from slipway.slack.blocks import Message, whole
from slipway.slack.refusals import Refused, word
from slipway.slack.transport import Unclear, send_laid_out, send_request

# A webhook cannot change what it sent, so it only reports what people want to know.
_MILESTONES: Final[frozenset[str]] = frozenset(
    {Phase.PLANNING, Phase.AWAITING_APPROVAL, Phase.ROLLING_BACK, *Outcome} - {Outcome.UNCHANGED}
)


class IncomingWebhook:
    """The address that Slack takes messages at."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self._url = url
        self._session = session

    def post(self, message: Message) -> Delivery:
        """Send a message; Transient when it certainly did not arrive, Broken when refused.

        A layout that Slack refuses is replaced by plain text at once.
        """
        try:
            send_laid_out(message, self._post_body)
        except Unclear:
            return Delivery(arrival=Arrival.UNKNOWABLE)
        except Refused as refused:
            raise refused.broken() from None
        return Delivery(arrival=Arrival.ARRIVED)

    def _post_body(self, body: dict[str, Any]) -> None:
        asked = {**body, "unfurl_links": False}
        response = send_request(self._session, requests.Request("POST", self._url, json=asked))
        if response.status_code != requests.codes.ok:
            raise Refused(str(response.status_code), word(response.text))
        if response.text.strip() != "ok":
            # Something between Slack and us has answered.
            raise Unclear


class SlackWebhook:
    """A destination that reports the milestones, and can neither change nor find its messages."""

    name = SLACK

    def __init__(self, webhook: IncomingWebhook) -> None:
        self._webhook = webhook

    def tells(self, state: str) -> bool:
        """The milestones alone."""
        return state in _MILESTONES

    def sends(self, state: str, place: MessagePlace | None) -> bool:
        """Each reported state is a message of its own."""
        return True

    def find(self, news: News, place: MessagePlace | None) -> Delivery | None:
        """Nobody can find out whether an earlier try arrived."""
        return Delivery(arrival=Arrival.UNKNOWABLE)

    def update(self, news: News, place: MessagePlace) -> bool:
        """Nothing: a message that a bot sent here before stays as it is."""
        return True

    def send(self, news: News, place: MessagePlace | None) -> Delivery:
        """One message about the state."""
        return self._webhook.post(whole(news))
