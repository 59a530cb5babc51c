"""Lambda entry point for the states Verify and VerifyRollback of the deployment."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from slipway.runtime import wiring
from slipway.runtime.answer import answer
from slipway.runtime.observability import logger
from slipway.runtime.waiting import Step
from slipway.steps.step import StepResult
from slipway.steps.verify import VerifyRequest, keys, verify


def look(request: VerifyRequest) -> StepResult:
    return verify(
        request,
        journal=wiring.journal(),
        services=wiring.services(),
        balancers=wiring.balancers(),
        alarms=wiring.alarms(),
        website=wiring.website(),
    )


STEP = Step(name="verify", request=VerifyRequest, keys=keys, look=look)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> list[dict[str, Any]]:
    return answer(STEP, event)
