"""The registry protocol on a live twin: what a push leaves in ECR, and what a client gets back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from cloud.image import PushError, push_version
from tests.integration.twin.data_cloud import LiveData, live_data

OCI_INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveData]:
    with live_data(tmp_path_factory.mktemp("twin")) as running:
        yield running


def create(cloud: LiveData, name: str) -> None:
    cloud.client("ecr").create_repository(repositoryName=name)


def test_a_pushed_image_is_known_to_the_ecr_api_by_its_digest(cloud: LiveData) -> None:
    create(cloud, "pushed")

    digest = push_version(cloud.url, "pushed", "1", "v1")

    (detail,) = cloud.client("ecr").describe_images(repositoryName="pushed")["imageDetails"]
    assert (detail["imageDigest"], detail["imageTags"]) == (digest, ["1"])
    assert requests.get(f"{cloud.url}/v2/pushed/tags/list", timeout=5).json() == {
        "name": "pushed",
        "tags": ["1"],
    }


def test_an_index_has_untagged_children_and_one_event_with_a_tag(cloud: LiveData) -> None:
    create(cloud, "index")

    digest = push_version(cloud.url, "index", "2", "v2", ("amd64", "arm64"))

    client = cloud.client("ecr")
    accepted = [OCI_INDEX]
    answer = client.batch_get_image(
        repositoryName="index", imageIds=[{"imageTag": "2"}], acceptedMediaTypes=accepted
    )
    assert answer["images"][0]["imageId"] == {"imageDigest": digest, "imageTag": "2"}
    assert answer["images"][0]["imageManifestMediaType"] == OCI_INDEX
    details = [
        event["detail"]
        for event in cloud.sink.emitted
        if event["detail"]["repository-name"] == "index"
    ]
    assert ["image-tag" in detail for detail in details] == [False, False, True]


def test_a_push_of_the_same_version_again_has_the_same_digest_and_no_event(cloud: LiveData) -> None:
    create(cloud, "again")
    first = push_version(cloud.url, "again", "1", "v1")
    before = len(cloud.sink.emitted)

    assert push_version(cloud.url, "again", "1", "v1") == first
    assert len(cloud.sink.emitted) == before


def test_a_configuration_is_downloaded_from_the_url_that_ecr_names(cloud: LiveData) -> None:
    create(cloud, "labels")
    push_version(cloud.url, "labels", "2", "v2")
    client = cloud.client("ecr")
    manifest = requests.get(f"{cloud.url}/v2/labels/manifests/2", timeout=5).json()

    url = client.get_download_url_for_layer(
        repositoryName="labels", layerDigest=manifest["config"]["digest"]
    )["downloadUrl"]

    config = requests.get(url, timeout=5).json()
    assert (config["architecture"], config["os"]) == ("amd64", "linux")
    assert config["config"]["Labels"]["org.opencontainers.image.version"] == "2"
    assert config["config"]["Labels"]["dev.slipway.schema"] == "0002_author"


def test_a_push_to_a_missing_repository_is_one_clear_sentence(cloud: LiveData) -> None:
    with pytest.raises(PushError, match="repository with name 'missing' does not exist"):
        push_version(cloud.url, "missing", "1", "v1")


def test_bytes_that_do_not_have_the_digest_they_claim_are_refused(cloud: LiveData) -> None:
    create(cloud, "claims")
    begun = requests.post(f"{cloud.url}/v2/claims/blobs/uploads/", timeout=5)
    wrong = "sha256:" + "0" * 64

    location = cloud.url + begun.headers["Location"]
    answer = requests.put(location, params={"digest": wrong}, data=b"bytes", timeout=5)

    assert (begun.status_code, answer.status_code) == (202, 400)
    assert answer.json()["errors"][0]["code"] == "DIGEST_INVALID"


def test_an_unknown_blob_or_manifest_is_not_found(cloud: LiveData) -> None:
    create(cloud, "unknown")
    blob = requests.head(f"{cloud.url}/v2/unknown/blobs/sha256:{'0' * 64}", timeout=5)
    manifest = requests.get(f"{cloud.url}/v2/unknown/manifests/9", timeout=5)

    assert blob.status_code == 404
    assert manifest.status_code == 404
    assert manifest.json()["errors"][0]["code"] == "MANIFEST_UNKNOWN"


def test_scan_findings_can_be_set_from_outside(cloud: LiveData, tmp_path: Path) -> None:
    create(cloud, "scanned")
    digest = push_version(cloud.url, "scanned", "1", "v1")

    body = {"repository": "scanned", "digest": digest, "findings": {"CRITICAL": 1}}
    answer = requests.post(f"{cloud.url}/_twin/ecr/scan", json=body, timeout=5)

    assert answer.status_code == 200
    found = cloud.client("ecr").describe_image_scan_findings(
        repositoryName="scanned", imageId={"imageDigest": digest}
    )
    assert found["imageScanStatus"]["status"] == "COMPLETE"
    assert found["imageScanFindings"]["findingSeverityCounts"] == {"CRITICAL": 1}
