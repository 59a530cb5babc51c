"""Pushes and requests as they are told, and a world that answers them."""

from datetime import timedelta
from typing import Any

import pytest

from slipway.domain.deployment import Origin, Phase
from slipway.domain.errors import Reason, Rejected
from slipway.domain.lane import Hold
from slipway.domain.outcome import Outcome
from slipway.requests.admit import AdmitResult
from slipway.requests.wish import Wish
from slipway.requests.wishes import wishes
from tests.builders import samples
from tests.builders.documents import NEW, START, environment, release, wish
from tests.builders.worlds import World

ACCOUNT, REGION = "000000000000", "us-east-1"
HOLD = Hold(reason="RolledBack", message="/health answered 500.", by="notes-staging-1", since=START)
BASE = f"push:notes/staging:notes@{NEW}"


def event(
    event_id: str, digest: str = NEW, tag: str = "v2", *, after: float = 0, **detail: Any
) -> dict[str, Any]:
    """ECR's event of a push, so many seconds after START."""
    told = {"repository-name": "notes", "image-digest": digest, "image-tag": tag, **detail}
    at = (START + timedelta(seconds=after)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**samples.push(**told), "id": event_id, "time": at}


def pushed(world: World, told: dict[str, Any]) -> AdmitResult:
    """What becomes of an event that is delivered now."""
    (wanted,) = wishes(
        told, account=ACCOUNT, region=REGION, catalog=world.catalog, records=world.records
    )
    return world.admit(wanted)


def refusal(world: World, told: dict[str, Any] | Wish) -> tuple[Reason, str]:
    with pytest.raises(Rejected) as refused:
        world.admit(told) if isinstance(told, Wish) else pushed(world, told)
    return refused.value.reason, refused.value.message


def asked(digest: str = NEW, request_id: str = "1", **changes: Any) -> Wish:
    """A person's request."""
    usual: dict[str, Any] = {
        "release": release(digest),
        "explicit": True,
        "origin": Origin.REQUEST,
        "requested_by": "ada",
        "reason": "It cannot wait.",
    }
    return wish(f"request:{request_id}", **{**usual, **changes})


def ended(world: World, outcome: Outcome, deployment_id: str = "notes-staging-1") -> None:
    world.deployment_id = deployment_id
    world.rewrite(outcome=outcome, phase=Phase.SETTLED)


def once(world: World) -> bool:
    """Whether one deployment was made, and one execution started."""
    return (world.lane.next_number, len(world.executions.started)) == (2, 1)


def waiting() -> World:
    """NEW waiting for approval, OLD is live."""
    world = World(environment(approval={"approvers": ["ada"]}))
    pushed(world, event("e1"))
    world.plan()
    world.approve()
    return world
