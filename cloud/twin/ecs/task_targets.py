"""The tie between tasks and target groups: joining, leaving, and whether all are healthy."""

from collections.abc import Callable
from typing import Any

from cloud.twin.ecs.tasks import Task
from cloud.twin.elbv2.api import Elbv2Model

Listener = Callable[[Task], None]


class TaskTargets:
    """Registers tasks as targets and finds the task behind a target that changed."""

    def __init__(self, groups: Elbv2Model, listener: Listener) -> None:
        self._groups = groups
        self._listener = listener
        self._tasks: dict[tuple[str, str, int], Task] = {}
        groups.subscribe(self._changed)

    def join(self, task: Task, load_balancers: list[dict[str, Any]]) -> None:
        """Register the task in each target group of its service."""
        for each in load_balancers:
            target = (each["targetGroupArn"], task.address, each["containerPort"])
            task.targets.append(target)
            self._tasks[target] = task
            self._groups.join(*target)

    def leave(self, task: Task) -> float:
        """Deregister the task everywhere; the longest deregistration delay in seconds."""
        delays = [
            self._groups.leave(*target) for target in task.targets if self._tasks.pop(target, None)
        ]
        return max(delays, default=0.0)

    def states(self, task: Task) -> list[str]:
        """The state of health of each of the task's targets."""
        return [self._groups.health(*target)[0] for target in task.targets]

    def unhealthy(self, task: Task) -> tuple[str, int, str] | None:
        """Target group, port and description of an unhealthy target of the task, if any."""
        for target in task.targets:
            state, description = self._groups.health(*target)
            if state == "unhealthy":
                return target[0], target[2], description or "Health checks failed"
        return None

    def _changed(self, target_group_arn: str, address: str, port: int) -> None:
        task = self._tasks.get((target_group_arn, address, port))
        if task is not None:
            self._listener(task)
