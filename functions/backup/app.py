"""Lambda entry point for the Backup state of statemachines/deployment.asl.json."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from slipway.runtime import wiring
from slipway.runtime.answer import answer
from slipway.runtime.observability import logger
from slipway.runtime.waiting import Step
from slipway.steps.backup import BackupRequest, backup, keys
from slipway.steps.step import StepResult


def look(request: BackupRequest) -> StepResult:
    return backup(
        request,
        journal=wiring.journal(),
        databases=wiring.databases(),
    )


STEP = Step(name="backup", request=BackupRequest, keys=keys, look=look)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> list[dict[str, Any]]:
    return answer(STEP, event)
