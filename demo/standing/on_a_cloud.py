"""Runs something on an embedded cloud of its own, which ends with the command."""

import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Event

from cloud.embedded import Cloud
from cloud.ministack.deploy import NotDeployed
from cloud.ministack.launch import NotStarted
from cloud.surroundings import settle_in
from cloud.twin_process import TwinNotStarted
from demo.narrator import Narrator
from demo.standing.lock import NobodyHome, StandsAlready, checked, claim

Play = Callable[[Cloud, Narrator], int]


def on_a_cloud(play: Play, *, name: str | None, narrator: Narrator) -> int:
    """What ``play`` answers, or 1 after a sentence.

    With a name the cloud is the only one of it, so that it may be left standing under it.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    settle_in()
    try:
        claimed = nullcontext() if name is None else claim(checked(name))
        with claimed, _folder() as folder, Cloud(folder, report=narrator.say) as cloud:
            return play(cloud, narrator)
    except (NobodyHome, NotDeployed, NotStarted, StandsAlready, TwinNotStarted) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        narrator.say("ended by Ctrl-C")
        return 130


def until_the_end() -> Event:
    """Set by SIGTERM, which `make down` sends."""
    ended = Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    return ended


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="slipway-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
