"""`make demo`: the main job on the embedded cloud, told while it happens."""

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from local.cloud import Cloud
from local.narrator import Narrator
from local.observer import Observer
from local.scenes import SCENES, Stage
from local.standing import announce, wait_for_the_end


def main() -> int:
    """Play every scene; 0 when each ended as it should."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    narrator = Narrator()
    folder = Path(tempfile.mkdtemp(prefix="slipway-"))
    try:
        with Cloud(folder, report=narrator.say) as cloud:
            return _play(cloud, narrator)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _play(cloud: Cloud, narrator: Narrator) -> int:
    narrator.title("0  The cloud and the stack")
    cloud.deploy()
    by_browser = os.environ.get("APPROVE") == "browser"
    stage = Stage(cloud, narrator, Observer(cloud), by_browser)
    for scene in SCENES:
        scene(stage)
    narrator.table(stage.scenes)
    if os.environ.get("KEEP") == "1":
        announce(cloud, narrator)
        wait_for_the_end()
    return 0 if all(scene.as_expected for scene in stage.scenes) else 1


if __name__ == "__main__":
    sys.exit(main())
