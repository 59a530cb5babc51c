"""The live composition: one twin with real engines, and its server."""

import importlib.util
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local.twin.clock import LiveClock
from local.twin.events import EventSink
from local.twin.live.door import EventDoor
from local.twin.server import TwinServer
from local.twin.twin import Twin
from local.twin.world import Event, World


@dataclass(frozen=True)
class Settings:
    """What the command line says; a URL may be None when nobody is there."""

    state: Path
    port: int = 0
    event_door: str | None = None
    endpoint_url: str | None = None
    speed: float = 10.0
    image_bin: Path | None = None


class LiveCloud:
    """A running twin; `start` answers the address, `stop` ends every process it started."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = LiveClock(settings.speed)
        self.sink = EventSink(self.clock, _delivery(settings.event_door))
        self.world = World(self.clock, random.Random(), self.sink)
        self.twin = Twin(self.world)
        self.server = TwinServer(self.twin, self.clock, self.sink)

    def start(self) -> str:
        return self.server.start(port=self.settings.port)

    def stop(self) -> None:
        self.server.stop()
        self.clock.stop()


def has_module(name: str) -> bool:
    """Whether a part of the twin is there to be composed."""
    return importlib.util.find_spec(name) is not None


def _delivery(url: str | None) -> Callable[[Event], None]:
    return EventDoor(url) if url else lambda event: None
