"""Step Functions: one execution per deployment, under the deployment's own name."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from slipway.adapters.errors import aws_errors, code_of
from slipway.domain.progress import LONGEST_FUNCTION

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef

PERMISSIONS: Final = ("states:StartExecution", "states:DescribeExecution", "states:ListExecutions")


class StepFunctionsExecutions:
    """Executions of the deployment state machine."""

    def __init__(
        self, client: "SFNClient", state_machine_arn: str, now: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn
        self._now = now

    @aws_errors()
    def start(self, deployment_id: str, request: str) -> None:
        """Start the deployment's execution once: Step Functions reserves a name for 90 days."""
        try:
            self._client.start_execution(
                stateMachineArn=self._state_machine_arn, name=deployment_id, input=request
            )
        except ClientError as error:
            if code_of(error) != "ExecutionAlreadyExists":
                raise

    @aws_errors()
    def running(self, deployment_id: str) -> bool:
        """Whether the deployment's execution is still running."""
        found = self._describe(deployment_id)
        return found is not None and found["status"] == "RUNNING"

    @aws_errors()
    def all_running(self) -> frozenset[str]:
        """The deployments whose executions are running; ListExecutions is eventually consistent."""
        pages = self._client.get_paginator("list_executions").paginate(
            stateMachineArn=self._unqualified_arn(),
            statusFilter="RUNNING",
            PaginationConfig={"PageSize": 1000},
        )
        return frozenset(one["name"] for page in pages for one in page["executions"])

    @aws_errors()
    def at_work(self, deployment_id: str) -> bool:
        """Whether the execution, or a function that it invoked last, may still be running."""
        found = self._describe(deployment_id)
        if found is None or found["status"] == "RUNNING":
            return found is not None
        return self._now() - found["stopDate"] < LONGEST_FUNCTION

    @aws_errors()
    def known(self, deployment_id: str) -> bool:
        """Whether the deployment's execution was ever started."""
        return self._describe(deployment_id) is not None

    def _describe(self, deployment_id: str) -> "DescribeExecutionOutputTypeDef | None":
        try:
            return self._client.describe_execution(executionArn=self._arn_of(deployment_id))
        except ClientError as error:
            if code_of(error) == "ExecutionDoesNotExist":
                return None
            raise

    def _unqualified_arn(self) -> str:
        """The state machine's ARN without a version or alias."""
        return ":".join(self._state_machine_arn.split(":")[:7])

    def _arn_of(self, deployment_id: str) -> str:
        # The ARN of a version or alias has an extra part, which the ARN of an execution has not.
        arn, partition, service, region, account, _, machine = self._state_machine_arn.split(":")[
            :7
        ]
        return ":".join(
            (arn, partition, service, region, account, "execution", machine, deployment_id)
        )
