"""Aurora clusters: their state, the snapshot before a migration, and the commands to restore it.

RDS has operations and error codes of their own for clusters.
"""

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
    "rds:DescribeDBClusterSnapshots",
    "rds:CreateDBClusterSnapshot",
    "rds:AddTagsToResource",
    "rds:DescribeDBClusters",
)


class AuroraClusters:
    """DB clusters and their manual snapshots."""

    def __init__(self, client: "RDSClient") -> None:
        self._client = client

    @aws_errors()
    def state(self, identifier: str) -> DatabaseState:
        """The cluster's current state; ABSENT when there is none of that name."""
        try:
            answer = self._client.describe_db_clusters(DBClusterIdentifier=identifier)
        except ClientError as error:
            if code_of(error) == "DBClusterNotFoundFault":
                return DatabaseState(name=_name(identifier), condition=DatabaseCondition.ABSENT)
            raise
        found = answer["DBClusters"][0]
        status = plain(found.get("Status", ""), 100)
        return DatabaseState(
            name=_name(identifier),
            condition=condition_of(status),
            status=status,
            remedy=remedy_for(status, _start(identifier)),
            encrypted=found.get("StorageEncrypted", False),
            # An ARN when the source is in another region; it ends with the cluster's identifier.
            replica_of=found.get("ReplicationSourceIdentifier", "").rpartition(":")[2] or None,
        )

    @aws_errors()
    def snapshot(self, snapshot_id: str) -> Snapshot | None:
        """The snapshot, or None when it does not exist."""
        try:
            answer = self._client.describe_db_cluster_snapshots(
                DBClusterSnapshotIdentifier=snapshot_id
            )
        except ClientError as error:
            if code_of(error) == "DBClusterSnapshotNotFoundFault":
                return None
            raise
        found = answer["DBClusterSnapshots"][0]
        status = plain(found["Status"], 100)
        return Snapshot(
            snapshot_id=found["DBClusterSnapshotIdentifier"],
            state=state_of(status),
            told=status,
            encrypted=found.get("StorageEncrypted", False),
            created_at=found.get("SnapshotCreateTime"),
            # Aurora's storage grows automatically; AllocatedStorage is always 0 or 1.
            size_gib=None,
            percent=found.get("PercentProgress", 0),
        )

    @aws_errors()
    def create_snapshot(self, identifier: str, snapshot_id: str, deployment_id: str) -> None:
        """Request a snapshot; repeating the request with the same id is harmless.

        Transient(DatabaseBusy) while the cluster is in a temporary state, Broken when it stays in
        that state or the quota is exhausted. One more call when RDS rejects the state without
        naming it.
        """
        try:
            self._client.create_db_cluster_snapshot(
                DBClusterIdentifier=identifier,
                DBClusterSnapshotIdentifier=snapshot_id,
                Tags=[{"Key": DEPLOYMENT_TAG, "Value": deployment_id}],
            )
        except ClientError as error:
            # The id is made of the deployment's: an earlier attempt has already requested it.
            if code_of(error) == "DBClusterSnapshotAlreadyExistsFault":
                return
            raise self._snapshot_error(error, identifier) from error

    def _snapshot_error(
        self, error: ClientError, identifier: str
    ) -> ControlPlaneError | ClientError:
        match code_of(error):
            case "InvalidDBClusterStateFault":
                words = message_of(error)
                status = stuck_status(words, identifier) or self._status(identifier)
                return state_error(identifier, words, status, _start(identifier))
            case "DBClusterNotFoundFault":
                return missing_error(_name(identifier))
        return other_error(error, identifier)

    def _status(self, identifier: str) -> str:
        """The cluster's status; empty when RDS does not answer."""
        try:
            answer = self._client.describe_db_clusters(DBClusterIdentifier=identifier)
        except (ClientError, BotoCoreError):
            # The status only completes the message of the original error, which must not be lost.
            return ""
        return plain(answer["DBClusters"][0].get("Status", ""), 100)


def restore_commands(identifier: str, point: RecoveryPoint) -> tuple[str, ...]:
    """From the snapshot, if there is one, or to the second before the migration.

    RestoreDBClusterFromSnapshot requires the engine, which the first command reads from the
    snapshot.
    """
    restored = f"{identifier}-restored"
    in_time = (
        f"aws rds restore-db-cluster-to-point-in-time --source-db-cluster-identifier {identifier} "
        f"--db-cluster-identifier {restored} --restore-to-time {point.before:%Y-%m-%dT%H:%M:%SZ}"
    )
    if point.snapshot_id is None:
        return (in_time,)
    engine = (
        f"aws rds describe-db-cluster-snapshots --db-cluster-snapshot-identifier "
        f"{point.snapshot_id} --query 'DBClusterSnapshots[0].Engine' --output text"
    )
    from_snapshot = (
        f"aws rds restore-db-cluster-from-snapshot --db-cluster-identifier {restored} "
        f"--snapshot-identifier {point.snapshot_id} --engine $({engine})"
    )
    return from_snapshot, in_time


def _name(identifier: str) -> str:
    return f"Aurora cluster '{identifier}'"


def _start(identifier: str) -> str:
    return f"aws rds start-db-cluster --db-cluster-identifier {identifier}"
