"""RDS instances: the snapshot before a migration."""

from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from slipway.adapters.errors import aws_errors, code_of, message_of
from slipway.domain.errors import Broken, ControlPlaneError, Reason, Transient
from slipway.domain.text import plain
from slipway.ports.databases import Snapshot

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient

# Tagging at creation is authorised as AddTagsToResource, though that is no call.
PERMISSIONS: Final = (
    "rds:DescribeDBSnapshots",
    "rds:CreateDBSnapshot",
    "rds:AddTagsToResource",
    "rds:DescribeDBInstances",
)

DEPLOYMENT_TAG: Final = "slipway:deployment"

# Of the statuses in "Viewing Amazon RDS DB instance status" those that waiting does not end, and
# what does.
_START_IT: Final = "Start it"
_FREE_ITS_KEY: Final = "Make its KMS key usable again and start it"
_BRING_IT_BACK: Final = "Bring it back to 'available'"
_STAYS: Final = {
    "deleting": "Name another instance in the catalog",
    "failed": "Restore it from a snapshot or to a point in time",
    "inaccessible-encryption-credentials": "Restore it from a snapshot with a usable KMS key",
    "inaccessible-encryption-credentials-recoverable": _FREE_ITS_KEY,
    "incompatible-create": _BRING_IT_BACK,
    "incompatible-credentials": _BRING_IT_BACK,
    "incompatible-network": _BRING_IT_BACK,
    "incompatible-option-group": _BRING_IT_BACK,
    "incompatible-parameters": _BRING_IT_BACK,
    "incompatible-restore": _BRING_IT_BACK,
    "insufficient-capacity": _BRING_IT_BACK,
    "restore-error": _BRING_IT_BACK,
    "stopped": _START_IT,
    "stopping": _START_IT,
    "storage-full": "Give it more storage",
}


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
            status=plain(found["Status"], 100),
            encrypted=found.get("Encrypted", False),
            created_at=found.get("SnapshotCreateTime"),
            size_gib=found.get("AllocatedStorage", 0),
            percent=found.get("PercentProgress", 0),
        )

    @aws_errors()
    def create_snapshot(self, identifier: str, snapshot_id: str, deployment_id: str) -> None:
        """Ask for a snapshot; asking again for the same id changes nothing.

        Transient(DatabaseBusy) while the instance's state passes by itself, Broken when it does not
        or the quota is used up. One call more when RDS refuses the state and does not name it.
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
            if code_of(error) == "InvalidDBInstanceState":
                raise self._wrong_state(identifier, message_of(error)) from error
            raise _refusal(error, identifier) from error

    def _wrong_state(self, identifier: str, words: str) -> ControlPlaneError:
        """RDS's usual words are "not currently in the available state", which may pass or not."""
        status = _named(words, identifier) or self._status(identifier)
        told = f"{words.rstrip('.')} ({status})" if status and status not in words else words
        if status in _STAYS:
            return Broken(
                Reason.DATABASE_UNAVAILABLE,
                f"No snapshot of {identifier} is possible, and waiting does not help. RDS says: "
                f"{told.rstrip('.')}. {_STAYS[status]}, then deploy again.",
            )
        return Transient(Reason.DATABASE_BUSY, f"{identifier} is busy: {told}")

    def _status(self, identifier: str) -> str:
        """The instance's status; empty when RDS does not tell it."""
        try:
            answer = self._client.describe_db_instances(DBInstanceIdentifier=identifier)
        except (ClientError, BotoCoreError):
            # The refusal stands without it, and is not replaced by another one.
            return ""
        return plain(answer["DBInstances"][0].get("DBInstanceStatus", ""), 100)


def _named(words: str, identifier: str) -> str:
    """A status that no waiting ends, where the sentence names one; the identifier is none."""
    found = (word.strip(".,:;()'\"") for word in words.replace(identifier, " ").split())
    return next((word for word in found if word in _STAYS), "")


def _refusal(error: ClientError, identifier: str) -> ControlPlaneError | ClientError:
    match code_of(error):
        case "KMSKeyNotAccessibleFault":
            return Broken(
                Reason.DATABASE_UNAVAILABLE,
                f"No snapshot of {identifier} is possible: its KMS key cannot be used. RDS says: "
                f"{message_of(error).rstrip('.')}. {_FREE_ITS_KEY}, then deploy again.",
            )
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
