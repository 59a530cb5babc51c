"""Image documents: indexes, manifests and configurations in the formats of OCI and Docker."""

from typing import Final, TypeVar

from pydantic import BaseModel, Field, ValidationError

from slipway.domain.errors import Broken, Reason
from slipway.domain.media_types import INDEX_TYPES, MANIFEST_TYPES

# GOARCH and its aliases, and ECS's cpuArchitecture.
_ECS_ARCHITECTURES: Final = {
    "amd64": "X86_64",
    "x86_64": "X86_64",
    "x86-64": "X86_64",
    "arm64": "ARM64",
    "aarch64": "ARM64",
}
# Variants that every CPU of the architecture runs; amd64/v3 needs AVX2, arm/v7 is 32-bit.
_BASELINES: Final = {"X86_64": ("", "v1"), "ARM64": ("", "v8")}
# Build numbers: https://learn.microsoft.com/windows-server/get-started/windows-server-release-info
_WINDOWS: Final = {
    "14393": "WINDOWS_SERVER_2016",
    "17763": "WINDOWS_SERVER_2019",
    "19041": "WINDOWS_SERVER_2004",
    "19042": "WINDOWS_SERVER_20H2",
    "20348": "WINDOWS_SERVER_2022",
    "26100": "WINDOWS_SERVER_2025",
}


class Platform(BaseModel):
    """The platform of an image, as GOOS and GOARCH; attestations have unknown/unknown."""

    os: str | None = None
    os_version: str | None = Field(default=None, alias="os.version")
    architecture: str | None = None
    variant: str | None = None

    @property
    def ecs_architecture(self) -> str:
        """ECS's name for the architecture, or the image's own when ECS has none."""
        known = _ECS_ARCHITECTURES.get(self.architecture or "")
        if known is not None and (self.variant or "") in _BASELINES[known]:
            return known
        return "/".join(part for part in (self.architecture, self.variant) if part)

    @property
    def ecs_system(self) -> str:
        """The beginning of ECS's operatingSystemFamily.

        An image without an operating system counts as Linux: containerd assumes that of its host.
        """
        if (self.os or "linux") != "windows":
            return (self.os or "linux").upper()
        build = (self.os_version or "").split(".")[2:3]
        return _WINDOWS.get(build[0], "WINDOWS") if build else "WINDOWS"

    @property
    def ecs_name(self) -> str:
        """System and architecture, for people; empty without an architecture."""
        if not self.architecture:
            return ""
        linux = self.ecs_system == "LINUX"
        return self.ecs_architecture if linux else f"{self.ecs_system} {self.ecs_architecture}"

    def fits(self, family: str, architecture: str) -> bool:
        """Whether a task of this operating system family and architecture runs it."""
        return self.ecs_architecture == architecture and family.startswith(self.ecs_system)


class Descriptor(BaseModel):
    """A reference to another document; ``platform`` may be left out, or null."""

    digest: str
    size: int = 0
    media_type: str | None = Field(default=None, alias="mediaType")
    artifact_type: str | None = Field(default=None, alias="artifactType")
    platform: Platform | None = None
    annotations: dict[str, str] | None = None

    @property
    def is_attestation(self) -> bool:
        """Whether it describes another image: BuildKit adds those to the image's own index."""
        platform, notes = self.platform, self.annotations or {}
        unknown = platform is not None and (platform.os, platform.architecture) == ("unknown",) * 2
        return unknown or "vnd.docker.reference.type" in notes

    @property
    def may_be_image(self) -> bool:
        """Whether it refers to an image, or to an index of images."""
        known = self.media_type in (None, *INDEX_TYPES, *MANIFEST_TYPES)
        return known and not self.is_attestation and not self.artifact_type


class Layer(BaseModel):
    """A part of an image or an artifact."""

    media_type: str | None = Field(default=None, alias="mediaType")


class Manifest(BaseModel):
    """An index, which lists ``manifests``, or one image, which has a ``config``."""

    artifact_type: str | None = Field(default=None, alias="artifactType")
    config: Descriptor | None = None
    layers: list[Layer] | None = None
    manifests: list[Descriptor] | None = None

    @property
    def images(self) -> list[Descriptor]:
        """The children of an index that may be images."""
        return [one for one in self.manifests or [] if one.may_be_image]

    def child_for(self, family: str, architecture: str) -> str | None:
        """The first child that declares the platform, as the OCI image index specification says."""
        fitting = (
            one.digest
            for one in self.images
            if one.platform is not None
            and one.platform.os
            and one.platform.fits(family, architecture)
        )
        return next(fitting, None)

    @property
    def undeclared(self) -> list[str]:
        """The children without a declared platform; only their configuration names it."""
        return [one.digest for one in self.images if one.platform is None or not one.platform.os]

    def platforms(self) -> list[str]:
        """The platforms that an index declares, for people."""
        named = (one.platform.ecs_name for one in self.images if one.platform is not None)
        return [name for name in dict.fromkeys(named) if name]


class Container(BaseModel):
    """The part of a configuration that containers start with."""

    labels: dict[str, str] | None = Field(default=None, alias="Labels")


class Configuration(Platform):
    """The image's configuration: its platform and its labels."""

    config: Container | None = None

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the image."""
        return (self.config.labels if self.config else None) or {}


D = TypeVar("D", bound=BaseModel)


def parse(document: str | bytes, kind: type[D], digest: str) -> D:
    """Parse a document; Broken when it does not have the expected format."""
    try:
        return kind.model_validate_json(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "document"
        raise Broken(
            Reason.IMAGE_UNAVAILABLE,
            f"{digest} is not a valid image {kind.__name__.lower()}: {where}: {first['msg']}.",
        ) from error
