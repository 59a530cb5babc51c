"""Where people look, and how they are notified."""

from enum import StrEnum
from typing import Protocol

from slipway.domain.approval import Approval
from slipway.domain.model import Model
from slipway.domain.news import News
from slipway.domain.notice import MessagePlace


class Links(Protocol):
    """Where people look at a deployment and decide it."""

    @property
    def absolute(self) -> bool:
        """Whether the links lead somewhere from outside the pages themselves."""
        ...

    def approval(self, approval: Approval) -> str:
        """The approval's page, signed for this digest and plan."""
        ...

    def deployment(self, deployment_id: str) -> str:
        """The deployment's page, signed for looking."""
        ...

    def status(self) -> str:
        """The page of every lane, signed for looking."""
        ...


class Arrival(StrEnum):
    """Whether what was sent has arrived."""

    ARRIVED = "arrived"
    # It may have, and ``find`` can tell on the next try.
    UNCONFIRMED = "unconfirmed"
    # It may have, and nobody can find out.
    UNKNOWABLE = "unknowable"


class Delivery(Model):
    """What became of a message; ``place`` is where it stands, if it can be changed or answered."""

    arrival: Arrival
    place: MessagePlace | None = None


class Destination(Protocol):
    """One place where people are told: it chooses the states, renders the news and delivers them.

    Before ``send`` a state is claimed in the destination's own notice, and confirmed after, so it
    is told at most once. ``find`` and ``update`` may be called any number of times. All three raise
    Transient when the call certainly had no effect and may have later, and ``send`` raises Broken
    when the news are refused for good.
    """

    @property
    def name(self) -> str:
        """What its notices are stored under: while it stays, nothing is sent twice."""
        ...

    def tells(self, state: str) -> bool:
        """Whether this destination reports this state at all."""
        ...

    def sends(self, state: str, place: MessagePlace | None) -> bool:
        """Whether the state is a message of its own; if not, bringing up to date what stands at
        ``place`` tells it, and without a place it is not told.
        """
        ...

    def find(self, news: News, place: MessagePlace | None) -> Delivery | None:
        """What a try of unclear end left here: None when it certainly left nothing, so that the
        news can be sent again; arrived, or unknowable.
        """
        ...

    def update(self, news: News, place: MessagePlace) -> bool:
        """Update the message that was sent before; False when it is gone, and the next one starts
        anew.
        """
        ...

    def send(self, news: News, place: MessagePlace | None) -> Delivery:
        """Send the news, once; at ``place`` is the deployment's earlier message."""
        ...
