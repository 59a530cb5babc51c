"""CloudFormation: the outputs of a deployed stack."""

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from slipway.adapters.errors import aws_errors, code_of, message_of
from slipway.domain.errors import Broken, Reason

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

PERMISSIONS: Final = ("cloudformation:DescribeStacks",)


class CloudFormationStacks:
    """Stacks of one account and region."""

    def __init__(self, client: "CloudFormationClient") -> None:
        self._client = client

    @aws_errors()
    def outputs(self, name: str) -> dict[str, str]:
        """The stack's outputs, by name; Broken(SettingMissing) when there is no such stack."""
        try:
            described = self._client.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            # DescribeStacks has no error code of its own for a missing stack or an invalid name.
            if code_of(error) != "ValidationError":
                raise
            region = self._client.meta.region_name
            message = f"There is no stack '{name}' in {region}: {message_of(error)}."
            raise Broken(Reason.SETTING_MISSING, message) from error
        return {
            output["OutputKey"]: output["OutputValue"] for output in described[0].get("Outputs", [])
        }
