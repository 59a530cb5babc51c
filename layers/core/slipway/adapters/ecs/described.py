"""DescribeServices for one service, or why it cannot be deployed to."""

from typing import TYPE_CHECKING, Final

from slipway.domain.errors import Broken, Reason
from slipway.domain.target import EcsTarget

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import (
        DeploymentTypeDef,
        DescribeServicesRequestTypeDef,
        ServiceTypeDef,
    )

PERMISSIONS: Final = ("ecs:DescribeServices",)


def describe_service(
    client: "ECSClient", target: EcsTarget, *, with_tags: bool = False
) -> "ServiceTypeDef":
    """The service; Broken when it is missing or not ACTIVE (ECS lists deleted ones for a while)."""
    request: DescribeServicesRequestTypeDef = {
        "cluster": target.cluster,
        "services": [target.service],
    }
    if with_tags:
        request["include"] = ["TAGS"]
    answer = client.describe_services(**request)
    if not answer["services"]:
        why = ", ".join(failure.get("reason", "") for failure in answer.get("failures", []))
        raise _unusable(target, f"does not exist ({why or 'no reason given'})")
    service = answer["services"][0]
    if service.get("status") != "ACTIVE":
        raise _unusable(target, f"is {service.get('status')}, not ACTIVE")
    return service


def primary_of(service: "ServiceTypeDef", target: EcsTarget) -> "DeploymentTypeDef":
    """The deployment that the service is being brought to."""
    for deployment in service.get("deployments", []):
        if deployment.get("status") == "PRIMARY":
            return deployment
    raise _unusable(target, "has no PRIMARY deployment")


def strategy_of(service: "ServiceTypeDef") -> str:
    """The service's deployment strategy, in the catalog's spelling (``blue_green``).

    ECS writes them in capitals; a service without one is rolling.
    """
    return service.get("deploymentConfiguration", {}).get("strategy", "ROLLING").lower()


def _unusable(target: EcsTarget, why: str) -> Broken:
    return Broken(
        Reason.SERVICE_UNAVAILABLE,
        f"The service '{target.service}' in the cluster '{target.cluster}' {why}.",
    )
