"""Tasks as real processes, each on a loopback address of its own."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloud.live.addresses import Addresses
from cloud.live.container_health import ContainerHealth
from cloud.live.logs import Stream, stream_of
from cloud.live.processes import Process, Program, Spawner
from cloud.live.programs import CannotStartError, ImageRoot, pinned, program
from cloud.live.secrets import SecretError
from cloud.twin.engines import ContainerSpec, Report, TaskReport, TaskSpec
from cloud.twin.errors import AwsError

STOP_SECONDS = 30
STARTERS = 4
FLUSH_SECONDS = 3.0

log = logging.getLogger(__name__)


@dataclass
class Outside:
    """What the tasks need of others: images, secrets, and where lines go.

    `image_root` answers, for an image by digest and an architecture, the folder with its file
    system and its OCI config.
    """

    image_root: ImageRoot
    secret: Callable[[str], str]
    line: Callable[[Stream, str], None]
    flush: Callable[[float], None] = lambda seconds: None
    image_bin: Path | None = None
    speed: float = 1.0


@dataclass
class Running:
    """One task on this machine."""

    spec: TaskSpec
    report: Report
    address: str
    processes: dict[str, Process] = field(default_factory=dict)
    checks: list[ContainerHealth] = field(default_factory=list)
    health: dict[str, str] = field(default_factory=dict)
    exit_codes: dict[str, int] = field(default_factory=dict)
    stopping: bool = False
    told_running: threading.Event = field(default_factory=threading.Event)


class LiveTasks:
    """A TaskEngine of real processes; `stop_all` ends every one of them."""

    def __init__(self, outside: Outside, addresses: Addresses) -> None:
        self._outside = outside
        self._addresses = addresses
        self._spawner = Spawner()
        self._starters = ThreadPoolExecutor(STARTERS, thread_name_prefix="twin-start")
        self._lock = threading.Lock()
        self._running: dict[str, Running] = {}

    def start(self, task: TaskSpec, report: Report) -> str:
        address = self._addresses.next(_ports(task))
        running = Running(task, report, address)
        self._running[task.task_id] = running
        self._starters.submit(self._begin, running)
        return address

    def stop(self, task_id: str) -> None:
        running = self._running.get(task_id)
        if running is not None:
            self._starters.submit(self._stop, running)

    def stop_all(self) -> None:
        """End every process at once."""
        self._starters.shutdown(wait=False, cancel_futures=True)
        for running in list(self._running.values()):
            with self._lock:
                running.stopping = True
                processes = list(running.processes.values())
            for process in processes:
                process.kill()

    def _begin(self, running: Running) -> None:
        try:
            programs = [(each, self._program(running, each)) for each in running.spec.containers]
            for container, found in programs:
                self._launch(running, container, found)
        except (AwsError, CannotStartError, SecretError, OSError) as cause:
            return self._never_ran(running, _words(cause))
        except Exception as cause:
            log.exception("task %s could not be started", running.spec.task_id)
            return self._never_ran(running, f"InternalError: {cause}")
        running.report(TaskReport("RUNNING"))
        running.told_running.set()

    def _program(self, running: Running, container: ContainerSpec) -> Program:
        root, config = self._outside.image_root(pinned(container), running.spec.architecture)
        secrets = {
            each["name"]: self._outside.secret(each["valueFrom"])
            for each in container.definition.get("secrets", [])
        }
        added = {**secrets, "HOST": running.address}
        return program(container, root, config, added, self._outside.image_bin)

    def _launch(self, running: Running, container: ContainerSpec, found: Program) -> None:
        name = container.name
        stream = stream_of(dict(container.definition), running.spec.task_id)
        stream = stream or ("", f"{name}/{running.spec.task_id}")
        with self._lock:
            if running.stopping:
                raise CannotStartError("Task stopped before its containers were started")
            running.processes[name] = Process(
                self._spawner.spawn(found),
                lambda text: self._outside.line(stream, text),
                lambda code: self._ended(running, container, code),
            )
        if "healthCheck" in container.definition:
            self._watch(running, name, container.definition["healthCheck"], found)

    def _watch(self, running: Running, name: str, settings: dict[str, Any], found: Program) -> None:
        running.health[name] = "UNKNOWN"
        check = ContainerHealth(
            settings, found, self._outside.speed, lambda status: self._judged(running, name, status)
        )
        running.checks.append(check)

    def _judged(self, running: Running, name: str, status: str) -> None:
        running.health[name] = status
        statuses = set(running.health.values())
        if "UNHEALTHY" in statuses:
            running.report(TaskReport("UNHEALTHY"))
        elif statuses == {"HEALTHY"}:
            running.report(TaskReport("HEALTHY"))

    def _stop(self, running: Running) -> None:
        with self._lock:
            running.stopping = True
            processes = dict(running.processes)
        for check in running.checks:
            check.stop()
        for name, process in processes.items():
            process.stop(_stop_seconds(running.spec, name))

    def _ended(self, running: Running, container: ContainerSpec, code: int) -> None:
        with self._lock:
            running.exit_codes[container.name] = code
            all_ended = len(running.exit_codes) == len(running.spec.containers)
            first = not running.stopping
        if all_ended:
            self._over(running)
        elif first and container.definition.get("essential", True):
            self._stop(running)
        elif first:
            running.report(TaskReport("EXITED", {container.name: code}))

    def _over(self, running: Running) -> None:
        for check in running.checks:
            check.stop()
        # A program may be over before the news of its start is out; the end comes second.
        running.told_running.wait(FLUSH_SECONDS)
        # Whoever hears of the end may read the log at once.
        self._outside.flush(FLUSH_SECONDS)
        self._running.pop(running.spec.task_id, None)
        running.report(TaskReport("STOPPED", dict(running.exit_codes)))

    def _never_ran(self, running: Running, reason: str) -> None:
        with self._lock:
            running.stopping = True
            processes = list(running.processes.values())
        for process in processes:
            process.kill()
        self._running.pop(running.spec.task_id, None)
        running.told_running.set()
        running.report(TaskReport("STOPPED", reason=reason))


def _ports(task: TaskSpec) -> list[int]:
    return [
        mapping["containerPort"]
        for container in task.containers
        for mapping in container.definition.get("portMappings", [])
        if "containerPort" in mapping
    ]


def _stop_seconds(task: TaskSpec, name: str) -> float:
    for container in task.containers:
        if container.name == name:
            return float(container.definition.get("stopTimeout", STOP_SECONDS))
    return STOP_SECONDS


def _words(cause: Exception) -> str:
    if isinstance(cause, AwsError):
        return f"CannotPullContainerError: {cause.message}"
    if isinstance(cause, OSError):
        return f"CannotStartContainerError: {cause}"
    return str(cause)
