"""The last lines of a task's log, located by the awslogs options of its task definition."""

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from slipway.adapters.ecs.containers import container_of
from slipway.adapters.errors import code_of
from slipway.domain.errors import ControlPlaneError
from slipway.domain.redaction import redact
from slipway.domain.text import LINE, cut, plain

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import TaskTypeDef
    from mypy_boto3_logs import CloudWatchLogsClient

PERMISSIONS: Final = ("ecs:DescribeTaskDefinition", "logs:GetLogEvents")

_UNANSWERED: Final = (BotoCoreError, ResponseParserError)
_LINES: Final = 20
# "This operation can return empty results while there are more log events available through the
# token": GetLogEvents in the CloudWatch Logs API reference.
_PAGES: Final = 10
# Redaction sees more of a line than is kept: a secret that is cut in half is not recognised.
_READ: Final = 8 * LINE


class LogTail:
    """Task logs in CloudWatch Logs."""

    def __init__(self, ecs: "ECSClient", logs: "CloudWatchLogsClient") -> None:
        self._ecs = ecs
        self._logs = logs

    def of(self, task: "TaskTypeDef", container: str) -> tuple[str, ...]:
        """At most 20 non-empty lines of 500 characters each, oldest first.

        Empty when the container wrote nothing or logs elsewhere. A log that cannot be read is one
        line that says so: that must not change the task's result.
        """
        try:
            location = self._location(task, container)
        except (ClientError, *_UNANSWERED, ControlPlaneError) as error:
            return (f"(Slipway could not locate the task's log: {_why(error)})",)
        return self._read(*location) if location is not None else ()

    def _read(self, group: str, stream: str) -> tuple[str, ...]:
        try:
            return self._last_lines(group, stream)
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return ()
            if code_of(error) == "AccessDeniedException":
                return (f"(Slipway has no permission to read the log group {group})",)
            return (f"(Slipway could not read the log group {group}: {_why(error)})",)
        except _UNANSWERED as error:
            return (f"(Slipway could not read the log group {group}: {_why(error)})",)

    def _last_lines(self, group: str, stream: str) -> tuple[str, ...]:
        """The newest page with text; an empty page does not mean that the log is empty."""
        request: dict[str, Any] = {
            "logGroupName": group,
            "logStreamName": stream,
            "limit": _LINES,
            "startFromHead": False,
        }
        for _ in range(_PAGES):
            page = self._logs.get_log_events(**request)
            lines = [_line(event.get("message", "")) for event in page["events"][-_LINES:]]
            if any(lines):
                return tuple(line for line in lines if line)
            before = page.get("nextBackwardToken")
            # "If you have reached the end of the stream, it returns the same token you passed in."
            if not before or before == request.get("nextToken"):
                break
            request["nextToken"] = before
        return ()

    def _location(self, task: "TaskTypeDef", container: str) -> tuple[str, str] | None:
        """Log group and stream; ECS names the stream ``prefix/container/task id``."""
        definition = self._ecs.describe_task_definition(taskDefinition=task["taskDefinitionArn"])
        logging = container_of(definition["taskDefinition"], container).get("logConfiguration")
        options = logging.get("options", {}) if logging else {}
        group, prefix = options.get("awslogs-group"), options.get("awslogs-stream-prefix")
        elsewhere = options.get("awslogs-region") not in (None, self._logs.meta.region_name)
        if group is None or prefix is None or elsewhere:
            return None
        task_id = task["taskArn"].rsplit("/", 1)[-1]
        return group, f"{prefix}/{container}/{task_id}"


def _line(message: str) -> str:
    """One line, redact: drivers print the URL they failed to reach, password included."""
    return cut(redact(plain(message, _READ)), LINE)


def _why(error: Exception) -> str:
    return code_of(error) if isinstance(error, ClientError) else type(error).__name__
