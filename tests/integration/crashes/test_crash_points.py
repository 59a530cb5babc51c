"""A crash point kills the process behind the call that it describes, and no other."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from cloud.crashes import CrashPoints, owner

_CALLER = (
    "import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); s.recv(1)"
)


@pytest.fixture
def caller() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A process with an open connection, and the port that it calls from."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-c", _CALLER, str(server.getsockname()[1])]
        with subprocess.Popen(command) as process:
            connection, (_, port) = server.accept()
            yield process, port
            connection.close()


def test_the_owner_of_a_port_is_the_process_that_calls_from_it(
    caller: tuple[subprocess.Popen[bytes], int],
) -> None:
    process, port = caller

    assert owner(port) == process.pid


def test_a_port_that_nobody_calls_from_has_no_owner() -> None:
    with socket.socket() as idle:
        idle.bind(("127.0.0.1", 0))

        assert owner(idle.getsockname()[1]) is None


def test_only_the_call_that_was_described_is_a_crash(
    caller: tuple[subprocess.Popen[bytes], int],
) -> None:
    process, port = caller
    points = CrashPoints()
    points.add(caller="deploy", operation="UpdateService", containing="staging", nth=2)

    for who, operation, body in (
        ("rollback", "UpdateService", "staging"),
        ("deploy", "RunTask", "staging"),
        ("deploy", "UpdateService", "production"),
        ("deploy", "UpdateService", "staging"),
    ):
        points.strike(who, operation, body, port)
    assert process.poll() is None

    points.strike("deploy", "UpdateService", "staging", port)

    assert process.wait(timeout=10) == -signal.SIGKILL
    assert [(row["seen"], row["killed"]) for row in points.rows()] == [(2, process.pid)]


def test_a_crash_point_strikes_once() -> None:
    points = CrashPoints()
    points.add(caller="deploy", operation="UpdateService")

    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = server.getsockname()[1]
        for _ in range(3):
            points.strike("deploy", "UpdateService", "", nobody)

    assert [(row["seen"], row["killed"]) for row in points.rows()] == [(3, None)]
