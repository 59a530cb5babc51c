"""Task states as Step Functions runs them: timeouts, tokens and retries by the documented rules.

MiniStack keeps one token for all attempts, swallows an error of the function that a callback task
starts, lets a stopped execution go on retrying, and cannot read TimeoutSeconds given as JSONata.
"""

import contextvars
import json
import random
import threading
from collections import Counter
from typing import Any

from cloud.ministack import private, tokens

_FOREVER = 99_999_999  # seconds: the documented default of TimeoutSeconds

State = dict[str, Any]
Context = dict[str, Any]

_over: dict[str, threading.Event] = {}


def install() -> None:
    """Run JSONata Task states from here; JSONPath ones stay with MiniStack."""
    plain = private.function("services.stepfunctions._execute_task")
    language = private.function("services.stepfunctions._state_query_language")

    def execute(state: State, raw_input: Any, execution: dict[str, Any], context: Context) -> Any:
        if language(state, context) != "JSONata":
            return plain(state, raw_input, execution, context)
        return _Task(state, raw_input, execution, context).run()

    private.replace("services.stepfunctions._execute_task", execute)


def over(execution_arn: str) -> threading.Event:
    """Set when the execution has ended, so that nothing of it goes on waiting."""
    return _over.setdefault(execution_arn, threading.Event())


class _Task:
    """One visit to one Task state."""

    def __init__(
        self, state: State, raw_input: Any, execution: dict[str, Any], context: Context
    ) -> None:
        self._state = state
        self._input = raw_input
        self._execution = execution
        self._context = context
        self._over = over(execution["executionArn"])
        self._retries: Counter[int] = Counter()

    def run(self) -> tuple[Any, str | None]:
        failure = private.function("services.stepfunctions._ExecutionError")
        while True:
            self._context["State"]["RetryCount"] = self._retries.total()
            try:
                return self._attempt()
            except failure as error:  # type: ignore[misc]
                self._stop_if_over()
                if not self._retried(error):
                    return self._caught(error)

    def _attempt(self) -> tuple[Any, str | None]:
        if self._waits_for_token():
            self._context["Task"] = {"Token": tokens.issue()}
        arguments = private.function("services.stepfunctions._apply_jsonata_arguments")(
            self._state, self._input, self._context
        )
        result = self._result(arguments)
        output = private.function("services.stepfunctions._apply_jsonata_output")(
            self._state, self._input, self._context, result=result, default=result
        )
        private.function("services.stepfunctions._apply_state_assign")(
            self._state, self._input, self._context, result=result
        )
        return output, private.function("services.stepfunctions._next_or_end")(self._state)

    def _result(self, arguments: Any) -> Any:
        """Start the work, wait for its end, and write both into the history."""
        seconds = self._timeout()
        self._note("TaskScheduled", parameters=json.dumps(arguments), timeoutInSeconds=seconds)
        waiting = tokens.park(self._token(), self._execution["executionArn"])
        threading.Thread(
            target=contextvars.copy_context().run,
            args=(self._start, arguments, waiting),
            daemon=True,
        ).start()
        self._note("TaskStarted")
        if not waiting.settled.wait(seconds):
            tokens.give_up(waiting, "States.Timeout", "")
        if waiting.error:
            self._raise(*waiting.error)
        self._note("TaskSucceeded", output=json.dumps(waiting.output))
        return waiting.output

    def _start(self, arguments: Any, waiting: tokens.Waiting) -> None:
        """Call the service; without a token its answer is the result."""
        failure = private.function("services.stepfunctions._ExecutionError")
        try:
            resource = self._state["Resource"].replace(".waitForTaskToken", "")
            answer = private.function("services.stepfunctions._invoke_resource")(
                resource, arguments
            )
        except failure as error:  # type: ignore[misc]
            tokens.give_up(waiting, *_documented(error.error, error.cause))
            return
        except Exception as error:
            tokens.give_up(waiting, "States.TaskFailed", str(error))
            raise
        if not self._waits_for_token():
            tokens.finish(waiting, answer)
        elif not waiting.settled.is_set():
            self._note("TaskSubmitted", output=json.dumps(answer))

    def _raise(self, error: str, cause: str) -> None:
        self._stop_if_over()
        kind = "TaskTimedOut" if error == "States.Timeout" else "TaskFailed"
        self._note(kind, error=error, cause=cause)
        raise private.function("services.stepfunctions._ExecutionError")(error, cause)

    def _retried(self, error: Any) -> bool:
        """Wait as the matching retrier says; false if there is none or its attempts are used up."""
        retrier, index = private.function("services.stepfunctions._find_matching_retrier")(
            self._state.get("Retry", []), error.error, self._retries
        )
        if retrier is None:
            return False
        scale = private.value("services.stepfunctions._SFN_WAIT_SCALE")
        self._over.wait(_delay(retrier, self._retries[index]) * scale)
        self._stop_if_over()
        self._retries[index] += 1
        return True

    def _caught(self, error: Any) -> tuple[Any, str]:
        catcher = private.function("services.stepfunctions._find_matching_catcher")(
            self._state.get("Catch", []), error.error
        )
        if catcher is None:
            raise error
        output = private.function("services.stepfunctions._apply_catcher")(
            catcher,
            self._input,
            self._context,
            "JSONata",
            {"Error": error.error, "Cause": error.cause},
        )
        return output, catcher["Next"]

    def _stop_if_over(self) -> None:
        if self._over.is_set():
            raise private.function("services.stepfunctions._ExecutionError")(
                "States.Runtime", "The execution has ended."
            )

    def _timeout(self) -> float:
        if "TimeoutSeconds" not in self._state:
            return _FOREVER
        seconds: float = private.function("services.stepfunctions._jsonata_state_field")(
            self._state, "TimeoutSeconds", "number", self._input, self._context
        )
        return seconds

    def _waits_for_token(self) -> bool:
        return str(self._state["Resource"]).endswith(".waitForTaskToken")

    def _token(self) -> str:
        return self._context["Task"]["Token"] if self._waits_for_token() else tokens.issue()

    def _note(self, kind: str, **details: Any) -> None:
        """Add an event to the execution's history, in the shape of GetExecutionHistory."""
        service, _, resource = (
            self._state["Resource"].removeprefix("arn:aws:states:::").partition(":")
        )
        name = f"{kind[0].lower()}{kind[1:]}EventDetails"
        described = {"resourceType": service, "resource": resource, **details}
        private.function("services.stepfunctions._add_event")(
            self._execution, kind, {name: described}
        )


def _delay(retrier: dict[str, Any], earlier: int) -> float:
    """Seconds until the next try, as the retrier says."""
    seconds: float = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** earlier
    seconds = min(seconds, retrier.get("MaxDelaySeconds", seconds))
    return random.uniform(0, seconds) if retrier.get("JitterStrategy") == "FULL" else seconds


def _documented(error: str, cause: str) -> tuple[str, str]:
    """The error's name as the Lambda integration gives it, also for a throttled function."""
    if error == "Lambda.Unknown" and "TooManyRequestsException" in cause:
        return "Lambda.TooManyRequestsException", cause
    return error, cause
