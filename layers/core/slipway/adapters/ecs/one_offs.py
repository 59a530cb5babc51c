"""One-off ECS tasks in a service's network: started once, looked at until they stop."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

from botocore.exceptions import ClientError

from slipway.adapters.ecs.capacity import lacks_room, not_placed
from slipway.adapters.ecs.containers import family_of
from slipway.adapters.ecs.described import described_service
from slipway.adapters.ecs.log_tail import LogTail
from slipway.adapters.ecs.placement import place_like
from slipway.adapters.errors import aws_errors, code_of
from slipway.domain.errors import Reason, Transient
from slipway.domain.target import EcsTarget
from slipway.domain.text import plain
from slipway.ports.targets import OneOff

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import ContainerTypeDef, RunTaskRequestTypeDef, TaskTypeDef
    from mypy_boto3_logs import CloudWatchLogsClient

# RunTask hands the task definition's roles on, which needs iam:PassRole, and may tag its task.
PERMISSIONS: Final = (
    "ecs:DescribeServices",
    "ecs:RunTask",
    "ecs:StopTask",
    "ecs:TagResource",
    "iam:PassRole",
    "ecs:ListTasks",
    "ecs:DescribeTasks",
    "ecs:DescribeTaskDefinition",
    "logs:GetLogEvents",
)


class EcsOneOffs:
    """One-off tasks with the service's own network, capacity and platform."""

    def __init__(self, client: "ECSClient", logs: "CloudWatchLogsClient") -> None:
        self._client = client
        self._log_tail = LogTail(client, logs)

    @aws_errors()
    def run(
        self,
        target: EcsTarget,
        revision_arn: str,
        command: Sequence[str],
        started_by: str,
        attempt: int = 0,
    ) -> str:
        """Start a task as the service's own tasks are, once per ``started_by``; its ARN.

        After any answer but the ARN, nothing was started: Transient(CapacityUnavailable) when ECS
        has no room for now, Broken when it refuses. Every other Transient leaves that open.
        """
        service = described_service(self._client, target, with_tags=True)
        request: RunTaskRequestTypeDef = {
            "cluster": target.cluster,
            "taskDefinition": revision_arn,
            "count": 1,
            "overrides": {
                "containerOverrides": [{"name": target.container, "command": list(command)}]
            },
            "startedBy": started_by,
            "clientToken": _token(started_by, attempt),
        }
        place_like(service, target, request)
        return self._started(request)

    @aws_errors()
    def find(self, target: EcsTarget, revision_arn: str, started_by: str) -> str | None:
        """The ARN of the task that an earlier try started, running or just stopped.

        ECS forgets a stopped task after about an hour. None as well where the cluster is gone.
        """
        try:
            # startedBy must be the only filter, and then only tasks that are to run are listed.
            running = self._client.list_tasks(cluster=target.cluster, startedBy=started_by)
        except ClientError as error:
            if code_of(error) == "ClusterNotFoundException":
                return None
            raise
        if running["taskArns"]:
            return running["taskArns"][0]
        return self._stopped_before(target, family_of(revision_arn), started_by)

    def _stopped_before(self, target: EcsTarget, family: str, started_by: str) -> str | None:
        """The family is the service's own: a release that crashes leaves many stopped tasks."""
        pages = self._client.get_paginator("list_tasks").paginate(
            cluster=target.cluster, family=family, desiredStatus="STOPPED"
        )
        # A page has a hundred at most, as many as can be described at once.
        for page in pages:
            if not page["taskArns"]:
                continue
            answer = self._client.describe_tasks(cluster=target.cluster, tasks=page["taskArns"])
            for task in answer["tasks"]:
                if task.get("startedBy") == started_by:
                    return task["taskArn"]
        return None

    @aws_errors()
    def running(self, target: EcsTarget, task_arn: str) -> bool:
        """Whether the command may be at work; also one that was told to stop may be.

        False for a task that ECS does not know any more, and where the cluster itself is gone.
        """
        try:
            answer = self._client.describe_tasks(cluster=target.cluster, tasks=[task_arn])
        except ClientError as error:
            if code_of(error) == "ClusterNotFoundException":
                return False
            raise
        return any(not _seen(task, target.container).ended for task in answer["tasks"])

    @aws_errors()
    def look(self, target: EcsTarget, task_arn: str) -> OneOff:
        """How the task does, in one call."""
        answer = self._client.describe_tasks(cluster=target.cluster, tasks=[task_arn])
        if not answer["tasks"]:
            # ECS is eventually consistent: a task that was just started may not be visible.
            return OneOff(
                task_arn=task_arn, stopped=False, exit_code=None, reason="not visible in ECS"
            )
        return _seen(answer["tasks"][0], target.container)

    def log_tail(self, target: EcsTarget, revision_arn: str, task_arn: str) -> tuple[str, ...]:
        """The last lines of the command, oldest first: 20 at most, plain, without secrets.

        Never an error: a log that cannot be read is one line that says so.
        """
        task: TaskTypeDef = {"taskArn": task_arn, "taskDefinitionArn": revision_arn}
        return self._log_tail.of(task, target.container)

    @aws_errors()
    def stop(self, target: EcsTarget, task_arn: str, why: str) -> None:
        """End what still runs of a task; asking again is harmless."""
        self._client.stop_task(cluster=target.cluster, task=task_arn, reason=why)

    def _started(self, request: "RunTaskRequestTypeDef") -> str:
        try:
            answer = self._client.run_task(**request)
        except ClientError as error:
            refused = lacks_room(error)
            if refused is not None:
                raise refused from error
            return _already_started(error)
        if not answer["tasks"]:
            raise not_placed(answer.get("failures", []))
        return answer["tasks"][0]["taskArn"]


def _token(started_by: str, attempt: int) -> str:
    """The client token of an attempt: 64 characters, the longest that ECS takes.

    Whether ECS remembers an answer without a task under its token is not documented, so what was
    refused is asked for anew.
    """
    wish = f"{started_by}#{attempt}" if attempt else started_by
    return hashlib.sha256(wish.encode()).hexdigest()


def _already_started(error: ClientError) -> str:
    """The task that has the client token already; anything else stays an error."""
    if code_of(error) != "ConflictException":
        raise error
    existing = cast("list[str]", error.response.get("resourceIds", []))
    if not existing:
        raise Transient(
            Reason.AWS_UNAVAILABLE, "ECS knows this start already, but does not name its task."
        ) from error
    return existing[0]


def _seen(task: "TaskTypeDef", container: str) -> OneOff:
    """The task by what ECS says of it and of the container that runs the command."""
    named = {one.get("name"): one for one in task.get("containers", [])}
    ours: ContainerTypeDef = named.get(container, {})
    stopped = task.get("lastStatus") == "STOPPED"
    leftover = ours.get("lastStatus") == "STOPPED" and _is_to_run_on(task)
    # A command begins in a container that the runtime has made, and that has its id then.
    untouched = container in named and not ("exitCode" in ours or ours.get("runtimeId"))
    return OneOff(
        task_arn=task["taskArn"],
        stopped=stopped,
        exit_code=ours.get("exitCode") if stopped or leftover else None,
        reason=_why(task, ours) if stopped or leftover else task.get("lastStatus", ""),
        leftover=leftover,
        never_ran=stopped and task.get("stopCode") == "TaskFailedToStart" and untouched,
    )


def _is_to_run_on(task: "TaskTypeDef") -> bool:
    """Whether nobody has told the task to stop: another container is the essential one."""
    return task.get("lastStatus") == "RUNNING" and task.get("desiredStatus") != "STOPPED"


def _why(task: "TaskTypeDef", container: "ContainerTypeDef") -> str:
    """Why it ended, in ECS's words; that a container has ended says its exit code already."""
    plainly = task.get("stopCode") == "EssentialContainerExited" and "exitCode" in container
    told = ("" if plainly else task.get("stoppedReason", ""), container.get("reason", ""))
    return plain("; ".join(dict.fromkeys(reason for reason in told if reason)))
