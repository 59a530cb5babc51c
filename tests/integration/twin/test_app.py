"""The example application for real: pushed, unpacked, migrated, served, backed up and restored."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from cloud.image import push_version
from tests.integration.twin.data_cloud import IMAGE_BIN, REGISTRY, LiveData, live_data, wait_for

PASSWORD = "p@ss:w/rd"
QUOTED_PASSWORD = "p%40ss%3Aw%2Frd"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveData]:
    with live_data(tmp_path_factory.mktemp("twin"), IMAGE_BIN) as running:
        running.client("ecr").create_repository(repositoryName="notes")
        for version in ("bootstrap", "v1", "v2", "v3", "v4", "v5", "v6"):
            push_version(running.url, "notes", version, version)
        yield running


class Database:
    """One DB instance of the twin, and what runs against it."""

    def __init__(self, cloud: LiveData, name: str) -> None:
        self.cloud = cloud
        self.name = name
        self.rds = cloud.client("rds")

    def create(self) -> None:
        self.rds.create_db_instance(
            DBInstanceIdentifier=self.name,
            DBInstanceClass="db.t4g.micro",
            Engine="postgres",
            DBName="notes",
            MasterUsername="notes",
            MasterUserPassword=PASSWORD,
        )

    @property
    def url(self) -> str:
        """Waits until the instance is available."""
        endpoint = wait_for(self._endpoint, f"{self.name} available")
        where = f"{endpoint['Address']}:{endpoint['Port']}"
        return f"postgresql://notes:{QUOTED_PASSWORD}@{where}/notes"

    def run(self, version: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the version's image to its end."""
        environment = image_environment(self.cloud, version)
        return subprocess.run(
            command,
            cwd=working_dir(self.cloud, version),
            env={**environment, "DATABASE_URL": self.url},
            capture_output=True,
            text=True,
            check=False,
        )

    def revision(self) -> str:
        return self.run("v4", "alembic", "current").stdout.strip().removesuffix(" (head)")

    def _endpoint(self) -> dict[str, Any] | None:
        found = self.rds.describe_db_instances(DBInstanceIdentifier=self.name)["DBInstances"][0]
        return found["Endpoint"] if found["DBInstanceStatus"] == "available" else None


class ClusterDatabase(Database):
    """The same as an Aurora cluster."""

    def create(self) -> None:
        self.rds.create_db_cluster(
            DBClusterIdentifier=self.name,
            Engine="aurora-postgresql",
            DatabaseName="notes",
            MasterUsername="notes",
            MasterUserPassword=PASSWORD,
        )

    def _endpoint(self) -> dict[str, Any] | None:
        found = self.rds.describe_db_clusters(DBClusterIdentifier=self.name)["DBClusters"][0]
        endpoint = {"Address": found.get("Endpoint"), "Port": found.get("Port")}
        return endpoint if found["Status"] == "available" else None


@pytest.fixture(scope="module")
def database(cloud: LiveData) -> Database:
    created = Database(cloud, "notes")
    created.create()
    return created


def working_dir(cloud: LiveData, version: str) -> Path:
    root, config = cloud.half.image_roots.image_root(f"{REGISTRY}/notes:{version}")
    return root / str(config["WorkingDir"]).lstrip("/")


def image_environment(cloud: LiveData, version: str) -> dict[str, str]:
    _, config = cloud.half.image_roots.image_root(f"{REGISTRY}/notes:{version}")
    baked = dict(entry.split("=", 1) for entry in config["Env"])
    return {"PATH": f"{IMAGE_BIN}{os.pathsep}{os.defpath}", "PYTHONDONTWRITEBYTECODE": "1", **baked}


@contextmanager
def serving(cloud: LiveData, version: str, database_url: str = "") -> Iterator[str]:
    """The address at which the version serves for as long as the block lasts."""
    with running(cloud, version, database_url) as (address, _):
        yield address


@contextmanager
def running(
    cloud: LiveData, version: str, database_url: str = ""
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The version's own command, serving on a free port; it must end with 0 on SIGTERM."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"HOST": "127.0.0.1", "PORT": str(port), "DATABASE_URL": database_url}
    process = subprocess.Popen(
        ["python", "-m", "notes"],
        cwd=working_dir(cloud, version),
        env={**image_environment(cloud, version), **settings},
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: _answers(address), f"{version} serving")
        yield address, process
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def get(url: str) -> tuple[int, Any]:
    response = requests.get(url, timeout=10)
    return response.status_code, response.json()


def test_the_bootstrap_version_serves_without_a_database(cloud: LiveData) -> None:
    with serving(cloud, "bootstrap") as address:
        assert get(f"{address}/health") == (200, {"status": "ok", "version": "0"})
        assert get(f"{address}/health/db")[0] == 503


def test_a_release_migrates_serves_and_is_restored_from_its_snapshot(
    cloud: LiveData, database: Database
) -> None:
    pushes = [each["detail"] for each in cloud.sink.emitted if each["source"] == "aws.ecr"]
    assert ("v1", "PUSH") in [(each["image-tag"], each["action-type"]) for each in pushes]

    assert database.run("v1", "alembic", "upgrade", "head").returncode == 0
    with serving(cloud, "v1", database.url) as address:
        assert get(f"{address}/health") == (200, {"status": "ok", "version": "1"})
        assert get(f"{address}/health/db") == (200, {"status": "ok", "version": "1"})
        kept = requests.post(f"{address}/notes", json={"text": "kept"}, timeout=10)
        assert kept.status_code == 201
        _snapshot(cloud, database)
        requests.post(f"{address}/notes", json={"text": "after"}, timeout=10)
        assert [note["text"] for note in get(f"{address}/notes")[1]] == ["after", "kept"]

    restored = Database(cloud, "notes-restored")
    restored.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="notes-restored", DBSnapshotIdentifier="before-after"
    )
    with serving(cloud, "v1", restored.url) as address:
        assert [note["text"] for note in get(f"{address}/notes")[1]] == ["kept"]
    restored.rds.delete_db_instance(DBInstanceIdentifier="notes-restored", SkipFinalSnapshot=True)


def test_the_data_of_a_cluster_is_restored_from_its_snapshot(cloud: LiveData) -> None:
    cluster = ClusterDatabase(cloud, "shared")
    cluster.create()
    assert cluster.run("v1", "alembic", "upgrade", "head").returncode == 0
    cluster.rds.create_db_cluster_snapshot(
        DBClusterIdentifier="shared", DBClusterSnapshotIdentifier="before"
    )
    cluster.rds.get_waiter("db_cluster_snapshot_available").wait(
        DBClusterSnapshotIdentifier="before", WaiterConfig={"Delay": 1}
    )

    cluster.rds.restore_db_cluster_from_snapshot(
        DBClusterIdentifier="shared-restored",
        SnapshotIdentifier="before",
        Engine="aurora-postgresql",
    )

    restored = ClusterDatabase(cloud, "shared-restored")
    assert restored.revision() == cluster.revision() != ""


def test_an_additive_migration_runs_while_the_previous_version_serves(
    cloud: LiveData, database: Database
) -> None:
    assert database.run("v1", "alembic", "upgrade", "head").returncode == 0
    with serving(cloud, "v1", database.url) as old:
        assert database.run("v2", "alembic", "upgrade", "head").returncode == 0
        written = requests.post(f"{old}/notes", json={"text": "by the old version"}, timeout=10)
        assert written.status_code == 201
        with serving(cloud, "v2", database.url) as new:
            requests.post(f"{new}/notes", json={"text": "new", "author": "ada"}, timeout=10)
            assert [note["author"] for note in get(f"{new}/notes")[1][:2]] == ["ada", None]
        assert get(f"{old}/notes")[0] == 200


def test_the_half_way_migration_keeps_its_first_revision_and_can_be_taken_back(
    database: Database,
) -> None:
    assert database.run("v2", "alembic", "upgrade", "head").returncode == 0

    failed = database.run("v4", "alembic", "upgrade", "head")

    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1] == (
        'notes cannot migrate: column "archived_on" does not exist'
    )
    assert database.revision() == "0003_archived_at"
    assert database.run("v4", "alembic", "downgrade", "0002_author").returncode == 0
    assert database.revision() == "0002_author"


def test_the_last_version_is_good_again_and_every_migration_can_be_undone(
    cloud: LiveData, database: Database
) -> None:
    assert database.run("v6", "alembic", "upgrade", "head").returncode == 0
    with serving(cloud, "v6", database.url) as address:
        posted = requests.post(f"{address}/notes", json={"text": "x", "pinned": True}, timeout=10)
        assert posted.json()["pinned"] is True

    assert database.run("v6", "alembic", "downgrade", "base").returncode == 0
    assert database.run("v6", "alembic", "upgrade", "head").returncode == 0
    assert database.run("v6", "alembic", "downgrade", "0002_author").returncode == 0


def test_version_3_serves_but_says_that_it_is_not_well(cloud: LiveData, database: Database) -> None:
    with serving(cloud, "v3", database.url) as address:
        assert get(f"{address}/health")[0] == 500
        assert get(f"{address}/") == (200, {"service": "notes", "version": "3"})
        assert get(f"{address}/health/db")[0] == 200


def test_version_5_says_in_one_sentence_why_it_cannot_start(database: Database) -> None:
    crashed = database.run("v5", "python", "-m", "notes")

    assert crashed.returncode == 1
    assert crashed.stderr == (
        "notes cannot start: the environment variable NOTES_SEARCH_ENDPOINT is not set\n"
    )


def test_a_request_in_flight_is_finished_after_sigterm(cloud: LiveData, database: Database) -> None:
    with running(cloud, "v2", database.url) as (address, process):
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            head = f"POST /notes HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            body = b'{"text": "in flight"}'
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:5])
            wait_for(lambda: _answers(address), "a second request")
            process.send_signal(signal.SIGTERM)
            wait_for(lambda: not _answers(address), "the listener closed")
            connection.sendall(body[5:])
            assert connection.recv(100).startswith(b"HTTP/1.1 201")


def _snapshot(cloud: LiveData, database: Database) -> None:
    rds = database.rds
    rds.create_db_snapshot(DBSnapshotIdentifier="before-after", DBInstanceIdentifier=database.name)

    def available() -> bool:
        found = rds.describe_db_snapshots(DBSnapshotIdentifier="before-after")["DBSnapshots"][0]
        return bool(found["Status"] == "available")

    wait_for(available, "snapshot available")


def _answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/", timeout=5).ok
    except requests.ConnectionError:
        return False
