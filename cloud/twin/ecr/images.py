"""What ECR keeps of a repository and an image, and how its API shows them."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cloud.twin.ecr.blobs import digest_of
from cloud.twin.errors import AwsError

INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
DEFAULT_TYPE = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class Manifest:
    """A pushed manifest, read: its own digest and type, and what it refers to."""

    text: str
    digest: str
    media_type: str
    artifact_type: str | None
    config: str | None
    layers: tuple[str, ...]
    children: tuple[str, ...]
    size_bytes: int

    @property
    def is_index(self) -> bool:
        return self.media_type in INDEX_TYPES

    @property
    def blobs(self) -> set[str]:
        """The digests of everything that must be in the repository before the manifest."""
        return {*self.layers, *([self.config] if self.config else [])}


def read_manifest(text: str, media_type: str | None = None) -> Manifest:
    """Read an image manifest or an index; raises AwsError if it is neither."""
    try:
        content = json.loads(text)
        found_type = media_type or content.get("mediaType") or DEFAULT_TYPE
        config, layers = content.get("config", {}), content.get("layers", [])
        return Manifest(
            text=text,
            digest=digest_of(text.encode()),
            media_type=found_type,
            artifact_type=content.get("artifactType") or config.get("mediaType"),
            config=config.get("digest"),
            layers=tuple(layer["digest"] for layer in layers),
            children=tuple(child["digest"] for child in content.get("manifests", [])),
            size_bytes=sum(part.get("size", 0) for part in (config, *layers)),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AwsError(
            "InvalidParameterException",
            "Invalid parameter at 'ImageManifest' failed to satisfy constraint:"
            f" 'Invalid JSON syntax' ({error})",
        ) from error


@dataclass
class Image:
    """One image of a repository."""

    manifest: Manifest
    pushed_at: datetime
    size_bytes: int
    tags: list[str] = field(default_factory=list)
    status: str = "ACTIVE"
    archived_at: datetime | None = None
    activated_at: datetime | None = None

    @property
    def digest(self) -> str:
        return self.manifest.digest

    def describe(self, account: str, repository: str) -> dict[str, Any]:
        """The `ImageDetail` structure; basic scanning fills no scan fields of it."""
        detail: dict[str, Any] = {
            "registryId": account,
            "repositoryName": repository,
            "imageDigest": self.digest,
            "imageTags": list(self.tags),
            "imageSizeInBytes": self.size_bytes,
            "imagePushedAt": self.pushed_at,
            "imageManifestMediaType": self.manifest.media_type,
            "artifactMediaType": self.manifest.artifact_type,
            "imageStatus": self.status,
            "lastArchivedAt": self.archived_at,
            "lastActivatedAt": self.activated_at,
        }
        return {name: value for name, value in detail.items() if value not in (None, [])}

    def identifiers(self) -> list[dict[str, str]]:
        """One `ImageIdentifier` for each tag, or one with the digest alone."""
        if not self.tags:
            return [{"imageDigest": self.digest}]
        return [{"imageDigest": self.digest, "imageTag": tag} for tag in self.tags]


@dataclass
class Repository:
    """One repository: its images by digest, its tags, and the layers pushed to it."""

    name: str
    arn: str
    uri: str
    account: str
    created_at: datetime
    immutable: bool = False
    scan_on_push: bool = False
    images: dict[str, Image] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    layers: set[str] = field(default_factory=set)

    def describe(self) -> dict[str, Any]:
        """The `Repository` structure."""
        return {
            "repositoryArn": self.arn,
            "registryId": self.account,
            "repositoryName": self.name,
            "repositoryUri": self.uri,
            "createdAt": self.created_at,
            "imageTagMutability": "IMMUTABLE" if self.immutable else "MUTABLE",
            "imageScanningConfiguration": {"scanOnPush": self.scan_on_push},
            "encryptionConfiguration": {"encryptionType": "AES256"},
        }

    def find(self, image_id: dict[str, str]) -> Image | None:
        """The image of an `ImageIdentifier`; None unless digest and tag, if both given, agree."""
        digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
        if tag is not None and digest not in (None, self.tags.get(tag)):
            return None
        return self.images.get(digest or self.tags.get(tag or "", ""))

    def image(self, image_id: dict[str, str]) -> Image:
        """The image of an `ImageIdentifier`; raises ImageNotFoundException."""
        found = self.find(image_id)
        if found is None:
            raise AwsError(
                "ImageNotFoundException",
                f"The image with imageId {readable(image_id)} does not exist within the"
                f" repository with name '{self.name}' in the registry with id '{self.account}'",
            )
        return found


def readable(image_id: dict[str, str]) -> str:
    """An `ImageIdentifier` as ECR's messages write it."""
    digest = image_id.get("imageDigest", "null")
    return f"{{imageDigest:'{digest}', imageTag:'{image_id.get('imageTag', 'null')}'}}"
