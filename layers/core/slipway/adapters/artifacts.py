"""Recognises what is not a container image (Helm charts, signatures, SBOMs) by its media types.

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
# A part of the media type, and the usual name of such an artifact.
_NAMES: Final = (
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


def artifact_name(media_type: str | None) -> str | None:
    """The name of an artifact of this type; None for an image, and without a type."""
    if media_type is None or media_type in (*CONFIGURATION_TYPES, *INDEX_TYPES):
        return None
    kind = media_type[:_LONGEST].lower()
    names = (name for part, name in _NAMES if part in kind)
    return next(names, f"an artifact of type {plain(media_type, _LONGEST)}")


def manifest_name(media_type: str | None) -> str | None:
    """The name of what a manifest of this type describes; None when ECS may run it as an image."""
    if media_type is None or media_type in (*MANIFEST_TYPES, *INDEX_TYPES):
        return None
    if media_type.startswith(_SCHEMA_1):
        return "an image in Docker's old manifest schema 1, which no current runtime pulls"
    return artifact_name(media_type)


def artifact_in(manifest: Manifest) -> str | None:
    """What the manifest describes when that is not a container image, else None.

    Signatures and attestations often carry the configuration of an image, so the media types of
    their layers decide.
    """
    declared = artifact_name(manifest.artifact_type)
    if declared is not None:
        return declared
    if manifest.manifests is not None:
        return None if manifest.images else _artifact_in_index(manifest)
    if manifest.config is None:
        return "a manifest without a configuration"
    config = manifest.config.media_type
    layers = [one.media_type for one in manifest.layers or () if one.media_type]
    foreign = [one for one in layers if not one.startswith(_FILES)]
    if config == _EMPTY or (layers and len(foreign) == len(layers)):
        return artifact_name(next(iter(foreign), _EMPTY))
    return artifact_name(config)


def _artifact_in_index(manifest: Manifest) -> str:
    kinds = (artifact_name(one.artifact_type) for one in manifest.manifests or ())
    found = next((kind for kind in kinds if kind), None)
    empty = "an index of nothing but attestations" if manifest.manifests else "an empty index"
    return f"an index of artifacts: {found}" if found else empty
