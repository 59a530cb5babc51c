"""One-off ECS tasks, such as migrations: started once, and described until they stop."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

from botocore.exceptions import ClientError

from slipway.adapters.ecs.capacity import placement_error, quota_error
from slipway.adapters.ecs.containers import family_of
from slipway.adapters.ecs.described import describe_service
from slipway.adapters.ecs.log_tail import LogTail
from slipway.adapters.ecs.placement import copy_placement
from slipway.adapters.errors import aws_errors, code_of
from slipway.domain.errors import Reason, Transient
from slipway.domain.target import EcsTarget
from slipway.domain.text import plain
from slipway.ports.targets import OneOff

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import ContainerTypeDef, RunTaskRequestTypeDef, TaskTypeDef
    from mypy_boto3_logs import CloudWatchLogsClient

# RunTask passes the roles of the task definition (iam:PassRole) and may tag the task it starts.
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
        """Start a task like the service's own, once per ``started_by`` and attempt; its ARN.

        Transient(CapacityUnavailable) when ECS has no capacity at the moment, and Broken when it
        rejects the request: nothing was started. After any other Transient it may have been.
        """
        service = describe_service(self._client, target, with_tags=True)
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
        copy_placement(service, target, request)
        return self._start(request)

    @aws_errors()
    def find(self, target: EcsTarget, revision_arn: str, started_by: str) -> str | None:
        """The ARN of the task that an earlier attempt started, running or recently stopped.

        ECS shows a stopped task for about an hour. Also None when the cluster is gone.
        """
        try:
            # ListTasks allows no other filter beside startedBy, and then lists only tasks whose
            # desired status is RUNNING.
            running = self._client.list_tasks(cluster=target.cluster, startedBy=started_by)
        except ClientError as error:
            if code_of(error) == "ClusterNotFoundException":
                return None
            raise
        if running["taskArns"]:
            return running["taskArns"][0]
        return self._find_stopped(target, family_of(revision_arn), started_by)

    def _find_stopped(self, target: EcsTarget, family: str, started_by: str) -> str | None:
        """Search all pages: the family is the service's own, and a crash loop leaves many tasks."""
        pages = self._client.get_paginator("list_tasks").paginate(
            cluster=target.cluster, family=family, desiredStatus="STOPPED"
        )
        # A page has at most 100 ARNs, and DescribeTasks takes 100.
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
        """Whether the command may still be running, including a task that is being stopped.

        False for a task that ECS no longer knows, and when the cluster itself is gone.
        """
        try:
            answer = self._client.describe_tasks(cluster=target.cluster, tasks=[task_arn])
        except ClientError as error:
            if code_of(error) == "ClusterNotFoundException":
                return False
            raise
        return any(not _one_off(task, target.container).ended for task in answer["tasks"])

    @aws_errors()
    def look(self, target: EcsTarget, task_arn: str) -> OneOff:
        """The task's current state, in one call."""
        answer = self._client.describe_tasks(cluster=target.cluster, tasks=[task_arn])
        if not answer["tasks"]:
            # ECS is eventually consistent: a task that was just started may not be visible yet.
            return OneOff(
                task_arn=task_arn, stopped=False, exit_code=None, reason="not visible in ECS yet"
            )
        return _one_off(answer["tasks"][0], target.container)

    def log_tail(self, target: EcsTarget, revision_arn: str, task_arn: str) -> tuple[str, ...]:
        """The last lines of the command, oldest first: at most 20, plain text, without secrets.

        Never an error: a log that cannot be read is one line that says so.
        """
        task: TaskTypeDef = {"taskArn": task_arn, "taskDefinitionArn": revision_arn}
        return self._log_tail.of(task, target.container)

    @aws_errors()
    def stop(self, target: EcsTarget, task_arn: str, why: str) -> None:
        """Stop a task; repeating it is harmless."""
        self._client.stop_task(cluster=target.cluster, task=task_arn, reason=why)

    def _start(self, request: "RunTaskRequestTypeDef") -> str:
        try:
            answer = self._client.run_task(**request)
        except ClientError as error:
            over_quota = quota_error(error)
            if over_quota is not None:
                raise over_quota from error
            return _task_of_conflict(error)
        if not answer["tasks"]:
            raise placement_error(answer.get("failures", []))
        return answer["tasks"][0]["taskArn"]


def _token(started_by: str, attempt: int) -> str:
    """The client token of an attempt: 64 characters, the longest that ECS accepts.

    Whether ECS also remembers a call that placed no task under its token is not documented, so
    every new attempt after such a call gets a token of its own.
    """
    wish = f"{started_by}#{attempt}" if attempt else started_by
    return hashlib.sha256(wish.encode()).hexdigest()


def _task_of_conflict(error: ClientError) -> str:
    """The task that already has this client token; any other error is raised again."""
    if code_of(error) != "ConflictException":
        raise error
    existing = cast("list[str]", error.response.get("resourceIds", []))
    if not existing:
        raise Transient(
            Reason.AWS_UNAVAILABLE, "ECS reports a client token conflict without naming the task."
        ) from error
    return existing[0]


def _one_off(task: "TaskTypeDef", container: str) -> OneOff:
    """The state of a task, and of the container in it that runs the command."""
    named = {one.get("name"): one for one in task.get("containers", [])}
    ours: ContainerTypeDef = named.get(container, {})
    stopped = task.get("lastStatus") == "STOPPED"
    leftover = ours.get("lastStatus") == "STOPPED" and _is_kept_running(task)
    # A container has a runtimeId as soon as the runtime has created it, before its command runs.
    untouched = container in named and not ("exitCode" in ours or ours.get("runtimeId"))
    return OneOff(
        task_arn=task["taskArn"],
        stopped=stopped,
        exit_code=ours.get("exitCode") if stopped or leftover else None,
        reason=_why(task, ours) if stopped or leftover else task.get("lastStatus", ""),
        leftover=leftover,
        never_ran=stopped and task.get("stopCode") == "TaskFailedToStart" and untouched,
    )


def _is_kept_running(task: "TaskTypeDef") -> bool:
    """Whether the task keeps running without the command: another container is essential."""
    return task.get("lastStatus") == "RUNNING" and task.get("desiredStatus") != "STOPPED"


def _why(task: "TaskTypeDef", container: "ContainerTypeDef") -> str:
    """Why it ended, in ECS's words; an exit code already says that the container exited."""
    exited = task.get("stopCode") == "EssentialContainerExited" and "exitCode" in container
    reasons = ("" if exited else task.get("stoppedReason", ""), container.get("reason", ""))
    return plain("; ".join(dict.fromkeys(reason for reason in reasons if reason)))
