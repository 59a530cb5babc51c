"""What a deployment costs: state transitions, Lambda invocations and AWS calls, counted whole.

A deployment begins with the event that admits it and ends with the last message that tells of it.
The end of one is the event that begins the next: from there on only the functions that finish and
tell the first one still work for it, and they have told it before they tell of the next.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cloud.embedded import Cloud
from demo.observer import Observer
from slipway.domain.deployment import Deployment
from slipway.domain.model import Model
from slipway.domain.notice import SLACK, NoticeState, state_of

# These work for a deployment after its end.
_AFTER_THE_END = ("Settle", "Notify")
_SWEEP = "Sweep"
_TOLD_WITHIN_SECONDS = 60.0
_LOOK_SECONDS = 0.1
_WRITES = ("PutItem", "TransactWriteItems")
# An answer that is under way while the notice is confirmed.
_LAST_CALLS = timedelta(seconds=1)


@dataclass(frozen=True)
class Mark:
    """A boundary between two deployments: when the first had ended, and when that was told."""

    ended: datetime
    told: datetime

    def after(self, function: str, at: datetime) -> bool:
        """Whether what this function did at that time belongs to what comes after the mark."""
        last = self.told if function in _AFTER_THE_END else self.ended
        return at >= last


class Counts(Model):
    """The units that one deployment used; ``calls`` by function, service and operation."""

    transitions: int
    invocations: int
    calls: dict[str, int]

    @property
    def total_calls(self) -> int:
        """All AWS calls of Slipway's functions."""
        return sum(self.calls.values())

    @property
    def calls_of_sweeps(self) -> int:
        """The calls of the sweeps that came meanwhile: they come by the clock, not by a push."""
        return sum(n for call, n in self.calls.items() if call.startswith(f"{_SWEEP} "))

    @property
    def whole(self) -> bool:
        """Whether the first call and the last one are among them: an admission, a message."""
        read, told = "Admit dynamodb:GetItem", (f"Notify dynamodb:{write}" for write in _WRITES)
        return read in self.calls and any(write in self.calls for write in told)

    def __str__(self) -> str:
        swept = f", {self.calls_of_sweeps} of them by a sweep" if self.calls_of_sweeps else ""
        return (
            f"{self.transitions} state transitions, {self.invocations} Lambda invocations, "
            f"{self.total_calls} AWS calls{swept}"
        )


def pushed_at(at: datetime) -> Mark:
    """The boundary before a first deployment: nothing else was under way."""
    return Mark(ended=at, told=at)


def told(cloud: Cloud, observer: Observer, deployment: Deployment) -> Mark:
    """Wait until the end of a deployment is told; the boundary after it."""
    deadline = time.monotonic() + _TOLD_WITHIN_SECONDS
    state = state_of(deployment)
    while time.monotonic() < deadline:
        notice = observer.records.notice(deployment.deployment_id, SLACK)
        if state is not None and notice.told.get(state) is NoticeState.TOLD:
            break
        time.sleep(_LOOK_SECONDS)
    ended = deployment.settled_at or datetime.now(UTC)
    return Mark(ended=ended, told=confirmed(cloud.ministack.calls(), ended))


def confirmed(calls: Iterable[Mapping[str, Any]], ended: datetime) -> datetime:
    """Just after the write that confirms the message of an end.

    The function that tells writes twice for each message: a claim before, a confirmation after.
    """
    writes = (
        datetime.fromisoformat(call["time"])
        for call in calls
        if _function(call.get("caller") or "") == "Notify" and call["operation"] in _WRITES
    )
    claim_and_confirmation = sorted(at for at in writes if at >= ended)[:2]
    return claim_and_confirmation[1] + timedelta(microseconds=1)


def last(mark: Mark) -> Mark:
    """The boundary after a deployment that no other follows: all that still comes is its own."""
    end = mark.told + _LAST_CALLS
    time.sleep(_LAST_CALLS.total_seconds())
    return Mark(ended=end, told=end)


def counted(cloud: Cloud, deployment_id: str, begun: Mark, ended: Mark) -> Counts:
    """What a deployment used; right only while nothing else is being deployed beside it."""
    calls = [*cloud.ministack.calls(), *cloud.twin.ask("/_twin/calls")]
    return Counts(
        transitions=_transitions(cloud, deployment_id),
        invocations=sum(_between(f, at, begun, ended) for f, at in _invocations(cloud, begun)),
        calls=calls_between(calls, begun, ended),
    )


def calls_between(calls: Iterable[Mapping[str, Any]], begun: Mark, ended: Mark) -> dict[str, int]:
    """How often Slipway's functions made each call, as "Admit dynamodb:GetItem"."""
    found: Counter[str] = Counter()
    for call in calls:
        function = _function(call.get("caller") or "")
        at = datetime.fromisoformat(call["time"])
        if function and _between(function, at, begun, ended):
            found[f"{function} {call['service']}:{call['operation']}"] += 1
    return dict(found)


def _between(function: str, at: datetime, begun: Mark, ended: Mark) -> bool:
    return begun.after(function, at) and not ended.after(function, at)


def _function(caller: str) -> str:
    """ "Admit" of "slipway-AdmitFunction-1A2B"; empty for anybody else."""
    stack, _, rest = caller.partition("-")
    name, function, _ = rest.partition("Function")
    return name if stack == "slipway" and function else ""


def _transitions(cloud: Cloud, deployment_id: str) -> int:
    """AWS bills each state entered and each retry."""
    arn = cloud.stack.state_machine_arn.replace(":stateMachine:", ":execution:")
    pages = cloud.client("stepfunctions").get_paginator("get_execution_history")
    events: list[str] = [
        event["type"]
        for page in pages.paginate(executionArn=f"{arn}:{deployment_id}")
        for event in page["events"]
    ]
    entered = sum(kind.endswith("StateEntered") for kind in events)
    scheduled = sum(kind in {"TaskScheduled", "LambdaFunctionScheduled"} for kind in events)
    tasks = sum(kind == "TaskStateEntered" for kind in events)
    return entered + max(0, scheduled - tasks)


def _invocations(cloud: Cloud, begun: Mark) -> list[tuple[str, datetime]]:
    """Every invocation since: which function, and when."""
    logs = cloud.client("logs")
    since = min(begun.ended, begun.told)
    found = []
    for group in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/slipway-")["logGroups"]:
        name = group["logGroupName"]
        answer = logs.filter_log_events(
            logGroupName=name,
            startTime=int(since.timestamp() * 1000),
            filterPattern='"START RequestId"',
        )
        function = _function(name.removeprefix("/aws/lambda/"))
        for event in answer["events"]:
            if "START RequestId" in event["message"]:
                at = datetime.fromtimestamp(event["timestamp"] / 1000, since.tzinfo)
                found.append((function, at))
    return found
