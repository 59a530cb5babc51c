"""Task tokens: how Slipway answers a state of an execution that waits for a callback."""

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from slipway.adapters.errors import aws_errors, code_of

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

PERMISSIONS: Final = ("states:SendTaskSuccess", "states:SendTaskFailure")

# The state timed out or was answered, and perhaps a retry waits with another token.
_GONE: Final = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})
_ERROR_CHARACTERS: Final = 256
_CAUSE_CHARACTERS: Final = 32_768


class TaskTokens:
    """Answers to states that wait with a task token."""

    def __init__(self, client: "SFNClient") -> None:
        self._client = client

    @aws_errors()
    def success(self, token: str, output: str) -> bool:
        """Continue the execution with this JSON; False when nothing waits any more."""
        try:
            self._client.send_task_success(taskToken=token, output=output)
        except ClientError as error:
            return _is_gone(error)
        return True

    @aws_errors()
    def failure(self, token: str, error: str, cause: str) -> bool:
        """Fail the state with this error name and cause; False when nothing waits any more."""
        try:
            self._client.send_task_failure(
                taskToken=token, error=error[:_ERROR_CHARACTERS], cause=cause[:_CAUSE_CHARACTERS]
            )
        except ClientError as refusal:
            return _is_gone(refusal)
        return True


def _is_gone(error: ClientError) -> bool:
    if code_of(error) not in _GONE:
        raise error
    return False
