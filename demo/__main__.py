"""`make demo`: the main job on the embedded cloud, told while it happens."""

import argparse
import os
import sys

from cloud.embedded import Cloud
from demo.narrator import Narrator
from demo.observer import Observer
from demo.scenes import SCENES, Stage
from demo.standing.announcement import stay
from demo.standing.on_a_cloud import on_a_cloud, until_the_end


def main(arguments: list[str] | None = None) -> int:
    """Play every scene; 0 when each ended as it should."""
    parser = argparse.ArgumentParser(prog="python -m demo.__main__", description=__doc__)
    parser.add_argument("--name", default="", help="of the cloud that KEEP=1 leaves standing")
    name = parser.parse_args(arguments).name
    keep = os.environ.get("KEEP") == "1"

    def demo(cloud: Cloud, narrator: Narrator) -> int:
        code = _play(cloud, narrator)
        if keep:
            stay(cloud, name, narrator, until_the_end(), played=True)
        return code

    return on_a_cloud(demo, name=name if keep else None, narrator=Narrator())


def _play(cloud: Cloud, narrator: Narrator) -> int:
    narrator.title("0  The cloud and the stack")
    cloud.deploy()
    by_browser = os.environ.get("APPROVE") == "browser"
    stage = Stage(cloud, narrator, Observer(cloud), by_browser)
    for scene in SCENES:
        scene(stage)
    narrator.table(stage.scenes)
    return 0 if all(scene.as_expected for scene in stage.scenes) else 1


if __name__ == "__main__":
    sys.exit(main())
