"""An execution of the state machine: what is known of it, and what it asks of the cloud."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from cloud.twin.clock import VirtualClock


class Failed(Exception):
    """A state failed with an error name and a cause."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


# Called when a function's invocation is over, with its JSON result or how it failed.
Ended = Callable[[Any, Failed | None], None]


class Host(Protocol):
    """What the interpreter asks of the rest of the cloud."""

    clock: VirtualClock
    rng: random.Random

    def invoke(self, function_arn: str, payload: dict[str, Any], ended: Ended) -> None:
        """Invoke a function by its ARN."""

    def execution_changed(self, execution: "Execution") -> None:
        """An execution's status has changed."""

    def state_entered(self, execution: "Execution", state: str) -> None:
        """An execution has entered a state."""


@dataclass
class Attempt:
    """One attempt at a Task state."""

    token: str
    waits_for_token: bool
    over: bool = False


@dataclass
class Execution:
    """One execution and what happened in it: (seconds, what, state or detail)."""

    name: str
    arn: str
    input: dict[str, Any]
    started_at: datetime
    status: str = "RUNNING"
    error: str | None = None
    cause: str | None = None
    stopped_at: datetime | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    state: str = ""
    attempt: Attempt | None = None
    retries: dict[int, int] = field(default_factory=dict)
    entered_at: str = ""
    history: list[tuple[float, str, str]] = field(default_factory=list)

    def count(self, what: str, detail: str) -> int:
        """How often something happened."""
        return sum(each[1:] == (what, detail) for each in self.history)
