"""The one right to change what a service runs."""

from typing import Any

import pytest

from slipway.adapters.ecs.rollouts import EcsRollouts
from slipway.domain.errors import Broken, Reason
from slipway.domain.strategy import BlueGreen, CircuitBreaker, Rolling, Strategy
from tests.builders.documents import TARGET
from tests.integration.adapters.ecs_answers import NEW, OLD, a_service, services
from tests.integration.adapters.stubbed import refuse, stubbed


def _update(service: dict[str, Any], strategy: Strategy, configuration: dict[str, Any]) -> None:
    with stubbed("ecs") as (client, stub):
        stub.add_response("describe_services", services(service))
        expected = {
            "cluster": "production",
            "service": "notes",
            "taskDefinition": NEW,
            "deploymentConfiguration": configuration,
        }
        stub.add_response("update_service", {"service": a_service(NEW)}, expected)
        EcsRollouts(client).update(TARGET, NEW, strategy)


def test_the_service_is_pointed_at_the_revision_with_the_catalogs_strategy() -> None:
    strategy = Rolling(
        minimum_healthy_percent=50,
        maximum_percent=150,
        circuit_breaker=CircuitBreaker(failures=2),
    )

    _update(
        a_service(OLD),
        strategy,
        {
            "strategy": "ROLLING",
            "minimumHealthyPercent": 50,
            "maximumPercent": 150,
            "deploymentCircuitBreaker": {
                "enable": True,
                "rollback": True,
                "thresholdConfiguration": {"type": "COUNT", "value": 2},
            },
        },
    )


def test_without_a_count_the_circuit_breakers_threshold_is_ecss_own() -> None:
    _update(
        a_service(OLD),
        Rolling(),
        {
            "strategy": "ROLLING",
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        },
    )


def test_alarms_and_hooks_of_the_service_stay() -> None:
    alarms = {"alarmNames": ["errors"], "enable": True, "rollback": True}
    hooks = [{"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"]}]
    existing = {
        "strategy": "ROLLING",
        "maximumPercent": 300,
        "bakeTimeInMinutes": 3,
        "alarms": alarms,
        "lifecycleHooks": hooks,
    }

    _update(
        a_service(OLD, deploymentConfiguration=existing),
        Rolling(),
        {
            "strategy": "ROLLING",
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "bakeTimeInMinutes": 3,
            "alarms": alarms,
            "lifecycleHooks": hooks,
        },
    )


@pytest.mark.parametrize("state", ["IN_PROGRESS", "COMPLETED", "FAILED"])
def test_a_service_that_has_the_revision_is_left_alone(state: str) -> None:
    with stubbed("ecs") as (client, stub):
        stub.add_response("describe_services", services(a_service(NEW, state)))

        EcsRollouts(client).update(TARGET, NEW, Rolling())


def test_a_refused_update_is_broken() -> None:
    with pytest.raises(Broken) as raised, stubbed("ecs") as (client, stub):
        stub.add_response("describe_services", services(a_service(OLD)))
        refuse(stub, "update_service", "InvalidParameterException", "The revision is INACTIVE.")
        EcsRollouts(client).update(TARGET, NEW, Rolling())

    assert (raised.value.reason, raised.value.message) == (
        Reason.AWS_REFUSED,
        "UpdateService: The revision is INACTIVE. (InvalidParameterException)",
    )


def test_a_blue_green_service_gets_its_bake_and_nothing_that_belongs_to_rolling_updates() -> None:
    alarms = {"alarmNames": ["errors"], "enable": True, "rollback": True}
    existing = {
        "strategy": "BLUE_GREEN",
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "bakeTimeInMinutes": 3,
        "alarms": alarms,
    }

    _update(
        a_service(OLD, deploymentConfiguration=existing),
        BlueGreen(kind="blue_green", bake_minutes=10),
        {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 10, "alarms": alarms},
    )


def test_a_rolling_service_is_not_turned_into_a_blue_green_one() -> None:
    with pytest.raises(Broken, match="now has the deployment strategy rolling") as raised:
        _update(a_service(OLD), BlueGreen(kind="blue_green"), {})

    assert raised.value.reason is Reason.SERVICE_UNAVAILABLE


@pytest.mark.parametrize("strategy", ["BLUE_GREEN", "LINEAR", "CANARY"])
def test_a_service_with_another_strategy_is_left_as_it_is(strategy: str) -> None:
    existing = {
        "strategy": strategy,
        "bakeTimeInMinutes": 10,
        "lifecycleHooks": [{"hookTargetArn": "arn:aws:lambda:us-east-1:000000000000:function:x"}],
    }
    with pytest.raises(Broken, match=strategy.lower()) as raised, stubbed("ecs") as (client, stub):
        service = a_service(OLD, deploymentConfiguration=existing)
        stub.add_response("describe_services", services(service))
        EcsRollouts(client).update(TARGET, NEW, Rolling())

    assert raised.value.reason is Reason.SERVICE_UNAVAILABLE
