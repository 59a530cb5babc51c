"""Aurora clusters in RDS's model: the same as instances in other words, limits and error codes."""

from collections.abc import Callable
from typing import Any

import pytest

from cloud.twin.clock import VirtualClock
from cloud.twin.errors import AwsError
from cloud.twin.rds.api import RdsModel
from tests.integration.twin.data_cloud import virtual_world
from tests.integration.twin.test_rds import modelled

Cloud = tuple[VirtualClock, RdsModel, list[dict[str, Any]]]
CLUSTER = {
    "DBClusterIdentifier": "notes",
    "Engine": "aurora-postgresql",
    "StorageEncrypted": True,
    "MasterUsername": "notes",
    "MasterUserPassword": "secret",
}
SNAPSHOT = {"DBClusterSnapshotIdentifier": "before-2", "DBClusterIdentifier": "notes"}
ARN = "arn:aws:rds:us-east-1:000000000000:cluster-snapshot:before-2"


@pytest.fixture
def cloud() -> Cloud:
    clock, world, events = virtual_world()
    rds = RdsModel(world)
    rds.create_db_cluster(CLUSTER)
    return clock, rds, events


def refused(call: Callable[[], Any]) -> tuple[str, int]:
    with pytest.raises(AwsError) as caught:
        call()
    return caught.value.code, caught.value.status


def snapshot(rds: RdsModel, name: str = "before-2") -> dict[str, Any]:
    asked = {"DBClusterSnapshotIdentifier": name}
    found: list[dict[str, Any]] = rds.describe_db_cluster_snapshots(asked)["DBClusterSnapshots"]
    return found[0]


def status_of(rds: RdsModel) -> str:
    return str(rds.describe_db_clusters({})["DBClusters"][0]["Status"])


def test_a_cluster_snapshot_takes_its_time_and_is_then_available(cloud: Cloud) -> None:
    clock, rds, _ = cloud
    rds.set_policy(seconds=60)
    started_at = clock.now()

    created = rds.create_db_cluster_snapshot({**SNAPSHOT, "Tags": [{"Key": "by", "Value": "us"}]})
    clock.run_for(30)
    half_way, meanwhile = snapshot(rds), status_of(rds)
    clock.run_for(30)
    done = snapshot(rds)

    assert "SnapshotCreateTime" not in created["DBClusterSnapshot"]
    assert (half_way["Status"], half_way["PercentProgress"]) == ("creating", 50)
    assert (meanwhile, status_of(rds)) == ("backing-up", "available")
    wanted = {
        "DBClusterSnapshotIdentifier": "before-2",
        "DBClusterSnapshotArn": ARN,
        "DBClusterIdentifier": "notes",
        "Status": "available",
        "PercentProgress": 100,
        "SnapshotCreateTime": started_at,
        "StorageEncrypted": True,
        # Aurora's storage grows by itself.
        "AllocatedStorage": 0,
        "TagList": [{"Key": "by", "Value": "us"}],
    }
    assert {name: done[name] for name in wanted} == wanted


def test_a_finished_cluster_snapshot_tells_of_itself_in_the_documented_shape(cloud: Cloud) -> None:
    clock, rds, events = cloud
    rds.create_db_cluster_snapshot(SNAPSHOT)
    clock.run_for(10)

    assert [event["detail"]["EventID"] for event in events] == ["RDS-EVENT-0074", "RDS-EVENT-0075"]
    last = events[1]
    assert (last["detail-type"], last["resources"]) == ("RDS DB Cluster Snapshot Event", [ARN])
    assert last["detail"] == {
        "EventCategories": ["backup"],
        "SourceType": "CLUSTER_SNAPSHOT",
        "SourceArn": ARN,
        "Date": "2026-01-05T09:00:03.000Z",
        "Message": "Manual cluster snapshot created",
        "SourceIdentifier": "before-2",
        "EventID": "RDS-EVENT-0075",
    }


def test_refusals_carry_the_codes_of_the_service_model(cloud: Cloud) -> None:
    clock, rds, _ = cloud
    rds.create_db_cluster_snapshot(SNAPSHOT)
    another = {**SNAPSHOT, "DBClusterSnapshotIdentifier": "two"}
    busy = refused(lambda: rds.create_db_cluster_snapshot(another))
    clock.run_for(10)
    rds.set_policy(quota=1)

    found = {
        busy,
        refused(lambda: rds.create_db_cluster_snapshot(SNAPSHOT)),
        refused(lambda: rds.create_db_cluster_snapshot(another)),
        refused(lambda: rds.create_db_cluster_snapshot({**another, "DBClusterIdentifier": "x"})),
    }

    assert found == {
        ("InvalidDBClusterStateFault", 400),
        ("DBClusterSnapshotAlreadyExistsFault", 400),
        ("SnapshotQuotaExceeded", 400),
        ("DBClusterNotFoundFault", 404),
    }
    assert found <= modelled("CreateDBClusterSnapshot")
    missing = refused(lambda: snapshot(rds, "nothing"))
    assert missing == ("DBClusterSnapshotNotFoundFault", 404)
    assert missing in modelled("DescribeDBClusterSnapshots")


@pytest.mark.parametrize("name", ["2.0", "two--hyphens", "ends-", "a" * 64])
def test_a_name_that_rds_would_refuse_is_refused(cloud: Cloud, name: str) -> None:
    asked = {**SNAPSHOT, "DBClusterSnapshotIdentifier": name}

    assert refused(lambda: cloud[1].create_db_cluster_snapshot(asked)) == (
        "InvalidParameterValue",
        400,
    )


def test_a_name_is_stored_in_lower_case(cloud: Cloud) -> None:
    _, rds, _ = cloud
    rds.create_db_cluster_snapshot({**SNAPSHOT, "DBClusterSnapshotIdentifier": "Before-2"})

    assert snapshot(rds)["DBClusterSnapshotIdentifier"] == "before-2"


def test_an_instance_and_its_snapshots_may_have_the_names_of_a_cluster_and_of_its(
    cloud: Cloud,
) -> None:
    clock, rds, _ = cloud
    rds.create_db_instance(
        {
            "DBInstanceIdentifier": "notes",
            "DBInstanceClass": "db.t4g.micro",
            "Engine": "postgres",
            "MasterUsername": "notes",
            "MasterUserPassword": "secret",
        }
    )
    rds.create_db_snapshot({"DBSnapshotIdentifier": "before-2", "DBInstanceIdentifier": "notes"})
    rds.create_db_cluster_snapshot(SNAPSHOT)
    clock.run_for(10)

    assert snapshot(rds)["StorageEncrypted"] is True
    (instances,) = rds.describe_db_snapshots({})["DBSnapshots"]
    assert instances["Encrypted"] is False


def test_a_restore_is_a_new_cluster_and_leaves_the_old_one(cloud: Cloud) -> None:
    clock, rds, _ = cloud
    rds.create_db_cluster_snapshot(SNAPSHOT)
    clock.run_for(10)

    rds.restore_db_cluster_from_snapshot(
        {
            "DBClusterIdentifier": "notes-restored",
            "SnapshotIdentifier": "before-2",
            "Engine": "aurora-postgresql",
        }
    )

    clusters = rds.describe_db_clusters({})["DBClusters"]
    assert [each["DBClusterIdentifier"] for each in clusters] == ["notes", "notes-restored"]
    assert {each["StorageEncrypted"] for each in clusters} == {True}


def test_tags_are_added_and_listed_by_arn(cloud: Cloud) -> None:
    _, rds, _ = cloud
    rds.create_db_cluster_snapshot(SNAPSHOT)

    rds.add_tags_to_resource({"ResourceName": ARN, "Tags": [{"Key": "keep", "Value": "yes"}]})

    assert rds.list_tags_for_resource({"ResourceName": ARN}) == {
        "TagList": [{"Key": "keep", "Value": "yes"}]
    }


def test_a_deleted_cluster_snapshot_is_gone(cloud: Cloud) -> None:
    clock, rds, _ = cloud
    rds.create_db_cluster_snapshot(SNAPSHOT)
    name = {"DBClusterSnapshotIdentifier": "before-2"}
    too_early = refused(lambda: rds.delete_db_cluster_snapshot(name))
    clock.run_for(10)

    rds.delete_db_cluster_snapshot(name)

    assert too_early == ("InvalidDBClusterSnapshotStateFault", 400)
    assert refused(lambda: snapshot(rds)) == ("DBClusterSnapshotNotFoundFault", 404)


def test_a_deleted_cluster_is_gone(cloud: Cloud) -> None:
    _, rds, _ = cloud
    rds.delete_db_cluster({"DBClusterIdentifier": "notes", "SkipFinalSnapshot": True})

    found = refused(lambda: rds.describe_db_clusters({"DBClusterIdentifier": "notes"}))
    assert found == ("DBClusterNotFoundFault", 404)


def test_the_account_says_how_many_cluster_snapshots_it_may_have(cloud: Cloud) -> None:
    _, rds, _ = cloud
    rds.create_db_cluster_snapshot(SNAPSHOT)

    quotas = rds.describe_account_attributes({})["AccountQuotas"]

    assert {"AccountQuotaName": "ManualClusterSnapshots", "Used": 1, "Max": 100} in quotas
