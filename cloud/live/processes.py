"""One container as a process group of the host."""

import contextlib
import ctypes
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
PUMP_SECONDS = 2.0
_libc = ctypes.CDLL(None)


@dataclass(frozen=True)
class Program:
    """What to run: arguments, folder, environment."""

    arguments: list[str]
    folder: Path
    environment: dict[str, str]


class Spawner:
    """Starts processes from one thread that lives as long as the twin.

    Linux ends a child with PR_SET_PDEATHSIG when the *thread* that forked it is gone.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="twin-spawn")

    def spawn(self, program: Program) -> subprocess.Popen[bytes]:
        """Start the program with its output in one pipe; OSError if there is no such program."""
        return self._pool.submit(_start, program).result()


class Process:
    """A running program: its lines go to `line`, its end to `ended` with the exit code."""

    def __init__(
        self,
        popen: subprocess.Popen[bytes],
        line: Callable[[str], None],
        ended: Callable[[int], None],
    ) -> None:
        self._popen = popen
        self._line = line
        self._ended = ended
        self._pump = threading.Thread(target=self._read, name="twin-output", daemon=True)
        self._pump.start()
        threading.Thread(target=self._wait, name="twin-wait", daemon=True).start()

    def stop(self, timeout_seconds: float) -> None:
        """SIGTERM to the program, SIGKILL to its whole group when the time is over."""
        self._signal(signal.SIGTERM)
        timer = threading.Timer(timeout_seconds, self.kill)
        timer.daemon = True
        timer.start()

    def kill(self) -> None:
        """SIGKILL to the whole group."""
        if self._popen.poll() is None:
            self._kill_group()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._popen.send_signal(number)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for raw in self._popen.stdout:
            self._line(raw.decode(errors="replace").rstrip("\r\n"))
        self._popen.stdout.close()

    def _wait(self) -> None:
        code = self._popen.wait()
        # What a container leaves behind ends with it.
        self._kill_group()
        self._pump.join(PUMP_SECONDS)
        # A shell and a container engine show the end by signal N as 128 + N.
        self._ended(code if code >= 0 else 128 - code)


def _start(program: Program) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        program.arguments,
        cwd=program.folder,
        env=program.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_end_with_parent,
    )


def _end_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
