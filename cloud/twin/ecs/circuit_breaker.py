"""When a rolling deployment has failed often enough to be given up."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT_PERCENT = 50
LEAST_FAILURES = 3
MOST_FAILURES = 200


@dataclass(slots=True)
class CircuitBreaker:
    """Counts the failed tasks of one service deployment."""

    enabled: bool
    rollback: bool
    reset_on_healthy_task: bool
    threshold: int
    failures: int = 0
    triggered: bool = False

    @classmethod
    def of(cls, settings: Mapping[str, Any], desired_count: int) -> "CircuitBreaker":
        """The breaker of a `deploymentCircuitBreaker` and the service's desired count."""
        return cls(
            enabled=settings.get("enable", False),
            rollback=settings.get("rollback", False),
            reset_on_healthy_task=settings.get("resetOnHealthyTask", True),
            threshold=threshold(settings.get("thresholdConfiguration", {}), desired_count),
        )

    def task_failed(self) -> bool:
        """Count a failure; True when this one gives the deployment up."""
        self.failures += 1
        self.triggered = self.enabled and self.failures >= self.threshold
        return self.triggered

    def task_healthy(self) -> None:
        """Forget earlier failures, unless the service asks to keep them."""
        if self.reset_on_healthy_task:
            self.failures = 0

    def describe(self, over: bool) -> dict[str, Any]:
        """As `describe_service_deployments` shows it."""
        return {
            "status": self._status(over),
            "failureCount": self.failures,
            "threshold": self.threshold,
        }

    def _status(self, over: bool) -> str:
        if not self.enabled:
            return "DISABLED"
        if self.triggered:
            return "TRIGGERED"
        return "MONITORING_COMPLETE" if over else "MONITORING"


def threshold(configuration: Mapping[str, Any], desired_count: int) -> int:
    """How many failures are too many: by default half the desired count, from 3 to 200."""
    kind = configuration.get("type", "BOUNDED_PERCENT")
    value: int = configuration.get("value", DEFAULT_PERCENT)
    if kind == "COUNT":
        return value
    failures: int = math.ceil(value * desired_count / 100)
    if kind == "UNBOUNDED_PERCENT":
        return max(1, failures)
    return min(max(failures, LEAST_FAILURES), MOST_FAILURES)
