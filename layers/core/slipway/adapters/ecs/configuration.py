"""Translates the catalog's strategies into ECS's DeploymentConfiguration."""

from typing import TYPE_CHECKING, Any, Final, assert_never, cast

from slipway.domain.strategy import BlueGreen, CircuitBreaker, Rolling, Strategy

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import (
        DeploymentCircuitBreakerTypeDef,
        DeploymentConfigurationOutputTypeDef,
        DeploymentConfigurationTypeDef,
    )

# Settings that the catalog does not have; the service keeps its own, because UpdateService
# replaces the whole configuration.
_PRESERVED: Final = frozenset({"alarms", "lifecycleHooks"})


def configuration_of(
    strategy: Strategy, existing: "DeploymentConfigurationOutputTypeDef"
) -> "DeploymentConfigurationTypeDef":
    """The parameters of UpdateService for a strategy; ``existing`` is what the service has."""
    match strategy:
        case Rolling():
            configuration = _settings_of(existing, _PRESERVED | {"bakeTimeInMinutes"}) | _rolling(
                strategy
            )
        case BlueGreen():
            configuration = _settings_of(existing, _PRESERVED) | _blue_green(strategy)
        case _:
            assert_never(strategy)
    return cast("DeploymentConfigurationTypeDef", configuration)


def _settings_of(
    existing: "DeploymentConfigurationOutputTypeDef", names: frozenset[str]
) -> dict[str, Any]:
    return {name: value for name, value in existing.items() if name in names}


def _rolling(strategy: Rolling) -> dict[str, Any]:
    return {
        "strategy": "ROLLING",
        "minimumHealthyPercent": strategy.minimum_healthy_percent,
        "maximumPercent": strategy.maximum_percent,
        "deploymentCircuitBreaker": _circuit_breaker(strategy.circuit_breaker),
    }


def _blue_green(strategy: BlueGreen) -> dict[str, Any]:
    """The percentages and the circuit breaker belong to rolling updates only."""
    return {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": strategy.bake_minutes}


def _circuit_breaker(breaker: CircuitBreaker) -> "DeploymentCircuitBreakerTypeDef":
    if breaker.failures is None:
        return {"enable": True, "rollback": True}
    return {
        "enable": True,
        "rollback": True,
        "thresholdConfiguration": {"type": "COUNT", "value": breaker.failures},
    }
