"""A cloud that stays: the file by which other terminals find it, and the lock that says it runs.

Several may stand side by side, each under a name. The lock belongs to the process that keeps the
cloud up and goes with it, however that ends: a file without its lock tells of a cloud that is gone.
"""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from slipway.domain.model import Model

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = "fastapi-rds"
FOLDER = ROOT / ".build" / "standing"
DEFAULT: Final = "default"

_NAME: Final = r"[a-z0-9](?:[a-z0-9-]{0,18}[a-z0-9])?"
# Whoever only looks has the lock for a moment.
_LOOK_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 30.0


class NobodyHome(Exception):
    """No such cloud stands; the message says how to get one."""


class StandsAlready(Exception):
    """A cloud of this name is up; the message says where, and what to do."""


class NotEnded(Exception):
    """The cloud does not end; the message says how it can be made to."""


class Standing(Model):
    """What another terminal has to know of a cloud that is up."""

    name: str
    folder: str
    registry: str
    door: str
    architecture: str
    fed: dict[str, bool]
    services: dict[str, str]
    slack: str
    status: str
    web_url: str
    link_secret_arn: str
    environment: dict[str, str]


def suffix(name: str) -> str:
    """What a command needs after it, to mean the cloud of this name."""
    return "" if name == DEFAULT else f" NAME={name}"


def checked(name: str) -> str:
    """The name, DEFAULT for none; raises NobodyHome when it cannot be one."""
    if name and not re.fullmatch(_NAME, name):
        raise NobodyHome(
            f"NAME is '{name}'; expected 1 to 20 lower-case letters, digits and hyphens, such as b."
        )
    return name or DEFAULT


@contextmanager
def claim(name: str) -> Iterator[None]:
    """Be the one cloud of this name; what a killed one left is cleared away.

    Raises StandsAlready.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    with _lock_file(name).open("a+") as lock:
        if not _locked(lock.fileno(), fcntl.LOCK_EX):
            raise StandsAlready(_told(name))
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        _clear_away(name)
        try:
            yield
        finally:
            _file(name).unlink(missing_ok=True)


def announce(standing: Standing) -> None:
    """Leave the addresses where the other commands find them; others never see half of them."""
    unfinished = _file(standing.name).with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.write_text(standing.model_dump_json(indent=2) + "\n")
    unfinished.replace(_file(standing.name))


def find(name: str) -> Standing:
    """The cloud of this name; raises NobodyHome."""
    if is_up(name):
        found = _read(name)
        if found is not None:
            return found
        raise NobodyHome("The cloud is still starting; its terminal says when it is up.")
    others = [f"NAME={other}" for other in names()]
    known = f" Up now: {', '.join(others)}." if others else ""
    start = f"make up{suffix(name)}"
    if _file(name).exists():
        raise NobodyHome(f"The cloud that was up has ended: start one with `{start}`.{known}")
    raise NobodyHome(f"No cloud is up: start one with `{start}`.{known}")


def names() -> list[str]:
    """The names of all clouds that are up or starting."""
    return sorted(path.stem for path in FOLDER.glob("*.lock") if is_up(path.stem))


def is_up(name: str) -> bool:
    """Whether the process that keeps this cloud up still runs."""
    try:
        with _lock_file(name).open() as lock:
            return not _locked(lock.fileno(), fcntl.LOCK_SH, patience=0)
    except FileNotFoundError:
        return False


def end(name: str) -> None:
    """Ask the cloud to end, also one that is starting, and wait; raises NobodyHome, or NotEnded."""
    if not is_up(name):
        find(name)
    pid = _holder(name)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while is_up(name):
        if time.monotonic() > deadline:
            raise NotEnded(f"{called(name)} does not end; `kill -9 {pid}` ends it and all its own.")
        time.sleep(0.1)


def called(name: str) -> str:
    """What people call the cloud of this name."""
    return "The cloud" if name == DEFAULT else f"The cloud '{name}'"


def _holder(name: str) -> int:
    """The process that keeps the cloud up; it writes this at once when it has the lock."""
    return int(_lock_file(name).read_text())


def _told(name: str) -> str:
    found = _read(name)
    where = f" (process {_holder(name)}): {found.status}" if found else ": it is still starting."
    other = "b" if name != "b" else "c"
    return (
        f"{called(name)} is up already{where}\n"
        f"  look at it          make status{suffix(name)}\n"
        f"  end it              make down{suffix(name)}\n"
        f"  another beside it   make up NAME={other}"
    )


def _clear_away(name: str) -> None:
    """A cloud that was killed could not remove its folder and its file."""
    left = _read(name)
    if left is not None and Path(left.folder).name.startswith("slipway-"):
        shutil.rmtree(left.folder, ignore_errors=True)
    _file(name).unlink(missing_ok=True)


def _read(name: str) -> Standing | None:
    """None when there is no file, or when another version of these commands has left it."""
    try:
        return Standing.model_validate_json(_file(name).read_text())
    except (FileNotFoundError, ValidationError):
        return None


def _locked(descriptor: int, how: int, patience: float = _LOOK_SECONDS) -> bool:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)


def _file(name: str) -> Path:
    return FOLDER / f"{name}.json"


def _lock_file(name: str) -> Path:
    return FOLDER / f"{name}.lock"
