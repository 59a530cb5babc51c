"""What an image is, for which platform, and what its scan found."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import responses
from botocore.stub import Stubber

from slipway.adapters.ecr import EcrRegistry
from slipway.domain.errors import Broken, ControlPlaneError, Reason, Transient
from slipway.domain.gates import Scan
from slipway.domain.release import Image
from tests.integration.adapters.stubbed import refuse, stubbed

INDEX = "sha256:" + "1" * 64
AMD64 = "sha256:" + "2" * 64
ARM64 = "sha256:" + "3" * 64
ATTESTATION = "sha256:" + "4" * 64
URL = "https://prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com/config"
URI = "000000000000.dkr.ecr.us-east-1.amazonaws.com/notes"
LABELS = {"org.opencontainers.image.version": "1.4.0"}
IMAGE_INDEX: dict[str, Any] = {
    "manifests": [
        {"digest": ATTESTATION, "platform": {"os": "unknown", "architecture": "unknown"}},
        {"digest": AMD64, "platform": {"os": "linux", "architecture": "amd64"}},
        {"digest": ARM64, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
    ]
}


def _configuration(architecture: str, labels: dict[str, str] | None) -> bytes:
    return json.dumps({"architecture": architecture, "config": {"Labels": labels}}).encode()


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def _describe(stub: Stubber, digest: str, **changes: Any) -> None:
    detail = {"registryId": "000000000000", "imageDigest": digest, "imageStatus": "ACTIVE"}
    stub.add_response("describe_images", {"imageDetails": [detail | changes]})


def _manifest(stub: Stubber, digest: str, document: dict[str, Any]) -> None:
    image = {"imageId": {"imageDigest": digest}, "imageManifest": json.dumps(document)}
    expected = {
        "repositoryName": "notes",
        "imageIds": [{"imageDigest": digest}],
        "acceptedMediaTypes": [
            "application/vnd.oci.image.index.v1+json",
            "application/vnd.docker.distribution.manifest.list.v2+json",
            "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.docker.distribution.manifest.v2+json",
        ],
    }
    stub.add_response("batch_get_image", {"images": [image], "failures": []}, expected)


def _config_of(stub: Stubber, blob: bytes, *, served: bytes | None = None) -> dict[str, Any]:
    """Tell where the blob is and serve it; the manifest that names it."""
    expected = {"repositoryName": "notes", "layerDigest": _digest(blob)}
    stub.add_response("get_download_url_for_layer", {"downloadUrl": URL}, expected)
    responses.get(URL, body=blob if served is None else served)
    return {"config": {"digest": _digest(blob)}}


def _image(client: Any, reference: str, architecture: str = "X86_64") -> Image | None:
    with requests.Session() as session:
        return EcrRegistry(client, session).image("notes", reference, architecture)


@responses.activate
@pytest.mark.parametrize(
    ("architecture", "child", "built_for"), [("X86_64", AMD64, "amd64"), ("ARM64", ARM64, "arm64")]
)
def test_an_index_is_resolved_for_the_services_architecture(
    architecture: str, child: str, built_for: str
) -> None:
    with stubbed("ecr") as (client, stub):
        _describe(stub, INDEX)
        _manifest(stub, INDEX, IMAGE_INDEX)
        blob = _configuration(built_for, LABELS)
        _manifest(stub, child, {"config": {"digest": _digest(blob)}})
        _config_of(stub, blob)

        assert _image(client, "v1", architecture) == Image(
            repository_uri=URI,
            digest=INDEX,
            platform_digest=child,
            architecture=architecture,
            status="ACTIVE",
            labels=LABELS,
        )


@responses.activate
def test_a_single_image_is_its_own_platform() -> None:
    with stubbed("ecr") as (client, stub):
        _describe(stub, ARM64)
        blob = _configuration("arm64", None)
        _manifest(stub, ARM64, {"config": {"digest": _digest(blob)}})
        _config_of(stub, blob)

        assert _image(client, ARM64, "X86_64") == Image(
            repository_uri=URI,
            digest=ARM64,
            platform_digest=ARM64,
            architecture="ARM64",
            status="ACTIVE",
            labels={},
        )


def test_an_index_without_the_architecture_tells_what_it_is_built_for() -> None:
    with stubbed("ecr") as (client, stub):
        _describe(stub, INDEX)
        only_arm = [one for one in IMAGE_INDEX["manifests"] if one["digest"] != AMD64]
        _manifest(stub, INDEX, {"manifests": only_arm})

        image = _image(client, "v1", "X86_64")

    assert image is not None
    assert (image.architecture, image.platform_digest) == ("ARM64", INDEX)


def test_an_archived_image_is_not_read() -> None:
    with stubbed("ecr") as (client, stub):
        _describe(stub, INDEX, imageStatus="ARCHIVED")

        image = _image(client, "v1")

    assert image is not None
    assert image.status == "ARCHIVED"


@pytest.mark.parametrize(
    ("reference", "asked"), [("v1", {"imageTag": "v1"}), (INDEX, {"imageDigest": INDEX})]
)
def test_a_status_is_one_call_by_tag_or_digest(reference: str, asked: dict[str, str]) -> None:
    detail = {"registryId": "000000000000", "imageDigest": INDEX}
    with stubbed("ecr") as (client, stub), requests.Session() as session:
        expected = {"repositoryName": "notes", "imageIds": [asked]}
        stub.add_response("describe_images", {"imageDetails": [detail]}, expected)

        assert EcrRegistry(client, session).status("notes", reference) == Image(
            repository_uri=URI,
            digest=INDEX,
            platform_digest=INDEX,
            architecture="",
            status="ACTIVE",
            labels={},
        )


def test_an_image_that_is_not_there_is_none() -> None:
    with stubbed("ecr") as (client, stub):
        refuse(stub, "describe_images", "ImageNotFoundException")

        assert _image(client, "v1") is None


def test_a_repository_that_is_not_there_is_broken() -> None:
    with pytest.raises(Broken) as raised, stubbed("ecr") as (client, stub):
        refuse(stub, "describe_images", "RepositoryNotFoundException")
        _image(client, "v1")

    assert raised.value.reason is Reason.AWS_REFUSED


def test_an_image_of_a_repository_that_is_not_there_any_more_has_no_status() -> None:
    with stubbed("ecr") as (client, stub), requests.Session() as session:
        refuse(stub, "describe_images", "RepositoryNotFoundException")

        assert EcrRegistry(client, session).status("notes", INDEX) is None


def test_every_tag_of_every_page_is_found_with_its_image_and_the_push_of_that() -> None:
    at = datetime(2026, 1, 5, 12, tzinfo=UTC)
    asked = {
        "repositoryName": "notes",
        "filter": {"tagStatus": "TAGGED"},
        "maxResults": 1000,
    }
    first = [{"imageDigest": AMD64, "imageTags": ["v1"], "imagePushedAt": at - timedelta(days=1)}]
    second = [{"imageDigest": INDEX, "imageTags": ["v2", "latest"], "imagePushedAt": at}]
    with stubbed("ecr") as (client, stub), requests.Session() as session:
        more = {"imageDetails": first, "nextToken": "more"}
        stub.add_response("describe_images", more, asked)
        stub.add_response(
            "describe_images", {"imageDetails": second}, asked | {"nextToken": "more"}
        )

        found = EcrRegistry(client, session).tagged("notes")

    assert [(one.tag, one.digest, one.pushed_at) for one in found] == [
        ("v1", AMD64, at - timedelta(days=1)),
        ("v2", INDEX, at),
        ("latest", INDEX, at),
    ]


def test_a_repository_with_too_many_images_says_what_to_do() -> None:
    with stubbed("ecr") as (client, stub), requests.Session() as session:
        for number in range(21):
            stub.add_response("describe_images", {"imageDetails": [], "nextToken": str(number)})

        with pytest.raises(Broken) as refused:
            EcrRegistry(client, session).tagged("notes")

    assert refused.value.message == (
        "notes has more than 20,000 tagged images, too many to check for missed pushes. Add a "
        "lifecycle policy that expires old images."
    )


def test_nothing_was_pushed_to_a_repository_that_is_not_there_yet() -> None:
    with stubbed("ecr") as (client, stub), requests.Session() as session:
        refuse(stub, "describe_images", "RepositoryNotFoundException")

        assert EcrRegistry(client, session).tagged("notes") == []


@responses.activate
def test_a_configuration_that_is_not_what_its_digest_says_is_broken() -> None:
    with (
        pytest.raises(Broken, match="does not match sha256") as raised,
        stubbed("ecr") as (client, stub),
    ):
        _describe(stub, AMD64)
        blob = _configuration("amd64", LABELS)
        _manifest(stub, AMD64, {"config": {"digest": _digest(blob)}})
        _config_of(stub, blob, served=_configuration("amd64", {"forged": "yes"}))
        _image(client, "v1")

    assert raised.value.reason is Reason.IMAGE_UNAVAILABLE


@pytest.mark.parametrize(
    "answer",
    [{"status": 403}, {"status": 503}, {"body": requests.ConnectionError("refused")}],
    ids=["expired URL", "server error", "no connection"],
)
@responses.activate
def test_a_configuration_that_does_not_come_is_transient_and_its_url_stays_secret(
    answer: dict[str, Any],
) -> None:
    with pytest.raises(Transient) as raised, stubbed("ecr") as (client, stub):
        _describe(stub, AMD64)
        _manifest(stub, AMD64, {"config": {"digest": _digest(b"{}")}})
        stub.add_response("get_download_url_for_layer", {"downloadUrl": URL})
        responses.get(URL, **answer)
        _image(client, "v1")

    assert raised.value.reason is Reason.AWS_UNAVAILABLE
    assert URL not in str(raised.value)


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ("[]", "not a valid image manifest"),
        ("not JSON", "not a valid image manifest"),
        ('{"manifests": [{"platform": {}}]}', "manifests.0.digest"),
    ],
)
def test_a_manifest_that_is_no_image_is_broken_and_says_so(manifest: str, told: str) -> None:
    with pytest.raises(Broken, match=told) as raised, stubbed("ecr") as (client, stub):
        _describe(stub, AMD64)
        image = {"imageId": {"imageDigest": AMD64}, "imageManifest": manifest}
        stub.add_response("batch_get_image", {"images": [image], "failures": []})
        _image(client, "v1")

    assert raised.value.reason is Reason.IMAGE_UNAVAILABLE


def test_an_image_that_was_deleted_meanwhile_is_broken() -> None:
    failure = {"failureCode": "ImageNotFound", "failureReason": "Requested image not found"}
    with pytest.raises(Broken, match="Requested image not found"), stubbed("ecr") as (client, stub):
        _describe(stub, AMD64)
        stub.add_response("batch_get_image", {"images": [], "failures": [failure]})
        _image(client, "v1")


def _scan(answer: dict[str, Any]) -> Scan:
    expected = {"repositoryName": "notes", "imageId": {"imageDigest": AMD64}, "maxResults": 1}
    with stubbed("ecr") as (client, stub), requests.Session() as session:
        stub.add_response("describe_image_scan_findings", answer, expected)
        return EcrRegistry(client, session).scan("notes", AMD64)


def test_a_finished_scan_tells_its_findings_by_severity() -> None:
    answer = {
        "imageScanStatus": {"status": "COMPLETE"},
        "imageScanFindings": {"findingSeverityCounts": {"HIGH": 2, "LOW": 7}},
    }

    assert _scan(answer) == Scan(status="COMPLETE", findings={"HIGH": 2, "LOW": 7})


def test_a_scan_in_progress_has_no_findings_yet() -> None:
    assert _scan({"imageScanStatus": {"status": "IN_PROGRESS"}}) == Scan(
        status="IN_PROGRESS", findings={}
    )


def test_a_digest_that_was_never_scanned_has_an_absent_scan() -> None:
    with stubbed("ecr") as (client, stub), requests.Session() as session:
        refuse(stub, "describe_image_scan_findings", "ScanNotFoundException")

        scan = EcrRegistry(client, session).scan("notes", AMD64)

    assert scan == Scan(status="ABSENT", findings={})


@pytest.mark.parametrize(
    ("code", "error"), [("AccessDeniedException", Broken), ("ThrottlingException", Transient)]
)
def test_a_refused_scan_is_no_scan_result(code: str, error: type[ControlPlaneError]) -> None:
    with (
        pytest.raises(error),
        stubbed("ecr") as (client, stub),
        requests.Session() as session,
    ):
        refuse(stub, "describe_image_scan_findings", code)
        EcrRegistry(client, session).scan("notes", AMD64)
