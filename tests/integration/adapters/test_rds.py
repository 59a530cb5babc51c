"""Databases in RDS, kind by kind: what RDS answers, and what it refuses."""

from typing import Any

import boto3
import pytest
from mypy_boto3_rds import RDSClient

from slipway.adapters.databases import DatabasesByKind, StatesByKind
from slipway.domain.errors import Broken, ControlPlaneError, Reason, Transient
from slipway.domain.preflight import DatabaseCondition, DatabaseState
from slipway.ports.databases import Snapshot, SnapshotState
from tests.builders.documents import NOON
from tests.integration.adapters.conftest import REGION
from tests.integration.adapters.rds_kinds import KINDS, Kind
from tests.integration.adapters.stubbed import refuse, stubbed

NAME = "slipway-notes-staging-1"


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def rds(aws: None) -> RDSClient:
    """An account with the instance notes-db and the cluster notes-db."""
    client = boto3.client("rds", region_name=REGION)
    client.create_db_instance(
        DBInstanceIdentifier="notes-db",
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        AllocatedStorage=20,
        StorageEncrypted=True,
    )
    client.create_db_cluster(
        DBClusterIdentifier="notes-db",
        Engine="aurora-postgresql",
        MasterUsername="notes",
        MasterUserPassword="not-a-secret",
    )
    return client


def test_a_snapshot_names_its_deployment_and_is_asked_for_once(rds: RDSClient, kind: Kind) -> None:
    databases = DatabasesByKind(rds)

    databases.create_snapshot(kind.database, NAME, "notes-staging-1")
    databases.create_snapshot(kind.database, NAME, "notes-staging-1")

    (found,) = getattr(rds, kind.snapshots)(SnapshotType="manual")[next(iter(kind.snapshot()))]
    assert found["TagList"] == [{"Key": "slipway:deployment", "Value": "notes-staging-1"}]


def told(kind: Kind, **said: Any) -> Snapshot | None:
    with stubbed("rds") as (client, stub):
        answer = kind.snapshot(DBSnapshotIdentifier=NAME, **said)
        stub.add_response(kind.snapshots, answer, kind.snapshot_asked(NAME))
        return DatabasesByKind(client).snapshot(kind.database, NAME)


@pytest.mark.parametrize(("name", "size"), [("rds_instance", 20), ("aurora_cluster", None)])
def test_a_snapshot_is_told_as_rds_reports_it(name: str, size: int | None) -> None:
    """The storage of Aurora grows by itself: what is allocated says nothing."""
    found = told(
        KINDS[name],
        Status="available",
        Encrypted=True,
        SnapshotCreateTime=NOON,
        AllocatedStorage=20 if size else 1,
        PercentProgress=100,
    )

    assert found == Snapshot(
        snapshot_id=NAME,
        state=SnapshotState.AVAILABLE,
        told="available",
        encrypted=True,
        created_at=NOON,
        size_gib=size,
        percent=100,
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("creating", SnapshotState.UNDERWAY),
        ("pending", SnapshotState.UNDERWAY),
        ("copying", SnapshotState.UNDERWAY),
        ("failed", SnapshotState.FAILED),
        ("incompatible-restore", SnapshotState.FAILED),
        ("deleting", SnapshotState.FAILED),
        ("a status of tomorrow", SnapshotState.FAILED),
    ],
)
def test_only_what_becomes_available_by_itself_is_waited_for(
    kind: Kind, status: str, state: SnapshotState
) -> None:
    found = told(kind, Status=status)

    assert found is not None
    assert (found.state, found.told, found.created_at, found.percent) == (state, status, None, 0)


def test_an_empty_snapshot_of_an_instance_is_told_as_empty() -> None:
    found = told(KINDS["rds_instance"], Status="available", AllocatedStorage=0)

    assert found is not None
    assert found.size_gib == 0


@pytest.mark.parametrize(
    ("code", "error", "reason", "said"),
    [
        ("busy", Transient, Reason.DATABASE_BUSY, "notes-db is busy"),
        ("SnapshotQuotaExceeded", Broken, Reason.BACKUP_FAILED, "raise the quota"),
        ("missing", Broken, Reason.DATABASE_UNAVAILABLE, "There is no {name}; correct"),
        ("Throttling", Transient, Reason.AWS_UNAVAILABLE, "{create_name}"),
        ("AccessDenied", Broken, Reason.AWS_REFUSED, "{create_name}"),
    ],
)
def test_a_refused_snapshot_says_whether_to_try_again(
    kind: Kind, code: str, error: type[ControlPlaneError], reason: Reason, said: str
) -> None:
    with pytest.raises(error) as raised, stubbed("rds") as (client, stub):
        refuse(stub, kind.create, getattr(kind, code, code))
        if code == "busy":
            stub.add_response(kind.look, kind.described("modifying"), kind.asked)
        DatabasesByKind(client).create_snapshot(kind.database, "s", "notes-staging-1")

    assert raised.value.reason is reason
    assert said.format(**vars(kind)) in raised.value.message


def test_a_snapshot_that_exists_was_asked_for_by_an_earlier_try(kind: Kind) -> None:
    with stubbed("rds") as (client, stub):
        refuse(stub, kind.create, kind.exists)

        DatabasesByKind(client).create_snapshot(kind.database, "s", "notes-staging-1")


UNAVAILABLE = (
    "Cannot create a snapshot because the database notes-db is not currently in the available "
    "state."
)


def refused_while(kind: Kind, status: str, words: str = UNAVAILABLE) -> ControlPlaneError:
    with pytest.raises(ControlPlaneError) as raised, stubbed("rds") as (client, stub):
        refuse(stub, kind.create, kind.busy, words)
        stub.add_response(kind.look, kind.described(status), kind.asked)
        DatabasesByKind(client).create_snapshot(kind.database, "s", "notes-staging-1")
    return raised.value


@pytest.mark.parametrize(
    "status",
    [
        "available",
        "backing-up",
        "configuring-enhanced-monitoring",
        "maintenance",
        "modifying",
        "rebooting",
        "renaming",
        "starting",
        "storage-config-upgrade",
        "storage-optimization",
        "upgrading",
        "failing-over",
        "promoting",
        "a status of tomorrow",
    ],
)
def test_a_state_that_passes_is_waited_out_with_what_rds_says(kind: Kind, status: str) -> None:
    refused = refused_while(kind, status)
    told = UNAVAILABLE if status == "available" else f"{UNAVAILABLE.rstrip('.')} ({status})"

    assert (type(refused), refused.reason, refused.message) == (
        Transient,
        Reason.DATABASE_BUSY,
        f"notes-db is busy: {told}",
    )


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        ("stopped", "Start it ({start}), then deploy again."),
        ("stopping", "Start it ({start}), then deploy again."),
        ("storage-full", "Increase its allocated storage, then deploy again."),
        ("failed", "Restore it from a snapshot or to a point in time, then deploy again."),
        (
            "inaccessible-encryption-credentials-recoverable",
            "Make its KMS key accessible again and start it, then deploy again.",
        ),
        (
            "inaccessible-encryption-credentials",
            "Restore it from a snapshot with a usable KMS key, then deploy again.",
        ),
        ("incompatible-parameters", "Bring it back to 'available', then deploy again."),
        ("incompatible-network", "Bring it back to 'available', then deploy again."),
        ("restore-error", "Bring it back to 'available', then deploy again."),
        ("deleting", "Name another database in the catalog, then deploy again."),
        ("cloning-failed", "Name another database in the catalog, then deploy again."),
        ("migration-failed", "Name another database in the catalog, then deploy again."),
    ],
)
def test_a_state_that_does_not_pass_ends_at_once_with_what_to_do(
    kind: Kind, status: str, remedy: str
) -> None:
    refused = refused_while(kind, status)

    assert (type(refused), refused.reason) == (Broken, Reason.DATABASE_UNAVAILABLE)
    assert refused.message == (
        "No snapshot of notes-db can be taken in its current state. RDS says: "
        f"{UNAVAILABLE.rstrip('.')} ({status}). {remedy.format(start=kind.start)}"
    )


@pytest.mark.parametrize(
    ("status", "condition", "remedy"),
    [
        ("available", DatabaseCondition.USABLE, ""),
        ("storage-optimization", DatabaseCondition.USABLE, ""),
        ("backing-up", DatabaseCondition.PASSING, ""),
        ("a status of tomorrow", DatabaseCondition.PASSING, ""),
        ("stopped", DatabaseCondition.STUCK, "Start it ({start})"),
        ("incompatible-parameters", DatabaseCondition.STUCK, "Bring it back to 'available'"),
        ("delete-precheck", DatabaseCondition.STUCK, "Name another database in the catalog"),
    ],
)
def test_a_database_is_told_as_it_stands(
    kind: Kind, status: str, condition: DatabaseCondition, remedy: str
) -> None:
    assert state(kind, status, StorageEncrypted=True) == DatabaseState(
        name=kind.name,
        condition=condition,
        status=status,
        remedy=remedy.format(start=kind.start),
        encrypted=True,
    )


def state(kind: Kind, status: str = "available", **more: Any) -> DatabaseState:
    with stubbed("rds") as (client, stub):
        stub.add_response(kind.look, kind.described(status, **more), kind.asked)
        return StatesByKind(client).state(kind.database)


ABROAD = "arn:aws:rds:eu-west-1:000000000000:cluster:main"


@pytest.mark.parametrize(
    ("name", "described", "told"),
    [
        ("rds_instance", {"ReadReplicaSourceDBInstanceIdentifier": "main"}, ("main", None)),
        ("rds_instance", {"ReadReplicaSourceDBClusterIdentifier": "cluster"}, ("cluster", None)),
        ("rds_instance", {"ReadReplicaSourceDBInstanceIdentifier": ""}, (None, None)),
        ("rds_instance", {"DBClusterIdentifier": "notes"}, (None, "notes")),
        ("rds_instance", {"ReadReplicaDBInstanceIdentifiers": ["a-reader"]}, (None, None)),
        ("aurora_cluster", {"ReplicationSourceIdentifier": ABROAD}, ("main", None)),
        ("aurora_cluster", {"ReplicationSourceIdentifier": ""}, (None, None)),
        ("aurora_cluster", {"ReadReplicaIdentifiers": [ABROAD]}, (None, None)),
    ],
)
def test_what_a_database_belongs_to_is_told(
    name: str, described: dict[str, Any], told: tuple[str | None, str | None]
) -> None:
    found = state(KINDS[name], **described)

    assert (found.replica_of, found.cluster, found.encrypted) == (*told, False)


def test_a_database_that_is_not_there_is_told_as_absent(kind: Kind) -> None:
    with stubbed("rds") as (client, stub):
        refuse(stub, kind.look, kind.missing)

        absent = DatabaseState(name=kind.name, condition=DatabaseCondition.ABSENT)
        assert StatesByKind(client).state(kind.database) == absent


def test_a_database_that_may_not_be_looked_at_is_broken(kind: Kind) -> None:
    with pytest.raises(Broken), stubbed("rds") as (client, stub):
        refuse(stub, kind.look, "AccessDenied")
        StatesByKind(client).state(kind.database)


def test_a_state_that_rds_names_itself_is_not_asked_for(kind: Kind) -> None:
    with pytest.raises(Broken, match="storage-full") as raised, stubbed("rds") as (client, stub):
        refuse(stub, kind.create, kind.busy, "The database notes-db is in state storage-full")
        DatabasesByKind(client).create_snapshot(kind.database, "s", "notes-staging-1")

    assert raised.value.reason is Reason.DATABASE_UNAVAILABLE


def test_a_database_that_is_called_like_a_state_is_not_in_it(kind: Kind) -> None:
    words = "Cannot create a snapshot because the database stopped is not available."
    stopped = kind.database.model_copy(update={"identifier": "stopped"})
    with pytest.raises(Transient), stubbed("rds") as (client, stub):
        refuse(stub, kind.create, kind.busy, words)
        stub.add_response(kind.look, kind.described("modifying"))
        DatabasesByKind(client).create_snapshot(stopped, "s", "notes-staging-1")


@pytest.mark.parametrize("code", ["AccessDenied", "Throttling", "missing"])
def test_a_status_that_cannot_be_asked_for_leaves_the_refusal_as_it_is(
    kind: Kind, code: str
) -> None:
    with pytest.raises(Transient) as raised, stubbed("rds") as (client, stub):
        refuse(stub, kind.create, kind.busy, UNAVAILABLE)
        refuse(stub, kind.look, getattr(kind, code, code))
        DatabasesByKind(client).create_snapshot(kind.database, "s", "notes-staging-1")

    assert raised.value.message == f"notes-db is busy: {UNAVAILABLE}"


def test_a_key_that_cannot_be_used_ends_at_once(kind: Kind) -> None:
    with pytest.raises(Broken) as raised, stubbed("rds") as (client, stub):
        refuse(stub, kind.create, "KMSKeyNotAccessibleFault", "The key is disabled.")
        DatabasesByKind(client).create_snapshot(kind.database, "s", "notes-staging-1")

    assert (raised.value.reason, raised.value.message) == (
        Reason.DATABASE_UNAVAILABLE,
        "No snapshot of notes-db can be taken: its KMS key is not accessible. RDS says: The key is "
        "disabled. Make its KMS key accessible again and start it, then deploy again.",
    )


def test_what_rds_says_is_one_bounded_line(kind: Kind) -> None:
    refused = refused_while(kind, "modifying", "no\n\x1b[31m" + "x" * 100_000)

    assert refused.message.startswith("notes-db is busy: no xxx")
    assert len(refused.message) < 1200


def test_the_codes_of_either_kind_are_those_of_rdss_service_model(kind: Kind) -> None:
    with stubbed("rds") as (client, _):
        model = client.meta.service_model
        named = {
            operation: {
                shape.metadata["error"]["code"]
                for shape in model.operation_model(
                    client.meta.method_to_api_mapping[operation]
                ).error_shapes
            }
            for operation in (kind.create, kind.look, kind.snapshots)
        }

    assert {kind.busy, kind.exists, kind.missing, "SnapshotQuotaExceeded"} <= named[kind.create]
    assert kind.missing in named[kind.look]
    assert kind.no_snapshot in named[kind.snapshots]
