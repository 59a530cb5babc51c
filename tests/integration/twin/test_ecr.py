"""ECR's model against AWS's documentation: digests, tags, scans, errors, events."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cloud.twin.clock import VirtualClock
from cloud.twin.ecr.api import EcrModel
from cloud.twin.ecr.scans import ScanOutcome
from cloud.twin.errors import AwsError
from tests.integration.twin.data_cloud import REGISTRY, put_version, virtual_world


@pytest.fixture
def cloud() -> tuple[VirtualClock, EcrModel, list[dict[str, Any]]]:
    clock, world, events = virtual_world()
    ecr = EcrModel(world)
    ecr.create_repository(
        {"repositoryName": "notes", "imageScanningConfiguration": {"scanOnPush": True}}
    )
    return clock, ecr, events


Cloud = tuple[VirtualClock, EcrModel, list[dict[str, Any]]]


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(AwsError) as caught:
        call()
    return caught.value.code


def test_a_push_tells_of_itself_in_the_documented_shape(cloud: Cloud) -> None:
    _, ecr, events = cloud

    digest = put_version(ecr, "notes", "1", "v1")

    (event,) = events
    assert {**event, "id": "any"} == {
        "version": "0",
        "id": "any",
        "detail-type": "ECR Image Action",
        "source": "aws.ecr",
        "account": "000000000000",
        "time": "2026-01-05T09:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "result": "SUCCESS",
            "repository-name": "notes",
            "image-digest": digest,
            "action-type": "PUSH",
            "image-tag": "1",
        },
    }


def test_an_image_is_described_with_its_digest_tags_and_types(cloud: Cloud) -> None:
    clock, ecr, _ = cloud
    digest = put_version(ecr, "notes", "1", "v1")

    (detail,) = ecr.describe_images({"repositoryName": "notes"})["imageDetails"]

    assert detail.pop("imageSizeInBytes") > 0
    assert detail == {
        "registryId": "000000000000",
        "repositoryName": "notes",
        "imageDigest": digest,
        "imageTags": ["1"],
        "imagePushedAt": clock.now(),
        "imageManifestMediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactMediaType": "application/vnd.oci.image.config.v1+json",
        "imageStatus": "ACTIVE",
    }


def test_a_tag_moves_to_the_newest_push_and_leaves_the_old_image_untagged(cloud: Cloud) -> None:
    _, ecr, _ = cloud
    old = put_version(ecr, "notes", "latest", "v1")
    new = put_version(ecr, "notes", "latest", "v2")

    untagged = {"repositoryName": "notes", "filter": {"tagStatus": "UNTAGGED"}}
    assert ecr.list_images(untagged)["imageIds"] == [{"imageDigest": old}]
    assert ecr.resolve_image(f"{REGISTRY}/notes:latest") == new
    assert ecr.resolve_image(f"{REGISTRY}/notes@{old}") == old


def test_a_second_tag_of_the_same_image_is_a_second_push_event(cloud: Cloud) -> None:
    _, ecr, events = cloud
    digest = put_version(ecr, "notes", "1", "v1")

    assert put_version(ecr, "notes", "stable", "v1") == digest

    told = [(event["detail"]["image-tag"], event["detail"]["image-digest"]) for event in events]
    assert told == [("1", digest), ("stable", digest)]


def test_the_same_image_and_tag_again_is_refused_and_tells_nothing(cloud: Cloud) -> None:
    _, ecr, events = cloud
    put_version(ecr, "notes", "1", "v1")

    assert refused(lambda: put_version(ecr, "notes", "1", "v1")) == "ImageAlreadyExistsException"
    assert len(events) == 1


def test_an_immutable_tag_cannot_be_moved(cloud: Cloud) -> None:
    _, ecr, _ = cloud
    ecr.create_repository({"repositoryName": "fixed", "imageTagMutability": "IMMUTABLE"})
    put_version(ecr, "fixed", "1", "v1")

    code = refused(lambda: put_version(ecr, "fixed", "1", "v2"))

    assert code == "ImageTagAlreadyExistsException"


def test_an_archived_image_is_not_listed_and_cannot_be_pulled(cloud: Cloud) -> None:
    _, ecr, events = cloud
    digest = put_version(ecr, "notes", "1", "v1")
    params = {"repositoryName": "notes", "imageId": {"imageDigest": digest}}

    ecr.update_image_storage_class({**params, "targetStorageClass": "ARCHIVE"})

    assert ecr.describe_images({"repositoryName": "notes"})["imageDetails"] == []
    asked = {"repositoryName": "notes", "imageIds": [{"imageDigest": digest}]}
    assert ecr.describe_images(asked)["imageDetails"][0]["imageStatus"] == "ARCHIVED"
    assert refused(lambda: ecr.resolve_image(f"{REGISTRY}/notes:1")) == "ImageArchivedException"
    assert events[-1]["detail"]["action-type"] == "UPDATE_STORAGE_CLASS"


def test_deleting_the_last_tag_deletes_the_image(cloud: Cloud) -> None:
    _, ecr, events = cloud
    digest = put_version(ecr, "notes", "1", "v1")
    put_version(ecr, "notes", "stable", "v1")
    params = {"repositoryName": "notes"}

    ecr.batch_delete_image({**params, "imageIds": [{"imageTag": "1"}]})
    assert ecr.list_images(params)["imageIds"] == [{"imageDigest": digest, "imageTag": "stable"}]

    ecr.batch_delete_image({**params, "imageIds": [{"imageTag": "stable"}]})
    assert ecr.list_images(params)["imageIds"] == []
    told = [event["detail"] for event in events if event["detail"].get("action-type") == "DELETE"]
    assert [detail["image-tag"] for detail in told] == ["1", "stable"]


def test_what_is_not_there_is_refused_by_its_name(cloud: Cloud) -> None:
    _, ecr, _ = cloud
    digest = put_version(ecr, "notes", "1", "v1")
    image = {"repositoryName": "notes", "imageId": {"imageTag": "9"}}

    codes = [
        refused(lambda: ecr.describe_images({"repositoryName": "nothing"})),
        refused(
            lambda: ecr.describe_images(
                {"repositoryName": "notes", "imageIds": [{"imageTag": "9"}]}
            )
        ),
        refused(lambda: ecr.describe_image_scan_findings(image)),
        refused(
            lambda: ecr.get_download_url_for_layer(
                {"repositoryName": "notes", "layerDigest": digest}
            )
        ),
        refused(lambda: ecr.put_image({"repositoryName": "notes", "imageManifest": "["})),
    ]

    assert codes == [
        "RepositoryNotFoundException",
        "ImageNotFoundException",
        "ImageNotFoundException",
        "LayersNotFoundException",
        "InvalidParameterException",
    ]


def test_a_manifest_whose_layers_were_not_pushed_is_refused(cloud: Cloud) -> None:
    _, ecr, _ = cloud
    put_version(ecr, "notes", "1", "v1")
    ecr.create_repository({"repositoryName": "other"})
    params = {"repositoryName": "notes", "imageIds": [{"imageTag": "1"}]}
    manifest = ecr.batch_get_image(params)["images"][0]["imageManifest"]

    code = refused(lambda: ecr.put_image({"repositoryName": "other", "imageManifest": manifest}))

    assert code == "LayersNotFoundException"


def test_a_wrong_digest_in_a_request_is_a_failure_of_that_image_only(cloud: Cloud) -> None:
    _, ecr, _ = cloud
    digest = put_version(ecr, "notes", "1", "v1")
    wrong = {"imageDigest": "sha256:" + "0" * 64, "imageTag": "1"}

    answer = ecr.batch_get_image(
        {"repositoryName": "notes", "imageIds": [{"imageTag": "1"}, wrong]}
    )

    assert [each["imageId"] for each in answer["images"]] == [
        {"imageTag": "1", "imageDigest": digest}
    ]
    assert [each["failureCode"] for each in answer["failures"]] == ["ImageNotFound"]


def test_a_scan_lags_the_push_and_leaves_out_severities_without_findings(cloud: Cloud) -> None:
    clock, ecr, events = cloud
    ecr.set_scan("notes", "1", ScanOutcome(findings={"CRITICAL": 1, "HIGH": 0, "LOW": 2}))
    digest = put_version(ecr, "notes", "1", "v1")
    params = {"repositoryName": "notes", "imageId": {"imageTag": "1"}}

    before = ecr.describe_image_scan_findings(params)
    clock.run_for(5)
    after = ecr.describe_image_scan_findings(params)

    assert before["imageScanStatus"]["status"] == "IN_PROGRESS"
    assert "imageScanFindings" not in before
    assert after["imageScanStatus"]["status"] == "COMPLETE"
    assert after["imageScanFindings"]["findingSeverityCounts"] == {"CRITICAL": 1, "LOW": 2}
    assert events[-1]["detail-type"] == "ECR Image Scan"
    assert events[-1]["resources"] == ["arn:aws:ecr:us-east-1:000000000000:repository/notes"]
    assert events[-1]["detail"] == {
        "scan-status": "COMPLETE",
        "repository-name": "notes",
        "finding-severity-counts": {"CRITICAL": 1, "LOW": 2},
        "image-digest": digest,
        "image-tags": ["1"],
    }


def test_an_image_that_was_never_scanned_has_no_scan(cloud: Cloud) -> None:
    _, ecr, _ = cloud
    ecr.create_repository({"repositoryName": "unscanned"})
    put_version(ecr, "unscanned", "1", "v1")
    params = {"repositoryName": "unscanned", "imageId": {"imageTag": "1"}}

    assert refused(lambda: ecr.describe_image_scan_findings(params)) == "ScanNotFoundException"

    ecr.start_image_scan(params)
    answer = ecr.describe_image_scan_findings(params)
    assert answer["imageScanStatus"]["status"] == "IN_PROGRESS"


def index_of(ecr: EcrModel, child: str, tag: str | None = None) -> None:
    """Push an index over one child, each tag another one."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{"digest": child, "size": 1, "mediaType": "x"}],
        "annotations": {"for": tag or ""},
    }
    tagged = {"imageTag": tag} if tag else {}
    params = {"repositoryName": "notes", "imageManifest": json.dumps(manifest)}
    ecr.put_image({**params, **tagged})


def many(ecr: EcrModel, count: int) -> None:
    """Push so many images, each with a tag."""
    child = put_version(ecr, "notes", "0", "v1")
    for number in range(1, count):
        index_of(ecr, child, str(number))


def test_an_untagged_push_may_tell_an_empty_tag_and_its_media_types(cloud: Cloud) -> None:
    _, ecr, events = cloud
    child = put_version(ecr, "notes", "1", "v1")
    ecr.tells_media_types = True

    index_of(ecr, child)

    detail = events[-1]["detail"]
    assert detail.pop("image-digest").startswith("sha256:")
    assert detail == {
        "result": "SUCCESS",
        "repository-name": "notes",
        "action-type": "PUSH",
        "image-tag": "",
        "manifest-media-type": "application/vnd.oci.image.index.v1+json",
    }


def test_an_untagged_push_tells_neither_as_the_documentation_has_it(cloud: Cloud) -> None:
    _, ecr, events = cloud
    child = put_version(ecr, "notes", "1", "v1")

    index_of(ecr, child)

    assert events[-1]["detail"].keys() == {
        "result",
        "repository-name",
        "image-digest",
        "action-type",
    }


def test_images_are_listed_in_pages(cloud: Cloud) -> None:
    _, ecr, _ = cloud
    many(ecr, 5)

    for operation, name in ((ecr.describe_images, "imageDetails"), (ecr.list_images, "imageIds")):
        first = operation({"repositoryName": "notes", "maxResults": 2})
        second = operation(
            {"repositoryName": "notes", "maxResults": 2, "nextToken": first["nextToken"]}
        )
        last = operation(
            {"repositoryName": "notes", "maxResults": 2, "nextToken": second["nextToken"]}
        )
        assert [len(page[name]) for page in (first, second, last)] == [2, 2, 1]
        assert "nextToken" not in last
    ecr.create_repository({"repositoryName": "more"})
    found = ecr.describe_repositories({"maxResults": 1})
    assert (len(found["repositories"]), found["nextToken"]) == (1, "1")


def test_without_a_size_a_page_has_a_hundred_images(cloud: Cloud) -> None:
    _, ecr, _ = cloud
    many(ecr, 101)

    listed = ecr.list_images({"repositoryName": "notes"})
    assert (len(listed["imageIds"]), "nextToken" in listed) == (100, True)
    whole = ecr.list_images({"repositoryName": "notes", "maxResults": 1000})
    assert (len(whole["imageIds"]), "nextToken" in whole) == (101, False)


@pytest.mark.parametrize(
    "params",
    [
        {"maxResults": 1001},
        {"maxResults": 0},
        {"nextToken": "elsewhere"},
        {"imageIds": [{"imageTag": "1"}], "maxResults": 5},
        {"imageIds": [{"imageTag": "1"}] * 101},
    ],
)
def test_what_ecr_does_not_allow_in_one_request_is_refused(
    cloud: Cloud, params: dict[str, Any]
) -> None:
    _, ecr, _ = cloud
    put_version(ecr, "notes", "1", "v1")

    code = refused(lambda: ecr.describe_images({"repositoryName": "notes", **params}))
    assert code == "InvalidParameterException"
