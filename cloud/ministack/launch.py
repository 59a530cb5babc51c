"""Starts MiniStack as a process that ends with the program that started it."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3

from packing import runtime_clients

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "000000000000"
REGION = "us-east-1"


class NotStarted(Exception):
    """MiniStack did not come up; the message says why and where its log is."""


class MiniStack:
    """A running MiniStack: `with MiniStack(folder, twin_url) as cloud: ...`"""

    def __init__(self, state_dir: Path, twin_url: str = "") -> None:
        self.endpoint_url = ""
        self.door_url = ""
        self.log_file = state_dir / "ministack.log"
        self._state_dir = state_dir
        self._twin_url = twin_url
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Start the process and return when it answers; raises NotStarted."""
        self._state_dir.mkdir(parents=True, exist_ok=True)
        clients = runtime_clients.install_missing()
        command = [sys.executable, "-m", "cloud.ministack", "--state-dir", str(self._state_dir)]
        command += ["--runtime-clients", str(clients), "--twin-url", self._twin_url]
        with self.log_file.open("w") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                text=True,
                start_new_session=True,
            )
        self._read_addresses(self._process)
        return self

    def stop(self) -> None:
        """End the process and everything it started; may be called again."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        self._process = None

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        return self._process.pid if self._process else None

    def environment(self) -> dict[str, str]:
        """The settings with which the AWS SDKs and tools reach this cloud as its owner."""
        return {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": REGION,
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of the cloud's owner."""
        session: Any = boto3.Session(
            aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION
        )
        return session.client(service, endpoint_url=self.endpoint_url, **options)

    def send_event(self, *envelopes: dict[str, Any]) -> None:
        """Deliver whole EventBridge events, also those of AWS services."""
        self._door("/events", list(envelopes))

    def calls(self) -> list[dict[str, Any]]:
        """The AWS calls so far: time, service, operation, caller, error."""
        answer: list[dict[str, Any]] = self._door("/calls")
        return answer

    def clear_calls(self) -> None:
        """Forget the calls so far."""
        self._door("/calls/clear", {})

    def workers(self) -> list[dict[str, Any]]:
        """The functions' running processes: function, version, pid, busy."""
        answer: list[dict[str, Any]] = self._door("/workers")
        return answer

    def kill(self, function: str) -> list[int]:
        """Kill the processes of a function as a crash would; returns their pids."""
        answer: dict[str, list[int]] = self._door("/kill", {"function": function})
        return answer["killed"]

    def crash(self, **point: Any) -> None:
        """Set a crash point (the fields of `cloud.crashes.CrashPoint`)."""
        self._door("/crashes", point)

    def crashes(self) -> list[dict[str, Any]]:
        """The crash points, with the process that each has killed."""
        answer: list[dict[str, Any]] = self._door("/crashes")
        return answer

    def _read_addresses(self, process: subprocess.Popen[str]) -> None:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            self.stop()
            raise NotStarted(f"MiniStack ended while starting: {self._last_words()}")
        addresses = json.loads(line)
        self.endpoint_url = addresses["endpoint_url"]
        self.door_url = addresses["door_url"]
        while not self._is_ready():
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        # The port is open before MiniStack serves it: the request waits there.
        try:
            urllib.request.urlopen(f"{self.endpoint_url}/_ministack/ready", timeout=30).close()
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            return False
        return True

    def _last_words(self) -> str:
        lines = self.log_file.read_text().strip().splitlines() or ["no reason given"]
        return f"{lines[-1]} (log: {self.log_file})"

    def _door(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.door_url}{path}", data=data, timeout=30) as answer:
            return json.load(answer)
