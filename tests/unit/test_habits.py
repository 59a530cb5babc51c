"""What a change is checked with, on GitHub and before a commit, is pinned and says the same."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = {path.name: path for path in sorted((ROOT / ".github/workflows").glob("*.yml"))}
HOOKS = {
    hook["id"]: hook
    for repository in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    for hook in repository["hooks"]
}


def workflow(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(WORKFLOWS[name].read_text())
    return found


def contributing() -> str:
    return (ROOT / "CONTRIBUTING.md").read_text()


@pytest.mark.parametrize("name", WORKFLOWS)
def test_an_action_is_pinned_by_its_commit_and_says_its_version(name: str) -> None:
    used = re.findall(r"uses: (.*)", WORKFLOWS[name].read_text())

    assert used != []
    assert [
        line for line in used if not re.match(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+( #|$)", line)
    ] == []


def test_every_workflow_pins_the_same_version_of_an_action() -> None:
    used = {
        line
        for path in WORKFLOWS.values()
        for line in re.findall(r"uses: (\S+ # \S+)", path.read_text())
    }

    assert len(used) == len({line.partition("@")[0] for line in used})


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_job_has_its_own_permissions_and_an_end(name: str) -> None:
    jobs = workflow(name)["jobs"].values()

    assert workflow(name)["permissions"] == {}
    assert all(job["permissions"] and job["timeout-minutes"] <= 60 for job in jobs)


def test_what_runs_the_code_of_a_pull_request_can_only_read() -> None:
    jobs = workflow("ci.yml")["jobs"].values()

    assert [job["permissions"] for job in jobs] == [{"contents": "read"}]


def test_ci_runs_what_a_developer_runs_on_every_python_that_is_promised() -> None:
    (job,) = workflow("ci.yml")["jobs"].values()
    versions = ", ".join(job["strategy"]["matrix"]["python"])

    assert job["steps"][-1] == {"run": ".ci/run"}
    assert f"Python {versions.replace(', 3.13', ' and 3.13')}" in contributing()
    assert (ROOT / ".ci/run").read_text().splitlines()[-1] == "exec make test"


def test_every_hook_is_a_tool_of_this_repository() -> None:
    beginnings = (".venv/bin/", "env SAM_CLI_TELEMETRY=0 .venv/bin/", "make ")

    assert [
        hook["id"]
        for hook in HOOKS.values()
        if hook["language"] != "pygrep" and not hook["entry"].startswith(beginnings)
    ] == []
    assert re.search(r"^pre-commit==", (ROOT / "requirements/dev.txt").read_text(), re.M)


def refused(message: str) -> bool:
    """Whether the hook turns a message away, read as pre-commit reads `pygrep --negate`."""
    return re.search(HOOKS["message"]["entry"], message, re.M) is None


def test_the_types_of_commits_are_those_of_the_table() -> None:
    types = re.findall(r"^  \| `(\w+)` \|", contributing(), re.M)

    assert types == ["feat", "fix", "refactor", "test", "docs", "build", "ci", "revert"]
    assert [kind for kind in types if refused(f"{kind}: a busy registry is asked again\n")] == []


@pytest.mark.parametrize(
    "message",
    [
        "fix(twin): a rollout ends",
        "feat!: a catalog names its account",
        "refactor(catalog_build)!: one union",
        "Merge branch 'main' into waves",
        'Revert "fix: a rollout ends"',
        "fixup! fix: a rollout ends",
    ],
)
def test_scopes_breaking_changes_and_what_git_writes_itself_are_fine(message: str) -> None:
    assert not refused(message)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "A rollout ends",
        "Fix: a rollout ends",
        "fix:a rollout ends",
        "fix: ",
        "chore: tidy up",
        "wip\n\nfix: a rollout ends",
    ],
)
def test_any_other_message_is_turned_away(message: str) -> None:
    assert refused(message)


@pytest.mark.parametrize("tool", ["ruff format", "ruff check", "mypy", "sam validate --lint"])
def test_the_checks_before_a_commit_are_those_of_make_check(tool: str) -> None:
    (recipe,) = re.findall(r"^check: .*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)

    assert f"$(BIN)/{tool}" in recipe
    assert [name for name, hook in HOOKS.items() if f".venv/bin/{tool}" in hook["entry"]] != []
