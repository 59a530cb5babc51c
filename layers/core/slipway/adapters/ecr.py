"""ECR: images by tag or digest, their platforms and labels, and their vulnerability scans."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError
from requests import RequestException

from slipway.adapters.artifacts import artifact_in, artifact_name, manifest_name
from slipway.adapters.errors import aws_errors, code_of
from slipway.adapters.oci import Configuration, Manifest, parse
from slipway.domain.errors import Broken, Reason, Rejected, Transient
from slipway.domain.gates import Scan
from slipway.domain.media_types import INDEX_TYPES, MANIFEST_TYPES
from slipway.domain.release import Image, Pushed, Release, known_labels

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import ImageDetailTypeDef, ImageIdentifierTypeDef
    from requests import Session

    from slipway.adapters.downloads import Downloads

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
# Each child costs three calls. An index has a handful of platforms and usually names them.
_CHILDREN_READ: Final = 6
# The manifest size that every registry must accept (OCI distribution specification); image
# configurations are far smaller.
LARGEST: Final = 4 * 1024 * 1024
# DescribeImages has no order, so the whole repository is read: about a second per thousand images,
# within the timeout of the sweep.
_MOST_PAGES: Final = 20


class EcrRegistry:
    """ImageRegistry in ECR; image configurations are downloaded from the URL that ECR signs."""

    def __init__(self, client: "ECRClient", session: "Session | Downloads") -> None:
        self._client = client
        self._session = session

    @aws_errors()
    def image(
        self, repository: str, reference: str, architecture: str, system: str = "LINUX"
    ) -> Image | None:
        """The image behind a digest or tag, resolved for an ECS platform; None if absent.

        An image that is not ACTIVE cannot be pulled, so nothing inside it is read. For an index
        without a child for the platform, ``architecture`` lists what it is built for.
        Rejected(NotAnImage) for anything that is not a container image.
        """
        detail = self._detail(repository, reference)
        image = self._image(repository, detail) if detail else None
        if detail is None or image is None or image.status != "ACTIVE":
            return image
        _refuse_artifact(repository, image.digest, _declared_artifact(detail))
        manifest = self._manifest(repository, image.digest)
        _refuse_artifact(repository, image.digest, artifact_in(manifest))
        if manifest.manifests is None:
            configuration = self._configuration(repository, image.digest, manifest)
            return _with_configuration(image, image.digest, configuration)
        return self._platform_image(repository, image, manifest, (system, architecture))

    @aws_errors()
    def status(self, repository: str, reference: str) -> Image | None:
        """image() without labels and platform, in one call; also None without the repository."""
        try:
            detail = self._detail(repository, reference)
        except ClientError as error:
            if code_of(error) == "RepositoryNotFoundException":
                return None
            raise
        return self._image(repository, detail) if detail else None

    @aws_errors()
    def looked_up(self, repository: str, digest: str) -> Pushed | None:
        """What a digest refers to, and when it was pushed; None when it does not exist.

        One call, or two when the media types of the first do not tell a signature from an image.
        """
        detail = self._detail(repository, digest)
        if detail is None:
            return None
        what = _declared_artifact(detail)
        if what is None and detail.get("imageStatus", "ACTIVE") == "ACTIVE":
            what = artifact_in(self._manifest(repository, detail["imageDigest"]))
        return Pushed(pushed_at=detail.get("imagePushedAt"), what=what)

    def _detail(self, repository: str, reference: str) -> "ImageDetailTypeDef | None":
        try:
            answer = self._client.describe_images(
                repositoryName=repository, imageIds=[_identifier(reference)]
            )
        except ClientError as error:
            if code_of(error) == "ImageNotFoundException":
                return None
            raise
        return answer["imageDetails"][0]

    def _image(self, repository: str, detail: "ImageDetailTypeDef") -> Image:
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
        """Every tag, its image, and when that image was first pushed; ECR keeps no time of a retag.

        Empty for a missing repository: the catalog may name it before it is created. Broken when
        there are more images than can be read in one pass.
        """
        try:
            return self._read_tags(repository)
        except ClientError as error:
            if code_of(error) == "RepositoryNotFoundException":
                return []
            raise

    def _read_tags(self, repository: str) -> list[Release]:
        pages = self._client.get_paginator("describe_images").paginate(
            repositoryName=repository,
            filter={"tagStatus": "TAGGED"},
            PaginationConfig={"PageSize": 1000},
        )
        found: list[Release] = []
        for number, page in enumerate(pages, start=1):
            if number > _MOST_PAGES:
                raise _too_many_images(repository)
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
            raise Broken(Reason.IMAGE_MISSING, f"{repository}@{digest} could not be read: {why}")
        return parse(answer["images"][0].get("imageManifest", ""), Manifest, digest)

    def _platform_image(
        self, repository: str, image: Image, index: Manifest, platform: tuple[str, str]
    ) -> Image:
        """The child of an index that a task of this platform runs.

        Indexes made by buildah and bazel may omit the platform of a child; then its configuration
        decides. An index can also contain another index.
        """
        named = index.child_for(*platform)
        built_for, unread = index.platforms(), [named] if named else list(index.undeclared)
        for _ in range(_CHILDREN_READ):
            if not unread:
                break
            digest = unread.pop(0)
            manifest = self._manifest(repository, digest)
            if manifest.manifests is not None:
                named = manifest.child_for(*platform)
                unread[:0] = [named] if named else manifest.undeclared
                built_for += manifest.platforms()
            elif artifact_in(manifest) is None:
                configuration = self._configuration(repository, digest, manifest)
                if named == digest or configuration.fits(*platform):
                    return _with_configuration(image, digest, configuration)
                built_for.append(configuration.ecs_name)
        return image.model_copy(update={"architecture": _platforms(built_for)})

    def _configuration(self, repository: str, digest: str, manifest: Manifest) -> Configuration:
        if manifest.config is None:
            raise Broken(Reason.IMAGE_UNAVAILABLE, f"{repository}@{digest} has no configuration.")
        wanted = manifest.config.digest
        _refuse_oversized(repository, digest, manifest.config.size)
        answer = self._client.get_download_url_for_layer(
            repositoryName=repository, layerDigest=wanted
        )
        blob = self._download(answer["downloadUrl"])
        _refuse_oversized(repository, digest, len(blob))
        if f"sha256:{hashlib.sha256(blob).hexdigest()}" != wanted:
            raise Broken(
                Reason.IMAGE_UNAVAILABLE, f"ECR returned content that does not match {wanted}."
            )
        return parse(blob, Configuration, wanted)

    def _download(self, url: str) -> bytes:
        # The URL is signed, so no message may carry it.
        try:
            response = self._session.get(url, timeout=_TIMEOUT_SECONDS)
        except RequestException as error:
            message = f"The image configuration could not be read: {type(error).__name__}."
            raise Transient(Reason.AWS_UNAVAILABLE, message) from error
        if response.status_code != 200:
            message = f"The image configuration could not be read: status {response.status_code}."
            raise Transient(Reason.AWS_UNAVAILABLE, message)
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


def _too_many_images(repository: str) -> Broken:
    return Broken(
        Reason.LOOK_ENDLESS,
        f"{repository} has more than {_MOST_PAGES},000 tagged images, too many to check for missed "
        "pushes. Add a lifecycle policy that expires old images.",
    )


def _identifier(reference: str) -> "ImageIdentifierTypeDef":
    if reference.startswith("sha256:"):
        return {"imageDigest": reference}
    return {"imageTag": reference}


def _declared_artifact(detail: "ImageDetailTypeDef") -> str | None:
    """The kind of artifact by the media types of DescribeImages; None when it may be an image."""
    by_manifest = manifest_name(detail.get("imageManifestMediaType"))
    return by_manifest or artifact_name(detail.get("artifactMediaType"))


def _refuse_artifact(repository: str, digest: str, what: str | None) -> None:
    if what is not None:
        raise Rejected(
            Reason.NOT_AN_IMAGE,
            f"{repository}@{digest[:19]} is not a container image: {what}. Push a container "
            "image, and make sure that push.tags in the catalog matches no other artifacts.",
        )


def _refuse_oversized(repository: str, digest: str, size: int) -> None:
    if size > LARGEST:
        raise Rejected(
            Reason.IMAGE_UNAVAILABLE,
            f"The configuration of {repository}@{digest[:19]} is {size} bytes; the limit is "
            f"{LARGEST}. Build the image with smaller labels.",
        )


def _with_configuration(image: Image, digest: str, configuration: Configuration) -> Image:
    return image.model_copy(
        update={
            "platform_digest": digest,
            "architecture": configuration.ecs_architecture,
            "operating_system": configuration.ecs_system,
            "labels": known_labels(configuration.labels),
        }
    )


def _platforms(platforms: Sequence[str]) -> str:
    return ", ".join(name for name in dict.fromkeys(platforms) if name) or "an unknown platform"
