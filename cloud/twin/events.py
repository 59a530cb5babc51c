"""Where events leave the twin: kept, and delivered as the policy of their type says."""

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cloud.twin.clock import Clock
from cloud.twin.world import Event

EVERY_TYPE = "*"
KEPT_EVENTS = 10_000


@dataclass
class Policy:
    """What happens to the events of one type: lost, late, or delivered several times.

    `copies` counts the extra deliveries, `delay_seconds` is in the cloud's own time,
    `remaining` says for how many events the policy still holds (None: for all), and `containing`
    is a text that an event must contain for the policy to be about it.
    """

    drop: bool = False
    delay_seconds: float = 0.0
    copies: int = 0
    remaining: int | None = None
    containing: str = ""

    def is_about(self, event: Event) -> bool:
        """Whether the event contains the text that was asked for."""
        return not self.containing or self.containing in json.dumps(event)


class EventSink:
    """Takes every event of the models and hands it to the one who delivers."""

    def __init__(self, clock: Clock, deliver: Callable[[Event], None]) -> None:
        self.emitted: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self._clock = clock
        self._deliver = deliver
        self._policies: dict[str, Policy] = {}

    def __call__(self, event: Event) -> None:
        self.emitted.append(event)
        policy = self._policy_for(event)
        if policy is None:
            self._deliver(event)
        elif not policy.drop:
            self._deliver_by(policy, event)

    def set_policy(self, detail_type: str, policy: Policy | None) -> None:
        """Set or, with None, lift the policy of a detail-type; `*` stands for every type."""
        if policy is None:
            self._policies.pop(detail_type, None)
        else:
            self._policies[detail_type] = policy

    def policies(self) -> dict[str, dict[str, Any]]:
        """The policies in force, as plain data."""
        return {name: vars(policy).copy() for name, policy in self._policies.items()}

    def _policy_for(self, event: Event) -> Policy | None:
        detail_type = event["detail-type"]
        name = detail_type if detail_type in self._policies else EVERY_TYPE
        policy = self._policies.get(name)
        if policy is None or not policy.is_about(event):
            return None
        if policy.remaining is not None:
            policy.remaining -= 1
            if policy.remaining <= 0:
                del self._policies[name]
        return policy

    def _deliver_by(self, policy: Policy, event: Event) -> None:
        for _ in range(1 + policy.copies):
            if policy.delay_seconds > 0:
                self._clock.call_later(policy.delay_seconds, lambda: self._deliver(event))
            else:
                self._deliver(event)
