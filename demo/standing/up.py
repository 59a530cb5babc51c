"""`make up`: the embedded cloud with Slipway on it, and nothing deployed yet."""

import argparse
import sys

from cloud.embedded import Cloud
from demo.narrator import Narrator
from demo.standing.announcement import stay
from demo.standing.on_a_cloud import on_a_cloud, until_the_end


def main(arguments: list[str] | None = None) -> int:
    """Start, deploy, announce, stay."""
    parser = argparse.ArgumentParser(prog="python -m demo.standing.up", description=__doc__)
    parser.add_argument("--name", default="", help="several may stand side by side")
    name = parser.parse_args(arguments).name

    def up(cloud: Cloud, narrator: Narrator) -> int:
        cloud.deploy()
        stay(cloud, name, narrator, until_the_end(), played=False)
        return 0

    return on_a_cloud(up, name=name, narrator=Narrator())


if __name__ == "__main__":
    sys.exit(main())
