"""What is no container image is told apart from one, and what an image really runs on is found."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import responses
from botocore.stub import Stubber

from slipway.adapters.artifacts import artifact_in
from slipway.adapters.ecr import EcrRegistry
from slipway.adapters.oci import Manifest, Platform
from slipway.domain.errors import Reason, Rejected
from slipway.domain.release import Image, Pushed
from tests.integration.adapters.stubbed import refuse, stubbed
from tests.integration.adapters.test_ecr import (
    AMD64,
    ARM64,
    INDEX,
    _config_of,
    _describe,
    _digest,
    _image,
    _manifest,
)

PUSHED = datetime(2026, 1, 5, 12, 0, 0, 250_000, tzinfo=UTC)
OCI = "application/vnd.oci.image.config.v1+json"
DOCKER = "application/vnd.docker.container.image.v1+json"
FILES = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY = "application/vnd.oci.empty.v1+json"


def a_manifest(config: str | None, *layers: str, artifact: str | None = None) -> dict[str, Any]:
    named: dict[str, Any] = {"config": {"digest": AMD64, "mediaType": config}}
    if artifact is not None:
        named["artifactType"] = artifact
    return named | {"layers": [{"digest": ARM64, "mediaType": one} for one in layers]}


ATTESTED = {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}, "digest": AMD64}
UNKNOWN = {"platform": {"os": "unknown", "architecture": "unknown"}, "digest": AMD64}


@pytest.mark.parametrize(
    ("document", "what"),
    [
        (a_manifest(OCI, FILES), None),
        (a_manifest(DOCKER, "application/vnd.docker.image.rootfs.diff.tar.gzip"), None),
        (a_manifest(None), None),
        (a_manifest(OCI, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"), None),
        (
            a_manifest(
                "application/vnd.cncf.helm.config.v1+json",
                "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
            ),
            "a Helm chart",
        ),
        (
            a_manifest(OCI, "application/vnd.dev.cosign.simplesigning.v1+json"),
            "a cosign signature",
        ),
        (a_manifest(OCI, "application/vnd.in-toto+json"), "an attestation"),
        (a_manifest(EMPTY, "application/spdx+json"), "an SBOM"),
        (a_manifest(EMPTY, EMPTY, artifact="application/vnd.cyclonedx+json"), "an SBOM"),
        (
            a_manifest(EMPTY, EMPTY, artifact="application/vnd.dev.sigstore.bundle.v0.3+json"),
            "an attestation",
        ),
        (a_manifest("application/vnd.wasm.config.v0+json"), "a WebAssembly module"),
        (a_manifest("application/vnd.acme.rules+json"), "an artifact of type application/vnd.acme"),
        ({}, "a manifest without a configuration"),
        ({"manifests": []}, "an empty index"),
        ({"manifests": [ATTESTED, UNKNOWN]}, "an index of nothing but attestations"),
        (
            {"manifests": [{"digest": AMD64, "artifactType": "application/vnd.cncf.helm.v1"}]},
            "an index of artifacts: a Helm chart",
        ),
        ({"manifests": [ATTESTED, {"digest": AMD64}]}, None),
    ],
)
def test_the_media_types_say_whether_it_is_a_container_image(
    document: dict[str, Any], what: str | None
) -> None:
    told = artifact_in(Manifest.model_validate(document))

    assert told is None if what is None else (told or "").startswith(what)


@pytest.mark.parametrize(
    ("described", "what"),
    [
        ({"artifactMediaType": "application/vnd.cncf.helm.config.v1+json"}, "a Helm chart"),
        (
            {"imageManifestMediaType": "application/vnd.docker.distribution.manifest.v1+prettyjws"},
            "Docker's old manifest schema 1",
        ),
    ],
)
def test_what_ecr_says_of_it_already_is_not_read_to_be_refused(
    described: dict[str, str], what: str
) -> None:
    with pytest.raises(Rejected, match=what) as refused, stubbed("ecr") as (client, stub):
        _describe(stub, AMD64, **described)
        _image(client, "v1")

    assert refused.value.reason is Reason.NOT_AN_IMAGE
    assert "push.tags" in refused.value.message


def test_a_signature_with_an_images_configuration_is_refused() -> None:
    with pytest.raises(Rejected, match="not a container image: a cosign signature"):  # noqa: SIM117
        with stubbed("ecr") as (client, stub):
            _describe(stub, AMD64, artifactMediaType=OCI)
            document = a_manifest(OCI, "application/vnd.dev.cosign.simplesigning.v1+json")
            _manifest(stub, AMD64, document)
            _image(client, "v1")


def _looked_up(client: Any, digest: str) -> Pushed | None:
    with requests.Session() as session:
        return EcrRegistry(client, session).looked_up("notes", digest)


def test_a_pushed_image_is_looked_up_with_the_registrys_own_time() -> None:
    with stubbed("ecr") as (client, stub):
        _describe(stub, AMD64, imagePushedAt=PUSHED, artifactMediaType=DOCKER)
        _manifest(stub, AMD64, a_manifest(DOCKER, FILES))

        assert _looked_up(client, AMD64) == Pushed(pushed_at=PUSHED, what=None)


def test_a_pushed_artifact_is_looked_up_in_one_call() -> None:
    with stubbed("ecr") as (client, stub):
        chart = "application/vnd.cncf.helm.config.v1+json"
        _describe(stub, AMD64, imagePushedAt=PUSHED, artifactMediaType=chart)

        assert _looked_up(client, AMD64) == Pushed(pushed_at=PUSHED, what="a Helm chart")


def test_what_is_not_there_is_looked_up_in_vain() -> None:
    with stubbed("ecr") as (client, stub):
        refuse(stub, "describe_images", "ImageNotFoundException")

        assert _looked_up(client, AMD64) is None


def _child(stub: Stubber, digest: str, configuration: dict[str, Any]) -> None:
    blob = json.dumps(configuration).encode()
    _manifest(stub, digest, {"config": {"digest": _digest(blob)}})
    _config_of(stub, blob)


@responses.activate
@pytest.mark.parametrize(
    "extra", [{}, {"platform": None}, {"platform": {}}, {"platform": {"architecture": "amd64"}}]
)
def test_a_child_that_names_no_platform_is_judged_by_its_configuration(
    extra: dict[str, Any],
) -> None:
    with stubbed("ecr") as (client, stub):
        _describe(stub, INDEX)
        _manifest(stub, INDEX, {"manifests": [UNKNOWN, {"digest": AMD64, **extra}]})
        _child(stub, AMD64, {"os": "linux", "architecture": "amd64"})

        image = _image(client, "v1")

    assert image is not None
    assert (image.architecture, image.platform_digest) == ("X86_64", AMD64)


@responses.activate
def test_children_that_name_no_platform_are_read_until_one_fits() -> None:
    with stubbed("ecr") as (client, stub):
        _describe(stub, INDEX)
        _manifest(stub, INDEX, {"manifests": [{"digest": ARM64}, {"digest": AMD64}]})
        for digest, architecture in ((ARM64, "arm64"), (AMD64, "amd64")):
            blob = json.dumps({"os": "linux", "architecture": architecture}).encode()
            _manifest(stub, digest, {"config": {"digest": _digest(blob)}})
            url = f"https://example.com/{architecture}"
            stub.add_response("get_download_url_for_layer", {"downloadUrl": url})
            responses.get(url, body=blob)
        image = _image(client, "v1")

    assert image is not None
    assert (image.architecture, image.platform_digest) == ("X86_64", AMD64)


@responses.activate
def test_an_index_within_an_index_is_followed() -> None:
    inner = "sha256:" + "5" * 64
    nested = "application/vnd.oci.image.index.v1+json"
    with stubbed("ecr") as (client, stub):
        _describe(stub, INDEX)
        _manifest(stub, INDEX, {"manifests": [{"digest": inner, "mediaType": nested}]})
        platform = {"os": "linux", "architecture": "amd64"}
        _manifest(stub, inner, {"manifests": [{"digest": AMD64, "platform": platform}]})
        _child(stub, AMD64, platform)

        image = _image(client, "v1")

    assert image is not None
    assert (image.architecture, image.platform_digest) == ("X86_64", AMD64)


def test_only_so_many_children_are_read() -> None:
    circle = {"manifests": [{"digest": INDEX}]}
    with stubbed("ecr") as (client, stub):
        _describe(stub, INDEX)
        for _ in range(1 + 6):
            _manifest(stub, INDEX, circle)
        image = _image(client, "v1")

    assert image is not None
    assert image.architecture == "an unknown platform"


@responses.activate
@pytest.mark.parametrize(
    ("configuration", "runs_on"),
    [
        ({"architecture": "arm", "variant": "v7", "os": "linux"}, ("LINUX", "arm/v7")),
        ({"architecture": "arm64", "variant": "v8", "os": "linux"}, ("LINUX", "ARM64")),
        ({"architecture": "amd64", "variant": "v3", "os": "linux"}, ("LINUX", "amd64/v3")),
        ({"architecture": "amd64"}, ("LINUX", "X86_64")),
        ({"os": "linux"}, ("LINUX", "")),
        ({"architecture": None, "os": None}, ("LINUX", "")),
        (
            {"architecture": "amd64", "os": "windows", "os.version": "10.0.20348.2582"},
            ("WINDOWS_SERVER_2022", "X86_64"),
        ),
        ({"architecture": "amd64", "os": "windows"}, ("WINDOWS", "X86_64")),
        ({"architecture": "wasm", "os": "wasip1"}, ("WASIP1", "wasm")),
    ],
)
def test_an_image_runs_on_what_its_configuration_says(
    configuration: dict[str, Any], runs_on: tuple[str, str]
) -> None:
    with stubbed("ecr") as (client, stub):
        _describe(stub, AMD64)
        _child(stub, AMD64, configuration)

        image = _image(client, "v1")

    assert isinstance(image, Image)
    assert (image.operating_system, image.architecture) == runs_on


def test_the_child_for_every_machine_goes_before_the_one_for_new_machines() -> None:
    index = Manifest.model_validate(
        {
            "manifests": [
                {
                    "digest": ARM64,
                    "platform": {"os": "linux", "architecture": "amd64", "variant": "v3"},
                },
                {"digest": AMD64, "platform": {"os": "linux", "architecture": "amd64"}},
            ]
        }
    )

    assert index.child_for("LINUX", "X86_64") == AMD64
    assert index.platforms() == ["amd64/v3", "X86_64"]


@pytest.mark.parametrize(
    ("family", "version", "fits"),
    [
        ("WINDOWS_SERVER_2022_CORE", "10.0.20348.1", True),
        ("WINDOWS_SERVER_2022_FULL", "10.0.17763.1", False),
        ("WINDOWS_SERVER_2022_FULL", None, True),
        ("LINUX", "10.0.20348.1", False),
    ],
)
def test_a_windows_image_runs_on_its_own_release_of_windows(
    family: str, version: str | None, fits: bool
) -> None:
    platform = {"os": "windows", "architecture": "amd64", "os.version": version}

    assert Platform.model_validate(platform).fits(family, "X86_64") is fits


@responses.activate
def test_only_the_labels_that_are_read_are_kept_and_they_are_bounded() -> None:
    labels = {f"io.buildpacks.{number}": "x" * 1_000 for number in range(400)} | {
        "org.opencontainers.image.version": " 2.1.0\n",
        "org.opencontainers.image.revision": "f" * 1_000,
        "dev.slipway.schema": "",
        "dev.slipway.backward-compatible": "true ",
    }
    with stubbed("ecr") as (client, stub):
        _describe(stub, AMD64)
        _child(stub, AMD64, {"architecture": "amd64", "config": {"Labels": labels}})

        image = _image(client, "v1")

    assert image is not None
    assert image.labels == {
        "org.opencontainers.image.version": "2.1.0",
        "org.opencontainers.image.revision": "f" * 127 + "…",
    }


def test_an_oversized_configuration_is_not_even_downloaded() -> None:
    with pytest.raises(Rejected, match="the limit is 4194304"), stubbed("ecr") as (client, stub):
        _describe(stub, AMD64)
        _manifest(stub, AMD64, {"config": {"digest": AMD64, "size": 5_000_000}})
        _image(client, "v1")


@responses.activate
def test_a_configuration_that_is_larger_than_it_says_is_not_worked_on() -> None:
    with pytest.raises(Rejected, match="the limit is 4194304"), stubbed("ecr") as (client, stub):
        _describe(stub, AMD64)
        blob = b" " * 4_194_305
        _manifest(stub, AMD64, {"config": {"digest": _digest(blob), "size": 2}})
        _config_of(stub, blob)
        _image(client, "v1")
