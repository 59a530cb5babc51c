"""Lambda entry point for the pages behind the Function URL."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from slipway.runtime.observability import logger
from slipway.web.routes import app, with_its_method


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    answer = app.resolve(with_its_method(event), context)
    # The query is left out of the log: a link's signature is the right to open it.
    logger.info(
        "request answered", extra={"path": event.get("rawPath"), "status": answer["statusCode"]}
    )
    return answer
