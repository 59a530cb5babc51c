"""Executions and announcements in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from slipway.ports.control import Announcement


@dataclass
class InMemoryExecutions:
    """Requests by deployment; ``ended`` run no more, the last function of ``leaving`` still may."""

    started: dict[str, str] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    leaving: set[str] = field(default_factory=set)

    def start(self, deployment_id: str, request: str) -> None:
        self.started.setdefault(deployment_id, request)

    def running(self, deployment_id: str) -> bool:
        return deployment_id in self.started and deployment_id not in self.ended

    def all_running(self) -> frozenset[str]:
        return frozenset(self.started.keys() - self.ended)

    def at_work(self, deployment_id: str) -> bool:
        return self.running(deployment_id) or deployment_id in self.leaving

    def known(self, deployment_id: str) -> bool:
        return deployment_id in self.started


@dataclass
class InMemoryAnnouncements:
    """Everything that was published, in order."""

    published: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def publish(self, what: str, detail: dict[str, str]) -> None:
        self.published.append((what, detail))

    def publish_all(self, news: Sequence[Announcement]) -> None:
        self.published.extend(news)
