"""The twin's engines in a simulated run: tasks and checks do what the image's script says."""

from collections.abc import Callable
from typing import Any

from cloud.simulation.world import BESIDE, LOGS, LOST, Image
from cloud.twin.clock import VirtualClock
from cloud.twin.engines import ProbeResult, ProbeTarget, Report, TaskReport, TaskSpec
from cloud.twin.scripted import NoTraffic

__all__ = ["Engines", "NoTraffic"]
START_SECONDS = 5.0
STOP_SECONDS = 1.0
CRASH_SECONDS = 3.0
TOOL_SECONDS = 2.0


class Engines:
    """A TaskEngine and a TargetProbe over the images of the simulated world."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._running: dict[str, tuple[TaskSpec, Report]] = {}
        self._at: dict[str, str] = {}
        self._numbers = 0
        self.images: dict[str, Image] = {}
        # Tasks whose command has ended while another container of theirs runs on.
        self.beside: set[str] = set()
        self._words: dict[str, tuple[str, ...]] = {}

    def start(self, task: TaskSpec, report: Report) -> str:
        self._numbers += 1
        address = f"10.0.{self._numbers // 250 % 256}.{self._numbers % 250 + 1}"
        self._running[task.task_id] = (task, report)
        self._at[address] = task.containers[0].digest
        self._clock.call_later(START_SECONDS, lambda: self._begin(task))
        return address

    def stop(self, task_id: str) -> None:
        self._clock.call_later(STOP_SECONDS, lambda: self._end(task_id, 0))

    def watch(self, target: ProbeTarget, report: Callable[[ProbeResult], None]) -> None:
        image = self.images.get(self._at[target.address])
        passes = image is None or image.passes_checks
        interval = target.settings["HealthCheckIntervalSeconds"]
        checks = 1 if passes else target.settings["UnhealthyThresholdCount"]
        for number in range(1, checks + 1):
            self._clock.call_later(number * interval, lambda: report(ProbeResult(passes)))

    def unwatch(self, target: ProbeTarget) -> None:
        pass

    def _begin(self, task: TaskSpec) -> None:
        if task.task_id not in self._running:
            return
        self._running[task.task_id][1](TaskReport("RUNNING"))
        after, code = self._script(task)
        if after is not None:
            self._clock.call_later(after, lambda: self._end(task.task_id, code))

    def _script(self, task: TaskSpec) -> tuple[float | None, int]:
        """After how many seconds the task ends by itself, and its exit code."""
        container = task.containers[0]
        image = self.images.get(container.digest)
        if image is None:
            return None, 0
        if container.command and "current" in container.command:
            self._words[task.task_id] = (image.at,)
            return TOOL_SECONDS, 0
        if container.command and "upgrade" in container.command:
            self._words[task.task_id] = LOGS.get(image.log, (f"log of {task.task_id}",))
            return image.migration_seconds, image.migration
        if container.command:
            return image.migration_seconds, image.downgrade
        return (None, 0) if image.exits is None else (CRASH_SECONDS, image.exits)

    def _end(self, task_id: str, exit_code: int) -> None:
        if task_id not in self._running:
            return
        task, report = self._running[task_id]
        codes = {each.name: exit_code for each in task.containers}
        how = self._how(task)
        if how == BESIDE and task_id not in self.beside:
            self.beside.add(task_id)
            return report(TaskReport("EXITED", codes))
        del self._running[task_id]
        if how == LOST:
            return report(TaskReport("STOPPED", reason="Host EC2 (instance i-1) terminated."))
        report(TaskReport("STOPPED", {} if task_id in self.beside else codes))

    def _how(self, task: TaskSpec) -> str:
        """What else becomes of a migration's task."""
        container = task.containers[0]
        image = self.images.get(container.digest)
        migrates = bool(container.command) and "upgrade" in (container.command or ())
        return image.how if image is not None and migrates else ""

    def words(self, task_id: str) -> tuple[str, ...]:
        """What a task has written."""
        return self._words.get(task_id, (f"log of {task_id}",))

    def running(self) -> list[TaskSpec]:
        """Every task that has been started and has not ended."""
        return [task for task, _ in self._running.values()]


def health_page(image: Image | None) -> dict[str, Any]:
    """What a deployed image answers on its health page."""
    version = image.version if image else "0"
    status = image.site if image else 200
    return {"status": status, "body": f'{{"version": "{version}"}}'.encode()}
