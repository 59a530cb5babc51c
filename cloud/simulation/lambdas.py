"""Lambda: the real handlers, one greenlet per invocation, ended from outside when time is up."""

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from greenlet import getcurrent, greenlet

from cloud.simulation.execution import Ended, Failed
from cloud.simulation.template import Function

Handler = Callable[[dict[str, Any], Any], Any]
_PLAIN = frozenset({str, int, float, bool, type(None)})
EXPECTED_ERRORS = ("Rejected", "Unhealthy", "Transient", "Broken")


class Killed(BaseException):
    """The process of a function is gone; nothing in it runs on."""


@dataclass(frozen=True)
class Context:
    """What Lambda tells a handler of its invocation."""

    function_name: str
    invoked_function_arn: str
    aws_request_id: str
    memory_limit_in_mb: int = 512

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


class Invocation(greenlet):
    """One invocation of one function, from its event to its result."""

    def __init__(
        self, function: Function, event: dict[str, Any], number: int, ended: Ended
    ) -> None:
        super().__init__()
        self.function = function
        self.event = event
        self.number = number
        self.ended = ended
        self.instance: dict[Any, Any] = {}
        self.over = False
        self.result: Any = None
        self.failed: Failed | None = None
        self.bug: BaseException | None = None
        # The deployment whose record was read last: every look begins with reading it.
        self.subject = ""

    def wait(self) -> None:
        """Let the rest of the cloud go on until somebody switches back."""
        assert self.parent is not None
        self.parent.switch()

    def run(self) -> None:
        context = Context(self.function.name, self.function.arn, f"request-{self.number}")
        try:
            result = handler(self.function.name)(delivered(self.event), context)
            self.result = json.loads(json.dumps(result))
        except Killed:
            pass
        except Exception as error:
            name = type(error).__name__
            told = {"errorMessage": str(error), "errorType": name, "stackTrace": []}
            self.failed = Failed(name, json.dumps(told))
            if name not in EXPECTED_ERRORS:
                self.bug = error


def delivered(value: Any) -> Any:
    """What arrives of a value that is sent as JSON: a copy in JSON's own types.

    An event is mostly made of them already, and copying it costs less than writing and reading it.
    """
    kind = type(value)
    if kind is dict:
        return {name: delivered(one) for name, one in value.items()}
    if kind is list:
        return [delivered(one) for one in value]
    return value if kind in _PLAIN else json.loads(json.dumps(value))


def current() -> Invocation:
    """The invocation whose code is running."""
    found = getcurrent()
    assert isinstance(found, Invocation)
    return found


@cache
def handler(name: str) -> Handler:
    """A function's entry point, as Lambda imports it."""
    found: Handler = importlib.import_module(f"functions.{name}.app").lambda_handler
    return found


def timed_out(function: Function) -> Failed:
    """How Step Functions sees a function that was stopped at its timeout."""
    message = f"Error: Task timed out after {function.timeout:.2f} seconds"
    return Failed("Sandbox.Timedout", _told("Sandbox.Timedout", message))


def crashed() -> Failed:
    """How Step Functions sees a function whose process has died."""
    message = "Error: Runtime exited with error: signal: killed"
    return Failed("Runtime.ExitError", _told("Runtime.ExitError", message))


def _told(name: str, message: str) -> str:
    return json.dumps({"errorType": name, "errorMessage": message})
