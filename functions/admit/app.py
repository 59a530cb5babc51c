"""Lambda entry point for what starts a deployment: a push, a promotion, a person's request."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from slipway.domain.errors import Rejected
from slipway.runtime import wiring
from slipway.runtime.observability import logger
from slipway.steps.admit import Wish, admit
from slipway.steps.wishes import wishes


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> list[dict[str, Any]]:
    try:
        return [_admitted(wish) for wish in _wanted(event)]
    except Rejected as refusal:
        # A refused event must not be delivered again.
        logger.warning("refused", reason=refusal.reason, message_text=refusal.message)
        return [{"refused": refusal.reason, "message": refusal.message}]


def _wanted(event: dict[str, Any]) -> list[Wish]:
    return wishes(
        event,
        account=wiring.settings().account,
        region=wiring.settings().region,
        catalog=wiring.catalog(),
        records=wiring.records(),
    )


def _admitted(wish: Wish) -> dict[str, Any]:
    result = admit(
        wish,
        records=wiring.records(),
        executions=wiring.executions(),
        announcements=wiring.announcements(),
        catalog=wiring.catalog(),
        now=wiring.now(),
    )
    logger.info("admitted", extra=result.model_dump(mode="json"))
    return result.model_dump(mode="json")
