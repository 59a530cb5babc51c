"""Whoever waits is found by the sweep's question, whatever else wakes it."""

import importlib
from typing import Any

import pytest

from slipway.chores.waiting import _WAITING_STEPS
from slipway.domain.deployment import Phase
from slipway.runtime.hints import hints

ACCOUNT = "123456789012"
ASKED = {
    "deployment_id": "notes-staging-1",
    "lane": "notes/staging",
    "service_arn": "arn:aws:ecs:eu-central-1:123456789012:service/apps/notes",
    "scanned_image": "notes@sha256:1",
    "of": "release",
}


def request_of(step: Any) -> Any:
    """A request of this step, with as many of the answers above as it has fields for."""
    model = next(
        found
        for name, found in vars(step).items()
        if name.endswith("Request") and getattr(found, "__module__", "") == step.__name__
    )
    return model(**{name: ASKED[name] for name in model.model_fields if name in ASKED})


@pytest.mark.parametrize(
    "step", sorted({one for steps in _WAITING_STEPS.values() for one in steps})
)
def test_a_step_that_waits_is_woken_by_the_sweep(step: str) -> None:
    module = importlib.import_module(f"slipway.steps.{step}")
    detail = {"deployment_id": ASKED["deployment_id"], "lane": ASKED["lane"], "step": step}
    event = {"account": ACCOUNT, "source": "slipway", "detail-type": "Look Again", "detail": detail}

    assert set(module.keys(request_of(module))) & set(hints(event, ACCOUNT))


def test_every_phase_in_which_something_is_waited_for_names_its_steps() -> None:
    assert set(Phase) - set(_WAITING_STEPS) == {Phase.SETTLED}
