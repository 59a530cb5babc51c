"""`make push`, `make down`, `make env`: what another terminal does with a cloud that stays up."""

import argparse
import json
import os
import platform
import shlex
import signal
import sys
from pathlib import Path
from typing import Any

from local.app.versions import VERSIONS
from local.image import push_version
from local.standing import ROOT, STANDING
from slipway.catalog_build.entries import read_catalog

APPLICATION = "fastapi-rds"


class NoVisit(Exception):
    """What was asked for cannot be done; the message says why."""


def main() -> int:
    """The exit code: 0, or 1 after one sentence."""
    options = _options()
    try:
        options.action(_standing(), options)
    except NoVisit as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


def push(cloud: dict[str, Any], options: argparse.Namespace) -> None:
    """Push a version of the example application where an environment looks for it."""
    if options.version not in VERSIONS:
        raise NoVisit(f"There is no version {options.version}; there are {', '.join(VERSIONS)}.")
    repository = _repository(options.environment)
    architecture = "arm64" if platform.machine() in ("arm64", "aarch64") else "amd64"
    digest = push_version(
        cloud["registry"], repository, options.version, options.version, (architecture,)
    )
    print(f"pushed {repository}:{options.version} as {digest}")


def down(cloud: dict[str, Any], options: argparse.Namespace) -> None:
    """End the cloud."""
    os.kill(cloud["pid"], signal.SIGTERM)
    print("the cloud is ending")


def env(cloud: dict[str, Any], options: argparse.Namespace) -> None:
    """Print the settings that lead the AWS CLI, the SDKs and SAM to the cloud."""
    for name, value in cloud["environment"].items():
        print(f"export {name}={shlex.quote(value)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    pushing = commands.add_parser("push", help=push.__doc__)
    pushing.add_argument("version")
    pushing.add_argument("environment")
    pushing.set_defaults(action=push)
    commands.add_parser("down", help=down.__doc__).set_defaults(action=down)
    commands.add_parser("env", help=env.__doc__).set_defaults(action=env)
    return parser.parse_args()


def _standing() -> dict[str, Any]:
    """What the running cloud left about itself."""
    try:
        cloud: dict[str, Any] = json.loads(STANDING.read_text())
        os.kill(cloud["pid"], 0)
    except (FileNotFoundError, ProcessLookupError):
        raise NoVisit("No cloud is up; `make up` starts one.") from None
    return cloud


def _repository(environment: str) -> str:
    environments = read_catalog(Path(ROOT, "catalog")).applications[APPLICATION].environments
    if environment not in environments:
        known = ", ".join(environments)
        raise NoVisit(f"{APPLICATION} has no environment {environment}; it has {known}.")
    return environments[environment].push.repository


if __name__ == "__main__":
    sys.exit(main())
