"""Clouds that stand: one of a name at a time, found by other terminals, gone with their process."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.standing import lock as standing
from demo.standing.lock import (
    NobodyHome,
    Standing,
    StandsAlready,
    announce,
    checked,
    claim,
    end,
    find,
    is_up,
    names,
    suffix,
)

# Holds a name as `make up` does, until it is ended.
KEEPER = """
import signal, sys
from pathlib import Path
from demo.standing import lock as standing
standing.FOLDER = Path(sys.argv[1])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
with standing.claim(sys.argv[2]):
    if len(sys.argv) > 3:
        standing.announce(standing.Standing.model_validate_json(sys.argv[3]))
    print("up", flush=True)
    signal.pause()
"""


def cloud(name: str, folder: Path = Path("/tmp/slipway-none")) -> Standing:
    return Standing(
        name=name,
        folder=str(folder),
        registry="http://127.0.0.1:1",
        door="http://127.0.0.1:2",
        architecture="amd64",
        fed={"staging": True},
        services={},
        slack="",
        status=f"http://127.0.0.1:3/?sig={name}",
        web_url="",
        link_secret_arn="",
        environment={},
    )


class Keepers:
    """Processes that each keep a name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[subprocess.Popen[str]] = []

    def start(self, name: str, told: Standing | None = None) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", KEEPER, str(self._folder), name]
        words += [told.model_dump_json()] if told else []
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
        self._running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        return process

    def close(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


@pytest.fixture
def keepers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keepers]:
    monkeypatch.setattr(standing, "FOLDER", tmp_path)
    started = Keepers(tmp_path)
    yield started
    started.close()


def test_a_second_one_of_a_name_says_where_the_first_is_and_what_to_do(keepers: Keepers) -> None:
    first = keepers.start("default", cloud("default"))

    with pytest.raises(StandsAlready) as refused, claim("default"):
        pass

    assert str(refused.value).splitlines() == [
        f"The cloud is up already (process {first.pid}): http://127.0.0.1:3/?sig=default",
        "  look at it          make status",
        "  end it              make down",
        "  another beside it   make up NAME=b",
    ]


def test_a_second_one_is_told_of_one_that_is_still_starting(keepers: Keepers) -> None:
    keepers.start("b")

    already = r"^The cloud 'b' is up already: it is still starting"
    with pytest.raises(StandsAlready, match=already), claim("b"):
        pass
    with pytest.raises(NobodyHome, match="still starting"):
        find("b")


def test_several_stand_side_by_side_each_under_its_name(keepers: Keepers) -> None:
    keepers.start("default", cloud("default"))
    keepers.start("b", cloud("b"))

    assert names() == ["b", "default"]
    assert (find("default"), find("b")) == (cloud("default"), cloud("b"))
    end("b")
    assert names() == ["default"]
    with pytest.raises(NobodyHome) as refused:
        find("b")
    assert str(refused.value) == (
        "No cloud is up: start one with `make up NAME=b`. Up now: NAME=default."
    )


def test_one_that_was_killed_is_no_obstacle_and_what_it_left_is_cleared_away(
    keepers: Keepers, tmp_path: Path
) -> None:
    folder = tmp_path / "slipway-left"
    folder.mkdir()
    killed = keepers.start("default", cloud("default", folder))
    killed.send_signal(signal.SIGKILL)
    killed.wait()

    with pytest.raises(NobodyHome, match=r"^The cloud that was up has ended: start one with"):
        find("default")
    with claim("default"):
        assert not folder.exists()
        assert is_up("default")
    assert not is_up("default")


def test_a_process_that_has_the_number_of_a_killed_one_is_left_alone(
    keepers: Keepers, tmp_path: Path
) -> None:
    """The file of a killed cloud may name a process that is somebody else's by now."""
    announce(cloud("default"))
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (tmp_path / "default.lock").write_text(f"{stranger.pid}\n")

        with pytest.raises(NobodyHome):
            end("default")

        assert stranger.poll() is None
        stranger.kill()


def test_one_that_is_still_starting_can_be_ended(keepers: Keepers) -> None:
    starting = keepers.start("b")

    end("b")

    assert starting.wait() == 143


def test_a_file_of_another_version_is_no_obstacle(keepers: Keepers, tmp_path: Path) -> None:
    (tmp_path / "default.json").write_text('{"pid": 1}')

    with claim("default"):
        announce(cloud("default"))
        assert find("default") == cloud("default")


def test_the_addresses_are_for_their_owner_alone(keepers: Keepers, tmp_path: Path) -> None:
    announce(cloud("default"))

    assert (tmp_path / "default.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["B", "b c", "../b", "-b", "b-", "x" * 21, "b;rm", "ä"])
def test_a_name_that_cannot_be_one_is_refused_with_what_can(name: str) -> None:
    with pytest.raises(NobodyHome, match=r"expected 1 to 20 lower-case letters, digits and hyphen"):
        checked(name)


def test_without_a_name_the_default_is_meant() -> None:
    assert (checked(""), checked("b"), suffix("default"), suffix("b")) == (
        "default",
        "b",
        "",
        " NAME=b",
    )
