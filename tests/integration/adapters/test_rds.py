"""RDS instances and the snapshot before a migration."""

import boto3
import pytest
from mypy_boto3_rds import RDSClient

from slipway.adapters.rds import RdsDatabases
from slipway.domain.errors import Broken, ControlPlaneError, Reason, Transient
from slipway.ports.databases import Snapshot
from tests.integration.adapters.conftest import REGION
from tests.integration.adapters.examples import NOON
from tests.integration.adapters.stubbed import refuse, stubbed


@pytest.fixture
def rds(aws: None) -> RDSClient:
    """An account with the instance notes-db."""
    client = boto3.client("rds", region_name=REGION)
    client.create_db_instance(
        DBInstanceIdentifier="notes-db",
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        AllocatedStorage=20,
        StorageEncrypted=True,
    )
    return client


def test_a_missing_instance_is_broken_with_its_name(rds: RDSClient) -> None:
    with pytest.raises(Broken, match="no RDS instance 'other'") as raised:
        RdsDatabases(rds).create_snapshot("other", "slipway-notes-staging-1", "notes-staging-1")

    assert raised.value.reason is Reason.DATABASE_UNAVAILABLE


def test_a_snapshot_names_its_deployment_and_is_asked_for_once(rds: RDSClient) -> None:
    databases = RdsDatabases(rds)

    databases.create_snapshot("notes-db", "slipway-notes-staging-1", "notes-staging-1")
    databases.create_snapshot("notes-db", "slipway-notes-staging-1", "notes-staging-1")

    [snapshot] = rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    assert snapshot["TagList"] == [{"Key": "slipway:deployment", "Value": "notes-staging-1"}]


def test_a_snapshot_that_was_never_asked_for_is_none(rds: RDSClient) -> None:
    assert RdsDatabases(rds).snapshot("slipway-notes-staging-1") is None


def test_a_snapshot_is_told_as_rds_reports_it() -> None:
    described = {
        "DBSnapshotIdentifier": "slipway-notes-staging-1",
        "Status": "available",
        "Encrypted": True,
        "SnapshotCreateTime": NOON,
        "AllocatedStorage": 20,
        "PercentProgress": 100,
    }
    with stubbed("rds") as (client, stub):
        asked = {"DBSnapshotIdentifier": "slipway-notes-staging-1"}
        stub.add_response("describe_db_snapshots", {"DBSnapshots": [described]}, asked)

        snapshot = RdsDatabases(client).snapshot("slipway-notes-staging-1")

    assert snapshot == Snapshot(
        snapshot_id="slipway-notes-staging-1",
        status="available",
        encrypted=True,
        created_at=NOON,
        size_gib=20,
        percent=100,
    )


def test_a_snapshot_that_is_being_created_has_no_time_yet() -> None:
    described = {"DBSnapshotIdentifier": "s", "Status": "creating"}
    with stubbed("rds") as (client, stub):
        stub.add_response("describe_db_snapshots", {"DBSnapshots": [described]})

        snapshot = RdsDatabases(client).snapshot("s")

    assert snapshot == Snapshot(
        snapshot_id="s", status="creating", encrypted=False, created_at=None, size_gib=0, percent=0
    )


@pytest.mark.parametrize(
    ("code", "error", "reason", "told"),
    [
        ("InvalidDBInstanceState", Transient, Reason.DATABASE_BUSY, "notes-db is busy"),
        ("SnapshotQuotaExceeded", Broken, Reason.BACKUP_FAILED, "raise the quota"),
        ("DBInstanceNotFound", Broken, Reason.DATABASE_UNAVAILABLE, "no RDS instance 'notes-db'"),
        ("Throttling", Transient, Reason.AWS_UNAVAILABLE, "CreateDBSnapshot"),
        ("AccessDenied", Broken, Reason.AWS_REFUSED, "CreateDBSnapshot"),
    ],
)
def test_a_refused_snapshot_says_whether_to_try_again(
    code: str, error: type[ControlPlaneError], reason: Reason, told: str
) -> None:
    with pytest.raises(error, match=told) as raised, stubbed("rds") as (client, stub):
        refuse(stub, "create_db_snapshot", code)
        RdsDatabases(client).create_snapshot("notes-db", "s", "notes-staging-1")

    assert raised.value.reason is reason


def _instance(status: str) -> dict[str, object]:
    return {"DBInstances": [{"DBInstanceIdentifier": "notes-db", "DBInstanceStatus": status}]}


UNAVAILABLE = (
    "Cannot create a snapshot because the database instance notes-db is not currently in the "
    "available state."
)


def refused_while(status: str, words: str = UNAVAILABLE) -> ControlPlaneError:
    with pytest.raises(ControlPlaneError) as raised, stubbed("rds") as (client, stub):
        refuse(stub, "create_db_snapshot", "InvalidDBInstanceState", words)
        asked = {"DBInstanceIdentifier": "notes-db"}
        stub.add_response("describe_db_instances", _instance(status), asked)
        RdsDatabases(client).create_snapshot("notes-db", "s", "notes-staging-1")
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
        "a status of tomorrow",
    ],
)
def test_a_state_that_passes_is_waited_out_with_what_rds_says(status: str) -> None:
    refused = refused_while(status)
    told = UNAVAILABLE if status == "available" else f"{UNAVAILABLE.rstrip('.')} ({status})"

    assert (type(refused), refused.reason, refused.message) == (
        Transient,
        Reason.DATABASE_BUSY,
        f"notes-db is busy: {told}",
    )


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        ("stopped", "Start it, then deploy again."),
        ("stopping", "Start it, then deploy again."),
        ("storage-full", "Give it more storage, then deploy again."),
        ("failed", "Restore it from a snapshot or to a point in time, then deploy again."),
        (
            "inaccessible-encryption-credentials-recoverable",
            "Make its KMS key usable again and start it, then deploy again.",
        ),
        (
            "inaccessible-encryption-credentials",
            "Restore it from a snapshot with a usable KMS key, then deploy again.",
        ),
        ("incompatible-parameters", "Bring it back to 'available', then deploy again."),
        ("incompatible-network", "Bring it back to 'available', then deploy again."),
        ("restore-error", "Bring it back to 'available', then deploy again."),
        ("deleting", "Name another instance in the catalog, then deploy again."),
    ],
)
def test_a_state_that_does_not_pass_ends_at_once_with_what_to_do(status: str, remedy: str) -> None:
    refused = refused_while(status)

    assert (type(refused), refused.reason) == (Broken, Reason.DATABASE_UNAVAILABLE)
    assert refused.message == (
        "No snapshot of notes-db is possible, and waiting does not help. RDS says: "
        f"{UNAVAILABLE.rstrip('.')} ({status}). {remedy}"
    )


def test_a_state_that_rds_names_itself_is_not_asked_for() -> None:
    with pytest.raises(Broken, match="storage-full") as raised, stubbed("rds") as (client, stub):
        words = "Instance notes-db is in state storage-full"
        refuse(stub, "create_db_snapshot", "InvalidDBInstanceState", words)
        RdsDatabases(client).create_snapshot("notes-db", "s", "notes-staging-1")

    assert raised.value.reason is Reason.DATABASE_UNAVAILABLE


def test_an_instance_that_is_called_like_a_state_is_not_in_it() -> None:
    words = "Cannot create a snapshot because the database instance stopped is not available."
    with pytest.raises(Transient), stubbed("rds") as (client, stub):
        refuse(stub, "create_db_snapshot", "InvalidDBInstanceState", words)
        stub.add_response("describe_db_instances", _instance("modifying"))
        RdsDatabases(client).create_snapshot("stopped", "s", "notes-staging-1")


@pytest.mark.parametrize("code", ["AccessDenied", "Throttling", "DBInstanceNotFound"])
def test_a_status_that_cannot_be_asked_for_leaves_the_refusal_as_it_is(code: str) -> None:
    with pytest.raises(Transient) as raised, stubbed("rds") as (client, stub):
        refuse(stub, "create_db_snapshot", "InvalidDBInstanceState", UNAVAILABLE)
        refuse(stub, "describe_db_instances", code)
        RdsDatabases(client).create_snapshot("notes-db", "s", "notes-staging-1")

    assert raised.value.message == f"notes-db is busy: {UNAVAILABLE}"


def test_a_key_that_cannot_be_used_ends_at_once() -> None:
    with pytest.raises(Broken) as raised, stubbed("rds") as (client, stub):
        refuse(stub, "create_db_snapshot", "KMSKeyNotAccessibleFault", "The key is disabled.")
        RdsDatabases(client).create_snapshot("notes-db", "s", "notes-staging-1")

    assert (raised.value.reason, raised.value.message) == (
        Reason.DATABASE_UNAVAILABLE,
        "No snapshot of notes-db is possible: its KMS key cannot be used. RDS says: The key is "
        "disabled. Make its KMS key usable again and start it, then deploy again.",
    )


def test_what_rds_says_is_one_bounded_line() -> None:
    refused = refused_while("modifying", "no\n\x1b[31m" + "x" * 100_000)

    assert refused.message.startswith("notes-db is busy: no xxx")
    assert len(refused.message) < 1200
