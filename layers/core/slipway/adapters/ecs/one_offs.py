"""One-off ECS tasks in a service's network: started once, looked at until they stop."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

from botocore.exceptions import ClientError

from slipway.adapters.ecs.containers import family_of
from slipway.adapters.ecs.described import described_service
from slipway.adapters.ecs.log_tail import LogTail
from slipway.adapters.errors import aws_errors, code_of
from slipway.domain.catalog import EcsTarget
from slipway.domain.errors import Broken, Reason
from slipway.ports import OneOff

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import (
        ContainerTypeDef,
        RunTaskRequestTypeDef,
        ServiceTypeDef,
        TaskTypeDef,
    )
    from mypy_boto3_logs import CloudWatchLogsClient

# RunTask hands the task definition's roles on, which needs iam:PassRole.
PERMISSIONS: Final = (
    "ecs:DescribeServices",
    "ecs:RunTask",
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
        self, target: EcsTarget, revision_arn: str, command: Sequence[str], started_by: str
    ) -> str:
        """Start a task in the service's network, once per ``started_by``; its ARN.

        Broken when ECS places no task.
        """
        service = described_service(self._client, target)
        request: RunTaskRequestTypeDef = {
            "cluster": target.cluster,
            "taskDefinition": revision_arn,
            "count": 1,
            "overrides": {
                "containerOverrides": [{"name": target.container, "command": list(command)}]
            },
            "startedBy": started_by,
            # 64 characters, the longest token that ECS takes.
            "clientToken": hashlib.sha256(started_by.encode()).hexdigest(),
        }
        _place_like(service, request)
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
        arns = self._client.list_tasks(
            cluster=target.cluster, family=family, desiredStatus="STOPPED"
        )["taskArns"]
        if not arns:
            return None
        stopped = self._client.describe_tasks(cluster=target.cluster, tasks=arns)["tasks"]
        ours = [one["taskArn"] for one in stopped if one.get("startedBy") == started_by]
        return ours[0] if ours else None

    @aws_errors()
    def running(self, target: EcsTarget, task_arn: str) -> bool:
        """Whether the task has not ended yet; also one that was told to stop may be at work.

        False for one that ECS does not know any more, and where the cluster itself is gone.
        """
        try:
            answer = self._client.describe_tasks(cluster=target.cluster, tasks=[task_arn])
        except ClientError as error:
            if code_of(error) == "ClusterNotFoundException":
                return False
            raise
        return any(task.get("lastStatus") != "STOPPED" for task in answer["tasks"])

    @aws_errors()
    def look(self, target: EcsTarget, task_arn: str) -> OneOff:
        """How the task does; with the tail of its log (20 lines at most) once it has stopped."""
        answer = self._client.describe_tasks(cluster=target.cluster, tasks=[task_arn])
        if not answer["tasks"]:
            # ECS is eventually consistent: a task that was just started may not be visible.
            return OneOff(
                task_arn=task_arn, stopped=False, exit_code=None, reason="not visible in ECS"
            )
        task = answer["tasks"][0]
        if task.get("lastStatus") != "STOPPED":
            reason = task.get("lastStatus", "")
            return OneOff(task_arn=task_arn, stopped=False, exit_code=None, reason=reason)
        return self._stopped(task, target.container)

    def _started(self, request: "RunTaskRequestTypeDef") -> str:
        try:
            answer = self._client.run_task(**request)
        except ClientError as error:
            return _already_started(error)
        if not answer["tasks"]:
            why = "; ".join(
                f"{failure.get('reason', '')} {failure.get('detail', '')}".strip()
                for failure in answer.get("failures", [])
            )
            raise Broken(Reason.AWS_REFUSED, f"ECS placed no task: {why or 'no reason given'}.")
        return answer["tasks"][0]["taskArn"]

    def _stopped(self, task: "TaskTypeDef", container: str) -> OneOff:
        containers = {one.get("name"): one for one in task.get("containers", [])}
        ours: ContainerTypeDef = containers.get(container, {})
        return OneOff(
            task_arn=task["taskArn"],
            stopped=True,
            exit_code=ours.get("exitCode"),
            reason=_why(task, ours),
            log_tail=self._log_tail.of(task, container),
        )


def _place_like(service: "ServiceTypeDef", request: "RunTaskRequestTypeDef") -> None:
    if "networkConfiguration" in service:
        request["networkConfiguration"] = service["networkConfiguration"]
    if service.get("platformVersion"):
        request["platformVersion"] = service["platformVersion"]
    # ECS refuses a request that names both.
    if service.get("capacityProviderStrategy"):
        request["capacityProviderStrategy"] = service["capacityProviderStrategy"]
    elif "launchType" in service:
        request["launchType"] = service["launchType"]


def _already_started(error: ClientError) -> str:
    """The task that has the client token already; anything else stays an error."""
    existing = cast("list[str]", error.response.get("resourceIds", []))
    if code_of(error) != "ConflictException" or not existing:
        raise error
    return existing[0]


def _why(task: "TaskTypeDef", container: "ContainerTypeDef") -> str:
    told = (task.get("stoppedReason", ""), container.get("reason", ""))
    return "; ".join(dict.fromkeys(reason for reason in told if reason))
