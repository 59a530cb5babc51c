"""What is ours is built once, what is theirs once per place, and nothing before it is asked for."""

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from slipway.domain.errors import Broken, Reason
from slipway.runtime import wiring
from slipway.runtime.settings import Settings
from slipway.runtime.wiring import HERE, Place

ELSEWHERE = Place("111111111111", "eu-west-1", "arn:aws:iam::111111111111:role/slipway")
# The clients that each is built with.
OURS = {
    "records": ["dynamodb"],
    "parking": ["dynamodb"],
    "waiting": ["dynamodb", "stepfunctions"],
    "executions": ["stepfunctions"],
    "announcements": ["events"],
    "secrets": ["secretsmanager"],
}
THEIRS = {
    "registry": ["ecr"],
    "services": ["ecs"],
    "revisions": ["ecs"],
    "rollouts": ["ecs"],
    "one_offs": ["ecs", "logs"],
    "balancers": ["elbv2"],
    "databases": ["rds"],
    "database_states": ["rds"],
    "alarms": ["cloudwatch"],
}
# What is built without a client of AWS.
WITHOUT = ["settings", "session", "catalog", "downloads", "restores", "website"]
KEPT = {name: one for name, one in vars(wiring).items() if hasattr(one, "cache_info")}


class Environment(dict[str, str]):
    """Every setting has a value."""

    def get(self, key: str, default: Any = None) -> Any:
        return key.lower()


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Place]]:
    """The clients that were asked for, each with its place."""
    found: list[tuple[str, Place]] = []

    def client(name: str, place: Place = HERE) -> object:
        found.append((name, place))
        return object()

    for name, one in KEPT.items():
        # A cache of its own: what a test builds must not stay.
        monkeypatch.setattr(wiring, name, cache(one.__wrapped__))
    monkeypatch.setattr(wiring, "client", client)
    monkeypatch.setattr(wiring, "settings", lambda: Settings(Environment()))
    return found


def build(name: str) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(wiring, name)
    return found


@pytest.mark.parametrize("name", OURS)
def test_what_is_ours_is_built_once_from_our_own_clients(
    name: str, asked: list[tuple[str, Place]]
) -> None:
    assert build(name)() is build(name)()
    assert asked == [(service, HERE) for service in OURS[name]]


@pytest.mark.parametrize("name", THEIRS)
def test_what_is_theirs_is_built_once_per_place_from_the_clients_of_that_place(
    name: str, asked: list[tuple[str, Place]]
) -> None:
    here, there = build(name)(), build(name)(ELSEWHERE)

    assert here is build(name)()
    assert there is build(name)(ELSEWHERE)
    assert there is not here
    assert asked == [(service, place) for place in (HERE, ELSEWHERE) for service in THEIRS[name]]


def test_everything_that_is_kept_is_ours_or_theirs() -> None:
    assert sorted(KEPT) == sorted(["client", *OURS, *THEIRS, *WITHOUT])
    placed = {name for name, one in KEPT.items() if "place" in inspect.signature(one).parameters}
    assert placed == {"client", *THEIRS}


def test_another_place_than_our_own_is_refused_for_as_long_as_nobody_can_reach_it() -> None:
    with pytest.raises(Broken) as refused:
        KEPT["client"]("ecr", ELSEWHERE)

    assert (refused.value.reason, refused.value.message) == (
        Reason.INTERNAL_ERROR,
        "Slipway cannot deploy to Place(account='111111111111', region='eu-west-1', "
        "role='arn:aws:iam::111111111111:role/slipway') yet.",
    )
