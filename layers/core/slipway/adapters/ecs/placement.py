"""Where a one-off task runs: what RunTask has to be told to place it as the service's own tasks."""

from typing import TYPE_CHECKING

from slipway.adapters.ecs.described import primary_of
from slipway.domain.target import EcsTarget

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import (
        RunTaskRequestTypeDef,
        ServiceTypeDef,
        ServiceVolumeConfigurationOutputTypeDef,
        TaskVolumeConfigurationTypeDef,
    )


def place_like(
    service: "ServiceTypeDef", target: EcsTarget, request: "RunTaskRequestTypeDef"
) -> None:
    """Give a request the service's network, capacity, placement, tags and volumes."""
    if "networkConfiguration" in service:
        request["networkConfiguration"] = service["networkConfiguration"]
    if service.get("platformVersion"):
        request["platformVersion"] = service["platformVersion"]
    # ECS refuses a request that names both.
    if service.get("capacityProviderStrategy"):
        request["capacityProviderStrategy"] = service["capacityProviderStrategy"]
    elif "launchType" in service:
        request["launchType"] = service["launchType"]
    # Fargate refuses what EC2 takes here, so nothing is named that the service does not have.
    if service.get("placementConstraints"):
        request["placementConstraints"] = service["placementConstraints"]
    if service.get("placementStrategy"):
        request["placementStrategy"] = service["placementStrategy"]
    _tag_like(service, request)
    _with_volumes(service, target, request)


def _tag_like(service: "ServiceTypeDef", request: "RunTaskRequestTypeDef") -> None:
    if service.get("enableECSManagedTags"):
        request["enableECSManagedTags"] = True
    match service.get("propagateTags"):
        case "TASK_DEFINITION":
            request["propagateTags"] = "TASK_DEFINITION"
        case "SERVICE":
            # RunTask refuses this word: its task has no service. So the tags themselves.
            tags = [tag for tag in service.get("tags", []) if not _is_reserved(tag.get("key", ""))]
            if tags:
                request["tags"] = tags


def _is_reserved(key: str) -> bool:
    return key.lower().startswith("aws:")


def _with_volumes(
    service: "ServiceTypeDef", target: EcsTarget, request: "RunTaskRequestTypeDef"
) -> None:
    """A volume that is configured at launch is in the deployment, not in the task definition."""
    if not service.get("deployments"):
        return
    volumes = primary_of(service, target).get("volumeConfigurations", [])
    if volumes:
        request["volumeConfigurations"] = [_for_a_task(volume) for volume in volumes]


def _for_a_task(
    volume: "ServiceVolumeConfigurationOutputTypeDef",
) -> "TaskVolumeConfigurationTypeDef":
    """The same volume for one task; it goes with its task, as a service's volumes do."""
    if "managedEBSVolume" not in volume:
        return {"name": volume["name"]}
    settings = volume["managedEBSVolume"]
    tags = [
        {
            name: value
            for name, value in one.items()
            if (name, value) != ("propagateTags", "SERVICE")
        }
        for one in settings.get("tagSpecifications", [])
    ]
    managed = {**settings, "terminationPolicy": {"deleteOnTermination": True}}
    if tags:
        managed["tagSpecifications"] = tags
    return {"name": volume["name"], "managedEBSVolume": managed}  # type: ignore[typeddict-item]
