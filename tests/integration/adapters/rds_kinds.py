"""The kinds of databases in RDS as the adapters' tests go through them: what RDS calls what."""

from dataclasses import dataclass
from typing import Any

from slipway.domain.database import AuroraCluster, Database, RdsInstance


@dataclass(frozen=True)
class Kind:
    """One kind: a row of every test that holds for all of them.

    The operations are boto3's methods, the codes are those of RDS's service model.
    """

    database: Database
    name: str
    start: str
    create: str
    create_name: str
    look: str
    snapshots: str
    busy: str
    exists: str
    missing: str
    no_snapshot: str

    def described(self, status: str, **more: Any) -> dict[str, Any]:
        """The answer to a look at the database; `more` is in the words of an instance's answer."""
        return {"DBInstances": [{"DBInstanceStatus": status, **more}]}

    def snapshot(self, **said: Any) -> dict[str, Any]:
        """The answer to a look at a snapshot; `said` is in the words of an instance's snapshot."""
        return {"DBSnapshots": [said]}

    @property
    def asked(self) -> dict[str, str]:
        """The parameters of a look at the database."""
        return {"DBInstanceIdentifier": "notes-db"}

    def snapshot_asked(self, name: str) -> dict[str, str]:
        """The parameters of a look at a snapshot."""
        return {"DBSnapshotIdentifier": name}


class ClusterKind(Kind):
    """The same in the words that RDS has for clusters."""

    def described(self, status: str, **more: Any) -> dict[str, Any]:
        return {"DBClusters": [{"Status": status, **more}]}

    def snapshot(self, **said: Any) -> dict[str, Any]:
        words = {
            "DBSnapshotIdentifier": "DBClusterSnapshotIdentifier",
            "Encrypted": "StorageEncrypted",
        }
        renamed = {words.get(name, name): value for name, value in said.items()}
        return {"DBClusterSnapshots": [renamed]}

    @property
    def asked(self) -> dict[str, str]:
        return {"DBClusterIdentifier": "notes-db"}

    def snapshot_asked(self, name: str) -> dict[str, str]:
        return {"DBClusterSnapshotIdentifier": name}


KINDS = {
    "rds_instance": Kind(
        database=RdsInstance(identifier="notes-db"),
        name="RDS instance 'notes-db'",
        start="aws rds start-db-instance --db-instance-identifier notes-db",
        create="create_db_snapshot",
        create_name="CreateDBSnapshot",
        look="describe_db_instances",
        snapshots="describe_db_snapshots",
        busy="InvalidDBInstanceState",
        exists="DBSnapshotAlreadyExists",
        missing="DBInstanceNotFound",
        no_snapshot="DBSnapshotNotFound",
    ),
    "aurora_cluster": ClusterKind(
        database=AuroraCluster(kind="aurora_cluster", identifier="notes-db"),
        name="Aurora cluster 'notes-db'",
        start="aws rds start-db-cluster --db-cluster-identifier notes-db",
        create="create_db_cluster_snapshot",
        create_name="CreateDBClusterSnapshot",
        look="describe_db_clusters",
        snapshots="describe_db_cluster_snapshots",
        busy="InvalidDBClusterStateFault",
        exists="DBClusterSnapshotAlreadyExistsFault",
        missing="DBClusterNotFoundFault",
        no_snapshot="DBClusterSnapshotNotFoundFault",
    ),
}
