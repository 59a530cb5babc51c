"""Scripted engines: tasks, health and traffic that do in virtual time what a script says."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from cloud.twin.clock import Clock
from cloud.twin.engines import ProbeResult, ProbeTarget, Report, Routing, TaskReport, TaskSpec

STOP_SECONDS = 1.0


@dataclass(frozen=True)
class TaskScript:
    """What becomes of one task; times in seconds of the cloud's time.

    `exits_after` counts from RUNNING; `alone` is the one container that ends then, the others run
    on; `cannot_start` is the reason of a task that never runs; `passes_checks` is what its targets'
    health checks find.
    """

    starts_after: float = 5.0
    exits_after: float | None = None
    exit_code: int = 0
    alone: str | None = None
    cannot_start: str | None = None
    passes_checks: bool = True


class ScriptedTasks:
    """A TaskEngine: asks the script once for each task, and plays it."""

    def __init__(self, clock: Clock, script: Callable[[TaskSpec], TaskScript]) -> None:
        self._clock = clock
        self._script = script
        self._numbers = itertools.count(1)
        self._reports: dict[str, tuple[TaskSpec, Report]] = {}
        self.scripts: dict[str, TaskScript] = {}

    def start(self, task: TaskSpec, report: Report) -> str:
        script = self._script(task)
        address = _address(next(self._numbers))
        self.scripts[address] = script
        self._reports[task.task_id] = (task, report)
        self._clock.call_later(script.starts_after, lambda: self._begin(task, script))
        return address

    def stop(self, task_id: str) -> None:
        self._clock.call_later(STOP_SECONDS, lambda: self._end(task_id, 0, None))

    def _begin(self, task: TaskSpec, script: TaskScript) -> None:
        if task.task_id not in self._reports:
            return
        if script.cannot_start is not None:
            _, report = self._reports.pop(task.task_id)
            return report(TaskReport("STOPPED", reason=script.cannot_start))
        self._reports[task.task_id][1](TaskReport("RUNNING"))
        if script.exits_after is not None:
            self._clock.call_later(script.exits_after, lambda: self._exit(task.task_id, script))

    def _exit(self, task_id: str, script: TaskScript) -> None:
        if script.alone is None:
            return self._end(task_id, script.exit_code, None)
        if task_id in self._reports:
            _, report = self._reports[task_id]
            report(TaskReport("EXITED", {script.alone: script.exit_code}))

    def _end(self, task_id: str, exit_code: int, reason: str | None) -> None:
        if task_id not in self._reports:
            return
        task, report = self._reports.pop(task_id)
        codes = {each.name: exit_code for each in task.containers}
        report(TaskReport("STOPPED", codes, reason))


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
