"""One cloud for the whole run: `pytest -n 6 tests/e2e` plays the stories side by side.

With several processes the one that shares the tests out starts the cloud and ends it; the others
are told where it is.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from cloud.embedded import Cloud
from tests.e2e.reached import ReachedCloud, addresses, started
from tests.e2e.stage import Lane

TOGETHER = "test_main_story.py"
CLOUD = pytest.StashKey[Cloud]()
CLOSING = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: mostly waits, so it begins first")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that the others are played meanwhile."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


class StoryScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Every test is given out by itself, but for those that look at one and the same story."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return module if module.endswith(TOGETHER) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> StoryScheduling:
    return StoryScheduling(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process that shares the tests where the cloud is; called by pytest-xdist."""
    node.workerinput["cloud"] = addresses(_running(node.config))


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash.get(CLOSING, ExitStack()).close()


def _running(config: pytest.Config) -> Cloud:
    """The cloud of this run, started when it is first asked for."""
    if CLOUD not in config.stash:
        closing = config.stash[CLOSING] = ExitStack()
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="slipway-e2e-")))
        config.stash[CLOUD] = started(folder)
        closing.push(config.stash[CLOUD])
    return config.stash[CLOUD]


@pytest.fixture(scope="session")
def cloud(pytestconfig: pytest.Config) -> Cloud:
    """The cloud, wherever it was started."""
    told = getattr(pytestconfig, "workerinput", {}).get("cloud")
    return ReachedCloud(told) if told else _running(pytestconfig)


@pytest.fixture
def lane(cloud: Cloud) -> Iterator[Callable[[str], Lane]]:
    """Builds an application's environment, with one task, when a test begins to play in it."""
    built: list[Lane] = []

    def build(application: str) -> Lane:
        cloud.build(application, desired_count=1)
        built.append(Lane(cloud, application))
        return built[-1]

    yield build
    for each in built:
        each.clear_away()
