"""What a deployment costs: state transitions, Lambda invocations and AWS calls, counted."""

from collections import Counter
from datetime import datetime

from local.cloud import Cloud
from slipway.domain.model import Model


class Counts(Model):
    """The units that one deployment used."""

    transitions: int
    invocations: int
    calls: dict[str, int]

    @property
    def total_calls(self) -> int:
        """All AWS calls of Slipway's functions."""
        return sum(self.calls.values())

    def __str__(self) -> str:
        return (
            f"{self.transitions} state transitions, {self.invocations} Lambda invocations, "
            f"{self.total_calls} AWS calls"
        )


def counted(cloud: Cloud, deployment_id: str, since: datetime) -> Counts:
    """What Slipway has used since a moment, with the transitions of one deployment's execution.

    Right only while nothing else is being deployed.
    """
    calls = [*cloud.ministack.calls(), *cloud.twin.ask("/_twin/calls")]
    ours = [
        call
        for call in calls
        if (call.get("caller") or "").startswith("slipway-")
        and datetime.fromisoformat(call["time"]) >= since
    ]
    return Counts(
        transitions=_transitions(cloud, deployment_id),
        invocations=_invocations(cloud, since),
        calls=dict(Counter(f"{call['service']}:{call['operation']}" for call in ours)),
    )


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


def _invocations(cloud: Cloud, since: datetime) -> int:
    logs = cloud.client("logs")
    total: int = 0
    for group in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/slipway-")["logGroups"]:
        found = logs.filter_log_events(
            logGroupName=group["logGroupName"],
            startTime=int(since.timestamp() * 1000),
            filterPattern='"START RequestId"',
        )
        starts = [e for e in found["events"] if "START RequestId" in e["message"]]
        total += len(starts)
    return total
