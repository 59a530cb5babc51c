"""The function behind Admit: what it answers to an event, and how loudly it refuses one."""

from typing import Any

import pytest

from functions.admit import app
from slipway.domain.catalog import Application, Catalog
from slipway.domain.errors import Reason, Rejected
from slipway.domain.outcome import Outcome
from slipway.requests.wishes import request_wish_id
from slipway.runtime import wiring
from slipway.runtime.observability import logger
from slipway.runtime.settings import Settings
from tests.builders.documents import NEW, OTHER, stable
from tests.builders.wished import asked, event, waiting
from tests.builders.worlds import World

SETTINGS = Settings({"SLIPWAY_ACCOUNT": "000000000000", "AWS_REGION": "us-east-1"})


class Context:
    """What Lambda tells of an invocation."""

    function_name = "admit"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:admit"
    aws_request_id = "1"


@pytest.fixture
def levels(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What was logged: the level and the reason."""
    told: list[tuple[str, str]] = []
    for name in ("info", "warning"):
        monkeypatch.setattr(
            logger,
            name,
            lambda what, name=name, **more: told.append((name, str(more.get("reason", what)))),
        )
    return told


def answered(
    world: World, told: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, Any]]:
    for name in ("records", "registry", "executions", "announcements", "catalog"):
        port = getattr(world, name)
        monkeypatch.setattr(wiring, name, lambda port=port: port)
    monkeypatch.setattr(wiring, "settings", lambda: SETTINGS)
    monkeypatch.setattr(wiring, "now", lambda: world.now)
    answer: list[dict[str, Any]] = app.lambda_handler(told, Context())  # type: ignore[arg-type]
    return answer


def requested(**detail: Any) -> dict[str, Any]:
    usual = {
        "application": "notes",
        "environment": "staging",
        "repository": "notes",
        "digest": OTHER,
        "tag": "v3",
        "requested_by": "ada",
        "request_id": "a-1",
    }
    return event("1") | {
        "source": "slipway",
        "detail-type": "Deployment Requested",
        "detail": usual | detail,
    }


def test_what_one_lane_refuses_is_admitted_on_the_other_that_the_push_feeds(
    monkeypatch: pytest.MonkeyPatch, levels: list[tuple[str, str]]
) -> None:
    world = World()
    other = world.settings.target.model_copy(update={"cluster": "other"})
    notes = world.settings
    lanes = {"staging": notes, "second": notes.model_copy(update={"target": other})}
    world.catalog = Catalog(
        applications={"notes": Application(application="notes", environments=lanes)}
    )
    answered(world, event("e1"), monkeypatch)
    world.deployment_id = "notes-staging-1"
    world.rewrite(outcome=Outcome.SUCCEEDED)
    world.rewrite_lane(stable=stable(digest=NEW))
    world.deployment_id = "notes-second-1"
    world.rewrite(outcome=Outcome.BLOCKED)

    first, second = answered(world, event("e2", after=60), monkeypatch)

    assert first["refused"] == Reason.UNCHANGED
    assert (second["deployment_id"], second["new"]) == ("notes-second-2", True)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (event("e1", tag=""), ("info", Reason.NOT_MEANT_FOR_US)),
        (event("e1", tag="latest"), ("info", Reason.NOT_MEANT_FOR_US)),
        (event("e1") | {"account": "111111111111"}, ("warning", Reason.EVENT_FOREIGN)),
        (event("e1", "v2"), ("warning", Reason.EVENT_MALFORMED)),
    ],
)
def test_what_is_refused_every_day_is_no_warning(
    told: dict[str, Any],
    expected: tuple[str, Reason],
    monkeypatch: pytest.MonkeyPatch,
    levels: list[tuple[str, str]],
) -> None:
    (answer,) = answered(World(), told, monkeypatch)

    assert levels == [expected]
    assert answer["refused"] == expected[1]


def test_an_artifact_is_refused_quietly(
    monkeypatch: pytest.MonkeyPatch, levels: list[tuple[str, str]]
) -> None:
    world = World()
    world.registry.artifacts[NEW] = "a Helm chart"

    answered(world, event("e1"), monkeypatch)

    assert levels == [("info", Reason.NOT_AN_IMAGE)]


def test_a_request_that_would_replace_hears_so(
    monkeypatch: pytest.MonkeyPatch, levels: list[tuple[str, str]]
) -> None:
    world = waiting()

    (answer,) = answered(world, requested(), monkeypatch)

    kept = world.records.admission(request_wish_id("a-1"))
    assert kept is not None
    assert (kept.reason, kept.message) == (answer["refused"], answer["message"])


@pytest.mark.parametrize("detail", [{"digest": "v3"}, {"application": "No"}, {"reason": "x" * 501}])
def test_a_request_that_cannot_be_read_hears_why(
    detail: dict[str, Any], monkeypatch: pytest.MonkeyPatch, levels: list[tuple[str, str]]
) -> None:
    world = World()

    (answer,) = answered(world, requested(**detail), monkeypatch)

    kept = world.records.admission(request_wish_id("a-1"))
    assert kept is not None
    assert (kept.deployment_id, kept.reason) == ("", Reason.EVENT_MALFORMED)
    assert kept.message == answer["message"]
    # The same request, well written, has to take another name.
    with pytest.raises(Rejected):
        world.admit(asked(OTHER, "a-1"))
