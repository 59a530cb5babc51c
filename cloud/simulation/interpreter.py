"""Step Functions: an interpreter of exactly the part of ASL that the state machine uses."""

from collections.abc import Callable
from typing import Any

from cloud.simulation.execution import Attempt, Execution, Failed, Host
from cloud.simulation.query import QueryFailed, evaluate
from cloud.simulation.template import ACCOUNT, REGION, STATE_MACHINE_ARN, template

_WAIT_FOR_TOKEN = "arn:aws:states:::lambda:invoke.waitForTaskToken"


class Interpreter:
    """Executions of the deployment state machine, from their start to their end."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.executions: dict[str, Execution] = {}
        self.running = 0
        self.tokens: dict[str, tuple[Execution, Attempt]] = {}
        self._numbers = 0

    def begin(self, name: str, given: dict[str, Any]) -> Execution:
        """Start an execution; its first state is entered a moment later."""
        arn = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:slipway-deployment:{name}"
        execution = Execution(name, arn, given, self.host.clock.now())
        self.executions[name] = execution
        self.running += 1
        self.host.execution_changed(execution)
        definition = template().definition
        seconds = float(definition["TimeoutSeconds"])
        self.host.clock.call_later(seconds, lambda: self._time_out(execution))
        self.later(lambda: self._enter(execution, definition["StartAt"], given))
        return execution

    def _time_out(self, execution: Execution) -> None:
        if execution.status == "RUNNING":
            self.end(execution, "TIMED_OUT", "States.Timeout", None)

    def end(self, execution: Execution, status: str, error: str | None, cause: str | None) -> None:
        """End an execution with a status."""
        execution.status, execution.error, execution.cause = status, error, cause
        execution.stopped_at = self.host.clock.now()
        self.running -= 1
        self._note(execution, status, error or "")
        self.host.execution_changed(execution)

    def later(self, action: Callable[[], None]) -> None:
        """Do something after the time that Step Functions takes between two events."""
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
            self.end(execution, "FAILED", "States.QueryEvaluationError", str(failed))

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
        self.end(execution, "SUCCEEDED", None, None)

    def _enter_fail(self, execution: Execution, state: dict[str, Any], given: Any) -> None:
        scope = self._scope(execution, {"input": given})
        error, cause = state["Error"], state.get("Cause", "")
        self.end(execution, "FAILED", evaluate(error, scope), evaluate(cause, scope))

    def _enter_task(self, execution: Execution, state: dict[str, Any], given: Any) -> None:
        self._numbers += 1
        waits = state["Resource"] == _WAIT_FOR_TOKEN
        attempt = Attempt(f"token-{execution.name}-{self._numbers}", waits)
        execution.attempt = attempt
        scope = self._scope(execution, {"input": given}, attempt)
        arguments = evaluate(state["Arguments"], scope)
        seconds = evaluate(state["TimeoutSeconds"], scope)
        if waits:
            self.tokens[attempt.token] = (execution, attempt)
        self._arm(execution, attempt, float(seconds))
        arn = arguments["FunctionName"] if waits else state["Resource"]
        payload = arguments["Payload"] if waits else arguments
        execution.variables["$input"] = given
        self.host.invoke(
            arn,
            payload,
            lambda result, failed: self._take_result(execution, attempt, result, failed),
        )

    def _arm(self, execution: Execution, attempt: Attempt, seconds: float) -> None:
        def expire() -> None:
            if not attempt.over and execution.status == "RUNNING":
                self._note(execution, "timed out", execution.state)
                self.fail(execution, attempt, Failed("States.Timeout"))

        self.host.clock.call_later(seconds, expire)

    def _take_result(
        self, execution: Execution, attempt: Attempt, result: Any, failed: Failed | None
    ) -> None:
        if attempt.over or execution.status != "RUNNING":
            return
        if failed is not None:
            self.fail(execution, attempt, failed)
        elif not attempt.waits_for_token:
            self.succeed(execution, attempt, result)

    def succeed(self, execution: Execution, attempt: Attempt, result: Any) -> None:
        """Go on with the result of a Task state."""
        if execution.status != "RUNNING" or execution.attempt is not attempt:
            return
        attempt.over = True
        state = template().definition["States"][execution.state]
        try:
            self._assign(execution, state, {"result": result})
        except QueryFailed as failed:
            return self.end(execution, "FAILED", "States.QueryEvaluationError", str(failed))
        self._enter(execution, state["Next"], result)

    def fail(self, execution: Execution, attempt: Attempt, failed: Failed) -> None:
        """Retry a Task state that failed, catch its error, or end the execution."""
        if execution.status != "RUNNING" or execution.attempt is not attempt:
            return
        attempt.over = True
        self._note(execution, "failed", f"{execution.state}: {failed.error}")
        state = template().definition["States"][execution.state]
        wait = self._retry_delay(execution, state, failed)
        if wait is not None:
            return self.host.clock.call_later(wait, lambda: self._retry(execution, attempt, state))
        for catcher in state.get("Catch", []):
            if _matches(catcher["ErrorEquals"], failed.error):
                return self._catch(execution, catcher, failed)
        self.end(execution, "FAILED", failed.error, failed.cause)

    def _retry(self, execution: Execution, attempt: Attempt, state: dict[str, Any]) -> None:
        if execution.status == "RUNNING" and execution.attempt is attempt:
            self._enter_task(execution, state, execution.variables["$input"])

    def _retry_delay(
        self, execution: Execution, state: dict[str, Any], failed: Failed
    ) -> float | None:
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

    def _catch(self, execution: Execution, catcher: dict[str, Any], failed: Failed) -> None:
        output = {"Error": failed.error, "Cause": failed.cause}
        try:
            self._assign(execution, catcher, {"errorOutput": output})
        except QueryFailed as wrong:
            return self.end(execution, "FAILED", "States.QueryEvaluationError", str(wrong))
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
