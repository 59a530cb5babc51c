"""Every story by its name, as a failing run prints it."""

from cloud.simulation.scenarios import Story, busy, stories, variants
from cloud.simulation.stories_of_tasks import of_tasks
from cloud.simulation.stories_of_wishes import wishes


def story(name: str) -> Story:
    """The story of that name; KeyError when there is none."""
    if name.startswith("busy-"):
        return busy(int(name.removeprefix("busy-")))
    return (stories() | variants() | of_tasks() | wishes())[name]
