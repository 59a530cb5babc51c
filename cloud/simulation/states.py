"""Step Functions: an interpreter of exactly the part of ASL that the state machine uses."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from cloud.simulation.query import QueryFailed, evaluate
from cloud.simulation.table import Unmodelled
from cloud.simulation.template import ACCOUNT, REGION, STATE_MACHINE_ARN, template
from cloud.twin.clock import VirtualClock
from cloud.twin.errors import AwsError

_WAIT_FOR_TOKEN = "arn:aws:states:::lambda:invoke.waitForTaskToken"
_TASK_FIELDS = {
    "Comment",
    "Type",
    "Resource",
    "Arguments",
    "TimeoutSeconds",
    "Retry",
    "Catch",
    "Assign",
    "Next",
}
_KNOWN = {
    "Task": _TASK_FIELDS,
    "Choice": {"Comment", "Type", "Choices", "Default"},
    "Succeed": {"Comment", "Type"},
    "Fail": {"Comment", "Type", "Error", "Cause"},
}
_PARTS = {
    "Retry": {
        "ErrorEquals",
        "IntervalSeconds",
        "MaxAttempts",
        "BackoffRate",
        "MaxDelaySeconds",
        "JitterStrategy",
    },
    "Catch": {"ErrorEquals", "Assign", "Next"},
    "Choices": {"Condition", "Next"},
}
_MACHINE = {"Comment", "QueryLanguage", "StartAt", "TimeoutSeconds", "States"}


class Failed(Exception):
    """A state failed with an error name and a cause."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


# How a function's invocation ended: its JSON result, or how it failed.
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
    """One try of a Task state."""

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


def check_definition(definition: dict[str, Any]) -> None:
    """Refuse a definition that uses more of ASL than the interpreter knows."""
    _refuse(definition, _MACHINE, "state machine")
    if definition["QueryLanguage"] != "JSONata":
        raise Unmodelled("a QueryLanguage other than JSONata")
    for name, state in definition["States"].items():
        if state["Type"] not in _KNOWN:
            raise Unmodelled(f"{name}: the state type {state['Type']}")
        _refuse(state, _KNOWN[state["Type"]], name)
        for part, known in _PARTS.items():
            for entry in state.get(part, []):
                _refuse(entry, known, f"{name}.{part}")


def _refuse(found: dict[str, Any], known: set[str], where: str) -> None:
    unknown = found.keys() - known
    if unknown:
        raise Unmodelled(f"{where}: the fields {sorted(unknown)}")


class StateMachine:
    """The deployment state machine and its executions."""

    def __init__(self) -> None:
        self.executions: dict[str, Execution] = {}
        self.running = 0
        self._tokens: dict[str, tuple[Execution, Attempt]] = {}
        self._numbers = 0
        # How many seconds the list of executions is behind.
        self.lag = 0.0
        self.host: Host

    # The API

    def start_execution(self, params: dict[str, Any]) -> dict[str, Any]:
        name, given = params["name"], json.loads(params["input"])
        if params["stateMachineArn"] != STATE_MACHINE_ARN:
            raise AwsError("StateMachineDoesNotExist", "State Machine Does Not Exist")
        known = self.executions.get(name)
        if known is not None:
            if known.status == "RUNNING" and known.input == given:
                return {"executionArn": known.arn, "startDate": known.started_at}
            raise AwsError("ExecutionAlreadyExists", f"Execution Already Exists: '{known.arn}'")
        execution = self._begin(name, given)
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
            if self._listed_as(one) == params["statusFilter"]
        ]
        return {"executions": found[::-1][: params["maxResults"]]}

    def _listed_as(self, execution: Execution) -> str | None:
        """The status that the list tells, None for an execution that it does not know yet."""
        at = self.host.clock.now() - timedelta(seconds=self.lag)
        if execution.started_at > at:
            return None
        ended = execution.stopped_at is not None and execution.stopped_at <= at
        return execution.status if ended else "RUNNING"

    def stop_execution(self, params: dict[str, Any]) -> dict[str, Any]:
        execution = self._by_arn(params["executionArn"])
        if execution.status == "RUNNING":
            self._end(execution, "ABORTED", params.get("error"), params.get("cause"))
        return {"stopDate": execution.stopped_at}

    def send_task_success(self, params: dict[str, Any]) -> dict[str, Any]:
        execution, attempt = self._awaited(params["taskToken"])
        result = json.loads(params["output"])
        self._later(lambda: self._succeeded(execution, attempt, result))
        attempt.over = True
        return {}

    def send_task_failure(self, params: dict[str, Any]) -> dict[str, Any]:
        execution, attempt = self._awaited(params["taskToken"])
        failure = Failed(params.get("error", ""), params.get("cause", ""))
        self._later(lambda: self._failed(execution, attempt, failure))
        attempt.over = True
        return {}

    def _awaited(self, token: str) -> tuple[Execution, Attempt]:
        found = self._tokens.get(token)
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

    # The life of an execution

    def _begin(self, name: str, given: dict[str, Any]) -> Execution:
        arn = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:slipway-deployment:{name}"
        execution = Execution(name, arn, given, self.host.clock.now())
        self.executions[name] = execution
        self.running += 1
        self.host.execution_changed(execution)
        definition = template().definition
        seconds = float(definition["TimeoutSeconds"])
        self.host.clock.call_later(seconds, lambda: self._timed_out(execution))
        self._later(lambda: self._enter(execution, definition["StartAt"], given))
        return execution

    def _timed_out(self, execution: Execution) -> None:
        if execution.status == "RUNNING":
            self._end(execution, "TIMED_OUT", "States.Timeout", None)

    def _end(self, execution: Execution, status: str, error: str | None, cause: str | None) -> None:
        execution.status, execution.error, execution.cause = status, error, cause
        execution.stopped_at = self.host.clock.now()
        self.running -= 1
        self._note(execution, status, error or "")
        self.host.execution_changed(execution)

    def _later(self, action: Callable[[], None]) -> None:
        self.host.clock.call_later(0.02, action)

    def _note(self, execution: Execution, what: str, detail: str) -> None:
        execution.history.append((self.host.clock.elapsed, what, detail))

    def _enter(self, execution: Execution, name: str, given: Any) -> None:
        if execution.status != "RUNNING":
            return
        execution.state = name
        execution.retries = {}
        execution.entered_at = self.host.clock.now().isoformat()
        self._note(execution, "entered", name)
        self.host.state_entered(execution, name)
        if execution.status != "RUNNING":
            return
        state = template().definition["States"][name]
        try:
            getattr(self, f"_enter_{state['Type'].lower()}")(execution, state, given)
        except QueryFailed as failed:
            self._end(execution, "FAILED", "States.QueryEvaluationError", str(failed))

    def _enter_choice(self, execution: Execution, state: dict[str, Any], given: Any) -> None:
        scope = self._scope(execution, {"input": given})
        for choice in state["Choices"]:
            holds = evaluate(choice["Condition"], scope)
            if not isinstance(holds, bool):
                raise QueryFailed(f"{choice['Condition']} is no boolean")
            if holds:
                return self._enter(execution, choice["Next"], given)
        self._enter(execution, state["Default"], given)

    def _enter_succeed(self, execution: Execution, state: dict[str, Any], given: Any) -> None:
        self._end(execution, "SUCCEEDED", None, None)

    def _enter_fail(self, execution: Execution, state: dict[str, Any], given: Any) -> None:
        scope = self._scope(execution, {"input": given})
        error, cause = state["Error"], state.get("Cause", "")
        self._end(execution, "FAILED", evaluate(error, scope), evaluate(cause, scope))

    def _enter_task(self, execution: Execution, state: dict[str, Any], given: Any) -> None:
        self._numbers += 1
        waits = state["Resource"] == _WAIT_FOR_TOKEN
        attempt = Attempt(f"token-{execution.name}-{self._numbers}", waits)
        execution.attempt = attempt
        scope = self._scope(execution, {"input": given}, attempt)
        arguments = evaluate(state["Arguments"], scope)
        seconds = evaluate(state["TimeoutSeconds"], scope)
        if waits:
            self._tokens[attempt.token] = (execution, attempt)
        self._arm(execution, attempt, float(seconds))
        arn = arguments["FunctionName"] if waits else state["Resource"]
        payload = arguments["Payload"] if waits else arguments
        execution.variables["$input"] = given
        self.host.invoke(
            arn, payload, lambda result, failed: self._invoked(execution, attempt, result, failed)
        )

    def _arm(self, execution: Execution, attempt: Attempt, seconds: float) -> None:
        def expire() -> None:
            if not attempt.over and execution.status == "RUNNING":
                self._note(execution, "timed out", execution.state)
                self._failed(execution, attempt, Failed("States.Timeout"))

        self.host.clock.call_later(seconds, expire)

    def _invoked(
        self, execution: Execution, attempt: Attempt, result: Any, failed: Failed | None
    ) -> None:
        if attempt.over or execution.status != "RUNNING":
            return
        if failed is not None:
            self._failed(execution, attempt, failed)
        elif not attempt.waits_for_token:
            self._succeeded(execution, attempt, result)

    def _succeeded(self, execution: Execution, attempt: Attempt, result: Any) -> None:
        if execution.status != "RUNNING" or execution.attempt is not attempt:
            return
        attempt.over = True
        state = template().definition["States"][execution.state]
        try:
            self._assign(execution, state, {"result": result})
        except QueryFailed as failed:
            return self._end(execution, "FAILED", "States.QueryEvaluationError", str(failed))
        self._enter(execution, state["Next"], result)

    def _failed(self, execution: Execution, attempt: Attempt, failed: Failed) -> None:
        if execution.status != "RUNNING" or execution.attempt is not attempt:
            return
        attempt.over = True
        self._note(execution, "failed", f"{execution.state}: {failed.error}")
        state = template().definition["States"][execution.state]
        wait = self._retry(execution, state, failed)
        if wait is not None:
            return self.host.clock.call_later(wait, lambda: self._again(execution, attempt, state))
        for catcher in state.get("Catch", []):
            if _matches(catcher["ErrorEquals"], failed.error):
                return self._caught(execution, catcher, failed)
        self._end(execution, "FAILED", failed.error, failed.cause)

    def _again(self, execution: Execution, attempt: Attempt, state: dict[str, Any]) -> None:
        if execution.status == "RUNNING" and execution.attempt is attempt:
            self._enter_task(execution, state, execution.variables["$input"])

    def _retry(self, execution: Execution, state: dict[str, Any], failed: Failed) -> float | None:
        """The seconds until the state is tried again; None when it is not."""
        for number, retrier in enumerate(state.get("Retry", [])):
            if not _matches(retrier["ErrorEquals"], failed.error):
                continue
            done = execution.retries.get(number, 0)
            if done >= retrier["MaxAttempts"]:
                return None
            execution.retries[number] = done + 1
            seconds = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** min(done, 30)
            seconds = min(seconds, retrier.get("MaxDelaySeconds", seconds))
            jitter = retrier.get("JitterStrategy", "NONE") == "FULL"
            return self.host.rng.uniform(0, seconds) if jitter else seconds
        return None

    def _caught(self, execution: Execution, catcher: dict[str, Any], failed: Failed) -> None:
        output = {"Error": failed.error, "Cause": failed.cause}
        try:
            self._assign(execution, catcher, {"errorOutput": output})
        except QueryFailed as wrong:
            return self._end(execution, "FAILED", "States.QueryEvaluationError", str(wrong))
        self._enter(execution, catcher["Next"], output)

    def _assign(self, execution: Execution, state: dict[str, Any], states: dict[str, Any]) -> None:
        if "Assign" in state:
            scope = self._scope(execution, states)
            execution.variables.update(evaluate(state["Assign"], scope))

    def _scope(
        self, execution: Execution, states: dict[str, Any], attempt: Attempt | None = None
    ) -> dict[str, Any]:
        context: dict[str, Any] = {
            "Execution": {
                "Id": execution.arn,
                "Input": execution.input,
                "Name": execution.name,
                "StartTime": execution.started_at.isoformat(),
            },
            "State": {"EnteredTime": execution.entered_at, "Name": execution.state},
            "StateMachine": {"Id": STATE_MACHINE_ARN, "Name": "slipway-deployment"},
        }
        if attempt is not None:
            context["Task"] = {"Token": attempt.token}
        return {**execution.variables, "states": {**states, "context": context}}


def _matches(names: list[str], error: str) -> bool:
    if error in names:
        return True
    if "States.ALL" in names:
        return error not in ("States.DataLimitExceeded", "States.Runtime")
    return "States.TaskFailed" in names and error != "States.Timeout"
