"""Image documents: indexes, manifests and configurations as OCI and Docker write them."""

from typing import Final, TypeVar

from pydantic import BaseModel, Field, ValidationError

from slipway.domain.errors import Broken, Reason

INDEX_TYPES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_TYPES: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
# What images and ECS call the same thing.
_ECS_ARCHITECTURES: Final = {"amd64": "X86_64", "arm64": "ARM64"}


class Platform(BaseModel):
    """What a child of an index runs on; attestations call theirs unknown."""

    os: str = ""
    architecture: str = ""


class Descriptor(BaseModel):
    """A reference to another document."""

    digest: str
    platform: Platform = Platform()

    @property
    def ecs_architecture(self) -> str | None:
        """ECS's name of a Linux image's architecture."""
        if self.platform.os != "linux":
            return None
        return _ECS_ARCHITECTURES.get(self.platform.architecture)


class Manifest(BaseModel):
    """An index, which lists ``manifests``, or one image, which has a ``config``."""

    config: Descriptor | None = None
    manifests: list[Descriptor] | None = None

    def child_for(self, architecture: str) -> str | None:
        """The first child for an ECS architecture, as the OCI specification wants it."""
        matching = (one for one in self.manifests or () if one.ecs_architecture == architecture)
        return next((one.digest for one in matching), None)

    def built_for(self) -> str:
        """The architectures of an index, for people."""
        known = dict.fromkeys(one.ecs_architecture for one in self.manifests or ())
        return ", ".join(name for name in known if name) or "no known platform"


class Container(BaseModel):
    """How a container of the image starts."""

    labels: dict[str, str] | None = Field(default=None, alias="Labels")


class Configuration(BaseModel):
    """The image's configuration."""

    architecture: str = ""
    config: Container | None = None

    @property
    def ecs_architecture(self) -> str:
        """ECS's name of the architecture, or the image's own when ECS has none."""
        return _ECS_ARCHITECTURES.get(self.architecture, self.architecture)

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the image."""
        return (self.config.labels if self.config else None) or {}


D = TypeVar("D", bound=BaseModel)


def parsed(document: str | bytes, kind: type[D], digest: str) -> D:
    """The document; Broken when it is not what it says it is."""
    try:
        return kind.model_validate_json(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "document"
        raise Broken(
            Reason.IMAGE_UNAVAILABLE,
            f"{digest} is no readable image {kind.__name__.lower()}: {where}: {first['msg']}.",
        ) from error
