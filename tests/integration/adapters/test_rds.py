"""RDS instances and the snapshot before a migration."""

import boto3
import pytest
from mypy_boto3_rds import RDSClient

from slipway.adapters.rds import RdsDatabases
from slipway.domain.errors import Broken, ControlPlaneError, Reason, Transient
from slipway.ports import Snapshot
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
