"""The life of a task: PROVISIONING, PENDING, RUNNING, DEACTIVATING, STOPPING, STOPPED."""

from collections.abc import Callable
from functools import partial
from typing import Literal

from cloud.twin.ecs.task_targets import TaskTargets
from cloud.twin.ecs.tasks import Task, tell_change
from cloud.twin.engines import TaskEngine, TaskReport
from cloud.twin.errors import AwsError
from cloud.twin.world import World

# ECS's own work around a container, in seconds of the cloud's time.
PROVISIONING_SECONDS = 3.0
DEPROVISIONING_SECONDS = 2.0

Change = Literal["running", "health", "leaving", "stopped"]
ResolveImage = Callable[[str], str | None]


class TaskRunner:
    """Moves tasks through their life and tells the listener of each step that matters."""

    def __init__(
        self,
        world: World,
        engine: TaskEngine,
        targets: TaskTargets,
        resolve_image: ResolveImage,
        listener: Callable[[Task, Change], None],
    ) -> None:
        self._world = world
        self._engine = engine
        self._targets = targets
        self._resolve_image = resolve_image
        self._listener = listener
        # Why a cluster's next task does not start; whoever plays an outage sets it.
        self.start_failure: Callable[[str], str | None] = _starts

    def launch(self, task: Task) -> None:
        """Begin the life of a task."""
        tell_change(self._world, task)
        self._world.clock.call_later(PROVISIONING_SECONDS, lambda: self._pull(task))

    def stop(self, task: Task, code: str, reason: str) -> None:
        """End a task: it leaves its load balancers first, then its processes are ended."""
        if task.desired_status == "STOPPED":
            return
        self._mark(task, code, reason)
        if task.last_status == "RUNNING" and task.targets:
            self._move(task, "DEACTIVATING")
            delay = self._targets.leave(task)
            self._world.clock.call_later(delay, lambda: self._terminate(task))
        else:
            self._terminate(task)
        self._listener(task, "leaving")

    def _pull(self, task: Task) -> None:
        if task.desired_status == "STOPPED":
            return
        missing = self._resolve(task)
        if missing is not None:
            return self._failed_to_start(task, _cannot_pull(missing))
        reason = self.start_failure(task.cluster_arn)
        if reason is not None:
            return self._failed_to_start(task, reason)
        self._move(task, "PENDING")
        task.engaged = True
        # A plain function with its arguments, so that a simulated cloud can be copied as it runs.
        task.address = self._engine.start(task.spec(), partial(self._report, task))

    def _resolve(self, task: Task) -> str | None:
        """Fix every image to its digest; the image that is missing, or None."""
        known = task.deployment.revision.images if task.deployment else {}
        for container in task.container_definitions:
            name, image = container["name"], container["image"]
            digest = known.get(name) or self._digest(image)
            if digest is None:
                return str(image)
            # All tasks of a deployment run what its first one resolved, however tags move.
            known[name] = task.images[name] = digest
        return None

    def _digest(self, image: str) -> str | None:
        try:
            return self._resolve_image(image)
        except AwsError:
            return None

    def _report(self, task: Task, report: TaskReport) -> None:
        self._world.clock.call_later(0, lambda: self._heard(task, report))

    def _heard(self, task: Task, report: TaskReport) -> None:
        if task.ended:
            return
        if report.status == "RUNNING":
            self._running(task)
        elif report.status == "STOPPED":
            self._exited(task, report)
        elif report.status == "EXITED":
            task.exit_codes.update(report.exit_codes)
            tell_change(self._world, task)
        else:
            task.container_health = report.status
            self._listener(task, "health")

    def _running(self, task: Task) -> None:
        if task.last_status != "PENDING":
            return
        task.started_at = self._world.clock.now()
        self._move(task, "RUNNING")
        if task.deployment:
            self._targets.join(task, task.deployment.revision.load_balancers)
        self._listener(task, "running")

    def _exited(self, task: Task, report: TaskReport) -> None:
        task.exit_codes.update(report.exit_codes)
        if task.started_at is None and task.desired_status == "RUNNING":
            return self._failed_to_start(task, report.reason or "Task failed to start")
        task.failure = report.reason
        self._mark(task, "EssentialContainerExited", "Essential container in task exited")
        self._deprovision(task)

    def _failed_to_start(self, task: Task, reason: str) -> None:
        task.failure = reason
        self._mark(task, "TaskFailedToStart", reason)
        self._deprovision(task)

    def _mark(self, task: Task, code: str, reason: str) -> None:
        """Want the task stopped; the first reason given is the one that stays."""
        if task.desired_status == "STOPPED":
            return
        task.desired_status = "STOPPED"
        task.stop_code, task.stopped_reason = code, reason
        task.stopping_at = self._world.clock.now()

    def _terminate(self, task: Task) -> None:
        if task.ended:
            return
        if not task.engaged:
            return self._deprovision(task)
        self._move(task, "STOPPING")
        self._engine.stop(task.id)

    def _deprovision(self, task: Task) -> None:
        task.healthy = False
        self._move(task, "DEPROVISIONING")
        self._targets.leave(task)
        self._listener(task, "leaving")
        self._world.clock.call_later(DEPROVISIONING_SECONDS, lambda: self._stopped(task))

    def _stopped(self, task: Task) -> None:
        task.stopped_at = self._world.clock.now()
        self._move(task, "STOPPED")
        self._listener(task, "stopped")

    def _move(self, task: Task, status: str) -> None:
        task.last_status = status
        tell_change(self._world, task)


def _starts(cluster_arn: str) -> None:
    """Nothing keeps the tasks of a cluster from starting."""


def _cannot_pull(image: str) -> str:
    return (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
        f"failed to resolve ref {image}: {image}: not found"
    )
