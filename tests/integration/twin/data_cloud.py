"""What the tests of the data half stand on: a model in virtual time, or a live twin."""

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from cloud.image import build_version
from cloud.live.data import DataHalf
from cloud.twin.clock import LiveClock, VirtualClock
from cloud.twin.ecr.api import EcrModel
from cloud.twin.events import EventSink
from cloud.twin.server import TwinServer
from cloud.twin.twin import Twin
from cloud.twin.world import World
from examples.notes.versions import VERSIONS

ROOT = Path(__file__).parents[3]
IMAGE_BIN = Path(os.environ.get("SLIPWAY_IMAGE_BIN", ROOT / ".venv-app" / "bin"))
REGISTRY = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
WAIT_SECONDS = 30.0


def virtual_world() -> tuple[VirtualClock, World, list[dict[str, Any]]]:
    """A world without threads, and the list in which its events end."""
    clock = VirtualClock()
    events: list[dict[str, Any]] = []
    return clock, World(clock, random.Random(1), events.append), events


def put_version(ecr: EcrModel, repository: str, tag: str, version: str) -> str:
    """Push a version into a model without a server; answers its digest."""
    image = build_version(VERSIONS[version])
    for blob in image.blobs:
        ecr.put_layer(repository, blob)
    answer = ecr.put_image(
        {
            "repositoryName": repository,
            "imageManifest": image.manifest.decode(),
            "imageTag": tag,
        }
    )
    return str(answer["image"]["imageId"]["imageDigest"])


class LiveData:
    """A running twin with its data half alone."""

    def __init__(self, folder: Path, image_bin: Path | None) -> None:
        self.clock = LiveClock(speed=50)
        self.sink = EventSink(self.clock, lambda event: None)
        world = World(self.clock, random.Random(1), self.sink)
        twin = Twin(world)
        self.server = TwinServer(twin, self.clock, self.sink)
        self.half = DataHalf(world, twin, self.server, self.clock, folder, image_bin)
        self.url = self.server.start()
        self.half.started(self.url)

    def client(self, service: str) -> Any:
        """A boto3 client of the twin."""
        connect: Any = boto3.client
        return connect(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def stop(self) -> None:
        self.half.stop()
        self.server.stop()
        self.clock.stop()


@contextmanager
def live_data(folder: Path, image_bin: Path | None = None) -> Iterator[LiveData]:
    """A live twin for as long as the block lasts."""
    cloud = LiveData(folder, image_bin)
    try:
        yield cloud
    finally:
        cloud.stop()


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """The first true answer of the condition; fails naming what did not happen in time."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen within {WAIT_SECONDS:.0f} s")
