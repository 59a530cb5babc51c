"""The live composition: one twin with real engines, and its server."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from werkzeug import Request, Response

from cloud.live.addresses import Addresses
from cloud.live.data import DataHalf
from cloud.live.door import EventDoor
from cloud.live.logs import LogForwarder, LogTails
from cloud.live.loop import Loop
from cloud.live.probe import LiveProbe
from cloud.live.proxy import LiveTraffic
from cloud.live.secrets import Secrets, no_secrets
from cloud.live.tasks import LiveTasks, Outside
from cloud.twin.clock import LiveClock
from cloud.twin.cloudwatch import CloudWatchModel
from cloud.twin.ecs.api import EcsModel
from cloud.twin.elbv2.api import Elbv2Model
from cloud.twin.events import EventSink
from cloud.twin.server import TwinServer
from cloud.twin.twin import Twin
from cloud.twin.world import REGION, Event, World


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
        self._settings = settings
        self.clock = LiveClock(settings.speed)
        self.sink = EventSink(self.clock, _delivery(settings.event_door))
        self.world = World(self.clock, random.Random(), self.sink)
        self.twin = Twin(self.world)
        self.server = TwinServer(self.twin, self.clock, self.sink)
        self.data = DataHalf(
            self.world, self.twin, self.server, self.clock, settings.state, settings.image_bin
        )
        self._loop = Loop()
        addresses = Addresses()
        self._traffic = LiveTraffic(self._loop, addresses)
        self.tasks = LiveTasks(self._outside(), addresses)
        self._compose()

    def start(self) -> str:
        """Listen; the address to reach the twin at."""
        address = self.server.start(port=self._settings.port)
        self.data.started(address)
        return address

    def stop(self) -> None:
        """End the server, then every process."""
        self.server.stop()
        self.clock.stop()
        self.tasks.stop_all()
        self.data.stop()
        self._traffic.close_all()
        self._loop.stop()

    def _compose(self) -> None:
        cloudwatch = CloudWatchModel(self.world)
        elbv2 = Elbv2Model(self.world, LiveProbe(self._loop, self.clock), self._traffic)
        ecs = EcsModel(self.world, self.tasks, elbv2, cloudwatch, self.data.ecr.resolve_image)
        self.twin.add("cloudwatch", cloudwatch)
        self.twin.add("elbv2", elbv2)
        self.twin.add("ecs", ecs)

    def _outside(self) -> Outside:
        endpoint = self._settings.endpoint_url
        forwarder = LogForwarder(_client("logs", endpoint)) if endpoint else None
        tails = LogTails(forwarder.put if forwarder else None)
        self.server.mount("/_twin/logs", LogPage(tails))
        return Outside(
            image_root=self.data.image_roots.image_root,
            secret=_secrets(endpoint) if endpoint else no_secrets,
            line=tails.put,
            flush=forwarder.flush if forwarder else lambda seconds: None,
            image_bin=self._settings.image_bin,
            speed=self._settings.speed,
        )


class LogPage:
    """`GET /_twin/logs`: the last lines of every container, by `group:stream`."""

    def __init__(self, tails: LogTails) -> None:
        self._tails = tails

    def handle(self, request: Request) -> Response:
        return Response(json.dumps(self._tails.all()), content_type="application/json")


def _secrets(endpoint_url: str) -> Secrets:
    return Secrets(_client("secretsmanager", endpoint_url), _client("ssm", endpoint_url))


def _client(service: str, endpoint_url: str) -> Any:
    session: Any = boto3.Session("test", "test", region_name=REGION)
    return session.client(service, endpoint_url=endpoint_url)


def _delivery(url: str | None) -> Callable[[Event], None]:
    return EventDoor(url) if url else lambda event: None
