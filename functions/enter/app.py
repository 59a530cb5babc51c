"""Lambda entry point for the Enter state of statemachines/deployment.asl.json."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from slipway.runtime import wiring
from slipway.runtime.answer import answer
from slipway.runtime.observability import logger
from slipway.runtime.waiting import Step
from slipway.steps.enter import EnterRequest, enter, keys
from slipway.steps.step import StepResult


def look(request: EnterRequest) -> StepResult:
    return enter(
        request,
        journal=wiring.journal(),
        executions=wiring.executions(),
        announcements=wiring.announcements(),
    )


STEP = Step(name="enter", request=EnterRequest, keys=keys, look=look)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> list[dict[str, Any]]:
    return answer(STEP, event)
