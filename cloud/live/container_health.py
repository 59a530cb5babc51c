"""The health check of a container: its command, run beside it again and again."""

import subprocess
import threading
from collections.abc import Callable, Mapping
from typing import Any

from cloud.live.processes import Program

SHORTEST_INTERVAL_SECONDS = 0.1


class ContainerHealth:
    """Runs the command in a thread and tells each change between HEALTHY and UNHEALTHY.

    The interval is divided by the speed; timeout and start period are the process's own time.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        program: Program,
        speed: float,
        tell: Callable[[str], None],
    ) -> None:
        self._arguments = _arguments(settings["command"])
        self._program = program
        interval = settings.get("interval", 30) / speed
        self._interval = max(interval, SHORTEST_INTERVAL_SECONDS)
        self._timeout = settings.get("timeout", 5)
        self._retries = settings.get("retries", 3)
        self._start_period = settings.get("startPeriod") or 0
        self._tell = tell
        self._over = threading.Event()
        threading.Thread(target=self._run, name="twin-health", daemon=True).start()

    def stop(self) -> None:
        self._over.set()

    def _run(self) -> None:
        status, failed, waited = "UNKNOWN", 0, 0.0
        while not self._over.wait(self._interval):
            waited += self._interval
            passed = self._passes()
            failed = 0 if passed or waited < self._start_period else failed + 1
            now = "HEALTHY" if passed else "UNHEALTHY" if failed >= self._retries else status
            if now != status:
                status = now
                self._tell(status)

    def _passes(self) -> bool:
        try:
            done = subprocess.run(
                self._arguments,
                cwd=self._program.folder,
                env=self._program.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self._timeout,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0


def _arguments(command: list[str]) -> list[str]:
    if command[0] == "CMD-SHELL":
        return ["/bin/sh", "-c", *command[1:]]
    return command[1:] if command[0] == "CMD" else command
