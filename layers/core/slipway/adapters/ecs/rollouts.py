"""The one right to change what an ECS service runs."""

from typing import TYPE_CHECKING, Any, Final, cast

from slipway.adapters.ecs.described import described_service, primary_of, strategy_of
from slipway.adapters.errors import aws_errors
from slipway.domain.catalog import CircuitBreaker, EcsTarget, Rolling
from slipway.domain.errors import Broken, Reason

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import (
        DeploymentCircuitBreakerTypeDef,
        DeploymentConfigurationOutputTypeDef,
        DeploymentConfigurationTypeDef,
    )

PERMISSIONS: Final = ("ecs:DescribeServices", "ecs:UpdateService")

_KEPT: Final = frozenset({"alarms", "lifecycleHooks", "bakeTimeInMinutes"})


class EcsRollouts:
    """Rollouts by ECS's own deployment engine."""

    def __init__(self, client: "ECSClient") -> None:
        self._client = client

    @aws_errors()
    def update(self, target: EcsTarget, revision_arn: str, strategy: Rolling) -> None:
        """Point the service at a revision, unless its PRIMARY deployment already has it.

        UpdateService has no client token, so a call whose answer was lost is recognised by looking.
        """
        service = described_service(self._client, target)
        if primary_of(service, target).get("taskDefinition") == revision_arn:
            return
        _refuse_other_strategy(strategy_of(service), target)
        self._client.update_service(
            cluster=target.cluster,
            service=target.service,
            taskDefinition=revision_arn,
            deploymentConfiguration=_configuration(
                strategy, service.get("deploymentConfiguration", {})
            ),
        )


def _refuse_other_strategy(strategy: str, target: EcsTarget) -> None:
    """An update would turn the service into a rolling one, with what belongs to the other sent."""
    if strategy != "ROLLING":
        raise Broken(
            Reason.SERVICE_UNAVAILABLE,
            f"The service '{target.service}' has deploymentConfiguration.strategy {strategy} now; "
            "Slipway updates ROLLING services and leaves it as it is. Set it back to ROLLING.",
        )


def _configuration(
    strategy: Rolling, existing: "DeploymentConfigurationOutputTypeDef"
) -> "DeploymentConfigurationTypeDef":
    """The catalog's strategy; what the catalog does not speak of stays as the service has it."""
    configuration: dict[str, Any] = {key: value for key, value in existing.items() if key in _KEPT}
    configuration |= {
        "strategy": "ROLLING",
        "minimumHealthyPercent": strategy.minimum_healthy_percent,
        "maximumPercent": strategy.maximum_percent,
        "deploymentCircuitBreaker": _circuit_breaker(strategy.circuit_breaker),
    }
    return cast("DeploymentConfigurationTypeDef", configuration)


def _circuit_breaker(breaker: CircuitBreaker) -> "DeploymentCircuitBreakerTypeDef":
    if breaker.failures is None:
        return {"enable": True, "rollback": True}
    return {
        "enable": True,
        "rollback": True,
        "thresholdConfiguration": {"type": "COUNT", "value": breaker.failures},
    }
