"""The commands that messages name are those that the operator's command line understands."""

import shlex

import pytest

from slipway.domain.commands import (
    cancel_command,
    deploy_command,
    lift_command,
    show_command,
)
from slipway.operate.arguments import parse

DIGEST = f"sha256:{'ab' * 32}"


@pytest.mark.parametrize(
    "command",
    [
        deploy_command("notes/staging", DIGEST),
        deploy_command("notes/staging", "v2"),
        deploy_command("notes/staging", DIGEST, "--schema-at", "0002_author"),
        deploy_command("notes/staging", DIGEST, "--replace"),
        lift_command("notes/staging"),
        lift_command("notes/staging", "--start"),
        cancel_command("notes-staging-7"),
    ],
)
def test_a_command_is_understood(command: str) -> None:
    program, *words = shlex.split(command)

    assert program == "operate"
    assert parse([*words, "--by", "ada"]).command == words[0]


def test_the_command_that_shows_a_record_is_understood() -> None:
    program, *words = shlex.split(show_command("notes-staging-7"))

    assert program == "operate"
    assert parse(words).command == "show"
