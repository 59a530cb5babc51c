"""RDS instances: their state, the snapshot before a migration, and the commands to restore it."""

from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from slipway.adapters.errors import aws_errors, code_of, message_of
from slipway.adapters.rds.conditions import condition_of, remedy_for
from slipway.adapters.rds.snapshots import (
    DEPLOYMENT_TAG,
    missing_error,
    other_error,
    state_error,
    state_of,
    stuck_status,
)
from slipway.domain.errors import ControlPlaneError
from slipway.domain.preflight import DatabaseCondition, DatabaseState
from slipway.domain.recovery import RecoveryPoint
from slipway.domain.text import plain
from slipway.ports.databases import Snapshot

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient

# Tags at creation are authorised as AddTagsToResource, though that call is never made.
PERMISSIONS: Final = (
    "rds:DescribeDBSnapshots",
    "rds:CreateDBSnapshot",
    "rds:AddTagsToResource",
    "rds:DescribeDBInstances",
)


class RdsInstances:
    """DB instances and their manual snapshots."""

    def __init__(self, client: "RDSClient") -> None:
        self._client = client

    @aws_errors()
    def state(self, identifier: str) -> DatabaseState:
        """The instance's current state; ABSENT when there is none of that name."""
        try:
            answer = self._client.describe_db_instances(DBInstanceIdentifier=identifier)
        except ClientError as error:
            if code_of(error) in {"DBInstanceNotFound", "DBInstanceNotFoundFault"}:
                return DatabaseState(name=_name(identifier), condition=DatabaseCondition.ABSENT)
            raise
        found = answer["DBInstances"][0]
        status = plain(found.get("DBInstanceStatus", ""), 100)
        instance = found.get("ReadReplicaSourceDBInstanceIdentifier")
        cluster = found.get("ReadReplicaSourceDBClusterIdentifier")
        return DatabaseState(
            name=_name(identifier),
            condition=condition_of(status),
            status=status,
            remedy=remedy_for(status, _start(identifier)),
            encrypted=found.get("StorageEncrypted", False),
            replica_of=instance or cluster or None,
            cluster=found.get("DBClusterIdentifier") or None,
        )

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
        status = plain(found["Status"], 100)
        return Snapshot(
            snapshot_id=found["DBSnapshotIdentifier"],
            state=state_of(status),
            told=status,
            encrypted=found.get("Encrypted", False),
            created_at=found.get("SnapshotCreateTime"),
            size_gib=found.get("AllocatedStorage", 0),
            percent=found.get("PercentProgress", 0),
        )

    @aws_errors()
    def create_snapshot(self, identifier: str, snapshot_id: str, deployment_id: str) -> None:
        """Request a snapshot; repeating the request with the same id is harmless.

        Transient(DatabaseBusy) while the instance is in a temporary state, Broken when it stays in
        that state or the quota is exhausted. One more call when RDS rejects the state without
        naming it.
        """
        try:
            self._client.create_db_snapshot(
                DBInstanceIdentifier=identifier,
                DBSnapshotIdentifier=snapshot_id,
                Tags=[{"Key": DEPLOYMENT_TAG, "Value": deployment_id}],
            )
        except ClientError as error:
            # The id is made of the deployment's: an earlier attempt has already requested it.
            if code_of(error) == "DBSnapshotAlreadyExists":
                return
            raise self._snapshot_error(error, identifier) from error

    def _snapshot_error(
        self, error: ClientError, identifier: str
    ) -> ControlPlaneError | ClientError:
        match code_of(error):
            case "InvalidDBInstanceState":
                words = message_of(error)
                status = stuck_status(words, identifier) or self._status(identifier)
                return state_error(identifier, words, status, _start(identifier))
            case "DBInstanceNotFound":
                return missing_error(_name(identifier))
        return other_error(error, identifier)

    def _status(self, identifier: str) -> str:
        """The instance's status; empty when RDS does not answer."""
        try:
            answer = self._client.describe_db_instances(DBInstanceIdentifier=identifier)
        except (ClientError, BotoCoreError):
            # The status only completes the message of the original error, which must not be lost.
            return ""
        return plain(answer["DBInstances"][0].get("DBInstanceStatus", ""), 100)


def restore_commands(identifier: str, point: RecoveryPoint) -> tuple[str, ...]:
    """From the snapshot, if there is one, or to the second before the migration."""
    restored = f"{identifier}-restored"
    in_time = (
        "aws rds restore-db-instance-to-point-in-time "
        f"--source-db-instance-identifier {identifier} "
        f"--target-db-instance-identifier {restored} "
        f"--restore-time {point.before:%Y-%m-%dT%H:%M:%SZ}"
    )
    if point.snapshot_id is None:
        return (in_time,)
    from_snapshot = (
        f"aws rds restore-db-instance-from-db-snapshot --db-instance-identifier {restored} "
        f"--db-snapshot-identifier {point.snapshot_id}"
    )
    return from_snapshot, in_time


def _name(identifier: str) -> str:
    return f"RDS instance '{identifier}'"


def _start(identifier: str) -> str:
    return f"aws rds start-db-instance --db-instance-identifier {identifier}"
