"""Slipway's own executions and events."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Executions(Protocol):
    """Step Functions."""

    def start(self, deployment_id: str, request: str) -> None:
        """Start the deployment's execution, once."""
        ...

    def running(self, deployment_id: str) -> bool:
        """Whether the deployment's execution is still running."""
        ...

    def all_running(self) -> frozenset[str]:
        """The deployments whose executions run; may lag behind by a moment."""
        ...

    def at_work(self, deployment_id: str) -> bool:
        """Whether the execution, or a function that it has just invoked, may still run."""
        ...

    def known(self, deployment_id: str) -> bool:
        """Whether the deployment's execution was ever started."""
        ...


class Announcement(NamedTuple):
    """An event's detail-type and its content."""

    what: str
    detail: dict[str, str]


class Announcements(Protocol):
    """Slipway's own events."""

    def publish(self, what: str, detail: dict[str, str]) -> None:
        """Publish an event; a hint to whoever waits, never the record."""
        ...

    def publish_all(self, news: Sequence[Announcement]) -> None:
        """Publish all of them, ten at a time; Transient when some of it was not taken."""
        ...
