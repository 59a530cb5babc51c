"""Parts of a task definition: the container that runs the release, and the family."""

from typing import TYPE_CHECKING

from slipway.domain.errors import Broken, Reason

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import ContainerDefinitionOutputTypeDef, TaskDefinitionTypeDef


def container_of(
    definition: "TaskDefinitionTypeDef", name: str
) -> "ContainerDefinitionOutputTypeDef":
    """The container of that name; Broken when the task definition has none."""
    containers = {one.get("name", ""): one for one in definition.get("containerDefinitions", [])}
    if name not in containers:
        raise Broken(
            Reason.SERVICE_UNAVAILABLE,
            f"{definition.get('taskDefinitionArn')} has no container '{name}' "
            f"(it has: {', '.join(containers)}). Correct target.container in the catalog.",
        )
    return containers[name]


def family_of(revision_arn: str) -> str:
    """The family of a task definition revision, by its ARN."""
    return revision_arn.rsplit("/", 1)[-1].rsplit(":", 1)[0]
