"""What RDS keeps of instances, clusters and snapshots, and how its API shows them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloud.twin.rds.databases import Endpoint, Server

# What the engine calls the server of a cluster: an instance may have the cluster's name.
CLUSTER_SERVER = "cluster."


@dataclass
class Instance:
    """One DB instance."""

    arn: str
    server: Server
    engine: str
    engine_version: str
    instance_class: str
    storage_gib: int
    encrypted: bool
    created_at: datetime
    resource_id: str
    tags: dict[str, str]
    status: str = "creating"
    endpoint: Endpoint | None = None

    def describe(self) -> dict[str, Any]:
        """The `DBInstance` structure; a field without a value is absent, as in AWS."""
        shape: dict[str, Any] = {
            "DBInstanceIdentifier": self.server.instance_id,
            "DBInstanceArn": self.arn,
            "DBInstanceClass": self.instance_class,
            "DBInstanceStatus": self.status,
            "DBName": self.server.database,
            "MasterUsername": self.server.username,
            "Engine": self.engine,
            "EngineVersion": self.engine_version,
            "AllocatedStorage": self.storage_gib,
            "StorageEncrypted": self.encrypted,
            "InstanceCreateTime": self.created_at,
            "DbiResourceId": self.resource_id,
            "BackupRetentionPeriod": 1,
            "MultiAZ": False,
            "PubliclyAccessible": False,
            "DeletionProtection": False,
            "TagList": tag_list(self.tags),
        }
        if self.endpoint:
            shape["Endpoint"] = {"Address": self.endpoint.address, "Port": self.endpoint.port}
        return shape


@dataclass
class Cluster:
    """One Aurora cluster. Its one server is there at once; the twin gives it no instances."""

    arn: str
    server: Server
    engine: str
    engine_version: str
    encrypted: bool
    created_at: datetime
    resource_id: str
    tags: dict[str, str]
    status: str = "creating"
    endpoint: Endpoint | None = None

    @property
    def cluster_id(self) -> str:
        """The cluster's name; an instance may have the same, and its server has another."""
        return self.server.instance_id.removeprefix(CLUSTER_SERVER)

    def describe(self) -> dict[str, Any]:
        """The `DBCluster` structure; AllocatedStorage says nothing of Aurora's volume."""
        shape: dict[str, Any] = {
            "DBClusterIdentifier": self.cluster_id,
            "DBClusterArn": self.arn,
            "Status": self.status,
            "DatabaseName": self.server.database,
            "MasterUsername": self.server.username,
            "Engine": self.engine,
            "EngineVersion": self.engine_version,
            "EngineMode": "provisioned",
            "AllocatedStorage": 1,
            "StorageEncrypted": self.encrypted,
            "ClusterCreateTime": self.created_at,
            "DbClusterResourceId": self.resource_id,
            "BackupRetentionPeriod": 1,
            "MultiAZ": False,
            "DeletionProtection": False,
            "DBClusterMembers": [],
            "TagList": tag_list(self.tags),
        }
        if self.endpoint:
            shape["Endpoint"], shape["Port"] = self.endpoint.address, self.endpoint.port
        return shape


Source = Instance | Cluster


@dataclass
class Snapshot:
    """One manual snapshot of an instance or a cluster."""

    arn: str
    snapshot_id: str
    source: Source
    started_at: datetime
    seconds: float
    will_fail: bool
    tags: dict[str, str]
    status: str = "creating"
    size_bytes: int = 0

    def describe(self, now: datetime) -> dict[str, Any]:
        """The `DBSnapshot` or `DBClusterSnapshot` structure.

        SnapshotCreateTime appears when the snapshot is available.
        """
        shape: dict[str, Any] = {
            "Status": self.status,
            "PercentProgress": self._percent(now),
            "SnapshotType": "manual",
            "Engine": self.source.engine,
            "EngineVersion": self.source.engine_version,
            "MasterUsername": self.source.server.username,
            "TagList": tag_list(self.tags),
        }
        if self.source.endpoint:
            shape["Port"] = self.source.endpoint.port
        if self.status == "available":
            shape["SnapshotCreateTime"] = self.started_at
        if isinstance(self.source, Cluster):
            return shape | self._of_cluster(self.source)
        return shape | self._of_instance(self.source)

    def _of_instance(self, source: Instance) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "DBSnapshotIdentifier": self.snapshot_id,
            "DBSnapshotArn": self.arn,
            "DBInstanceIdentifier": source.server.instance_id,
            "AllocatedStorage": source.storage_gib,
            "Encrypted": source.encrypted,
            "InstanceCreateTime": source.created_at,
            "DbiResourceId": source.resource_id,
        }
        if self.status == "available":
            shape["OriginalSnapshotCreateTime"] = self.started_at
            shape["FullSnapshotSizeInBytes"] = self.size_bytes
        return shape

    def _of_cluster(self, source: Cluster) -> dict[str, Any]:
        return {
            "DBClusterSnapshotIdentifier": self.snapshot_id,
            "DBClusterSnapshotArn": self.arn,
            "DBClusterIdentifier": source.cluster_id,
            "AllocatedStorage": 0,
            "StorageEncrypted": source.encrypted,
            "ClusterCreateTime": source.created_at,
            "DbClusterResourceId": source.resource_id,
        }

    def _percent(self, now: datetime) -> int:
        if self.status != "creating":
            return 100 if self.status == "available" else 0
        elapsed = (now - self.started_at).total_seconds()
        return min(99, int(100 * elapsed / self.seconds)) if self.seconds else 99


def tags_of(tags: Iterable[dict[str, str]] | None) -> dict[str, str]:
    """A request's list of tags as a mapping."""
    return {tag["Key"]: tag.get("Value", "") for tag in tags or []}


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """A mapping of tags as AWS answers it."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
