"""UpdateService: the only adapter that changes what an ECS service runs."""

from typing import TYPE_CHECKING, Final

from slipway.adapters.ecs.configuration import configuration_of
from slipway.adapters.ecs.described import describe_service, primary_of, strategy_of
from slipway.adapters.errors import aws_errors
from slipway.domain.errors import Broken, Reason
from slipway.domain.strategy import Strategy
from slipway.domain.target import EcsTarget

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

PERMISSIONS: Final = ("ecs:DescribeServices", "ecs:UpdateService")


class EcsRollouts:
    """Rollouts through the deployment controller ECS."""

    def __init__(self, client: "ECSClient") -> None:
        self._client = client

    @aws_errors()
    def update(self, target: EcsTarget, revision_arn: str, strategy: Strategy) -> None:
        """Point the service at a revision, unless its PRIMARY deployment already has it.

        UpdateService has no client token: after a lost response the PRIMARY deployment shows
        whether the call took effect.
        """
        service = describe_service(self._client, target)
        if primary_of(service, target).get("taskDefinition") == revision_arn:
            return
        _refuse_other_strategy(strategy_of(service), strategy, target)
        self._client.update_service(
            cluster=target.cluster,
            service=target.service,
            taskDefinition=revision_arn,
            deploymentConfiguration=configuration_of(
                strategy, service.get("deploymentConfiguration", {})
            ),
        )


def _refuse_other_strategy(found: str, strategy: Strategy, target: EcsTarget) -> None:
    """Refuse to switch the strategy of a service, which sending our configuration would do."""
    if found != strategy.kind:
        raise Broken(
            Reason.SERVICE_UNAVAILABLE,
            f"The service '{target.service}' now has the deployment strategy {found}, but the plan "
            f"expects {strategy.kind}; Slipway did not change it. Set it back to {strategy.kind}.",
        )
