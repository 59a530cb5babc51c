"""ECR: what an image is, for which platform, and what its vulnerability scan found."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError
from requests import RequestException

from slipway.adapters.errors import aws_errors, code_of
from slipway.adapters.oci import INDEX_TYPES, MANIFEST_TYPES, Configuration, Manifest, parsed
from slipway.domain.errors import Broken, Reason, Transient
from slipway.domain.gates import Scan
from slipway.domain.release import Image, Release

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import ImageDetailTypeDef, ImageIdentifierTypeDef
    from requests import Session

PERMISSIONS: Final = (
    "ecr:DescribeImages",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "ecr:DescribeImageScanFindings",
    "inspector2:ListCoverage",
    "inspector2:ListFindings",
)

# https://docs.aws.amazon.com/general/latest/gr/ecr.html
_DNS_SUFFIXES: Final = {"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}
_TIMEOUT_SECONDS: Final = 10
# ECR sorts by nothing, so all of a repository is read: at a second for each thousand images,
# before the sweep's time is over.
_MOST_PAGES: Final = 20


class EcrRegistry:
    """ImageRegistry in ECR; image configurations come over HTTP from where ECR says."""

    def __init__(self, client: "ECRClient", session: "Session") -> None:
        self._client = client
        self._session = session

    @aws_errors()
    def image(self, repository: str, reference: str, architecture: str) -> Image | None:
        """The image behind a digest or tag, resolved for an ECS architecture; None if absent.

        An image that is not ACTIVE cannot be pulled, so nothing inside it is read. An index
        without a child for the architecture tells in ``architecture`` what it is built for.
        """
        image = self.status(repository, reference)
        if image is None or image.status != "ACTIVE":
            return image
        manifest = self._manifest(repository, image.digest)
        if manifest.manifests is None:
            return self._resolved(repository, image, image.digest, manifest)
        child = manifest.child_for(architecture)
        if child is None:
            return image.model_copy(update={"architecture": manifest.built_for()})
        return self._resolved(repository, image, child, self._manifest(repository, child))

    @aws_errors()
    def status(self, repository: str, reference: str) -> Image | None:
        """As image(), without labels and platform: one call."""
        try:
            answer = self._client.describe_images(
                repositoryName=repository, imageIds=[_identifier(reference)]
            )
        except ClientError as error:
            if code_of(error) == "ImageNotFoundException":
                return None
            raise
        detail = answer["imageDetails"][0]
        return Image(
            repository_uri=self._uri(repository, detail),
            digest=detail["imageDigest"],
            platform_digest=detail["imageDigest"],
            architecture="",
            status=detail.get("imageStatus", "ACTIVE"),
            labels={},
            pushed_at=detail.get("imagePushedAt"),
        )

    @aws_errors()
    def tagged(self, repository: str) -> list[Release]:
        """Every tag with its image and the first push of that: a retag leaves no time.

        None in a repository that is not there: the catalog may know it before it is created.
        Broken when there are more images than one look can read.
        """
        try:
            return self._tagged(repository)
        except ClientError as error:
            if code_of(error) == "RepositoryNotFoundException":
                return []
            raise

    def _tagged(self, repository: str) -> list[Release]:
        pages = self._client.get_paginator("describe_images").paginate(
            repositoryName=repository,
            filter={"tagStatus": "TAGGED"},
            PaginationConfig={"PageSize": 1000},
        )
        found: list[Release] = []
        for number, page in enumerate(pages, start=1):
            if number > _MOST_PAGES:
                raise _too_many(repository)
            found.extend(_releases(repository, page["imageDetails"]))
        return found

    @aws_errors()
    def scan(self, repository: str, digest: str) -> Scan:
        """The vulnerability scan of this digest; status ABSENT when there is none.

        An index has no scan of its own: ask for the platform's digest.
        """
        try:
            answer = self._client.describe_image_scan_findings(
                repositoryName=repository, imageId={"imageDigest": digest}, maxResults=1
            )
        except ClientError as error:
            if code_of(error) == "ScanNotFoundException":
                return Scan(status="ABSENT", findings={})
            raise
        found = answer.get("imageScanFindings", {}).get("findingSeverityCounts", {})
        counts = {str(severity): count for severity, count in found.items()}
        return Scan(
            status=answer.get("imageScanStatus", {}).get("status", "ABSENT"), findings=counts
        )

    def _uri(self, repository: str, detail: "ImageDetailTypeDef") -> str:
        suffix = _DNS_SUFFIXES.get(self._client.meta.partition, "amazonaws.com")
        region = self._client.meta.region_name
        return f"{detail['registryId']}.dkr.ecr.{region}.{suffix}/{repository}"

    def _manifest(self, repository: str, digest: str) -> Manifest:
        answer = self._client.batch_get_image(
            repositoryName=repository,
            imageIds=[{"imageDigest": digest}],
            acceptedMediaTypes=[*INDEX_TYPES, *MANIFEST_TYPES],
        )
        if not answer["images"]:
            why = "; ".join(one.get("failureReason", "") for one in answer.get("failures", []))
            raise Broken(Reason.IMAGE_MISSING, f"{repository}@{digest} cannot be read: {why}")
        return parsed(answer["images"][0].get("imageManifest", ""), Manifest, digest)

    def _resolved(self, repository: str, image: Image, digest: str, manifest: Manifest) -> Image:
        if manifest.config is None:
            raise Broken(Reason.IMAGE_UNAVAILABLE, f"{repository}@{digest} is no container image.")
        configuration = self._configuration(repository, manifest.config.digest)
        return image.model_copy(
            update={
                "platform_digest": digest,
                "architecture": configuration.ecs_architecture,
                "labels": configuration.labels,
            }
        )

    def _configuration(self, repository: str, digest: str) -> Configuration:
        answer = self._client.get_download_url_for_layer(
            repositoryName=repository, layerDigest=digest
        )
        blob = self._download(answer["downloadUrl"])
        if f"sha256:{hashlib.sha256(blob).hexdigest()}" != digest:
            raise Broken(
                Reason.IMAGE_UNAVAILABLE, f"What ECR served as {digest} is something else."
            )
        return parsed(blob, Configuration, digest)

    def _download(self, url: str) -> bytes:
        # The URL is signed, so no message may carry it.
        try:
            response = self._session.get(url, timeout=_TIMEOUT_SECONDS)
        except RequestException as error:
            told = f"The image configuration could not be read: {type(error).__name__}."
            raise Transient(Reason.AWS_UNAVAILABLE, told) from error
        if response.status_code != 200:
            told = f"The image configuration could not be read: status {response.status_code}."
            raise Transient(Reason.AWS_UNAVAILABLE, told)
        return response.content


def _releases(repository: str, details: "Iterable[ImageDetailTypeDef]") -> Iterator[Release]:
    for detail in details:
        for tag in detail.get("imageTags", []):
            yield Release(
                repository=repository,
                digest=detail["imageDigest"],
                tag=tag,
                pushed_at=detail["imagePushedAt"],
            )


def _too_many(repository: str) -> Broken:
    return Broken(
        Reason.LOOK_ENDLESS,
        f"{repository} has more than {_MOST_PAGES},000 tagged images, too many to look for lost "
        "pushes; give it a lifecycle policy that expires old ones.",
    )


def _identifier(reference: str) -> "ImageIdentifierTypeDef":
    if reference.startswith("sha256:"):
        return {"imageDigest": reference}
    return {"imageTag": reference}
