"""Picks the adapter for a database by its kind; one class per port."""

from typing import TYPE_CHECKING, assert_never

from slipway.adapters.rds import clusters, instances
from slipway.adapters.rds.clusters import AuroraClusters
from slipway.adapters.rds.instances import RdsInstances
from slipway.domain.database import AuroraCluster, Database, RdsInstance
from slipway.domain.preflight import DatabaseState
from slipway.domain.recovery import RecoveryPoint
from slipway.ports.databases import Snapshot

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient


class DatabasesByKind:
    """Snapshots of databases of every kind."""

    def __init__(self, rds: "RDSClient") -> None:
        self._instances = RdsInstances(rds)
        self._clusters = AuroraClusters(rds)

    def snapshot(self, database: Database, snapshot_id: str) -> Snapshot | None:
        """The snapshot of this database, or None when it does not exist."""
        match database:
            case RdsInstance():
                return self._instances.snapshot(snapshot_id)
            case AuroraCluster():
                return self._clusters.snapshot(snapshot_id)
            case _:
                assert_never(database)

    def create_snapshot(self, database: Database, snapshot_id: str, deployment_id: str) -> None:
        """Request a snapshot; repeating the request with the same id is harmless."""
        name = database.identifier
        match database:
            case RdsInstance():
                self._instances.create_snapshot(name, snapshot_id, deployment_id)
            case AuroraCluster():
                self._clusters.create_snapshot(name, snapshot_id, deployment_id)
            case _:
                assert_never(database)


class StatesByKind:
    """The current state of databases of every kind, read only."""

    def __init__(self, rds: "RDSClient") -> None:
        self._instances = RdsInstances(rds)
        self._clusters = AuroraClusters(rds)

    def state(self, database: Database) -> DatabaseState:
        """The database's current state; ABSENT when there is none of that name."""
        match database:
            case RdsInstance():
                return self._instances.state(database.identifier)
            case AuroraCluster():
                return self._clusters.state(database.identifier)
            case _:
                assert_never(database)


class RestoresByKind:
    """The commands with which an operator restores a database."""

    def commands(self, point: RecoveryPoint) -> tuple[str, ...]:
        """Ways to restore into a new database; none of them overwrites the live one."""
        database = point.database
        match database:
            case RdsInstance():
                return instances.restore_commands(database.identifier, point)
            case AuroraCluster():
                return clusters.restore_commands(database.identifier, point)
            case _:
                assert_never(database)
