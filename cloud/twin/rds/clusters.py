"""Aurora clusters: like instances, in other words, and with a volume that grows by itself."""

from dataclasses import replace
from typing import Any

from cloud.twin.errors import AwsError
from cloud.twin.rds.databases import DatabaseEngine, Endpoint, EngineFailure, Server
from cloud.twin.rds.records import CLUSTER_SERVER, Cluster, tags_of
from cloud.twin.rds.snapshots import Snapshots, identifier, invalid
from cloud.twin.world import World

ENGINE = "aurora-postgresql"


class Clusters:
    """The clusters of the account, by name."""

    def __init__(self, world: World, engine: DatabaseEngine, snapshots: Snapshots) -> None:
        self._world, self._engine, self._snapshots = world, engine, snapshots
        self.known: dict[str, Cluster] = {}

    def create(self, params: dict[str, Any]) -> Cluster:
        """A cluster with a server of its own, though AWS would want an instance for that."""
        _check_engine(params)
        if not params.get("MasterUsername") or not params.get("MasterUserPassword"):
            raise invalid("MasterUsername and MasterUserPassword must be provided.")
        server = Server(
            instance_id=_server_id(params),
            database=params.get("DatabaseName", "postgres"),
            username=params["MasterUsername"],
            password=params["MasterUserPassword"],
        )
        cluster = self._add(server, params.get("StorageEncrypted", False), params)
        self._engine.create(server, lambda result: _ready(cluster, result))
        return cluster

    def restore(self, params: dict[str, Any]) -> Cluster:
        """A new cluster with the data of a snapshot."""
        _check_engine(params)
        snapshot = self._snapshots.restorable(params["SnapshotIdentifier"])
        server = replace(snapshot.source.server, instance_id=_server_id(params))
        cluster = self._add(server, snapshot.source.encrypted, params)
        dump = self._snapshots.dump_of(snapshot)
        self._engine.restore(dump, server, lambda result: _ready(cluster, result))
        return cluster

    def find(self, cluster_id: str) -> Cluster:
        """The cluster of this name; AwsError when there is none."""
        try:
            return self.known[cluster_id.lower()]
        except KeyError:
            message = f"DBCluster {cluster_id} not found."
            raise AwsError("DBClusterNotFoundFault", message, 404) from None

    def delete(self, params: dict[str, Any]) -> Cluster:
        """Forget a cluster, without a last snapshot."""
        cluster = self.find(params["DBClusterIdentifier"])
        if not params.get("SkipFinalSnapshot"):
            raise invalid("The twin takes no final snapshot: SkipFinalSnapshot must be true.")
        del self.known[cluster.cluster_id]
        self._engine.delete(cluster.server.instance_id)
        cluster.status = "deleting"
        return cluster

    def _add(self, server: Server, encrypted: bool, params: dict[str, Any]) -> Cluster:
        name = server.instance_id.removeprefix(CLUSTER_SERVER)
        if name in self.known:
            raise AwsError("DBClusterAlreadyExistsFault", "DB Cluster already exists")
        self.known[name] = Cluster(
            arn=self._world.arn("rds", f"cluster:{name}"),
            server=server,
            engine=ENGINE,
            engine_version="18.4",
            encrypted=encrypted,
            created_at=self._world.clock.now(),
            resource_id=f"cluster-{self._world.hex_id(26).upper()}",
            tags=tags_of(params.get("Tags")),
        )
        return self.known[name]


def _check_engine(params: dict[str, Any]) -> None:
    if params["Engine"] != ENGINE:
        raise invalid(f"Invalid DB engine: {params['Engine']}; the twin's clusters run {ENGINE}.")


def _server_id(params: dict[str, Any]) -> str:
    name = identifier(params["DBClusterIdentifier"], "DB cluster", 63).lower()
    return f"{CLUSTER_SERVER}{name}"


def _ready(cluster: Cluster, result: Endpoint | EngineFailure) -> None:
    if isinstance(result, EngineFailure):
        cluster.status = "failed"
    else:
        cluster.status, cluster.endpoint = "available", result
