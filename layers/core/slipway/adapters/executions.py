"""Step Functions: one execution per deployment, under the deployment's own name."""

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from slipway.adapters.errors import aws_errors, code_of

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

PERMISSIONS: Final = ("states:StartExecution", "states:DescribeExecution")


class StepFunctionsExecutions:
    """Executions of the deployment state machine."""

    def __init__(self, client: "SFNClient", state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    @aws_errors()
    def start(self, deployment_id: str, request: str) -> None:
        """Start the deployment's execution, once; a name is never used twice within 90 days."""
        try:
            self._client.start_execution(
                stateMachineArn=self._state_machine_arn, name=deployment_id, input=request
            )
        except ClientError as error:
            if code_of(error) != "ExecutionAlreadyExists":
                raise

    @aws_errors()
    def running(self, deployment_id: str) -> bool:
        """Whether the deployment's execution still runs."""
        return self._status(deployment_id) == "RUNNING"

    @aws_errors()
    def known(self, deployment_id: str) -> bool:
        """Whether the deployment's execution was ever started."""
        return self._status(deployment_id) is not None

    def _status(self, deployment_id: str) -> str | None:
        try:
            answer = self._client.describe_execution(executionArn=self._arn_of(deployment_id))
        except ClientError as error:
            if code_of(error) == "ExecutionDoesNotExist":
                return None
            raise
        return answer["status"]

    def _arn_of(self, deployment_id: str) -> str:
        # The ARN of a version or an alias has one part more, which executions do not carry.
        arn, partition, service, region, account, _, machine = self._state_machine_arn.split(":")[
            :7
        ]
        return ":".join(
            (arn, partition, service, region, account, "execution", machine, deployment_id)
        )
