"""What runs a release: one model per kind of target."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, Tag

from slipway.domain.kinds import by_kind
from slipway.domain.model import Model

# "Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed":
# CreateCluster, CreateService and ContainerDefinition in the ECS API reference.
EcsName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", min_length=1, max_length=255)
]


class EcsTarget(Model):
    """The ECS service that runs the release, and the container in it that carries the image."""

    kind: Literal["ecs"] = Field(default="ecs", description="what runs the release")
    cluster: EcsName = Field(description="ECS cluster, by name")
    service: EcsName = Field(description="ECS service in the cluster")
    container: EcsName = Field(
        description="container of the task definition that gets the release's image"
    )


# One kind so far. The next one is `| Annotated[..., Tag("...")]`.
DeployTarget = Annotated[Annotated[EcsTarget, Tag("ecs")], by_kind("ecs")]
