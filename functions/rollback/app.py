"""Lambda entry point for the Rollback state of statemachines/deployment.asl.json."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from slipway.runtime import wiring
from slipway.runtime.answer import answer
from slipway.runtime.observability import logger
from slipway.runtime.waiting import Step
from slipway.steps.rollback import RollbackRequest, keys, rollback
from slipway.steps.step import StepResult


def look(request: RollbackRequest) -> StepResult:
    return rollback(
        request,
        journal=wiring.journal(),
        services=wiring.services(),
        revisions=wiring.revisions(),
        rollouts=wiring.rollouts(),
        one_offs=wiring.one_offs(),
        restores=wiring.restores(),
    )


STEP = Step(name="rollback", request=RollbackRequest, keys=keys, look=look)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> list[dict[str, Any]]:
    return answer(STEP, event)
