"""The arguments of `python -m slipway.operate`, and its help."""

import argparse
import re
from pathlib import Path
from typing import Final, NamedTuple

from slipway.domain.release import SCHEMA
from slipway.domain.text import plain
from slipway.operate.desk import Place

_NAME: Final = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
_EPILOG: Final = """\
terms:
  lane       one application in one environment; one deployment at a time changes it
  hold       stops automatic deployments on a lane until somebody lifts it
  supersede  a newer push takes the place of a deployment that has not changed anything yet

exit codes:
  0  done
  1  refused or failed; one sentence on stderr says why
  2  usage error
"""


class Lanes(NamedTuple):
    """Lanes of the catalog: one, all of an application, or all."""

    application: str | None
    environment: str | None


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command and its values; exits with code 2 on a usage error."""
    parser = argparse.ArgumentParser(
        prog="python -m slipway.operate",
        description="Operate a deployed Slipway with your own AWS credentials.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--stack", default="slipway", help="CloudFormation stack of Slipway (default: slipway)"
    )
    parser.add_argument(
        "--catalog",
        type=Path,
        default=Path("catalog"),
        help="directory of the catalog (default: catalog)",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_queries(commands)
    _add_changes(commands)
    options = parser.parse_args(arguments)
    if options.command == "verify-records" and bool(options.id) == options.all:
        parser.error("verify-records: expected a deployment ID or --all")
    return options


def _add_queries(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    status = commands.add_parser(
        "status", help="show lanes: live release, hold, recent deployments"
    )
    everything = Lanes(None, None)
    status.add_argument("place", nargs="?", type=_lanes, default=everything, metavar="APP[/ENV]")
    _add_deployment(commands.add_parser("show", help="show one deployment and its timeline"))
    commands.add_parser("waiting", help="list approvals that nobody has decided yet")
    verify = commands.add_parser(
        "verify-records", help="check that records are complete and unchanged"
    )
    verify.add_argument("id", nargs="?", type=_deployment_id, metavar="ID")
    verify.add_argument("--all", action="store_true", help="check all lanes of the catalog")


def _add_changes(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    deploy = commands.add_parser("deploy", help="request a release, despite holds and newer pushes")
    _add_request(deploy)
    hold = commands.add_parser("hold", help="stop automatic deployments on a lane")
    _add_lane(hold)
    hold.add_argument(
        "--message",
        type=_words,
        required=True,
        help="shown with every deployment that the hold stops",
    )
    lift = commands.add_parser("lift", help="lift the hold of a lane")
    _add_lane(lift)
    lift.add_argument(
        "--start", action="store_true", help="then request the newest release that the hold stopped"
    )
    cancel = commands.add_parser("cancel", help="stop a deployment, or roll it back")
    _add_deployment(cancel)
    for command in (deploy, hold, lift, cancel):
        command.add_argument(
            "--by",
            type=_name,
            metavar="NAME",
            help="recorded together with your AWS identity (default: your AWS identity alone)",
        )


def _add_request(deploy: argparse.ArgumentParser) -> None:
    _add_lane(deploy)
    which = deploy.add_mutually_exclusive_group(required=True)
    which.add_argument("--digest", type=_digest, metavar="sha256:...")
    which.add_argument("--tag", type=_tag)
    deploy.add_argument("--reason", type=_words, required=True, help="reason, for the record")
    deploy.add_argument(
        "--replace", action="store_true", help="supersede another release that is waiting"
    )
    deploy.add_argument(
        "--schema-at",
        type=_schema,
        metavar="REVISION",
        help="the database's current schema, after it was changed by hand",
    )


def _add_deployment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", type=_deployment_id, metavar="ID", help="deployment ID")


def _add_lane(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("place", type=_lane, metavar="APP/ENV")


def _lanes(text: str) -> Lanes:
    found = re.fullmatch(rf"({_NAME})(?:/({_NAME}))?", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"expected APP or APP/ENV, got '{text}'")
    return Lanes(found[1], found[2])


def _lane(text: str) -> Place:
    found = re.fullmatch(rf"({_NAME})/({_NAME})", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"expected APP/ENV, got '{text}'")
    return Place(found[1], found[2])


def _deployment_id(text: str) -> str:
    return _match(text, rf"{_NAME}-[1-9][0-9]*", "a deployment ID such as shop-production-7")


def _digest(text: str) -> str:
    return _match(text, r"sha256:[0-9a-f]{64}", "sha256: and 64 hex digits")


def _tag(text: str) -> str:
    # https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
    return _match(text, r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}", "an image tag")


def _schema(text: str) -> str:
    return _match(text, SCHEMA, "a schema name of letters, digits and . _ + -")


def _name(text: str) -> str:
    return _match(_printable_text(text.strip()), r".{1,100}", "a name of 1 to 100 characters")


def _words(text: str) -> str:
    return _match(_printable_text(text.strip()), r".{1,500}", "1 to 500 characters")


def _printable_text(text: str) -> str:
    """Names and reasons are shown to others: no line breaks, escapes or bidirectional marks."""
    if not text.isprintable():
        raise argparse.ArgumentTypeError(f"expected printable characters, got '{plain(text)}'")
    return text


def _match(text: str, pattern: str, expected: str) -> str:
    if not re.fullmatch(pattern, text):
        raise argparse.ArgumentTypeError(f"expected {expected}, got '{plain(text)}'")
    return text
