"""What a deployment costs: AWS calls, invocations and transitions, counted from a run's timeline.

A deployment is charged for every invocation whose event names its lane or service, or whose calls
name it. Not counted, because they are no part of one deployment: the sweep and what it wakes, a
person's page views, and the admission of what is promoted next. What is no AWS call is not counted
either: the website's answers, the download of an image's configuration, and messages to Slack.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from cloud.simulation.lambdas import Invocation
from cloud.simulation.run import Run

_VIEWS = ("GET", "HEAD")
_ELSEWHERE = ("website", "registry", "slack")
_READS = ("GetItem", "BatchGetItem")
# States that only choose, succeed or fail are transitions as well, and so is an execution's start.
_START = 1


@dataclass
class Charge:
    """One invocation: what started it, and the calls that it made."""

    function: str
    by: str
    calls: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.function} <- {self.by} [{len(self.calls)}]: {', '.join(self.calls)}"


@dataclass(frozen=True)
class Counts:
    """The whole cost of one deployment."""

    charges: tuple[Charge, ...]
    transitions: int

    @property
    def calls(self) -> int:
        """Calls of AWS."""
        return sum(len(one.calls) for one in self.charges)

    @property
    def invocations(self) -> int:
        """Invocations of functions."""
        return len(self.charges)


def counts_of(run: Run, lane_id: str) -> Counts:
    """The cost of the one deployment that a finished run has made on this lane."""
    deployment_id = _deployment_of(run, lane_id)
    entered = [line for line in run.cloud.trace.lines if line[1] == "state"]
    states = sum(1 for line in entered if line[2] == deployment_id)
    return Counts(tuple(_charges(run, lane_id, deployment_id)), states + _START)


def _deployment_of(run: Run, lane_id: str) -> str:
    prefix = f"{lane_id.replace('/', '-')}-"
    return max(name for name in run.cloud.machine.executions if name.startswith(prefix))


def _charges(run: Run, lane_id: str, deployment_id: str) -> list[Charge]:
    asked: dict[int, Charge] = {}
    named: set[int] = set()
    for line in run.cloud.trace.lines:
        if line[1] == "invoked" and _is_charged(line[2]):
            invocation = line[2]
            asked[invocation.number] = Charge(invocation.function.name, _origin(invocation.event))
            if _names(_told(invocation.event), lane_id, lane_id.replace("/", "-")):
                named.add(invocation.number)
        elif line[1] == "called" and line[2].number in asked:
            number, service, operation, params = line[2].number, *line[3:6]
            if service not in _ELSEWHERE:
                asked[number].calls.append(operation)
            # What is written may name the deployment that this one was promoted from.
            begins = (asked[number].function, operation) == ("admit", "StartExecution")
            if (begins or operation in _READS) and _names(params, deployment_id):
                named.add(number)
    return [charge for number, charge in asked.items() if number in named]


def _told(event: dict[str, Any]) -> Any:
    """What an event is about; of the stream's records their keys, since a document names others."""
    return [record["dynamodb"]["NewImage"]["pk"] for record in event.get("Records", ())] or event


def _names(told: Any, *names: str) -> bool:
    text = json.dumps(told, default=str)
    return any(name in text for name in names)


def _is_charged(invocation: Invocation) -> bool:
    event, function = invocation.event, invocation.function.name
    if function == "sweep" or event.get("detail-type") in ("Look Again", "Tell Again"):
        return False
    if function == "web":
        return event["requestContext"]["http"]["method"] not in _VIEWS
    return (function, event.get("detail-type")) != ("admit", "Deployment Settled")


def _origin(event: dict[str, Any]) -> str:
    if "detail-type" in event:
        return str(event["detail-type"])
    return "stream" if "Records" in event else "request" if "requestContext" in event else "state"
