"""What a release is judged by, beside what runs it."""

from collections.abc import Sequence
from typing import Protocol

from slipway.domain.routing import Front
from slipway.domain.verdict import AlarmsSeen, HttpAnswer, HttpRequest, RegisteredTarget


class LoadBalancers(Protocol):
    """Elastic Load Balancing."""

    def fronts(self, target_group_arns: Sequence[str]) -> tuple[Front, ...]:
        """What is in front of these target groups, those of one service; empty when nothing is."""
        ...

    def targets(self, target_group_arn: str) -> tuple[RegisteredTarget, ...]:
        """The registered targets and their health."""
        ...


class Alarms(Protocol):
    """CloudWatch."""

    def look(self, names: Sequence[str]) -> AlarmsSeen:
        """Which of the named alarms fire, with every one that does not exist, or have no data."""
        ...


class Website(Protocol):
    """The deployed service, seen from outside."""

    def get_all(self, requests: Sequence[HttpRequest], seconds: float) -> tuple[HttpAnswer, ...]:
        """An answer to every GET, in their order, all within so many seconds.

        An unreachable address, and one that there was no time left for, is an answer with status 0.
        """
        ...
