"""Lambda entry point for the Settle state, and for executions that ended without it."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from slipway.runtime import wiring
from slipway.runtime.observability import logger
from slipway.steps.ended import settle_request
from slipway.steps.settle import settle


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = settle_request(event, records=wiring.records(), executions=wiring.executions())
    logger.append_keys(deployment_id=request.deployment_id)

    result = settle(
        request,
        records=wiring.records(),
        announcements=wiring.announcements(),
        now=wiring.now(),
    )

    logger.info("settled", outcome=result.outcome, reason=result.reason)
    return result.model_dump(mode="json")
