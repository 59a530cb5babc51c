"""Places a one-off task like the service's own tasks: RunTask copies nothing from a service."""

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


def copy_placement(
    service: "ServiceTypeDef", target: EcsTarget, request: "RunTaskRequestTypeDef"
) -> None:
    """Copy the service's network, capacity, placement, tags and volumes into a request."""
    if "networkConfiguration" in service:
        request["networkConfiguration"] = service["networkConfiguration"]
    if service.get("platformVersion"):
        request["platformVersion"] = service["platformVersion"]
    # RunTask rejects a request that has both.
    if service.get("capacityProviderStrategy"):
        request["capacityProviderStrategy"] = service["capacityProviderStrategy"]
    elif "launchType" in service:
        request["launchType"] = service["launchType"]
    # Fargate rejects placement settings, so they are only set when the service has them.
    if service.get("placementConstraints"):
        request["placementConstraints"] = service["placementConstraints"]
    if service.get("placementStrategy"):
        request["placementStrategy"] = service["placementStrategy"]
    _copy_tags(service, request)
    _copy_volumes(service, target, request)


def _copy_tags(service: "ServiceTypeDef", request: "RunTaskRequestTypeDef") -> None:
    if service.get("enableECSManagedTags"):
        request["enableECSManagedTags"] = True
    match service.get("propagateTags"):
        case "TASK_DEFINITION":
            request["propagateTags"] = "TASK_DEFINITION"
        case "SERVICE":
            # RunTask does not accept propagateTags=SERVICE, so the tags themselves are copied.
            tags = [tag for tag in service.get("tags", []) if not _is_reserved(tag.get("key", ""))]
            if tags:
                request["tags"] = tags


def _is_reserved(key: str) -> bool:
    return key.lower().startswith("aws:")


def _copy_volumes(
    service: "ServiceTypeDef", target: EcsTarget, request: "RunTaskRequestTypeDef"
) -> None:
    """Volumes configured at launch belong to the deployment, not to the task definition."""
    if not service.get("deployments"):
        return
    volumes = primary_of(service, target).get("volumeConfigurations", [])
    if volumes:
        request["volumeConfigurations"] = [_task_volume(volume) for volume in volumes]


def _task_volume(
    volume: "ServiceVolumeConfigurationOutputTypeDef",
) -> "TaskVolumeConfigurationTypeDef":
    """The same volume for one task, deleted with it as a service's volumes are."""
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
