"""Starts the twin as a process that ends with the program that started it."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


class TwinNotStarted(Exception):
    """The twin did not come up; the message says why and where its log is."""


class TwinDoor:
    """The control door of a running twin."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, body: Any = None) -> Any:
        """One request to the control door; the JSON that it answers."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}{path}", data, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            content = answer.read()
        return json.loads(content) if content else None


class TwinProcess(TwinDoor):
    """A running twin, which ends with `stop`."""

    def __init__(self, state_dir: Path, arguments: list[str]) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self.log_file = state_dir / "twin.log"
        command = [sys.executable, "-m", "cloud.live", "--state", str(state_dir), *arguments]
        with self.log_file.open("w") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True
            )
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise TwinNotStarted(f"The twin ended while starting (log: {self.log_file})")
        super().__init__(json.loads(line)["address"])

    def stop(self) -> None:
        """End the twin and everything it runs; may be called again."""
        self._process.terminate()
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
