"""The last lines of a task: with words, plain, without secrets, and never worth an error."""

import time
from collections.abc import Sequence
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from slipway.adapters.ecs.one_offs import EcsOneOffs
from tests.builders.documents import TARGET
from tests.integration.adapters.ecs_answers import NEW, TASK, a_definition
from tests.integration.adapters.stubbed import refuse, stubbed

ASKED = {
    "logGroupName": "/ecs/notes",
    "logStreamName": "run/app/0123456789abcdef",
    "limit": 20,
    "startFromHead": False,
}


def page(messages: Sequence[str], before: str | None = None) -> dict[str, Any]:
    events = [{"timestamp": 1, "message": message} for message in messages]
    return {"events": events} | ({"nextBackwardToken": before} if before else {})


def tail(*pages: dict[str, Any], definition: dict[str, Any] | None = None) -> tuple[str, ...]:
    """What is read of a log with these pages, each of which must be asked for."""
    with stubbed("ecs") as (ecs, stub), stubbed("logs") as (logs, log_stub):
        described = definition or a_definition(NEW)
        stub.add_response("describe_task_definition", described, {"taskDefinition": NEW})
        token: dict[str, Any] = {}
        for one in pages:
            log_stub.add_response("get_log_events", one, {**ASKED, **token})
            token = {"nextToken": one.get("nextBackwardToken")}
        return EcsOneOffs(ecs, logs).log_tail(TARGET, NEW, TASK)


def refused(code: str) -> tuple[str, ...]:
    with stubbed("ecs") as (ecs, stub), stubbed("logs") as (logs, log_stub):
        stub.add_response("describe_task_definition", a_definition(NEW))
        refuse(log_stub, "get_log_events", code)
        return EcsOneOffs(ecs, logs).log_tail(TARGET, NEW, TASK)


def test_the_last_lines_are_told_oldest_first() -> None:
    assert tail(page(["upgrading\n", "no such column"])) == ("upgrading", "no such column")


def test_lines_without_words_are_left_out() -> None:
    lines = ['relation "x" is locked', "\n", "  ", "\x1b[0m", "\r\n"]

    assert tail(page(lines)) == ('relation "x" is locked',)


def test_colours_and_control_characters_are_taken_out() -> None:
    assert tail(page(["\x1b[31mERROR\x1b[0m no table\r\n", "a\x07b\u202ec"])) == (
        "ERROR no table",
        "a\\x07b\\u202ec",
    )


def test_an_empty_page_is_read_on_while_there_is_another_token() -> None:
    assert tail(page([], "b/1"), page(["\n"], "b/2"), page(["multiple heads"], "b/3")) == (
        "multiple heads",
    )


def test_a_log_ends_where_its_token_comes_back() -> None:
    assert tail(page([], "b/1"), page([], "b/1")) == ()


def test_an_endless_log_is_given_up() -> None:
    assert tail(*(page([], f"b/{number}") for number in range(10))) == ()


def test_at_most_twenty_lines_are_kept() -> None:
    lines = [str(number) for number in range(100, 150)]

    assert tail(page(lines)) == tuple(lines[-20:])


def test_a_long_line_is_cut() -> None:
    assert tail(page(["x" * 10_000])) == ("x" * 499 + "…",)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            "cannot reach postgresql://notes:s3cr3t@db.example.com/notes",
            "cannot reach postgresql://notes:***@db.example.com/notes",
        ),
        ("cannot reach redis://:s3cr3t@cache:6379/0", "cannot reach redis://***@cache:6379/0"),
        ("PGPASSWORD=s3cr3t psql", "PGPASSWORD=*** psql"),
        ("Authorization: Bearer s3cr3ts3cr3t", "Authorization: ***"),
    ],
)
def test_a_secret_in_a_log_line_is_not_shown_to_people(said: str, kept: str) -> None:
    assert tail(page([said])) == (kept,)


def test_a_secret_does_not_get_through_where_a_line_is_cut() -> None:
    said = f"{'x' * 460} postgresql://notes:{'s3cr3t' * 20}@db"

    assert "s3cr3t" not in tail(page([said]))[0]


@pytest.mark.parametrize(
    "line",
    [
        "://a:" * 50_000,
        "https://h:1/" * 20_000,
        "password=" * 30_000,
        "\x1b[" * 125_000,
        " " * 250_000,
        "\x00" * 250_000,
        "xoxb-" * 50_000,
        "eyJ" + "a." * 125_000,
    ],
    ids=["logins", "addresses", "names", "escapes", "blanks", "zeros", "tokens", "jwt"],
)
def test_a_quarter_of_a_megabyte_in_a_line_is_read_in_no_time(line: str) -> None:
    """A pattern that is not linear, or a line that is not cut first, takes minutes for this."""
    began = time.process_time()
    kept = tail(page([line] * 20))

    assert time.process_time() - began < 5
    assert len(kept) <= 20
    assert all(len(one) <= 500 for one in kept)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ResourceNotFoundException", ()),
        (
            "AccessDeniedException",
            ("(Slipway has no permission to read the log group /ecs/notes)",),
        ),
        (
            "ThrottlingException",
            ("(Slipway could not read the log group /ecs/notes: ThrottlingException)",),
        ),
        (
            "ServiceUnavailableException",
            ("(Slipway could not read the log group /ecs/notes: ServiceUnavailableException)",),
        ),
    ],
)
def test_a_log_that_cannot_be_read_is_one_line(code: str, expected: tuple[str, ...]) -> None:
    assert refused(code) == expected


class SilentLogs:
    """CloudWatch Logs that never answers."""

    class meta:  # noqa: N801
        region_name = "us-east-1"

    def get_log_events(self, **_: object) -> None:
        raise ReadTimeoutError(endpoint_url="https://logs.example.com")


def test_a_log_that_gives_no_answer_is_one_line() -> None:
    silent: Any = SilentLogs()
    with stubbed("ecs") as (ecs, stub):
        stub.add_response("describe_task_definition", a_definition(NEW))
        said = EcsOneOffs(ecs, silent).log_tail(TARGET, NEW, TASK)

    assert said == ("(Slipway could not read the log group /ecs/notes: ReadTimeoutError)",)


def test_a_task_definition_that_cannot_be_read_is_one_line() -> None:
    with stubbed("ecs") as (ecs, stub), stubbed("logs") as (logs, _):
        refuse(stub, "describe_task_definition", "ThrottlingException")

        assert EcsOneOffs(ecs, logs).log_tail(TARGET, NEW, TASK) == (
            "(Slipway could not locate the task's log: ThrottlingException)",
        )


@pytest.mark.parametrize(
    "logging",
    [
        {"logDriver": "awsfirelens"},
        {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/notes"}},
        {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": "/ecs/notes",
                "awslogs-region": "eu-west-1",
                "awslogs-stream-prefix": "run",
            },
        },
    ],
    ids=["another driver", "no stream prefix", "another region"],
)
def test_a_task_that_logs_elsewhere_has_no_tail(logging: dict[str, Any]) -> None:
    containers = [{"name": "app", "image": "x", "logConfiguration": logging}]

    assert tail(definition=a_definition(NEW, containerDefinitions=containers)) == ()
