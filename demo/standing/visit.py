"""Talks to a cloud that another terminal keeps up: push, look, settings, containers, end."""

import argparse
import shlex
import sys
from collections.abc import Callable

from botocore.exceptions import BotoCoreError

from cloud.container_door import NoBridge
from cloud.image import PushError
from cloud.surroundings import OWN_ACCOUNT
from demo.narrator import Narrator
from demo.standing import containers
from demo.standing.lock import NobodyHome, NotEnded, Standing, called, checked, end, find, names
from demo.standing.pushing import push, wanted
from demo.standing.reached import enter, reach
from demo.standing.story import who
from slipway.domain.errors import ControlPlaneError
from slipway.operate import __main__ as operate
from slipway.operate.desk import Refusal

_REFUSALS = (BotoCoreError, ControlPlaneError, NobodyHome, NoBridge, NotEnded, PushError, Refusal)
# Commands after which what waits for a person is told with its link.
_WITH_LINKS = frozenset({"status", "waiting"})


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a refusal is one sentence."""
    asked = _parser().parse_args(arguments)
    try:
        name = checked(asked.name)
        if asked.command == "down":
            return _down(names() if asked.all else [name])
        return _COMMANDS[asked.command](find(name), asked)
    except _REFUSALS as refusal:
        print(getattr(refusal, "message", refusal), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; what was started goes on: `make status`.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo.standing.visit", description=__doc__)
    parser.add_argument("--name", default="", help="which of the clouds that are up")
    commands = parser.add_subparsers(dest="command", required=True)
    push = commands.add_parser("push", help="push a version of the example application")
    push.add_argument("version")
    push.add_argument("environment", nargs="?", default="staging")
    push.add_argument("--wait", action="store_true", help="until the deployment has ended")
    operate = commands.add_parser("operate", help="run a command of slipway.operate")
    operate.add_argument("words", nargs=argparse.REMAINDER)
    commands.add_parser("env", help="print the cloud's settings for a shell")
    commands.add_parser("containers", help="let `sam local invoke` reach the cloud, until Ctrl-C")
    down = commands.add_parser("down", help="end the cloud")
    down.add_argument("--all", action="store_true", help="end every cloud that is up")
    return parser


def _push(standing: Standing, asked: argparse.Namespace) -> int:
    wish = wanted(standing, asked.version, asked.environment)
    return push(wish, reach(standing), Narrator().say, wait=asked.wait)


def _operate(standing: Standing, asked: argparse.Namespace) -> int:
    enter(standing)
    code = operate.main(asked.words)
    if code == 0 and asked.words[0] in _WITH_LINKS:
        for deployment, ticket in reach(standing).tickets():
            print(f"\n{deployment.deployment_id} waits for {who(ticket.approval)}; decide here:")
            print(f"  {ticket.link}")
    return code


def _env(standing: Standing, asked: argparse.Namespace) -> int:
    print(f"unset {' '.join(OWN_ACCOUNT)}")
    for name, value in standing.environment.items():
        print(f"export {name}={shlex.quote(value)}")
    # Not for AWS's tools: where a person reaches the control doors of the two halves.
    print(f"export SLIPWAY_TWIN={standing.registry}")
    print(f"export SLIPWAY_DOOR={standing.door}")
    return 0


def _containers(standing: Standing, asked: argparse.Namespace) -> int:
    containers.serve(standing)
    return 0


def _down(ending: list[str]) -> int:
    if not ending:
        print("No cloud is up.")
    for name in ending:
        end(name)
        print(f"{called(name)} is down.")
    return 0


_COMMANDS: dict[str, Callable[[Standing, argparse.Namespace], int]] = {
    "containers": _containers,
    "env": _env,
    "operate": _operate,
    "push": _push,
}


if __name__ == "__main__":
    sys.exit(main())
