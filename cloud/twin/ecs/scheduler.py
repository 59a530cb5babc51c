"""ECS's service scheduler: hears of tasks and their health, and lets the rollout go on."""

from collections.abc import Callable
from functools import partial

from cloud.twin.ecs.rollout import NewTask, RollingRollout
from cloud.twin.ecs.service_deployments import ServiceDeployment
from cloud.twin.ecs.service_log import ServiceLog
from cloud.twin.ecs.services import Deployment, Service
from cloud.twin.ecs.task_runner import Change, ResolveImage, TaskRunner
from cloud.twin.ecs.task_targets import TaskTargets
from cloud.twin.ecs.tasks import Task
from cloud.twin.elbv2.api import Elbv2Model
from cloud.twin.engines import TaskEngine
from cloud.twin.world import World

# The scheduler looks at a service this long after something about it has changed.
SCHEDULER_SECONDS = 1.0
# Without a load balancer and container health checks a task counts as healthy after this.
HEALTHY_AFTER_SECONDS = 40.0
# From so many failures in a row on, ECS says so and waits ever longer between two tries.
IMPAIRED_AFTER = 3
_OWN_END = ("TaskFailedToStart", "EssentialContainerExited")


class Scheduler:
    """Keeps services at their desired count and carries deployments out."""

    def __init__(
        self,
        world: World,
        engine: TaskEngine,
        groups: Elbv2Model,
        resolve_image: ResolveImage,
        bake_seconds: Callable[[Service, ServiceDeployment], float],
        new_task: NewTask,
    ) -> None:
        self._world = world
        self._targets = TaskTargets(groups, self._health_changed)
        self._log = ServiceLog(world)
        self.runner = TaskRunner(world, engine, self._targets, resolve_image, self._heard)
        self.rollout = RollingRollout(
            world, self.runner, self._log, new_task, bake_seconds, self.poke
        )

    def poke(self, service: Service) -> None:
        """Look at the service soon."""
        if not service.poked:
            service.poked = True
            self._world.clock.call_later(SCHEDULER_SECONDS, lambda: self._look(service))

    def abandon(self, service: Service) -> None:
        """End all tasks of a deleted service; it is INACTIVE when the last one is gone."""
        service.status = "DRAINING"
        service.desired_count = 0
        for task in service.tasks():
            self.runner.stop(task, "ServiceSchedulerInitiated", "Service deleted")
        self.poke(service)

    def _look(self, service: Service) -> None:
        service.poked = False
        if service.status == "ACTIVE":
            self.rollout.step(service)
        elif not service.tasks():
            service.status = "INACTIVE"
            service.deployments = []

    def _heard(self, task: Task, change: Change) -> None:
        deployment = task.deployment
        if deployment is None:
            return
        service = deployment.service
        if change == "running":
            self._begin_grace(service, task)
            self._await_health(task)
        elif change == "health":
            self._health_changed(task)
        elif change == "leaving":
            self._left(service, deployment, task)
        else:
            deployment.tasks.pop(task.id, None)
        self.poke(service)

    def _left(self, service: Service, deployment: Deployment, task: Task) -> None:
        # A crash at the start is a failure to start, as ECS sees it with a load balancer,
        # where a task is RUNNING only once it is registered.
        if task.stop_code in _OWN_END and not task.was_healthy and task.ended:
            self.rollout.task_failed(service, deployment)
            self._say_impaired(service, deployment)
        task.healthy = False

    def _say_impaired(self, service: Service, deployment: Deployment) -> None:
        if deployment.failed_tasks == IMPAIRED_AFTER:
            say = partial(self._log.impaired, service)
            self._world.clock.call_later(SCHEDULER_SECONDS, say)

    def _await_health(self, task: Task) -> None:
        if task.targets or _has_health_check(task):
            self._health_changed(task)
        else:
            self._world.clock.call_later(HEALTHY_AFTER_SECONDS, lambda: self._settle(task))

    def _settle(self, task: Task) -> None:
        if task.desired_status == "RUNNING" and task.deployment is not None:
            self._healthy(task, task.deployment)

    def _health_changed(self, task: Task) -> None:
        deployment = task.deployment
        if task.desired_status != "RUNNING" or deployment is None:
            return
        illness = self._illness(task)
        if illness is not None:
            self._unhealthy(task, deployment, illness)
        elif self._is_healthy(task) and not task.healthy:
            self._healthy(task, deployment)

    def _is_healthy(self, task: Task) -> bool:
        if _has_health_check(task) and task.container_health != "HEALTHY":
            return False
        return all(state == "healthy" for state in self._targets.states(task))

    def _illness(self, task: Task) -> str | None:
        """Why ECS would replace the task; None while nothing is known against it."""
        if task.container_health == "UNHEALTHY":
            return "Task failed container health checks"
        found = self._targets.unhealthy(task)
        return f"Task failed ELB health checks in (target-group {found[0]})" if found else None

    def _healthy(self, task: Task, deployment: Deployment) -> None:
        task.healthy = task.was_healthy = True
        self.rollout.task_healthy(deployment.service, deployment)
        self.poke(deployment.service)

    def _unhealthy(self, task: Task, deployment: Deployment, illness: str) -> None:
        service = deployment.service
        if task.in_grace:
            return
        found = self._targets.unhealthy(task)
        if found is not None:
            self._log.unhealthy(service, *found)
        self.rollout.task_failed(service, deployment)
        self.runner.stop(task, "ServiceSchedulerInitiated", illness)

    def _begin_grace(self, service: Service, task: Task) -> None:
        seconds = service.settings.get("healthCheckGracePeriodSeconds") or 0
        if seconds:
            task.in_grace = True
            self._world.clock.call_later(seconds, lambda: self._end_grace(task))

    def _end_grace(self, task: Task) -> None:
        task.in_grace = False
        self._health_changed(task)


def _has_health_check(task: Task) -> bool:
    return any("healthCheck" in each for each in task.container_definitions)
