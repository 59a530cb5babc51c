"""Destinations in memory: one of no kind, and what Slack's two tell over.

``troubles`` are what the next calls end with: an exception comes before the call's effect, a
delivery replaces its answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from slipway.domain.errors import Broken, Reason, Transient
from slipway.domain.news import News
from slipway.domain.notice import MessagePlace
from slipway.ports.people import Arrival, Delivery, Destination
from slipway.slack.blocks import Message
from slipway.slack.bot import SlackBot
from slipway.slack.web_api import WebApi
from slipway.slack.webhook import IncomingWebhook, SlackWebhook

DOWN = Transient(Reason.SERVICE_UNAVAILABLE, "Slack answers 503.")
REFUSED = Broken(Reason.SERVICE_UNAVAILABLE, "Slack refused: channel_not_found.")
MAY_BE_FOUND = Delivery(arrival=Arrival.UNCONFIRMED)
NOBODY_KNOWS = Delivery(arrival=Arrival.UNKNOWABLE)

Troubles = list[Exception | Delivery]


def end(troubles: Troubles, act: Callable[[], Delivery]) -> Delivery:
    """The call's end: the next trouble's, or its own."""
    trouble = troubles.pop(0) if troubles else None
    if isinstance(trouble, Exception):
        raise trouble
    delivery = act()
    return trouble or delivery


@dataclass
class InMemoryDestination:
    """A destination that tells every state by a message of its own, and finds what it told."""

    name: str = "memory"
    told: list[tuple[str, str]] = field(default_factory=list)
    troubles: Troubles = field(default_factory=list)

    def tells(self, state: str) -> bool:
        return True

    def sends(self, state: str, place: MessagePlace | None) -> bool:
        return True

    def find(self, news: News, place: MessagePlace | None) -> Delivery | None:
        one = (news.deployment.deployment_id, news.state)
        return self._delivery(*one) if one in self.told else None

    def update(self, news: News, place: MessagePlace) -> bool:
        return any(place == self._delivery(*one).place for one in self.told)

    def send(self, news: News, place: MessagePlace | None) -> Delivery:
        return end(self.troubles, lambda: self._sent(news))

    def states(self) -> list[str]:
        """The states that were told, in order."""
        return [state for _, state in self.told]

    def _sent(self, news: News) -> Delivery:
        self.told.append((news.deployment.deployment_id, news.state))
        return self._delivery(*self.told[-1])

    def _delivery(self, deployment_id: str, state: str) -> Delivery:
        place = MessagePlace(channel=self.name, message=f"{deployment_id} {state}")
        return Delivery(arrival=Arrival.ARRIVED, place=place)


@dataclass
class InMemoryWebhook(IncomingWebhook):
    """An incoming webhook."""

    sent: list[Message] = field(default_factory=list)
    troubles: Troubles = field(default_factory=list)

    def post(self, message: Message) -> Delivery:
        return end(self.troubles, lambda: self._posted(message))

    def _posted(self, message: Message) -> Delivery:
        self.sent.append(message)
        return Delivery(arrival=Arrival.ARRIVED)


@dataclass
class InMemoryChannel(WebApi):
    """A channel with its messages by ts; the first entry of a thread is its message."""

    messages: dict[str, tuple[str, Message]] = field(default_factory=dict)
    threads: dict[str, list[Message]] = field(default_factory=dict)
    troubles: Troubles = field(default_factory=list)
    find_trouble: Exception | None = None
    update_trouble: Exception | None = None
    updates: list[str] = field(default_factory=list)
    sought: list[tuple[str | None, str | None]] = field(default_factory=list)

    def post(self, message: Message, *, channel: str | None, thread_ts: str | None) -> Delivery:
        return end(self.troubles, lambda: self._kept(message, channel, thread_ts))

    def update(self, message: Message, place: MessagePlace) -> None:
        if self.update_trouble is not None:
            raise self.update_trouble
        self.updates.append(message.state)
        if place.message not in self.messages:
            raise Broken(Reason.SERVICE_UNAVAILABLE, "Slack refused: message_not_found.")
        self.messages[place.message] = (place.channel, message)

    def find(
        self, message: Message, *, channel: str | None, thread_ts: str | None, since: datetime
    ) -> Delivery | None:
        self.sought.append((channel, thread_ts))
        if self.find_trouble is not None:
            raise self.find_trouble
        where = (
            [(thread_ts, posted) for posted in self.threads[thread_ts]]
            if thread_ts
            else [(ts, self.threads[ts][0]) for ts in self.messages]
        )
        wanted = (message.deployment_id, message.state)
        for ts, posted in where:
            if (posted.deployment_id, posted.state) == wanted:
                return _at(ts)
        return None

    def states(self) -> list[list[str]]:
        """The states that each thread tells, in order; its message's own first."""
        return [[message.state for message in thread] for thread in self.threads.values()]

    def _kept(self, message: Message, channel: str | None, thread_ts: str | None) -> Delivery:
        ts = thread_ts or f"{len(self.threads)}.0"
        self.threads.setdefault(ts, []).append(message)
        if thread_ts is None:
            self.messages[ts] = (channel or "default", message)
        return _at(ts)


def _at(ts: str) -> Delivery:
    place = MessagePlace(channel="C0000001", message=ts)
    return Delivery(arrival=Arrival.ARRIVED, place=place)


Slack = InMemoryChannel | InMemoryWebhook


def destination(slack: Slack) -> Destination:
    """The destination that tells over this Slack."""
    return SlackBot(slack) if isinstance(slack, InMemoryChannel) else SlackWebhook(slack)
