"""Lambda entry point for the Plan state of statemachines/deployment.asl.json."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from slipway.runtime import wiring
from slipway.runtime.observability import logger
from slipway.steps.plan import PlanRequest, plan


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = PlanRequest.model_validate(event)
    logger.append_keys(deployment_id=request.deployment_id)

    made = plan(
        request,
        journal=wiring.journal(),
        catalog=wiring.catalog(),
        registry=wiring.registry(),
        services=wiring.services(),
        balancers=wiring.balancers(),
        database_states=wiring.database_states(),
    )

    logger.info(
        "deployment planned", plan_hash=made.plan_hash, needs_migration=made.needs_migration
    )
    return made.model_dump(mode="json")
