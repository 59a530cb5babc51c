"""The running cloud and its executions, as the tests of this folder see them."""

import json
import time
from collections.abc import Callable
from typing import Any

from cloud.ministack.launch import MiniStack


class Cloud:
    """The running cloud as the tests see it."""

    def __init__(self, ministack: MiniStack, outputs: dict[str, str]) -> None:
        self.ministack = ministack
        self.outputs = outputs

    def client(self, service: str) -> Any:
        return self.ministack.client(service)

    def invoke(self, function: str, event: Any) -> tuple[Any, str | None]:
        """The function's answer, and the kind of error if it failed."""
        answer = self.client("lambda").invoke(
            FunctionName=self.outputs[function], Payload=json.dumps(event)
        )
        return json.loads(answer["Payload"].read()), answer.get("FunctionError")

    def heard(self, function: str) -> list[Any]:
        """What a listening function wrote down, oldest first."""
        group = f"/aws/lambda/{self.outputs[function]}"
        logs = self.client("logs")
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return []
        events = logs.filter_log_events(logGroupName=group)["events"]
        lines = [event["message"] for event in events]
        return [json.loads(line)["heard"] for line in lines if line.startswith('{"heard"')]


class Execution:
    """A running state machine."""

    def __init__(self, states: Any, arn: str) -> None:
        self.arn = arn
        self._states = states

    def described(self) -> dict[str, Any]:
        description: dict[str, Any] = self._states.describe_execution(executionArn=self.arn)
        return description

    def ended(self) -> dict[str, Any]:
        """The description once the execution has ended."""
        eventually(lambda: self.described()["status"] != "RUNNING")
        return self.described()

    def output(self) -> Any:
        description = self.ended()
        assert description["status"] == "SUCCEEDED", description
        return json.loads(description["output"])

    def history(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self._states.get_execution_history(
            executionArn=self.arn, maxResults=1000
        )["events"]
        return events

    def tokens(self, count: int = 1) -> list[str]:
        """The task tokens handed out so far, as soon as there are that many submitted tasks."""
        eventually(lambda: self._count("TaskSubmitted") >= count)
        scheduled = [e for e in self.history() if e["type"] == "TaskScheduled"]
        parameters = [json.loads(e["taskScheduledEventDetails"]["parameters"]) for e in scheduled]
        return [p["Payload"]["token"] for p in parameters]

    def _count(self, kind: str) -> int:
        return sum(event["type"] == kind for event in self.history())


def eventually(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """The condition's value as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not become true"
        time.sleep(0.02)
    return value
