"""What a terminal shows while a cloud stays up: a line per deployment that is under way.

In a terminal these lines stand at the bottom and are kept up to date; what ended, and what waits
for a person, is said above them once and for good. Elsewhere every state is one more line.
"""

from collections.abc import Iterator
from contextlib import suppress
from threading import Event
from typing import Final

from rich.console import Group
from rich.live import Live
from rich.text import Text

from demo.narrator import Narrator
from demo.standing.follow import Follower
from demo.standing.reached import Reached
from demo.standing.story import row, state
from slipway.domain.deployment import Deployment
from slipway.domain.errors import ControlPlaneError
from slipway.domain.wording import spoken

_LOOK_SECONDS: Final = 1.0
_LATEST: Final = 20


class Board:
    """The lines of one cloud, from now on: what had ended before is not told."""

    def __init__(self, reached: Reached, narrator: Narrator) -> None:
        self._reached = reached
        self._follower = Follower(reached, narrator.say)
        self._known = {each.deployment_id for each in self._latest() if each.outcome is not None}

    def look(self, *, lasting_only: bool) -> list[Deployment]:
        """Say what is new, or only what is not on the live lines; what is under way now."""
        new = [each for each in self._latest() if each.deployment_id not in self._known]
        for deployment in new:
            lasting = deployment.outcome is not None or self._reached.ticket(deployment) is not None
            if lasting or not lasting_only:
                self._follower.tell(deployment)
        self._known.update(each.deployment_id for each in new if each.outcome is not None)
        return [each for each in new if each.outcome is None]

    def _latest(self) -> list[Deployment]:
        """The latest deployments of every lane, oldest first."""
        desk = self._reached.desk
        records = desk.records
        found = [
            each
            for application, environment, _ in desk.catalog().environments()
            for each in records.recent(records.lane(application, environment), _LATEST)
        ]
        return sorted(found, key=lambda each: each.requested_at)

    def lines(self, under_way: list[Deployment]) -> Iterator[Text]:
        """One line for each of these, no longer than the terminal is wide."""
        now = self._reached.desk.now()
        for deployment in under_way:
            took = spoken(now - deployment.requested_at)
            said = row(deployment, state(deployment, None, now))
            yield Text(f"  {took:>11}  {said}", no_wrap=True, overflow="ellipsis")


def watch(reached: Reached, narrator: Narrator, ended: Event) -> None:
    """Tell of every deployment until the end; a look that fails is followed by the next one."""
    console, board = narrator.console, Board(reached, narrator)
    if not console.is_terminal or console.is_dumb_terminal:
        for _ in _looks(ended):
            with suppress(ControlPlaneError):
                board.look(lasting_only=False)
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        for _ in _looks(ended):
            with suppress(ControlPlaneError):
                under_way = board.look(lasting_only=True)
                live.update(Group(*board.lines(under_way)), refresh=True)


def _looks(ended: Event) -> Iterator[None]:
    while not ended.wait(_LOOK_SECONDS):
        yield
