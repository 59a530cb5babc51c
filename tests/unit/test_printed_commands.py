"""Every command that a page prints exists, with the words that it is given."""

import os
import re
import subprocess

import pytest

from demo.standing.announcement import after_the_demo, first_steps
from demo.standing.lock import Standing
from demo.standing.pushing import PUSHABLE
from tests.unit.printed import ROOT, Printed, printed
from tests.unit.understood import NotUnderstood, operate, understand

# A synopsis is no command; what stands for it here is one.
SYNOPSES = {
    "python -m slipway.operate [--stack slipway] [--catalog catalog] COMMAND ...": (
        "python -m slipway.operate --stack slipway --catalog catalog status"
    ),
}
WORDS = {
    "[APP[/ENV]]": "fastapi-rds",
    "APP/ENV": "fastapi-rds/staging",
    "ID": "fastapi-rds-staging-1",
    "NAME": "ada",
    "TAG": "v1",
    "TEXT": "why",
}


def problems(line: Printed) -> list[str]:
    line = Printed(line.page, SYNOPSES.get(line.text, line.text), line.whole)
    found = []
    for words in line.commands():
        try:
            understand(words, whole=line.whole)
        except NotUnderstood as problem:
            found.append(f"{line}: {problem}")
    return found


def test_every_printed_command_would_be_understood() -> None:
    lines = printed()

    assert [problem for line in lines for problem in problems(line)] == []
    assert len(lines) > 90


@pytest.mark.parametrize(
    "line",
    [
        "make pusch VERSION=v1",
        "make push VERSOIN=v1",
        "make push VERSION=v9",
        "make operate DO='lift fastapi-rds/staging --whom ada'",
        "operate lift fastapi-rds/production --until tomorrow",
        "operate deploy fastapi-rds/staging --tag v1 --by ada",
        "PYTHONPATH=layers/core .venv/bin/python -m slipway.operator status",
        "python -m slipway.catalog_build --scheme x",
        "aws ecs describe-service --cluster x --services api",
        "aws ecs describe-services --clusters x --services api",
        "aws ecs describe-services --cluster x",
        'aws events put-events --entries \'[{"Sauce": "slipway"}]\'',
        "aws rds wait db-instance-ready --db-instance-identifier x",
        ".venv/bin/sam local invoke VerifFunction -e events/verify.json --config-env local",
        ".venv/bin/sam local invoke VerifyFunction -e events/nothing.json --config-env local",
        "curl -d '{' \"$SLIPWAY_TWIN/slack/_policy\"",
        'curl -d @events/nothing.json "$SLIPWAY_DOOR/events"',
        "queue=$(physical Undeliverd)",
        "terraform apply",
        'eval "$(make envs)"',
    ],
)
def test_a_mistake_in_a_printed_command_is_found(line: str) -> None:
    assert problems(Printed("page.md", line, whole=True)) != []


def test_the_table_of_the_operators_commands_is_that_of_its_parser() -> None:
    page = (ROOT / "docs" / "operate.md").read_text()
    rows = re.findall(r"^\| `([^|]+)` \|", page, re.M)
    words = [
        word
        for row in rows
        # Further forms of a command stand behind it.
        for word in [row.partition("` or ")[0]]
    ]

    assert len(words) >= 8
    for each in words:
        for name, value in WORDS.items():
            each = each.replace(name, value)
        operate(each.split(), whole=True)


def standing(name: str) -> Standing:
    return Standing(
        name=name,
        folder="/tmp/slipway-1",
        registry="http://127.0.0.1:1",
        door="http://127.0.0.1:2",
        architecture="amd64",
        fed={"staging": True, "production": False},
        services={},
        slack="http://127.0.0.1:1/slack/",
        status="http://127.0.0.1:3/?sig=1",
        web_url="http://127.0.0.1:3",
        link_secret_arn="arn",
        environment={},
    )


@pytest.mark.parametrize("name", ["default", "b"])
@pytest.mark.parametrize("steps", [first_steps, after_the_demo])
def test_what_a_cloud_says_to_do_next_would_be_understood(steps: object, name: str) -> None:
    assert callable(steps)
    commands = [what for what, _ in steps(standing(name)) if not what.startswith("http")]

    assert len(commands) >= 5
    for command in commands:
        assert problems(Printed("make up", command, whole=True)) == []
        assert ("NAME=b" in command) == (name == "b")


def test_a_new_cloud_is_told_to_begin_with_the_first_version() -> None:
    """The first release of a lane has nothing to go back to, so it is one that works."""
    pushes = [what for what, _ in first_steps(standing("default")) if " push " in what]

    assert pushes[0] == f"make push VERSION={PUSHABLE[0]}"
    assert [re.findall(r"VERSION=(\w+)", push)[0] for push in pushes] == ["v1", "v2", "v3"]


def recipe(*words: str) -> str:
    """What make would run, whatever the shell's own settings are called."""
    environment = {**os.environ, "NAME": "HOST", "ENV": "/etc/shrc", "VERSION": "9", "WAIT": "1"}
    command = ["make", "-n", "--no-print-directory", *words]
    answer = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return answer.stdout.splitlines()[-1]


def test_a_real_stack_is_asked_without_the_links_of_the_local_cloud() -> None:
    """An approval link is a right, and of a stack on AWS only Slack is told it."""
    assert "demo.standing.visit" in recipe("waiting")
    assert recipe("waiting", "STACK=slipway").endswith(
        'python -m slipway.operate --stack "slipway" waiting'
    )


def test_the_shells_own_variables_do_not_choose_the_cloud_or_the_version() -> None:
    assert recipe("push").split("demo.standing.visit ")[1].split() == [
        "--name",
        '""',
        "push",
        '"v1"',
        '"staging"',
    ]
    assert recipe("push", "NAME=b", "WAIT=1").split("demo.standing.visit ")[1].split() == [
        *("--name", '"b"', "push", '"v1"', '"staging"', "--wait")
    ]


def test_the_readme_tells_the_cost_that_the_demo_prints() -> None:
    """The demo's table and the sentence below it come from the same run."""
    page = " ".join((ROOT / "README.md").read_text().split())
    units = r"(\d+) state transitions, (\d+) Lambda invocations,? (?:and )?(\d+) AWS calls"
    in_table = re.search(rf"production: {units}", page)
    in_text = re.search(rf"v2 to production took {units}", page)

    assert in_table is not None and in_text is not None
    assert in_table.groups() == in_text.groups()
