"""Aurora clusters: how they stand, the snapshot before a migration, and the way back to it.

RDS names the same things otherwise than for instances, its error codes among them.
"""

from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from slipway.adapters.errors import aws_errors, code_of, message_of
from slipway.adapters.rds.conditions import condition_of, remedy_for
from slipway.adapters.rds.snapshots import (
    DEPLOYMENT_TAG,
    missing,
    other_refusal,
    state_of,
    stuck_word,
    wrong_state,
)
from slipway.domain.errors import ControlPlaneError
from slipway.domain.preflight import DatabaseCondition, DatabaseState
from slipway.domain.recovery import RecoveryPoint
from slipway.domain.text import plain
from slipway.ports.databases import Snapshot

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient

# Tagging at creation is authorised as AddTagsToResource, though that is no call.
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
        """The cluster as it stands, or that there is none of that name."""
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
            # An ARN where it is in another region; a cluster's own name ends it.
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
            # Aurora's storage grows by itself; AllocatedStorage is 0 or 1 however much is in it.
            size_gib=None,
            percent=found.get("PercentProgress", 0),
        )

    @aws_errors()
    def create_snapshot(self, identifier: str, snapshot_id: str, deployment_id: str) -> None:
        """Ask for a snapshot; asking again for the same id changes nothing.

        Transient(DatabaseBusy) while the cluster's state passes by itself, Broken when it does not
        or the quota is used up. One call more when RDS refuses the state and does not name it.
        """
        try:
            self._client.create_db_cluster_snapshot(
                DBClusterIdentifier=identifier,
                DBClusterSnapshotIdentifier=snapshot_id,
                Tags=[{"Key": DEPLOYMENT_TAG, "Value": deployment_id}],
            )
        except ClientError as error:
            # The name is made of the deployment's id: an earlier try has asked already.
            if code_of(error) == "DBClusterSnapshotAlreadyExistsFault":
                return
            raise self._refusal(error, identifier) from error

    def _refusal(self, error: ClientError, identifier: str) -> ControlPlaneError | ClientError:
        match code_of(error):
            case "InvalidDBClusterStateFault":
                words = message_of(error)
                status = stuck_word(words, identifier) or self._status(identifier)
                return wrong_state(identifier, words, status, _start(identifier))
            case "DBClusterNotFoundFault":
                return missing(_name(identifier))
        return other_refusal(error, identifier)

    def _status(self, identifier: str) -> str:
        """The cluster's status; empty when RDS does not tell it."""
        try:
            answer = self._client.describe_db_clusters(DBClusterIdentifier=identifier)
        except (ClientError, BotoCoreError):
            # The refusal stands without it, and is not replaced by another one.
            return ""
        return plain(answer["DBClusters"][0].get("Status", ""), 100)


def restore_commands(identifier: str, point: RecoveryPoint) -> tuple[str, ...]:
    """From the snapshot, where there is one, or to the second before the migration.

    RestoreDBClusterFromSnapshot demands the engine, which the snapshot knows.
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
