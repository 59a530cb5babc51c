"""Scripted engines: tasks, health and traffic that do in virtual time what a script says."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from cloud.twin.clock import Clock
from cloud.twin.engines import ProbeResult, ProbeTarget, Report, Routing, TaskReport, TaskSpec

STOP_SECONDS = 1.0
_HOST_LOST = "Host EC2 (instance i-1) terminated."


@dataclass(frozen=True)
class TaskScript:
    """What becomes of one task; times in seconds of the cloud's time.

    `exits_after` counts from RUNNING; `alone` is the one container that exits then while the others
    keep running, and with `host_lost` no exit code is known. `cannot_start` is the reason of a task
    that never runs; `passes_checks` is what its targets' health checks find.
    """

    starts_after: float = 5.0
    exits_after: float | None = None
    exit_code: int = 0
    alone: str | None = None
    host_lost: bool = False
    cannot_start: str | None = None
    passes_checks: bool = True


@dataclass
class _Run:
    """A task that was started and has not ended."""

    task: TaskSpec
    script: TaskScript
    report: Report
    exited: set[str] = field(default_factory=set)


class ScriptedTasks:
    """A TaskEngine: asks the script once for each task, and plays it."""

    def __init__(self, clock: Clock, script: Callable[[TaskSpec], TaskScript]) -> None:
        self._clock = clock
        self._script = script
        self._numbers = itertools.count(1)
        self._runs: dict[str, _Run] = {}
        self.scripts: dict[str, TaskScript] = {}

    def start(self, task: TaskSpec, report: Report) -> str:
        script = self._script(task)
        address = _address(next(self._numbers))
        self.scripts[address] = script
        self._runs[task.task_id] = _Run(task, script, report)
        self._clock.call_later(script.starts_after, lambda: self._begin(task.task_id))
        return address

    def stop(self, task_id: str) -> None:
        self._clock.call_later(STOP_SECONDS, lambda: self._end(task_id, 0))

    def running(self) -> list[TaskSpec]:
        """Every task that was started and has not ended."""
        return [run.task for run in self._runs.values()]

    def has_exited(self, task_id: str) -> bool:
        """Whether a container of a running task has exited while the others keep running."""
        return bool(self._runs[task_id].exited)

    def _begin(self, task_id: str) -> None:
        run = self._runs.get(task_id)
        if run is None:
            return
        if run.script.cannot_start is not None:
            del self._runs[task_id]
            return run.report(TaskReport("STOPPED", reason=run.script.cannot_start))
        run.report(TaskReport("RUNNING"))
        if run.script.exits_after is not None:
            self._clock.call_later(run.script.exits_after, lambda: self._exit(task_id, run.script))

    def _exit(self, task_id: str, script: TaskScript) -> None:
        if script.alone is None:
            return self._end(task_id, script.exit_code)
        run = self._runs.get(task_id)
        if run is not None:
            run.exited.add(script.alone)
            run.report(TaskReport("EXITED", {script.alone: script.exit_code}))

    def _end(self, task_id: str, exit_code: int) -> None:
        run = self._runs.pop(task_id, None)
        if run is None:
            return
        if run.script.host_lost:
            return run.report(TaskReport("STOPPED", reason=_HOST_LOST))
        names = [each.name for each in run.task.containers if each.name not in run.exited]
        run.report(TaskReport("STOPPED", {name: exit_code for name in names}))


class ScriptedProbe:
    """A TargetProbe: one report when all is well, the threshold's number when it is not."""

    def __init__(self, clock: Clock, tasks: ScriptedTasks) -> None:
        self._clock = clock
        self._tasks = tasks

    def watch(self, target: ProbeTarget, report: Callable[[ProbeResult], None]) -> None:
        passes = self._tasks.scripts[target.address].passes_checks
        interval = target.settings["HealthCheckIntervalSeconds"]
        checks = 1 if passes else target.settings["UnhealthyThresholdCount"]
        for number in range(1, checks + 1):
            self._clock.call_later(number * interval, lambda: report(ProbeResult(passes)))

    def unwatch(self, target: ProbeTarget) -> None:
        pass


class NoTraffic:
    """A TrafficEngine that carries nothing."""

    def address(self, load_balancer_arn: str) -> str:
        return f"{load_balancer_arn.split('/')[-2]}.us-east-1.elb.amazonaws.com"

    def listen(self, listener_arn: str, address: str, port: int, protocol: str) -> int:
        return port

    def route(self, listener_arn: str, routing: Routing) -> None:
        pass

    def close(self, listener_arn: str) -> None:
        pass


def _address(number: int) -> str:
    return f"10.0.{number // 250 % 256}.{number % 250 + 1}"
