"""Slack as a bot: one message per deployment, kept up to date, with a line in its thread for each
state.
"""

from typing import Final

from slipway.domain.deployment import Phase
from slipway.domain.errors import Broken
from slipway.domain.news import News
from slipway.domain.notice import SLACK, MessagePlace
from slipway.domain.outcome import Outcome
from slipway.ports.people import Arrival, Delivery
from slipway.slack.blocks import line, whole
from slipway.slack.web_api import WebApi

# States that only bring the message up to date: a line in the thread would be noise.
_WITHOUT_A_LINE: Final[frozenset[str]] = frozenset({Phase.AWAITING_LANE, Outcome.UNCHANGED})
# What begins no message of its own.
_WITHOUT_A_MESSAGE: Final[frozenset[str]] = frozenset({Outcome.UNCHANGED})


class SlackBot:
    """A destination that can change and find its messages."""

    name = SLACK

    def __init__(self, api: WebApi) -> None:
        self._api = api

    def tells(self, state: str) -> bool:
        """Every state: what has no line of its own brings the message up to date."""
        return True

    def sends(self, state: str, place: MessagePlace | None) -> bool:
        """Whether the state begins the message, or has a line in its thread."""
        return state not in (_WITHOUT_A_LINE if place else _WITHOUT_A_MESSAGE)

    def find(self, news: News, place: MessagePlace | None) -> Delivery | None:
        """What an earlier try left in the channel, or in the thread of the message."""
        try:
            return self._api.find(
                whole(news),
                channel=place.channel if place else _channel(news),
                thread_ts=place.message if place else None,
                since=news.deployment.requested_at,
            )
        except Broken:
            # The bot may not read where the message may be.
            return Delivery(arrival=Arrival.UNKNOWABLE)

    def update(self, news: News, place: MessagePlace) -> bool:
        """Replace the message; False when it is gone or can no longer be changed."""
        try:
            self._api.update(whole(news), place)
        except Broken:
            return False
        return True

    def send(self, news: News, place: MessagePlace | None) -> Delivery:
        """A line in the thread, or the message where there is none yet."""
        if place is None:
            return self._api.post(whole(news), channel=_channel(news), thread_ts=None)
        return self._api.post(line(news), channel=place.channel, thread_ts=place.message)


def _channel(news: News) -> str | None:
    return news.notifications.slack_channel
