"""RDS instances as they stand, before anything is asked of them."""

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from slipway.adapters.errors import aws_errors, code_of
from slipway.domain.preflight import DatabaseInstance

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient

PERMISSIONS: Final = ("rds:DescribeDBInstances",)


class RdsInstances:
    """RDS instances, read only."""

    def __init__(self, client: "RDSClient") -> None:
        self._client = client

    @aws_errors()
    def instance(self, identifier: str) -> DatabaseInstance | None:
        """The database instance as it stands; None when there is none of that name."""
        try:
            answer = self._client.describe_db_instances(DBInstanceIdentifier=identifier)
        except ClientError as error:
            if code_of(error) in {"DBInstanceNotFound", "DBInstanceNotFoundFault"}:
                return None
            raise
        found = answer["DBInstances"][0]
        instance = found.get("ReadReplicaSourceDBInstanceIdentifier")
        cluster = found.get("ReadReplicaSourceDBClusterIdentifier")
        return DatabaseInstance(
            identifier=identifier,
            status=found.get("DBInstanceStatus", ""),
            encrypted=found.get("StorageEncrypted", False),
            replica_of=instance or cluster or None,
            cluster=found.get("DBClusterIdentifier") or None,
        )
