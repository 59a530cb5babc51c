"""The model of RDS: one method per operation, over instances, clusters and their snapshots."""

from dataclasses import replace
from typing import Any

from cloud.twin.errors import AwsError
from cloud.twin.pages import marked_page
from cloud.twin.rds.clusters import Clusters
from cloud.twin.rds.databases import (
    DatabaseEngine,
    Endpoint,
    EngineFailure,
    ScriptedDatabases,
    Server,
)
from cloud.twin.rds.records import Instance, Snapshot, Source, tag_list, tags_of
from cloud.twin.rds.snapshots import (
    CLUSTER_SNAPSHOTS,
    INSTANCE_SNAPSHOTS,
    Policies,
    SnapshotPolicy,
    Snapshots,
    identifier,
    invalid,
    wanted,
)
from cloud.twin.world import World

Params = dict[str, Any]


class RdsModel:
    """RDS as its API shows it, in botocore's shapes."""

    def __init__(self, world: World, engine: DatabaseEngine | None = None) -> None:
        self.world = world
        self.engine = engine or ScriptedDatabases()
        self._policies = Policies()
        self._snapshots = Snapshots(world, self.engine, self._policies, INSTANCE_SNAPSHOTS)
        self._cluster_snapshots = Snapshots(world, self.engine, self._policies, CLUSTER_SNAPSHOTS)
        self._clusters = Clusters(world, self.engine, self._cluster_snapshots)
        self.instances: dict[str, Instance] = {}

    @property
    def policy(self) -> SnapshotPolicy:
        """How the next snapshots go."""
        return self._policies.now

    def set_policy(self, **changes: Any) -> None:
        """Change how the next snapshots go; the names are SnapshotPolicy's fields."""
        self._policies.set(**changes)

    def source(self, name: str) -> Source:
        """The instance or cluster of this name, for people and tests."""
        return self.instances.get(name) or self._clusters.find(name)

    def taken(self, name: str) -> Snapshot | None:
        """The snapshot of this name, of either kind, for people and tests."""
        return self._snapshots.taken.get(name) or self._cluster_snapshots.taken.get(name)

    # Instances

    def create_db_instance(self, params: Params) -> Params:
        if params["Engine"] != "postgres":
            raise invalid(f"Invalid DB engine: {params['Engine']}; the twin runs postgres only.")
        if not params.get("MasterUsername") or not params.get("MasterUserPassword"):
            raise invalid("MasterUsername and MasterUserPassword must be provided.")
        server = Server(
            instance_id=_instance_id(params),
            database=params.get("DBName", "postgres"),
            username=params["MasterUsername"],
            password=params["MasterUserPassword"],
        )
        instance = self._add_instance(server, params)
        self.engine.create(server, lambda result: _ready(instance, result))
        return {"DBInstance": instance.describe()}

    def describe_db_instances(self, params: Params) -> Params:
        if "DBInstanceIdentifier" in params:
            self._instance(params["DBInstanceIdentifier"])
        is_wanted = wanted(params, "DBInstanceIdentifier", "db-instance-id")
        found = [one for name, one in self.instances.items() if is_wanted(name)]
        return _paged("DBInstances", [instance.describe() for instance in found], params)

    def delete_db_instance(self, params: Params) -> Params:
        instance = self._instance(params["DBInstanceIdentifier"])
        if not params.get("SkipFinalSnapshot"):
            raise invalid("The twin takes no final snapshot: SkipFinalSnapshot must be true.")
        del self.instances[instance.server.instance_id]
        self.engine.delete(instance.server.instance_id)
        instance.status = "deleting"
        return {"DBInstance": instance.describe()}

    def restore_db_instance_from_db_snapshot(self, params: Params) -> Params:
        snapshot = self._snapshots.restorable(params["DBSnapshotIdentifier"])
        assert isinstance(snapshot.source, Instance)
        server = replace(snapshot.source.server, instance_id=_instance_id(params))
        instance = self._add_instance(server, params, like=snapshot.source)
        dump = self._snapshots.dump_of(snapshot)
        self.engine.restore(dump, server, lambda result: _ready(instance, result))
        return {"DBInstance": instance.describe()}

    def restore_db_instance_to_point_in_time(self, params: Params) -> Params:
        """Refused as AWS refuses an instance without automated backups: the twin keeps no log."""
        raise AwsError(
            "PointInTimeRestoreNotEnabled",
            "Point-in-time restore is not enabled: the twin keeps snapshots only.",
        )

    # Clusters

    def create_db_cluster(self, params: Params) -> Params:
        return {"DBCluster": self._clusters.create(params).describe()}

    def describe_db_clusters(self, params: Params) -> Params:
        if "DBClusterIdentifier" in params:
            self._clusters.find(params["DBClusterIdentifier"])
        is_wanted = wanted(params, "DBClusterIdentifier", "db-cluster-id")
        found = [one for name, one in self._clusters.known.items() if is_wanted(name)]
        return _paged("DBClusters", [cluster.describe() for cluster in found], params)

    def delete_db_cluster(self, params: Params) -> Params:
        return {"DBCluster": self._clusters.delete(params).describe()}

    def restore_db_cluster_from_snapshot(self, params: Params) -> Params:
        return {"DBCluster": self._clusters.restore(params).describe()}

    # Snapshots

    def create_db_snapshot(self, params: Params) -> Params:
        source = self._instance(params["DBInstanceIdentifier"])
        shape = self._create(self._snapshots, params["DBSnapshotIdentifier"], source, params)
        return {"DBSnapshot": shape}

    def describe_db_snapshots(self, params: Params) -> Params:
        found = self._described(self._snapshots, params, "DBSnapshotIdentifier", "db-snapshot-id")
        is_wanted = wanted(params, "DBInstanceIdentifier", "db-instance-id")
        kept = [one for one in found if is_wanted(one["DBInstanceIdentifier"])]
        return _paged("DBSnapshots", kept, params)

    def delete_db_snapshot(self, params: Params) -> Params:
        snapshot = self._snapshots.delete(params["DBSnapshotIdentifier"])
        return {"DBSnapshot": snapshot.describe(self.world.clock.now())}

    def create_db_cluster_snapshot(self, params: Params) -> Params:
        source = self._clusters.find(params["DBClusterIdentifier"])
        # "This parameter is stored as a lowercase string."
        name = params["DBClusterSnapshotIdentifier"].lower()
        shape = self._create(self._cluster_snapshots, name, source, params)
        return {"DBClusterSnapshot": shape}

    def describe_db_cluster_snapshots(self, params: Params) -> Params:
        member, name = "DBClusterSnapshotIdentifier", "db-cluster-snapshot-id"
        found = self._described(self._cluster_snapshots, params, member, name)
        is_wanted = wanted(params, "DBClusterIdentifier", "db-cluster-id")
        kept = [one for one in found if is_wanted(one["DBClusterIdentifier"])]
        return _paged("DBClusterSnapshots", kept, params)

    def delete_db_cluster_snapshot(self, params: Params) -> Params:
        snapshot = self._cluster_snapshots.delete(params["DBClusterSnapshotIdentifier"])
        return {"DBClusterSnapshot": snapshot.describe(self.world.clock.now())}

    # Account and tags

    def describe_account_attributes(self, params: Params) -> Params:
        used = {
            "DBInstances": (len(self.instances), 40),
            "ManualSnapshots": (len(self._snapshots.taken), self.policy.quota),
            "ManualClusterSnapshots": (len(self._cluster_snapshots.taken), self.policy.quota),
        }
        return {
            "AccountQuotas": [
                {"AccountQuotaName": name, "Used": count, "Max": most}
                for name, (count, most) in used.items()
            ]
        }

    def add_tags_to_resource(self, params: Params) -> Params:
        self._tagged(params["ResourceName"]).update(tags_of(params["Tags"]))
        return {}

    def list_tags_for_resource(self, params: Params) -> Params:
        return {"TagList": tag_list(self._tagged(params["ResourceName"]))}

    # Inside

    def _create(self, snapshots: Snapshots, name: str, source: Source, params: Params) -> Params:
        snapshot = snapshots.create(name, source, tags_of(params.get("Tags")))
        shape = snapshot.describe(self.world.clock.now())
        snapshots.begin(snapshot)
        return shape

    def _described(
        self, snapshots: Snapshots, params: Params, member: str, filter_name: str
    ) -> list[Params]:
        if member in params:
            snapshots.find(params[member])
        if params.get("SnapshotType", "manual") != "manual":
            return []
        is_wanted, now = wanted(params, member, filter_name), self.world.clock.now()
        return [one.describe(now) for name, one in snapshots.taken.items() if is_wanted(name)]

    def _add_instance(
        self, server: Server, params: Params, like: Instance | None = None
    ) -> Instance:
        if server.instance_id in self.instances:
            raise AwsError("DBInstanceAlreadyExists", "DB instance already exists")
        instance = Instance(
            arn=self.world.arn("rds", f"db:{server.instance_id}"),
            server=server,
            engine="postgres",
            engine_version="18.4",
            instance_class=params.get("DBInstanceClass") or (like.instance_class if like else ""),
            storage_gib=like.storage_gib if like else params.get("AllocatedStorage", 20),
            encrypted=like.encrypted if like else params.get("StorageEncrypted", False),
            created_at=self.world.clock.now(),
            resource_id=f"db-{self.world.hex_id(26).upper()}",
            tags=tags_of(params.get("Tags")),
        )
        self.instances[server.instance_id] = instance
        return instance

    def _instance(self, instance_id: str) -> Instance:
        try:
            return self.instances[instance_id.lower()]
        except KeyError:
            message = f"DBInstance {instance_id} not found."
            raise AwsError("DBInstanceNotFound", message, 404) from None

    def _tagged(self, arn: str) -> dict[str, str]:
        kind, _, name = arn.removeprefix(self.world.arn("rds", "")).partition(":")
        match kind:
            case "db":
                return self._instance(name).tags
            case "cluster":
                return self._clusters.find(name).tags
            case "snapshot":
                return self._snapshots.find(name).tags
            case "cluster-snapshot":
                return self._cluster_snapshots.find(name).tags
        raise invalid(f"Invalid resource name: {arn}")


def _instance_id(params: Params) -> str:
    return identifier(params["DBInstanceIdentifier"], "DB instance", 63).lower()


def _ready(instance: Instance, result: Endpoint | EngineFailure) -> None:
    if isinstance(result, EngineFailure):
        instance.status = "failed"
    else:
        instance.status, instance.endpoint = "available", result


def _paged(name: str, found: list[Any], params: Params) -> Params:
    return marked_page(name, found, params, "MaxRecords", 20, 100)
