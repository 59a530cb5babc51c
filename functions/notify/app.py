"""Lambda entry point for notifications: the table's stream, and what the sweep requests again."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from slipway.domain.errors import Reason, Rejected, Transient
from slipway.notices.notify import notify_all
from slipway.runtime import wiring
from slipway.runtime.observability import logger
from slipway.runtime.stream import deployment_writes, log_results, undelivered


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    try:
        requests = deployment_writes(event) or undelivered(event, wiring.records())
    except Rejected as refusal:
        # A refused event must not be delivered again.
        logger.warning("event refused", reason=refusal.reason, message_text=refusal.message)
        return {"batchItemFailures": []}
    result = notify_all(
        requests,
        records=wiring.records(),
        destinations=wiring.destinations(),
        links=wiring.links(),
        catalog=wiring.catalog(),
        now=wiring.now(),
    )
    log_results(result)
    if result.failed is not None and "detail-type" in event:
        # Only a stream reads the answer; an event is retried when the function fails.
        raise Transient(Reason.SLACK_UNAVAILABLE, result.problem)
    return result.answer()
