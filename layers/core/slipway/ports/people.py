"""Where people look, and how they are told."""

from datetime import datetime
from typing import Protocol, runtime_checkable

from slipway.domain.approval import Approval
from slipway.domain.message import Message
from slipway.domain.model import Model


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


class Delivery(Model):
    """What became of a message.

    ``clear`` is False when it may or may not have arrived; ``channel`` and ``message_ts`` name
    the place of a message that Slack confirmed, where it tells one.
    """

    clear: bool
    channel: str = ""
    message_ts: str = ""


class SlackWebhook(Protocol):
    """Slack, as far as an incoming webhook reaches: it only sends."""

    def send(self, message: Message) -> Delivery:
        """Send a message; Transient when it certainly did not arrive but may later, Broken when
        Slack refuses it for good.
        """
        ...


@runtime_checkable
class SlackChannel(Protocol):
    """Slack, as a bot sees it: messages can be changed, answered and found again.

    Every method raises Transient when the call certainly had no effect and may later, and Broken
    when Slack refuses it for good, in plain text as well.
    """

    def post(self, message: Message, *, channel: str | None, thread_ts: str | None) -> Delivery:
        """A new message, or a line in a thread; in the default channel without one, and where
        Slack does not take it in its own.
        """
        ...

    def update(self, message: Message, *, channel: str, message_ts: str) -> None:
        """Replace a message; replacing it again is harmless."""
        ...

    def find(
        self, message: Message, *, channel: str | None, thread_ts: str | None, since: datetime
    ) -> Delivery | None:
        """The message about this deployment and state, if an earlier try posted it."""
        ...
