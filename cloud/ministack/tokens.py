"""Task tokens as Step Functions keeps them: for one attempt and one use, with AWS's errors."""

import json
import secrets
import threading
from typing import Any

from cloud.ministack import private

_PREFIX = "AQC"
_LENGTH = 640  # real tokens are several hundred characters long


class TokenError(Exception):
    """A SendTask request that is refused: the error's code and message as AWS answers them."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Waiting:
    """A task that waits for a callback, a timeout, or the execution's end: the first counts."""

    def __init__(self, execution_arn: str) -> None:
        self.execution_arn = execution_arn
        self.settled = threading.Event()
        self.output: Any = None
        self.error: tuple[str, str] | None = None


_lock = threading.Lock()
_waiting: dict[str, Waiting] = {}


def issue() -> str:
    """A new token, as long as a real one."""
    return _PREFIX + secrets.token_urlsafe(_LENGTH)[: _LENGTH - len(_PREFIX)]


def park(token: str, execution_arn: str) -> Waiting:
    """Start to wait for a token's callback."""
    waiting = Waiting(execution_arn)
    with _lock:
        _waiting[token] = waiting
    return waiting


def succeed(token: str, output: Any) -> None:
    """End the wait with an output; raises TokenError if it is over already."""
    waiting = _find(token)
    if not _settle(waiting, output=output):
        raise _gone()


def fail(token: str, error: str, cause: str) -> None:
    """End the wait with an error; raises TokenError if it is over already."""
    waiting = _find(token)
    if not _settle(waiting, error=(error, cause)):
        raise _gone()


def check(token: str) -> None:
    """Raise TokenError unless somebody waits for this token."""
    if _find(token).settled.is_set():
        raise _gone()


def give_up(waiting: Waiting, error: str, cause: str) -> None:
    """End the wait from the inside (a timeout, a failed start), unless a callback came first."""
    _settle(waiting, error=(error, cause))


def finish(waiting: Waiting, output: Any) -> None:
    """End the wait with the direct answer of a service, unless it is over already."""
    _settle(waiting, output=output)


def close(execution_arn: str) -> None:
    """End every wait of an execution that has ended."""
    with _lock:
        open_ones = [w for w in _waiting.values() if w.execution_arn == execution_arn]
    for waiting in open_ones:
        give_up(waiting, "States.Runtime", "The execution has ended.")


def install() -> None:
    """Answer SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat from here.

    Tokens of activities and of JSONPath states are still MiniStack's own.
    """
    _answer("success", lambda data: succeed(data["taskToken"], _json(data.get("output", ""))))
    _answer(
        "failure",
        lambda data: fail(data["taskToken"], data.get("error", ""), data.get("cause", "")),
    )
    _answer("heartbeat", lambda data: check(data["taskToken"]))
    _install_authorization()


def _install_authorization() -> None:
    """Judge a SendTask request by the state machine that waits, as IAM does.

    MiniStack knows no resource for a token and would demand a policy for "*".
    """
    plain = private.function("core.iam_actions.extract_resource_arn")

    def resource(
        service: str, method: str, path: str, headers: Any, body: bytes, *more: Any
    ) -> Any:
        execution = execution_of(body) if service == "states" else None
        machine = execution and execution.rpartition(":")[0].replace(
            ":execution:", ":stateMachine:"
        )
        return machine or plain(service, method, path, headers, body, *more)

    private.replace("core.iam_actions.extract_resource_arn", resource)


def execution_of(body: bytes) -> str | None:
    """The ARN of the execution whose task token a request carries, if it carries one."""
    try:
        token = json.loads(body or b"{}").get("taskToken", "")
    except (ValueError, AttributeError):
        return None
    with _lock:
        waiting = _waiting.get(token)
    return waiting.execution_arn if waiting else None


def _answer(kind: str, action: Any) -> None:
    plain = private.function(f"services.stepfunctions._send_task_{kind}")

    def answer(data: dict[str, Any]) -> Any:
        if data.get("taskToken") in private.value("services.stepfunctions._task_tokens"):
            return plain(data)
        try:
            action(data)
        except TokenError as error:
            return private.function("core.responses.error_response_json")(error.code, str(error))
        return private.function("core.responses.json_response")({})

    private.replace(f"services.stepfunctions._send_task_{kind}", answer)


def _find(token: str) -> Waiting:
    with _lock:
        waiting = _waiting.get(token)
    if waiting:
        return waiting
    if token.startswith(_PREFIX) and len(token) == _LENGTH:
        raise TokenError("TaskDoesNotExist", "Task does not exist")
    raise TokenError("InvalidToken", "Invalid Token: 'Invalid token'")


def _settle(waiting: Waiting, *, output: Any = None, error: tuple[str, str] | None = None) -> bool:
    with _lock:
        if waiting.settled.is_set():
            return False
        waiting.output, waiting.error = output, error
        waiting.settled.set()
        return True


def _gone() -> TokenError:
    return TokenError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise TokenError("InvalidOutput", f"Invalid Output: {text!r} is not JSON") from None
