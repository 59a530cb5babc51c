"""What every waiting function does with its event: check the steps that it is about, and log it."""

from typing import Any

from slipway.runtime import wiring
from slipway.runtime.hints import hints
from slipway.runtime.observability import logger
from slipway.runtime.waiting import Request, Step


def answer(step: Step[Request], event: dict[str, Any]) -> list[dict[str, Any]]:
    """Serve the state machine's call or a service's event; one result for each step checked."""
    woken_by = hints(event, wiring.settings().account)
    results = wiring.waiting().serve(step, event, woken_by)
    checks = [each.model_dump(mode="json") for each in results]
    for check in checks:
        logger.info("step checked", check=check)
    return checks
