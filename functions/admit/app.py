"""Lambda entry point for what starts a deployment: a push, a promotion, a person's request."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from slipway.domain.errors import Rejected
from slipway.domain.reasons import MEANINGS, Level
from slipway.requests.admit import admit, remember_unread_refusal
from slipway.requests.wish import Wish
from slipway.requests.wishes import refused_request_id, wishes
from slipway.runtime import wiring
from slipway.runtime.observability import logger


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> list[dict[str, Any]]:
    try:
        wanted = _read_wishes(event)
    except Rejected as refusal:
        remember_unread_refusal(refused_request_id(event), refusal, wiring.records())
        return [_answer_refusal(refusal)]
    return [_answer(wish) for wish in wanted]


def _read_wishes(event: dict[str, Any]) -> list[Wish]:
    return wishes(
        event,
        account=wiring.settings().account,
        region=wiring.settings().region,
        catalog=wiring.catalog(),
        records=wiring.records(),
    )


def _answer(wish: Wish) -> dict[str, Any]:
    """One wish; a refusal by one lane does not affect another that the same push feeds."""
    try:
        return _admit(wish)
    except Rejected as refusal:
        return _answer_refusal(refusal)


def _answer_refusal(refusal: Rejected) -> dict[str, Any]:
    """A refused event must not be delivered again, so it is an answer."""
    log = logger.info if MEANINGS[refusal.reason].level is Level.INFO else logger.warning
    log("event refused", reason=refusal.reason, message_text=refusal.message)
    return {"refused": refusal.reason, "message": refusal.message}


def _admit(wish: Wish) -> dict[str, Any]:
    result = admit(
        wish,
        journal=wiring.journal(),
        registry=wiring.registry(),
        executions=wiring.executions(),
        announcements=wiring.announcements(),
        catalog=wiring.catalog(),
    )
    logger.info("deployment admitted", extra=result.model_dump(mode="json"))
    return result.model_dump(mode="json")
