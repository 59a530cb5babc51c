"""Lambda entry point for the states Check and CheckAgain of statemachines/deployment.asl.json."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from slipway.runtime import wiring
from slipway.runtime.answer import answer
from slipway.runtime.observability import logger
from slipway.runtime.waiting import Step
from slipway.steps.check import CheckRequest, check, keys
from slipway.steps.step import StepResult


def look(request: CheckRequest) -> StepResult:
    return check(
        request,
        journal=wiring.journal(),
        registry=wiring.registry(),
        alarms=wiring.alarms(),
        website=wiring.website(),
    )


STEP = Step(name="check", request=CheckRequest, keys=keys, look=look)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> list[dict[str, Any]]:
    return answer(STEP, event)
