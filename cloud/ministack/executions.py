"""Executions as Step Functions ends them: once, for good, and also by their own timeout."""

import contextvars
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cloud.ministack import private, tasks, tokens

Execution = dict[str, Any]


def install() -> None:
    """Mend how executions start, run into their time limit, are stopped and fail."""
    _install_start()
    _install_time_limit()
    _install_stop()
    _install_fail()
    _install_assign()
    _install_choice()
    _install_succeed()


def _install_start() -> None:
    """StartExecution with the name and input of a running execution answers with that execution."""
    plain = private.function("services.stepfunctions._start_execution")

    def start(data: dict[str, Any]) -> Any:
        running = _running_twin(data)
        if running is None:
            return plain(data)
        return private.function("core.responses.json_response")(
            {"executionArn": running["executionArn"], "startDate": running["startDate"]}
        )

    private.replace("services.stepfunctions._start_execution", start)


def _running_twin(data: dict[str, Any]) -> Execution | None:
    executions = private.value("services.stepfunctions._executions")
    same = [
        execution
        for execution in executions.values()
        if execution["stateMachineArn"] == data.get("stateMachineArn")
        and execution["name"] == data.get("name")
        and execution["status"] == "RUNNING"
        and execution["input"] == data.get("input", "{}")
    ]
    return same[0] if same else None


def _install_time_limit() -> None:
    """The definition's own TimeoutSeconds ends the execution as TIMED_OUT."""
    plain = private.function("services.stepfunctions._run_execution")

    def run(execution_arn: str) -> None:
        execution = private.value("services.stepfunctions._executions")[execution_arn]
        with _time_limit(execution):
            plain(execution_arn)
        _wake(execution_arn)

    private.replace("services.stepfunctions._run_execution", run)


@contextmanager
def _time_limit(execution: Execution) -> Iterator[None]:
    machines = private.value("services.stepfunctions._state_machines")
    machine = machines.get(execution["stateMachineArn"]) or {"definition": "{}"}
    seconds = json.loads(machine["definition"]).get("TimeoutSeconds")
    if not seconds:
        yield
        return
    timer = threading.Timer(seconds, contextvars.copy_context().run, (_time_out, execution))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _time_out(execution: Execution) -> None:
    if execution["status"] != "RUNNING":
        return
    execution["status"] = "TIMED_OUT"
    execution["stopDate"] = private.function("core.responses.now_iso")()
    private.function("services.stepfunctions._add_event")(
        execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {}}
    )
    private.function("services.stepfunctions._emit_execution_status_event")(execution)
    _wake(execution["executionArn"])


def _install_stop() -> None:
    """A stopped execution waits for nothing any more."""
    plain = private.function("services.stepfunctions._stop_execution")

    def stop(data: dict[str, Any]) -> Any:
        answer = plain(data)
        if data.get("executionArn") in private.value("services.stepfunctions._executions"):
            _wake(data["executionArn"])
        return answer

    private.replace("services.stepfunctions._stop_execution", stop)


def _wake(execution_arn: str) -> None:
    tasks.over(execution_arn).set()
    tokens.close(execution_arn)


def _install_fail() -> None:
    """An error that comes after the end changes nothing: ABORTED stays ABORTED."""
    plain = private.function("services.stepfunctions._fail_execution")

    def fail(execution: Execution, error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            plain(execution, error, cause)

    private.replace("services.stepfunctions._fail_execution", fail)


def _install_assign() -> None:
    """Every expression of one Assign sees the variables as they were before it."""

    def assign(
        state_def: dict[str, Any],
        raw_input: Any,
        ctx: dict[str, Any],
        result: Any = None,
        error_output: Any = None,
    ) -> None:
        language = private.function("services.stepfunctions._state_query_language")
        if language(state_def, ctx) != "JSONata":
            return
        template = private.function("services.stepfunctions._apply_jsonata_template")
        values = template(
            state_def.get("Assign", {}), raw_input, ctx, result=result, error_output=error_output
        )
        ctx.setdefault("variables", {}).update(values)

    private.replace("services.stepfunctions._apply_state_assign", assign)


def _install_choice() -> None:
    """A Condition that is not true or false is an error, as it is on AWS, and not simply false."""

    def holds(rule: dict[str, Any], raw_input: Any, ctx: dict[str, Any]) -> bool:
        field = private.function("services.stepfunctions._jsonata_state_field")
        value: bool = field(rule, "Condition", "boolean", raw_input, ctx)
        return value

    private.replace("services.stepfunctions._evaluate_jsonata_choice_rule", holds)


def _install_succeed() -> None:
    """The Output of a JSONata Succeed state is evaluated; MiniStack leaves it out."""
    plain = private.function("services.stepfunctions._apply_output_path")

    def apply(state_def: dict[str, Any], data: Any, ctx: dict[str, Any] | None = None) -> Any:
        language = private.function("services.stepfunctions._state_query_language")
        if state_def.get("Type") != "Succeed" or language(state_def, ctx) != "JSONata":
            return plain(state_def, data, ctx)
        output = private.function("services.stepfunctions._apply_jsonata_output")
        return output(state_def, data, ctx, default=data)

    private.replace("services.stepfunctions._apply_output_path", apply)
