"""Crashes on purpose: who made a certain call is killed once it had its effect, unanswered.

The launcher and the twin ask here after every call and before its answer leaves. That is the worst
moment for the caller: what it asked for was done, and it can remember nothing of it.
"""

import os
import re
import signal
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_PROCESSES = Path("/proc")
_ESTABLISHED = "01"


@dataclass
class CrashPoint:
    """The n-th matching call ends its caller; `containing` is a text of the request's body."""

    caller: str
    operation: str
    containing: str = ""
    nth: int = 1
    seen: int = 0
    killed: int | None = None

    def matches(self, caller: str, operation: str, body: str) -> bool:
        """Whether this is one of the calls that count."""
        return (caller, operation) == (self.caller, self.operation) and self.containing in body


class CrashPoints:
    """The crash points of one server; safe to use from several threads."""

    def __init__(self) -> None:
        self._points: list[CrashPoint] = []
        self._lock = threading.Lock()

    def add(self, **point: Any) -> list[dict[str, Any]]:
        """Set a crash point; raises TypeError for fields that it does not have."""
        with self._lock:
            self._points.append(CrashPoint(**point))
        return self.rows()

    def rows(self) -> list[dict[str, Any]]:
        """The points, with the process that each has killed."""
        with self._lock:
            return [asdict(point) for point in self._points]

    def strike(self, caller: str, operation: str, body: str, port: int) -> None:
        """Kill the process behind this client port if its call is a crash point."""
        for point in self._struck(caller, operation, body):
            pid = owner(port)
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
            point.killed = pid

    def _struck(self, caller: str, operation: str, body: str) -> list[CrashPoint]:
        with self._lock:
            matching = [p for p in self._points if p.matches(caller, operation, body)]
            for point in matching:
                point.seen += 1
            return [p for p in matching if p.seen == p.nth and p.killed is None]


def owner(port: int) -> int | None:
    """The process with a connection from this loopback port; read as proc(5) describes it."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    for process in _PROCESSES.iterdir():
        if process.name.isdecimal() and sockets & set(_open_files(process)):
            return int(process.name)
    return None


def _inodes(port: int) -> Iterator[str]:
    for line in (_PROCESSES / "net" / "tcp").read_text().splitlines()[1:]:
        fields = line.split()
        local, state, inode = fields[1], fields[3], fields[9]
        if state == _ESTABLISHED and re.fullmatch(rf"[0-9A-F]{{8}}:{port:04X}", local):
            yield inode


def _open_files(process: Path) -> Iterator[str]:
    # A process may end, or belong to somebody else, while it is looked at.
    try:
        for file in (process / "fd").iterdir():
            yield os.readlink(file)
    except OSError:
        return
