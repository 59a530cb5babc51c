"""Talks to a cloud that another terminal keeps up: push, settings, containers, end."""

import argparse
import contextlib
import getpass
import json
import os
import shlex
import signal
import sys
import threading
import time
from typing import Any

import boto3

from local import invoke_template
from local.app.versions import VERSIONS
from local.container_door import ContainerDoor, NoBridge, bridge_address
from local.image import PushError, push_version
from local.standing import APPLICATION, STANDING

STACK = "slipway"


class NobodyHome(Exception):
    """No cloud stands; the message says how to get one."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a refusal is one sentence."""
    parser = argparse.ArgumentParser(prog="python -m local.visit", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    push = commands.add_parser("push", help="push a version of the example application")
    push.add_argument("version", choices=sorted(VERSIONS))
    push.add_argument("environment", nargs="?", default="staging")
    commands.add_parser("env", help="print the cloud's settings for a shell")
    commands.add_parser("containers", help="let `sam local invoke` reach the cloud, until Ctrl-C")
    commands.add_parser("down", help="end the cloud")
    asked = parser.parse_args(arguments)
    try:
        standing = _standing()
        if asked.command == "push":
            _push(standing, asked.version, asked.environment)
        elif asked.command == "env":
            _env(standing)
        elif asked.command == "containers":
            _containers(standing)
        else:
            _down(standing)
    except (NobodyHome, NoBridge, PushError) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


def _standing() -> dict[str, Any]:
    try:
        standing: dict[str, Any] = json.loads(STANDING.read_text())
    except FileNotFoundError:
        raise NobodyHome("No cloud is up: start one with `make up`.") from None
    if not _alive(standing["pid"]):
        STANDING.unlink(missing_ok=True)
        raise NobodyHome("The cloud that was up has ended: start one with `make up`.")
    return standing


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _push(standing: dict[str, Any], version: str, environment: str) -> None:
    """Push; an environment that no push feeds is asked for explicitly, under a tag of its own."""
    fed = standing["fed"]
    if environment not in fed:
        known = ", ".join(sorted(fed))
        raise NobodyHome(f"There is no environment '{environment}' (known: {known}).")
    tag = version if fed[environment] else f"{environment}-{version}"
    digest = push_version(
        standing["registry"],
        APPLICATION,
        tag,
        version,
        (standing["architecture"],),
        progress=lambda line: print(line, file=sys.stderr),
    )
    print(f"pushed {APPLICATION}:{tag} {digest}")
    if not fed[environment]:
        _request(standing, environment, tag, digest)
    print(f"watch it: {standing['status']}")


def _request(standing: dict[str, Any], environment: str, tag: str, digest: str) -> None:
    detail = {
        "application": APPLICATION,
        "environment": environment,
        "repository": APPLICATION,
        "digest": digest,
        "tag": tag,
        "requested_by": getpass.getuser(),
    }
    entry = {
        "Source": "slipway",
        "DetailType": "Deployment Requested",
        "Detail": json.dumps(detail),
        "EventBusName": standing["stack"]["bus"],
    }
    _client(standing, "events").put_events(Entries=[entry])
    print(f"asked for {APPLICATION}/{environment} explicitly")


def _client(standing: dict[str, Any], service: str) -> Any:
    settings = standing["environment"]
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=settings["AWS_ENDPOINT_URL"],
        region_name=settings["AWS_REGION"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
    )


def _env(standing: dict[str, Any]) -> None:
    for name, value in standing["environment"].items():
        print(f"export {name}={shlex.quote(value)}")
    # Not for AWS's tools: where a person reaches the control doors of the two halves.
    print(f"export SLIPWAY_TWIN={standing['registry']}")
    print(f"export SLIPWAY_DOOR={standing['door']}")


def _containers(standing: dict[str, Any]) -> None:
    """Open a way for containers, write SAM's template for it, and stay while the cloud stands."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    door = ContainerDoor(bridge_address())
    # In capitals only: the runtime's own client, which talks to 127.0.0.1 inside, ignores those.
    proxy = {"HTTP_PROXY": door.url}
    found = invoke_template.deployed(
        _client(standing, "cloudformation"), _client(standing, "lambda"), STACK
    )
    invoke_template.write(invoke_template.template(found, {**standing["environment"], **proxy}))
    print("Containers reach the cloud until Ctrl-C. In another terminal:")
    print("  .venv/bin/sam local invoke VerifyFunction -e events/verify.json --config-env local")
    with contextlib.suppress(KeyboardInterrupt):
        while _alive(standing["pid"]) and not ended.wait(1):
            pass
    door.close()
    invoke_template.PATH.unlink(missing_ok=True)


def _down(standing: dict[str, Any]) -> None:
    os.kill(standing["pid"], signal.SIGTERM)
    deadline = time.monotonic() + 30
    while _alive(standing["pid"]) and time.monotonic() < deadline:
        time.sleep(0.1)
    print("The cloud is down.")


if __name__ == "__main__":
    sys.exit(main())
