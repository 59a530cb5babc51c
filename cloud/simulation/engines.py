"""What becomes of the tasks of a run: each does what its image is scripted to do."""

from cloud.simulation.world import BESIDE, LOGS, LOST, Image
from cloud.twin.clock import VirtualClock
from cloud.twin.engines import TaskSpec
from cloud.twin.scripted import ScriptedProbe, ScriptedTasks, TaskScript

CRASH_SECONDS = 3.0
TOOL_SECONDS = 2.0


class Engines:
    """The twin's scripted engines over the images of the simulated world."""

    def __init__(self, clock: VirtualClock) -> None:
        self.images: dict[str, Image] = {}
        self.tasks = ScriptedTasks(clock, self._script)
        self.probe = ScriptedProbe(clock, self.tasks)
        self._logs: dict[str, tuple[str, ...]] = {}

    def log(self, task_id: str) -> tuple[str, ...]:
        """The lines that a task has written."""
        return self._logs.get(task_id, (f"log of {task_id}",))

    def _script(self, task: TaskSpec) -> TaskScript:
        container = task.containers[0]
        image = self.images.get(container.digest)
        if image is None:
            return TaskScript()
        command = container.command or []
        if "current" in command:
            self._logs[task.task_id] = (image.at,)
            return TaskScript(exits_after=TOOL_SECONDS)
        if "upgrade" in command:
            self._logs[task.task_id] = LOGS.get(image.log, (f"log of {task.task_id}",))
            return _migration(image, container.name)
        if command:
            return TaskScript(exits_after=image.migration_seconds, exit_code=image.downgrade)
        return _service(image)


def _migration(image: Image, container: str) -> TaskScript:
    return TaskScript(
        exits_after=image.migration_seconds,
        exit_code=image.migration,
        alone=container if image.how == BESIDE else None,
        host_lost=image.how == LOST,
    )


def _service(image: Image) -> TaskScript:
    if image.exits is None:
        return TaskScript(passes_checks=image.passes_checks)
    return TaskScript(
        exits_after=CRASH_SECONDS, exit_code=image.exits, passes_checks=image.passes_checks
    )
