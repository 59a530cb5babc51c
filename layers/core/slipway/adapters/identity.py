"""STS: the identity behind the current credentials."""

from typing import TYPE_CHECKING, Final

from slipway.adapters.errors import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

# "No permissions are required to perform this operation": GetCallerIdentity, STS API reference.
PERMISSIONS: Final = ("sts:GetCallerIdentity",)


class StsIdentity:
    """The caller behind a client's credentials."""

    def __init__(self, client: "STSClient") -> None:
        self._client = client

    @aws_errors()
    def arn(self) -> str:
        """The caller's ARN, such as arn:aws:sts::000000000000:assumed-role/operators/ada."""
        return self._client.get_caller_identity()["Arn"]
