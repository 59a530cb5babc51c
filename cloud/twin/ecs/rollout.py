"""The rolling deployment: new tasks up to the maximum, old ones down to the minimum."""

from collections.abc import Callable

from cloud.twin.ecs.service_deployments import ServiceDeployment
from cloud.twin.ecs.service_log import ServiceLog
from cloud.twin.ecs.services import Deployment, Revision, Service
from cloud.twin.ecs.task_runner import TaskRunner
from cloud.twin.ecs.tasks import Task
from cloud.twin.world import World

# A service that keeps losing tasks is given new ones ever more slowly, up to this pause.
RELAUNCH_SECONDS = 5.0
LONGEST_RELAUNCH_SECONDS = 300.0
# Recorded: ECS's own rollback took 79 to 106 seconds though the old tasks were never removed.
ROLLBACK_SECONDS = 79.0
# Recorded: the failed deployment is shown as ACTIVE and still IN_PROGRESS first.
SHOWN_IN_PROGRESS_SECONDS = 10.0
NO_CANDIDATE = "No rollback candidate was found to run the rollback."
FAILED_TO_START = "tasks failed to start"
THRESHOLD_EXCEEDED = "the circuit breaker threshold was exceeded"

NewTask = Callable[[Service, Deployment], Task]
BakeSeconds = Callable[[Service, ServiceDeployment], float]


class RollingRollout:
    """Brings a service one step nearer to its PRIMARY deployment, and judges the rollout."""

    def __init__(
        self,
        world: World,
        runner: TaskRunner,
        log: ServiceLog,
        new_task: NewTask,
        bake_seconds: BakeSeconds,
        poke: Callable[[Service], None],
    ) -> None:
        self._world = world
        self._runner = runner
        self._log = log
        self._new_task = new_task
        self._bake_seconds = bake_seconds
        self._poke = poke

    def step(self, service: Service) -> None:
        """Start, stop and judge what the present state allows."""
        self._open(service)
        self._launch(service, service.primary)
        self._retire(service, service.primary)
        self._settle(service, service.primary)

    def task_failed(self, service: Service, deployment: Deployment) -> None:
        """Count a task that never became healthy, or lost its health and was stopped."""
        deployment.failed_tasks += 1
        self._delay_launch(deployment)
        current = service.current
        judged = deployment is service.primary and deployment.rollout_state == "IN_PROGRESS"
        if current is not None and judged and self._trips(current, deployment):
            reason = f"ECS deployment circuit breaker: {FAILED_TO_START}."
            self.fail(service, current, reason, current.breaker.rollback, THRESHOLD_EXCEEDED)

    def _trips(self, current: ServiceDeployment, deployment: Deployment) -> bool:
        """Whether a failed task gives the deployment up; a rollback is counted from zero."""
        if current.rolling_back:
            return current.breaker.enabled and deployment.failed_tasks >= current.breaker.threshold
        return current.breaker.task_failed()

    def task_healthy(self, service: Service, deployment: Deployment) -> None:
        """Note that a task of the deployment is healthy."""
        deployment.failed_tasks = 0
        deployment.paused = False
        current = service.current
        if current is not None and deployment is service.primary and not current.rolling_back:
            current.breaker.task_healthy()

    def alarm_fired(self, service: Service, current: ServiceDeployment, name: str) -> None:
        """Give a deployment up for its alarm, unless that fired before the deployment began."""
        watch = current.alarms
        if watch.enabled and name in watch.names and name not in watch.ignored:
            watch.triggered.append(name)
            reason = "ECS deployment failed: alarm detected."
            self.fail(service, current, reason, watch.rollback, f"alarm {name} was triggered")

    def give_up(self, service: Service, current: ServiceDeployment, cause: str) -> None:
        """Give a deployment up because somebody asked for it."""
        reason = "ECS deployment failed: deployment stopped."
        self.fail(service, current, reason, True, cause)

    def fail(
        self,
        service: Service,
        current: ServiceDeployment,
        reason: str,
        rollback: bool,
        cause: str,
    ) -> None:
        """Give the PRIMARY deployment up; roll back if wanted and if there is where to."""
        failed = service.primary
        self._set_rollout(failed, "FAILED", reason)
        why = reason.partition(": ")[2].rstrip(".") or reason
        self._log.failed(service, failed, why, event=current.breaker.enabled)
        target = service.last_completed
        if rollback and target is not None and target is not failed:
            self._show_late(failed)
            return self.roll_back(service, current, target, cause)
        # Without a completed deployment ECS launches no more tasks, and the rollout stalls.
        if rollback:
            self._close(current, "ROLLBACK_FAILED", NO_CANDIDATE)
        else:
            self._close(current, "STOPPED", f"Service deployment failed because {cause}.")
        current.stopped_at = current.updated_at

    def _show_late(self, failed: Deployment) -> None:
        """Let the API show the failure a moment after the event has told it."""
        failed.shown_state = "IN_PROGRESS"
        self._world.clock.call_later(SHOWN_IN_PROGRESS_SECONDS, failed.show)

    def roll_back(
        self, service: Service, current: ServiceDeployment, target: Deployment, cause: str
    ) -> None:
        """Deploy the last completed deployment again, under its old id and with new tasks."""
        now = self._world.clock.now()
        current.status = "ROLLBACK_IN_PROGRESS"
        current.reason = f"Service deployment rolled back because {cause}."
        current.updated_at = now
        current.rollback = {
            "reason": current.reason,
            "startedAt": now,
            "serviceRevisionArn": target.revision.arn,
        }
        service.last_completed = None
        target.replaced = True
        target = target.again(now)
        self._promote(service, target)
        self._world.clock.call_later(ROLLBACK_SECONDS, lambda: self._end_wait(service, current))
        prefix = "ECS deployment circuit breaker" if current.breaker.triggered else "ECS deployment"
        self._set_rollout(
            target, "IN_PROGRESS", f"{prefix}: rolling back to deploymentId {target.id}."
        )
        self._log.rolling_back(service, target)
        self._poke(service)

    def begin(self, service: Service, deployment: Deployment) -> None:
        """Make a new deployment the PRIMARY one; an unfinished one is replaced."""
        replaced = service.current
        if replaced is not None:
            reason = "Service deployment stopped because a newer one replaced it."
            self._close(replaced, "STOPPED", reason)
            replaced.stopped_at = replaced.updated_at
        self._promote(service, deployment)
        self._set_rollout(deployment, "IN_PROGRESS", f"ECS deployment {deployment.id} in progress.")
        self._poke(service)

    def _open(self, service: Service) -> None:
        current = service.current
        if current is not None and current.status == "PENDING":
            current.status = "IN_PROGRESS"
            current.started_at = current.updated_at = self._world.clock.now()
            self._log.in_progress(service, service.primary)

    def _launch(self, service: Service, primary: Deployment) -> None:
        total = sum(len(each.active()) for each in service.deployments)
        missing = service.desired_count - len(primary.active())
        wanted = min(missing, service.most_tasks - total)
        if wanted <= 0 or primary.rollout_state == "FAILED" or primary.paused:
            return
        service.steady = False
        tasks = [self._new_task(service, primary) for _ in range(wanted)]
        self._log.started(service, tasks)
        for task in tasks:
            self._runner.launch(task)

    def _delay_launch(self, deployment: Deployment) -> None:
        """Start no task for a while, the longer the more have failed."""
        repeats = min(max(0, deployment.failed_tasks - 3), 10)
        seconds = min(RELAUNCH_SECONDS * 2**repeats, LONGEST_RELAUNCH_SECONDS)
        deployment.paused = True
        deployment.pauses += 1
        pause = deployment.pauses
        self._world.clock.call_later(seconds, lambda: self._end_pause(deployment, pause))

    def _end_pause(self, deployment: Deployment, pause: int) -> None:
        if deployment.pauses == pause:
            deployment.paused = False
            self._poke(deployment.service)

    def _retire(self, service: Service, primary: Deployment) -> None:
        surplus = self._surplus(service, primary)
        if surplus:
            service.steady = False
            self._log.stopped(service, surplus)
        for task in surplus:
            reason = f"Scaling activity initiated by (deployment {primary.id})"
            self._runner.stop(task, "ServiceSchedulerInitiated", reason)

    def _surplus(self, service: Service, primary: Deployment) -> list[Task]:
        """Tasks to stop: those of older deployments, and those above the desired count."""
        if primary.rollout_state == "FAILED":
            return []
        active = primary.active()
        # The newest of too many tasks go first, as they have served the least.
        extra = active[service.desired_count :] if service.desired_count >= 0 else []
        old = [task for each in service.deployments[1:] for task in each.active()]
        kept = sum(task.healthy for task in active) - sum(task.healthy for task in extra)
        spare = kept + sum(task.healthy for task in old) - service.fewest_healthy
        sick = [task for task in old if not task.healthy]
        well = [task for task in old if task.healthy]
        return extra + sick + well[: max(0, spare)]

    def _settle(self, service: Service, primary: Deployment) -> None:
        active = primary.active()
        healthy = all(task.healthy for task in active)
        lonely = len(service.tasks()) == len(active)
        if not (healthy and lonely and len(active) == service.desired_count):
            return
        if primary.rollout_state == "IN_PROGRESS" and not self._baked(service):
            return
        if primary.rollout_state == "IN_PROGRESS":
            self._complete(service, primary)
        if not service.steady and primary.rollout_state == "COMPLETED":
            service.steady = True
            self._log.steady(service)

    def _baked(self, service: Service) -> bool:
        """Whether the alarms have been watched long enough; begins the bake if need be."""
        current = service.current
        if current is None or current.rolling_back:
            return current is None or current.rollback_may_end
        seconds = self._bake_seconds(service, current)
        if seconds <= 0 or current.baked:
            return True
        if current.baked is None:
            current.baked = False
            self._world.clock.call_later(seconds, lambda: self._end_bake(service, current))
        return False

    def _end_bake(self, service: Service, current: ServiceDeployment) -> None:
        current.baked = True
        self._poke(service)

    def _end_wait(self, service: Service, current: ServiceDeployment) -> None:
        current.rollback_may_end = True
        self._poke(service)

    def _complete(self, service: Service, primary: Deployment) -> None:
        for each in service.deployments[1:]:
            each.status = "INACTIVE"
        service.deployments = [primary]
        service.last_completed = primary
        self._set_rollout(primary, "COMPLETED", f"ECS deployment {primary.id} completed.")
        self._log.completed(service, primary)
        current = service.current
        if current is not None:
            status = "ROLLBACK_SUCCESSFUL" if current.rolling_back else "SUCCESSFUL"
            self._close(current, status, current.reason)

    def _promote(self, service: Service, deployment: Deployment) -> None:
        others = [each for each in service.deployments if each is not deployment]
        for each in others:
            each.status = "ACTIVE"
        deployment.status = "PRIMARY"
        deployment.failed_tasks = 0
        deployment.paused = False
        service.deployments = [deployment, *others]
        service.settings.update(deployment.revision.settings)
        service.steady = False

    def _set_rollout(self, deployment: Deployment, state: str, reason: str) -> None:
        deployment.rollout_state = state
        deployment.reason = reason
        deployment.updated_at = self._world.clock.now()

    def _close(self, current: ServiceDeployment, status: str, reason: str | None) -> None:
        current.status = status
        current.reason = reason
        current.updated_at = current.finished_at = self._world.clock.now()


def source_revisions(service: Service) -> list[Revision]:
    """The revisions that have tasks before a deployment begins."""
    return [each.revision for each in service.deployments if each.tasks]
