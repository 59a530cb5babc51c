"""`python -m cloud.live`: start the live twin, say where it listens, stay until told to end."""

import argparse
import ctypes
import json
import logging
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from cloud.live.harness import LiveCloud, Settings

PR_SET_PDEATHSIG = 1


def main() -> int:
    settings = parse(sys.argv[1:])
    logging.basicConfig(level=logging.WARNING, format="twin: %(levelname)s %(message)s")
    end_with_parent()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _setter(ended))
    cloud = LiveCloud(settings)
    try:
        print(json.dumps({"address": cloud.start()}), flush=True)
        ended.wait()
    finally:
        cloud.stop()
    return 0


def parse(arguments: list[str]) -> Settings:
    """The settings of a command line; ends the process with a sentence if one is wrong."""
    parser = argparse.ArgumentParser(prog="python -m cloud.live", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--state", type=Path, required=True, help="folder for files of this run")
    parser.add_argument("--event-door", help="URL that takes EventBridge events")
    parser.add_argument("--endpoint-url", help="URL of the other AWS services")
    parser.add_argument("--speed", type=float, default=10.0, help="divides AWS's own intervals")
    parser.add_argument("--image-bin", type=Path, help="folder put first on the tasks' PATH")
    found = parser.parse_args(arguments)
    if found.speed <= 0:
        parser.error(f"--speed is {found.speed}; expected a number above 0")
    return Settings(**vars(found))


def end_with_parent() -> None:
    """Ask Linux to end this process when the one that started it is gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _setter(ended: threading.Event) -> Callable[[int, FrameType | None], None]:
    return lambda number, frame: ended.set()


if __name__ == "__main__":
    sys.exit(main())
