"""RDS instances: the snapshot before a migration."""

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from slipway.adapters.errors import aws_errors, code_of, message_of
from slipway.domain.errors import Broken, ControlPlaneError, Reason, Transient
from slipway.ports import Snapshot

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient

# Tagging at creation is authorised as AddTagsToResource, though that is no call.
PERMISSIONS: Final = (
    "rds:DescribeDBSnapshots",
    "rds:CreateDBSnapshot",
    "rds:AddTagsToResource",
)

DEPLOYMENT_TAG: Final = "slipway:deployment"


class RdsDatabases:
    """The manual snapshots of RDS instances."""

    def __init__(self, client: "RDSClient") -> None:
        self._client = client

    @aws_errors()
    def snapshot(self, snapshot_id: str) -> Snapshot | None:
        """The snapshot, or None when it does not exist."""
        try:
            answer = self._client.describe_db_snapshots(DBSnapshotIdentifier=snapshot_id)
        except ClientError as error:
            if code_of(error) == "DBSnapshotNotFound":
                return None
            raise
        found = answer["DBSnapshots"][0]
        return Snapshot(
            snapshot_id=found["DBSnapshotIdentifier"],
            status=found["Status"],
            encrypted=found.get("Encrypted", False),
            created_at=found.get("SnapshotCreateTime"),
            size_gib=found.get("AllocatedStorage", 0),
            percent=found.get("PercentProgress", 0),
        )

    @aws_errors()
    def create_snapshot(self, identifier: str, snapshot_id: str, deployment_id: str) -> None:
        """Ask for a snapshot; asking again for the same id changes nothing.

        Transient when the instance is busy, Broken when the quota is used up.
        """
        try:
            self._client.create_db_snapshot(
                DBInstanceIdentifier=identifier,
                DBSnapshotIdentifier=snapshot_id,
                Tags=[{"Key": DEPLOYMENT_TAG, "Value": deployment_id}],
            )
        except ClientError as error:
            # The name is made of the deployment's id: an earlier try has asked already.
            if code_of(error) == "DBSnapshotAlreadyExists":
                return
            raise _refusal(error, identifier) from error


def _refusal(error: ClientError, identifier: str) -> ControlPlaneError | ClientError:
    match code_of(error):
        case "InvalidDBInstanceState":
            return Transient(Reason.DATABASE_BUSY, f"{identifier} is busy: {message_of(error)}")
        case "SnapshotQuotaExceeded":
            return Broken(
                Reason.BACKUP_FAILED,
                f"No snapshot of {identifier} is possible: the quota of manual snapshots in this "
                "region is used up. Delete snapshots that are no longer needed or raise the "
                "quota, then deploy again.",
            )
        case "DBInstanceNotFound":
            return _missing(identifier)
    return error


def _missing(identifier: str) -> Broken:
    return Broken(
        Reason.DATABASE_UNAVAILABLE,
        f"There is no RDS instance '{identifier}'; correct database.identifier in the catalog.",
    )
