"""What a registry keeps beside container images, by the media types that it is told.

https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage
"""

from typing import Final

from slipway.adapters.oci import Manifest
from slipway.domain.media_types import CONFIGURATION_TYPES, INDEX_TYPES, MANIFEST_TYPES
from slipway.domain.text import plain

_FILES: Final = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")
_EMPTY: Final = "application/vnd.oci.empty.v1+json"
_SCHEMA_1: Final = "application/vnd.docker.distribution.manifest.v1+"
_LONGEST: Final = 100
# A part of the media type, and what people call such a thing.
_WORDS: Final = (
    ("helm", "a Helm chart"),
    ("cosign", "a cosign signature"),
    ("simplesigning", "a cosign signature"),
    ("notary", "a Notary signature"),
    ("spdx", "an SBOM"),
    ("cyclonedx", "an SBOM"),
    ("syft", "an SBOM"),
    ("in-toto", "an attestation"),
    ("attestation", "an attestation"),
    ("sigstore", "an attestation"),
    ("wasm", "a WebAssembly module"),
)


def artifact_named(media_type: str | None) -> str | None:
    """What an artifact of this type is, None for an image and where there is no type."""
    if media_type is None or media_type in (*CONFIGURATION_TYPES, *INDEX_TYPES):
        return None
    kind = media_type[:_LONGEST].lower()
    told = (words for part, words in _WORDS if part in kind)
    return next(told, f"an artifact of type {plain(media_type, _LONGEST)}")


def manifest_named(media_type: str | None) -> str | None:
    """What a manifest of this type is where it can be no image that ECS runs, else None."""
    if media_type is None or media_type in (*MANIFEST_TYPES, *INDEX_TYPES):
        return None
    if media_type.startswith(_SCHEMA_1):
        return "an image in Docker's old manifest schema 1, which no current runtime pulls"
    return artifact_named(media_type)


def artifact_in(manifest: Manifest) -> str | None:
    """What the manifest describes where it is no container image, else None.

    Signatures and attestations often carry the configuration of an image: their layers tell.
    """
    declared = artifact_named(manifest.artifact_type)
    if declared is not None:
        return declared
    if manifest.manifests is not None:
        return None if manifest.images else _in_index(manifest)
    if manifest.config is None:
        return "a manifest without a configuration"
    config = manifest.config.media_type
    layers = [one.media_type for one in manifest.layers or () if one.media_type]
    foreign = [one for one in layers if not one.startswith(_FILES)]
    if config == _EMPTY or (layers and len(foreign) == len(layers)):
        return artifact_named(next(iter(foreign), _EMPTY))
    return artifact_named(config)


def _in_index(manifest: Manifest) -> str:
    kinds = (artifact_named(one.artifact_type) for one in manifest.manifests or ())
    found = next((kind for kind in kinds if kind), None)
    empty = "an index of attestations alone" if manifest.manifests else "an empty index"
    return f"an index of artifacts: {found}" if found else empty
