"""Lambda entry point for the scheduled sweep, which finds what no event has reported."""

from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from slipway.chores.sweep import sweep, turn_of
from slipway.requests.admit import admit
from slipway.runtime import wiring
from slipway.runtime.observability import logger


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    records, executions = wiring.records(), wiring.executions()
    announcements, catalog = wiring.announcements(), wiring.catalog()
    found = sweep(
        records=records,
        catalog=catalog,
        registry=wiring.registry(),
        executions=executions,
        one_offs=wiring.one_offs(),
        announcements=announcements,
        admit=partial(
            admit,
            journal=wiring.journal(),
            registry=wiring.registry(),
            executions=executions,
            announcements=announcements,
            catalog=catalog,
        ),
        clock=wiring.now,
        turn=turn_of(event, wiring.now()),
    )
    for problem in found.problems:
        logger.error("sweep job failed", problem=problem)
    logger.info("sweep finished", extra=found.model_dump(mode="json"))
    return found.model_dump(mode="json")
