"""The one cloud of a test run, and how the processes that share the tests reach it."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cloud.embedded import Cloud, Stack
from cloud.ministack.launch import MiniStack
from cloud.twin_process import TwinDoor
from tests.e2e.functions import invoke, verbs
from tests.e2e.lanes import write_catalog

# AWS's own intervals are divided by it.
SPEED = 20.0
# What no event has told is found after this time; the shortest that the template allows.
FALLBACK_SECONDS = 5

# No function finds anything to do in it; some say so by failing.
_NOTHING = {"detail-type": "Nothing", "source": "nobody", "Records": []}

Addresses = dict[str, Any]


def started(folder: Path) -> Cloud:
    """A cloud with Slipway in it and no environments yet; whoever asked for it has to end it.

    Its functions have run once. Stories that begin side by side would otherwise each wait for a
    cold start of their own, of every function.
    """
    cloud = Cloud(folder, speed=SPEED, catalog_dir=write_catalog(folder / "catalog"))
    cloud.__enter__()
    try:
        cloud.install(FallbackSeconds=str(FALLBACK_SECONDS))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda verb: invoke(cloud, verb, _NOTHING), verbs(cloud)))
    except BaseException:
        cloud.__exit__(None, None, None)
        raise
    return cloud


def addresses(cloud: Cloud) -> Addresses:
    """What another process needs to know to reach this cloud; plain data."""
    return {
        "folder": str(cloud.folder),
        "endpoint_url": cloud.ministack.endpoint_url,
        "door_url": cloud.ministack.door_url,
        "twin_url": cloud.twin.url,
        "stack": vars(cloud.stack),
    }


class ReachedCloud(Cloud):
    """A cloud that runs already."""

    def __init__(self, at: Addresses) -> None:
        folder = Path(at["folder"])
        super().__init__(folder, catalog_dir=folder / "catalog")
        self.ministack = MiniStack(folder / "ministack")
        self.ministack.endpoint_url = at["endpoint_url"]
        self.ministack.door_url = at["door_url"]
        self.twin = TwinDoor(at["twin_url"])
        self.stack = Stack(**at["stack"])
