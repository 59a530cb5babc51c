"""Lambda entry point for the Settle state, and for executions that ended without it."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from slipway.domain.errors import Rejected
from slipway.runtime import wiring
from slipway.runtime.observability import logger
from slipway.steps.execution_end import settle_request
from slipway.steps.settle import settle


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    try:
        request = settle_request(event, records=wiring.records(), executions=wiring.executions())
    except Rejected as refusal:
        # A refused event must not be delivered again.
        logger.warning("event refused", reason=refusal.reason, message_text=refusal.message)
        return {"refused": refusal.reason, "message": refusal.message}
    logger.append_keys(deployment_id=request.deployment_id)

    result = settle(
        request,
        journal=wiring.journal(),
        announcements=wiring.announcements(),
    )

    logger.info("deployment settled", outcome=result.outcome, reason=result.reason)
    return result.model_dump(mode="json")
