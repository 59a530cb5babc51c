"""Step Functions' API, as far as the adapters and the operator use it."""

import json
from datetime import timedelta
from typing import Any

from cloud.simulation.execution import Attempt, Execution, Failed, Host
from cloud.simulation.interpreter import Interpreter
from cloud.simulation.template import STATE_MACHINE_ARN
from cloud.twin.errors import AwsError


class StateMachine:
    """The deployment state machine and its executions."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._interpreter = Interpreter(host)
        # How many seconds ListExecutions is behind.
        self.lag = 0.0

    @property
    def executions(self) -> dict[str, Execution]:
        return self._interpreter.executions

    @property
    def running(self) -> int:
        """How many executions have not ended."""
        return self._interpreter.running

    def forget_tokens(self) -> None:
        """Drop the task tokens of executions that are over."""
        self._interpreter.tokens.clear()

    def start_execution(self, params: dict[str, Any]) -> dict[str, Any]:
        name, given = params["name"], json.loads(params["input"])
        if params["stateMachineArn"] != STATE_MACHINE_ARN:
            raise AwsError("StateMachineDoesNotExist", "State Machine Does Not Exist")
        known = self.executions.get(name)
        if known is not None:
            if known.status == "RUNNING" and known.input == given:
                return {"executionArn": known.arn, "startDate": known.started_at}
            raise AwsError("ExecutionAlreadyExists", f"Execution Already Exists: '{known.arn}'")
        execution = self._interpreter.begin(name, given)
        return {"executionArn": execution.arn, "startDate": execution.started_at}

    def describe_execution(self, params: dict[str, Any]) -> dict[str, Any]:
        execution = self._by_arn(params["executionArn"])
        answer = {
            "executionArn": execution.arn,
            "stateMachineArn": STATE_MACHINE_ARN,
            "name": execution.name,
            "status": execution.status,
            "startDate": execution.started_at,
            "stopDate": execution.stopped_at,
            "input": json.dumps(execution.input),
            "error": execution.error,
            "cause": execution.cause,
        }
        return {name: value for name, value in answer.items() if value is not None}

    def list_executions(self, params: dict[str, Any]) -> dict[str, Any]:
        found = [
            {
                "executionArn": one.arn,
                "stateMachineArn": STATE_MACHINE_ARN,
                "name": one.name,
                "status": one.status,
                "startDate": one.started_at,
            }
            for one in self.executions.values()
            if self._listed_status(one) == params["statusFilter"]
        ]
        return {"executions": found[::-1][: params["maxResults"]]}

    def _listed_status(self, execution: Execution) -> str | None:
        """The status that the list shows; None for an execution that it does not have yet."""
        at = self._host.clock.now() - timedelta(seconds=self.lag)
        if execution.started_at > at:
            return None
        ended = execution.stopped_at is not None and execution.stopped_at <= at
        return execution.status if ended else "RUNNING"

    def stop_execution(self, params: dict[str, Any]) -> dict[str, Any]:
        execution = self._by_arn(params["executionArn"])
        if execution.status == "RUNNING":
            self._interpreter.end(execution, "ABORTED", params.get("error"), params.get("cause"))
        return {"stopDate": execution.stopped_at}

    def send_task_success(self, params: dict[str, Any]) -> dict[str, Any]:
        execution, attempt = self._attempt_for(params["taskToken"])
        result = json.loads(params["output"])
        self._interpreter.later(lambda: self._interpreter.succeed(execution, attempt, result))
        attempt.over = True
        return {}

    def send_task_failure(self, params: dict[str, Any]) -> dict[str, Any]:
        execution, attempt = self._attempt_for(params["taskToken"])
        failure = Failed(params.get("error", ""), params.get("cause", ""))
        self._interpreter.later(lambda: self._interpreter.fail(execution, attempt, failure))
        attempt.over = True
        return {}

    def _attempt_for(self, token: str) -> tuple[Execution, Attempt]:
        found = self._interpreter.tokens.get(token)
        if found is None:
            raise AwsError("InvalidToken", "Invalid Token: 'Invalid token'")
        execution, attempt = found
        if attempt.over or execution.status != "RUNNING" or execution.attempt is not attempt:
            message = "Task Timed Out: 'Provided task does not exist anymore'"
            raise AwsError("TaskTimedOut", message)
        return execution, attempt

    def _by_arn(self, arn: str) -> Execution:
        found = self.executions.get(arn.rsplit(":", 1)[-1])
        if found is None or found.arn != arn:
            raise AwsError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return found
