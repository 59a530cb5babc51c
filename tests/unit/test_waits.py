"""Which steps wait for what is one table: steps, rules and states are held to it."""

import ast
import importlib
from typing import Any

import pytest

from slipway.runtime.hints import hints
from slipway.waits import (
    LOOK_AGAIN,
    WAITS,
    Hint,
    Key,
    Wait,
    databases_key,
    deployment_key,
    lane_key,
    scan_key,
    service_key,
    snapshot_key,
    task_key,
)
from tests.unit.source import module, modules
from tests.unit.stack import machine, rules

ACCOUNT = "123456789012"
ASKED = {
    "deployment_id": "notes-staging-1",
    "lane": "notes/staging",
    "service_arn": "arn:aws:ecs:eu-central-1:123456789012:service/apps/notes",
    "scanned_image": "notes@sha256:1",
    "of": "release",
}
# An event with whatever any of them says.
DETAIL = {
    "deployment_id": "notes-staging-1",
    "lane": "notes/staging",
    "SourceIdentifier": "slipway-notes-staging-1",
    "startedBy": "slipway/migrate/notes-staging-1",
    "repository-name": "notes",
    "image-digest": "sha256:1",
}
RESOURCES = (ASKED["service_arn"],)
ROWS = pytest.mark.parametrize("wait", WAITS, ids=lambda wait: wait.step)


def kind(key: Key) -> str:
    return key.partition(":")[0]


def kinds(wait: Wait) -> list[str]:
    """The words that a row's keys begin with."""
    return [kind(make("x") if make is not databases_key else make()) for make in wait.keys]


def request_of(step: Any) -> Any:
    """A request of this step, with as many of the answers above as it has fields for."""
    model = next(
        found
        for name, found in vars(step).items()
        if name.endswith("Request") and getattr(found, "__module__", "") == step.__name__
    )
    return model(**{name: ASKED[name] for name in model.model_fields if name in ASKED})


def keys_of(wait: Wait) -> tuple[Key, ...]:
    """What the row's step parks under."""
    step = importlib.import_module(f"slipway.steps.{wait.step}")
    keys: tuple[Key, ...] = step.keys(request_of(step))
    return keys


def named(hint: Hint) -> list[str]:
    return [kind(key) for key in hint.names(DETAIL, RESOURCES)]


def test_a_key_of_every_kind_has_a_word_of_its_own() -> None:
    made = [
        snapshot_key("slipway-notes-staging-1"),
        task_key("slipway/migrate/notes-staging-1"),
        service_key("arn:aws:ecs:eu-central-1:1:service/apps/notes"),
        scan_key("notes@sha256:1"),
        deployment_key("notes-staging-1"),
        lane_key("notes/staging"),
        databases_key(),
    ]

    assert made == [
        "snapshot:slipway-notes-staging-1",
        "task:slipway/migrate/notes-staging-1",
        "service:arn:aws:ecs:eu-central-1:1:service/apps/notes",
        "scan:notes@sha256:1",
        "deployment:notes-staging-1",
        "lane:notes/staging",
        "databases",
    ]


def test_a_key_is_made_by_the_functions_of_the_table_only() -> None:
    making = {
        name
        for name in modules()
        for node in ast.walk(module(name).tree)
        if isinstance(node, ast.Call)
        if isinstance(node.func, ast.Name) and node.func.id == "Key"
    }

    assert making == {"slipway.waits"}


@ROWS
def test_a_step_parks_under_the_keys_of_its_row(wait: Wait) -> None:
    assert list(dict.fromkeys(kind(key) for key in keys_of(wait))) == kinds(wait)


@ROWS
def test_every_event_of_a_row_names_a_key_that_its_step_waits_for(wait: Wait) -> None:
    assert [
        hint.detail_type for hint in wait.hints if not set(named(hint)) & set(kinds(wait))
    ] == []


@ROWS
def test_a_function_is_started_by_exactly_the_events_of_its_row(wait: Wait) -> None:
    started_by = {
        (source, what)
        for rule in rules(wait.step).values()
        for source in rule["Pattern"]["source"]
        for what in rule["Pattern"]["detail-type"]
    }

    assert started_by == {(hint.source, hint.detail_type) for hint in (*wait.hints, LOOK_AGAIN)}


@ROWS
def test_a_step_that_waits_is_woken_by_the_sweep(wait: Wait) -> None:
    detail = {"deployment_id": ASKED["deployment_id"], "lane": ASKED["lane"], "step": wait.step}
    event = {"account": ACCOUNT, "source": "slipway", "detail-type": "Look Again", "detail": detail}

    assert set(keys_of(wait)) & set(hints(event, ACCOUNT))


def test_the_states_that_wait_for_a_token_call_the_steps_of_the_table() -> None:
    called = {
        state["Arguments"]["FunctionName"]
        for state in machine()["States"].values()
        if str(state.get("Resource")).endswith("waitForTaskToken")
    }

    assert called == {f"${{{wait.step.capitalize()}FunctionArn}}" for wait in WAITS}


def test_no_two_rows_read_one_event_differently() -> None:
    readers: dict[tuple[str, str], set[Any]] = {}
    for hint in [*(hint for wait in WAITS for hint in wait.hints), LOOK_AGAIN]:
        readers.setdefault((hint.source, hint.detail_type), set()).add(hint.names)

    assert {event for event, several in readers.items() if len(several) > 1} == set()
