"""How every waiting function answers: it looks for whom the event is about and says so."""

from typing import Any

from slipway.runtime import wiring
from slipway.runtime.hints import hints
from slipway.runtime.observability import logger
from slipway.runtime.waiting import Request, Step


def answer(step: Step[Request], event: dict[str, Any]) -> list[dict[str, Any]]:
    """Serve the state machine's call or a service's event; what each look found, for the log."""
    woken_by = hints(event, wiring.settings().account)
    found = [each.model_dump(mode="json") for each in wiring.waiting().serve(step, event, woken_by)]
    for each in found:
        logger.info("step checked", found=each)
    return found
