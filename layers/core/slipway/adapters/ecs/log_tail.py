"""The last lines that a task wrote, found by its task definition's awslogs options."""

import re
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from slipway.adapters.ecs.containers import container_of
from slipway.adapters.errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import TaskTypeDef
    from mypy_boto3_logs import CloudWatchLogsClient

PERMISSIONS: Final = ("ecs:DescribeTaskDefinition", "logs:GetLogEvents")

_LINES: Final = 20
# A log event may have a megabyte, a record must not.
_CHARACTERS: Final = 500
_PASSWORD: Final = re.compile(r"(://[^:/@\s]+):[^@\s]+@")


class LogTail:
    """Task logs in CloudWatch Logs."""

    def __init__(self, ecs: "ECSClient", logs: "CloudWatchLogsClient") -> None:
        self._ecs = ecs
        self._logs = logs

    def of(self, task: "TaskTypeDef", container: str) -> tuple[str, ...]:
        """At most 20 lines of 500 characters, oldest first.

        None when the container wrote nothing or logs elsewhere.
        A log that may not be read is one line that says so: it must not decide how the task ended.
        """
        where = self._where(task, container)
        if where is None:
            return ()
        try:
            answer = self._logs.get_log_events(
                logGroupName=where[0], logStreamName=where[1], limit=_LINES, startFromHead=False
            )
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return ()
            if code_of(error) == "AccessDeniedException":
                return (f"(Slipway may not read the log group {where[0]})",)
            raise
        return tuple(_line(event.get("message", "")) for event in answer["events"])

    def _where(self, task: "TaskTypeDef", container: str) -> tuple[str, str] | None:
        """Log group and stream; the stream's name is ``prefix/container/task id`` by ECS's rule."""
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
    """One line as people are shown it: drivers like to print the URL that they failed to reach."""
    return _PASSWORD.sub(r"\1:***@", message.rstrip())[:_CHARACTERS]
