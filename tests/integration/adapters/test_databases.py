"""The ports of the databases: one contract for the fake and for every kind behind the front."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast, get_args

import pytest

from cloud.simulation.clients import Client
from cloud.twin.rds.api import RdsModel
from cloud.twin.twin import Twin
from slipway.adapters.databases import DatabasesByKind, RestoresByKind, StatesByKind
from slipway.domain.database import AuroraCluster, Database, RdsInstance
from slipway.domain.errors import Broken, Reason
from slipway.domain.preflight import DatabaseCondition, DatabaseState
from slipway.domain.recovery import RecoveryPoint
from slipway.ports.databases import Databases, SnapshotState
from tests.builders.documents import NOON
from tests.builders.fakes.databases import InMemoryDatabases
from tests.integration.adapters.rds_kinds import KINDS
from tests.integration.twin.data_cloud import virtual_world
from tests.unit.understood import understand

NAME = "slipway-notes-staging-1"
CREDENTIALS = {"MasterUsername": "notes", "MasterUserPassword": "not-a-secret"}
INSTANCE, CLUSTER = KINDS["rds_instance"].database, KINDS["aurora_cluster"].database


@dataclass
class Kind:
    """A database with the port that backs it up, and how its snapshot comes to its end."""

    port: Databases
    database: Database
    finish: Callable[[], None]
    states: StatesByKind | None = None


def in_memory() -> Kind:
    fake = InMemoryDatabases(known=frozenset({"notes-db"}))
    return Kind(fake, INSTANCE, lambda: fake.finish(NAME, NOON))


class _Account:
    """An account of the twin that has an instance and a cluster of the same name."""

    def __init__(self) -> None:
        self.clock, world, _ = virtual_world()
        self._twin = Twin(world)
        self._twin.add("rds", RdsModel(world))
        client = cast(Any, Client("rds", lambda: self))
        both = {"StorageEncrypted": True, **CREDENTIALS}
        client.create_db_instance(
            DBInstanceIdentifier="notes-db", DBInstanceClass="x", Engine="postgres", **both
        )
        client.create_db_cluster(DBClusterIdentifier="notes-db", Engine="aurora-postgresql", **both)
        self.port, self.states = DatabasesByKind(client), StatesByKind(client)

    def finish(self) -> None:
        self.clock.run_for(60)

    def perform(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        return self._twin.call(service, operation, params)


def on_the_twin(database: Database) -> Callable[[], Kind]:
    def made() -> Kind:
        account = _Account()
        return Kind(account.port, database, account.finish, account.states)

    return made


BY_KIND = {
    "in-memory": in_memory,
    "rds_instance": on_the_twin(INSTANCE),
    "aurora_cluster": on_the_twin(CLUSTER),
}


@pytest.fixture(params=BY_KIND)
def kind(request: pytest.FixtureRequest) -> Kind:
    return BY_KIND[request.param]()


def test_every_kind_of_the_catalog_has_its_row() -> None:
    members = [get_args(one)[0] for one in get_args(get_args(Database)[0])]
    kinds = {get_args(one.model_fields["kind"].annotation)[0] for one in members}

    assert kinds == set(BY_KIND) - {"in-memory"}


def test_a_snapshot_that_was_never_asked_for_is_none(kind: Kind) -> None:
    assert kind.port.snapshot(kind.database, NAME) is None


def test_a_snapshot_is_under_way_and_then_available(kind: Kind) -> None:
    kind.port.create_snapshot(kind.database, NAME, "notes-staging-1")
    begun = kind.port.snapshot(kind.database, NAME)
    kind.finish()
    done = kind.port.snapshot(kind.database, NAME)

    assert begun is not None
    assert done is not None
    assert (begun.state, begun.created_at) == (SnapshotState.UNDERWAY, None)
    assert (done.snapshot_id, done.state, done.encrypted) == (NAME, SnapshotState.AVAILABLE, True)
    assert done.created_at is not None
    assert done.size_gib != 0


def test_asking_again_changes_nothing(kind: Kind) -> None:
    kind.port.create_snapshot(kind.database, NAME, "notes-staging-1")
    kind.finish()
    before = kind.port.snapshot(kind.database, NAME)

    kind.port.create_snapshot(kind.database, NAME, "notes-staging-1")

    assert kind.port.snapshot(kind.database, NAME) == before


def test_a_database_that_is_not_there_is_broken_with_its_name(kind: Kind) -> None:
    other = kind.database.model_copy(update={"identifier": "other"})

    with pytest.raises(Broken, match=r"There is no .* 'other'") as raised:
        kind.port.create_snapshot(other, NAME, "notes-staging-1")

    assert raised.value.reason is Reason.DATABASE_UNAVAILABLE


@pytest.mark.parametrize("name", KINDS)
def test_a_database_is_told_as_it_stands(name: str) -> None:
    kind, told = BY_KIND[name](), KINDS[name].name
    assert kind.states is not None

    assert kind.states.state(kind.database) == DatabaseState(
        name=told, condition=DatabaseCondition.USABLE, status="available", encrypted=True
    )
    other = kind.database.model_copy(update={"identifier": "other"})
    assert kind.states.state(other) == DatabaseState(
        name=told.replace("notes-db", "other"), condition=DatabaseCondition.ABSENT
    )


@pytest.mark.parametrize(
    ("database", "from_snapshot", "in_time"),
    [
        (
            RdsInstance(identifier="notes-db"),
            "aws rds restore-db-instance-from-db-snapshot --db-instance-identifier "
            f"notes-db-restored --db-snapshot-identifier {NAME}",
            "aws rds restore-db-instance-to-point-in-time --source-db-instance-identifier notes-db "
            "--target-db-instance-identifier notes-db-restored --restore-time 2026-11-02T11:59:00Z",
        ),
        (
            AuroraCluster(kind="aurora_cluster", identifier="notes-db"),
            "aws rds restore-db-cluster-from-snapshot --db-cluster-identifier notes-db-restored "
            f"--snapshot-identifier {NAME} --engine $(aws rds describe-db-cluster-snapshots "
            f"--db-cluster-snapshot-identifier {NAME} --query 'DBClusterSnapshots[0].Engine' "
            "--output text)",
            "aws rds restore-db-cluster-to-point-in-time --source-db-cluster-identifier notes-db "
            "--db-cluster-identifier notes-db-restored --restore-to-time 2026-11-02T11:59:00Z",
        ),
    ],
    ids=KINDS,
)
def test_the_way_back_to_the_data_is_a_command_for_a_person(
    database: Database, from_snapshot: str, in_time: str
) -> None:
    before = NOON - timedelta(minutes=1)
    point = RecoveryPoint(database=database, before=before, snapshot_id=NAME)

    assert RestoresByKind().commands(point) == (from_snapshot, in_time)
    without = point.model_copy(update={"snapshot_id": None})
    assert RestoresByKind().commands(without) == (in_time,)


@pytest.mark.parametrize("name", KINDS)
def test_every_command_for_a_person_is_one_that_aws_has(name: str) -> None:
    point = RecoveryPoint(database=KINDS[name].database, before=NOON, snapshot_id=NAME)
    for command in (KINDS[name].start, *RestoresByKind().commands(point)):
        outer, asks, inner = command.partition("$(")
        understand(shlex.split(outer + ("aurora-postgresql" if asks else "")), whole=True)
        if asks:
            understand(shlex.split(inner.removesuffix(")")), whole=True)
