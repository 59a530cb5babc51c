"""What an operator can say."""

import argparse
import re
from pathlib import Path
from typing import Final, NamedTuple

from slipway.domain.release import SCHEMA
from slipway.domain.text import plain
from slipway.operate.desk import Place

_NAME: Final = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
_ENDS: Final = "exit code: 0 done; 1 refused or failed, in one sentence; 2 not understood"


class Part(NamedTuple):
    """A part of the catalog: one lane, all lanes of an application, or everything."""

    application: str | None
    environment: str | None


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command and its values; ends the process with code 2 when they are not understood."""
    parser = argparse.ArgumentParser(
        prog="python -m slipway.operate",
        description="Operate a deployed Slipway with your own AWS credentials.",
        epilog=_ENDS,
    )
    parser.add_argument("--stack", default="slipway", help="CloudFormation stack (slipway)")
    parser.add_argument(
        "--catalog", type=Path, default=Path("catalog"), help="folder of the catalog (catalog)"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_looks(commands)
    _add_changes(commands)
    options = parser.parse_args(arguments)
    if options.command == "verify-records" and bool(options.id) == options.all:
        parser.error("verify-records: expected either the ID of a deployment or --all")
    return options


def _add_looks(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    status = commands.add_parser("status", help="what is live, held and under way")
    everything = Part(None, None)
    status.add_argument("place", nargs="?", type=_part, default=everything, metavar="APP[/ENV]")
    _one_deployment(commands.add_parser("show", help="one deployment with its timeline"))
    commands.add_parser("waiting", help="approvals that nobody has decided, with the time left")
    verify = commands.add_parser(
        "verify-records", help="whether records are complete and unchanged"
    )
    verify.add_argument("id", nargs="?", type=_deployment_id, metavar="ID")
    verify.add_argument("--all", action="store_true", help="of all lanes of the catalog")


def _add_changes(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    deploy = commands.add_parser("deploy", help="ask for a release, over holds and newer pushes")
    _one_lane(deploy)
    which = deploy.add_mutually_exclusive_group(required=True)
    which.add_argument("--digest", type=_digest, metavar="sha256:...")
    which.add_argument("--tag", type=_tag)
    deploy.add_argument("--reason", type=_words, required=True, help="goes into the record")
    deploy.add_argument(
        "--replace", action="store_true", help="take the place of another release that waits"
    )
    deploy.add_argument(
        "--schema-at",
        type=_schema,
        metavar="REVISION",
        help="where the database's schema is, when it was moved by hand",
    )
    hold = commands.add_parser("hold", help="stop automation on a lane")
    _one_lane(hold)
    hold.add_argument("--message", type=_words, required=True, help="told to whoever is stopped")
    lift = commands.add_parser("lift", help="let automation go on")
    _one_lane(lift)
    lift.add_argument(
        "--start", action="store_true", help="request the newest release that the hold stopped"
    )
    cancel = commands.add_parser("cancel", help="stop a deployment, or have it taken back")
    _one_deployment(cancel)
    for command in (deploy, hold, lift, cancel):
        command.add_argument(
            "--by",
            type=_name,
            metavar="NAME",
            help="recorded beside your AWS identity, which alone is recorded without it",
        )


def _one_deployment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", type=_deployment_id, metavar="ID", help="of the deployment")


def _one_lane(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("place", type=_lane, metavar="APP/ENV")


def _part(text: str) -> Part:
    found = re.fullmatch(rf"({_NAME})(?:/({_NAME}))?", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"expected APP or APP/ENV, got '{text}'")
    return Part(found[1], found[2])


def _lane(text: str) -> Place:
    found = re.fullmatch(rf"({_NAME})/({_NAME})", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"expected APP/ENV, got '{text}'")
    return Place(found[1], found[2])


def _deployment_id(text: str) -> str:
    return _matched(text, rf"{_NAME}-[1-9][0-9]*", "a deployment's ID such as shop-production-7")


def _digest(text: str) -> str:
    return _matched(text, r"sha256:[0-9a-f]{64}", "sha256: and 64 hex digits")


def _tag(text: str) -> str:
    # https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
    return _matched(text, r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}", "an image's tag")


def _schema(text: str) -> str:
    return _matched(text, SCHEMA, "a schema's name of letters, digits and . _ + -")


def _name(text: str) -> str:
    return _matched(_printable(text.strip()), r".{1,100}", "a name of 1 to 100 characters")


def _words(text: str) -> str:
    return _matched(_printable(text.strip()), r".{1,500}", "1 to 500 characters")


def _printable(text: str) -> str:
    """Names and reasons are shown to others: no line breaks, escapes or bidirectional marks."""
    if not text.isprintable():
        raise argparse.ArgumentTypeError(f"expected printable characters, got '{plain(text)}'")
    return text


def _matched(text: str, pattern: str, expected: str) -> str:
    if not re.fullmatch(pattern, text):
        raise argparse.ArgumentTypeError(f"expected {expected}, got '{plain(text)}'")
    return text
