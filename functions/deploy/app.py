"""Lambda entry point for the Deploy state of statemachines/deployment.asl.json."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from slipway.runtime import wiring
from slipway.runtime.answer import answer
from slipway.runtime.observability import logger
from slipway.runtime.waiting import Step
from slipway.steps.deploy import DeployRequest, deploy, keys
from slipway.steps.step import StepResult


def look(request: DeployRequest) -> StepResult:
    return deploy(
        request,
        journal=wiring.journal(),
        services=wiring.services(),
        revisions=wiring.revisions(),
        rollouts=wiring.rollouts(),
    )


STEP = Step(name="deploy", request=DeployRequest, keys=keys, look=look)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> list[dict[str, Any]]:
    return answer(STEP, event)
