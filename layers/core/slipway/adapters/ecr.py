"""ECR: what an image is, for which platform, and what its vulnerability scan found."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError
from requests import RequestException

from slipway.adapters.artifacts import artifact_in, artifact_named, manifest_named
from slipway.adapters.errors import aws_errors, code_of
from slipway.adapters.oci import Configuration, Manifest, parsed
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
# Each costs three calls; an index has a handful of platforms, and most say which.
_CHILDREN_READ: Final = 6
# The largest manifest that registries must take, and far more than a configuration needs.
LARGEST: Final = 4 * 1024 * 1024
# ECR sorts by nothing, so all of a repository is read: at a second for each thousand images,
# before the sweep's time is over.
_MOST_PAGES: Final = 20


class EcrRegistry:
    """ImageRegistry in ECR; image configurations come over HTTP from where ECR says."""

    def __init__(self, client: "ECRClient", session: "Session | Downloads") -> None:
        self._client = client
        self._session = session

    @aws_errors()
    def image(
        self, repository: str, reference: str, architecture: str, system: str = "LINUX"
    ) -> Image | None:
        """The image behind a digest or tag, resolved for an ECS platform; None if absent.

        An image that is not ACTIVE cannot be pulled, so nothing inside it is read. An index
        without a child for the platform tells in ``architecture`` what it is built for.
        Rejected(NotAnImage) for whatever is no container image.
        """
        detail = self._detail(repository, reference)
        image = self._told(repository, detail) if detail else None
        if detail is None or image is None or image.status != "ACTIVE":
            return image
        _refuse_artifact(repository, image.digest, _told_artifact(detail))
        manifest = self._manifest(repository, image.digest)
        _refuse_artifact(repository, image.digest, artifact_in(manifest))
        if manifest.manifests is None:
            configuration = self._configuration(repository, image.digest, manifest)
            return _resolved(image, image.digest, configuration)
        return self._child(repository, image, manifest, (system, architecture))

    @aws_errors()
    def status(self, repository: str, reference: str) -> Image | None:
        """As image(), without labels and platform: one call; None also without the repository."""
        try:
            detail = self._detail(repository, reference)
        except ClientError as error:
            if code_of(error) == "RepositoryNotFoundException":
                return None
            raise
        return self._told(repository, detail) if detail else None

    @aws_errors()
    def looked_up(self, repository: str, digest: str) -> Pushed | None:
        """What a digest is, and when it was pushed; None when it is not there.

        One call, and a second one where the first cannot tell a signature from an image.
        """
        detail = self._detail(repository, digest)
        if detail is None:
            return None
        what = _told_artifact(detail)
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

    def _told(self, repository: str, detail: "ImageDetailTypeDef") -> Image:
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

    def _child(
        self, repository: str, image: Image, index: Manifest, platform: tuple[str, str]
    ) -> Image:
        """The child of an index that a task of this platform runs.

        Children need not say what they run on, as those of buildah and bazel: their configurations
        do, and an index can be the child of another one.
        """
        named = index.child_for(*platform)
        built_for, unread = index.built_for(), [named] if named else list(index.unspoken)
        for _ in range(_CHILDREN_READ):
            if not unread:
                break
            digest = unread.pop(0)
            manifest = self._manifest(repository, digest)
            if manifest.manifests is not None:
                named = manifest.child_for(*platform)
                unread[:0] = [named] if named else manifest.unspoken
                built_for += manifest.built_for()
            elif artifact_in(manifest) is None:
                configuration = self._configuration(repository, digest, manifest)
                if named == digest or configuration.fits(*platform):
                    return _resolved(image, digest, configuration)
                built_for.append(configuration.ecs_name)
        return image.model_copy(update={"architecture": _listed(built_for)})

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
                Reason.IMAGE_UNAVAILABLE, f"What ECR served as {wanted} is something else."
            )
        return parsed(blob, Configuration, wanted)

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


def _told_artifact(detail: "ImageDetailTypeDef") -> str | None:
    """What DescribeImages says that it is, where it is no container image."""
    by_manifest = manifest_named(detail.get("imageManifestMediaType"))
    return by_manifest or artifact_named(detail.get("artifactMediaType"))


def _refuse_artifact(repository: str, digest: str, what: str | None) -> None:
    if what is not None:
        raise Rejected(
            Reason.NOT_AN_IMAGE,
            f"{repository}@{digest[:19]} is not a container image: {what}. Push a container image, "
            "and keep tags of everything else out of push.tags in the catalog.",
        )


def _refuse_oversized(repository: str, digest: str, size: int) -> None:
    if size > LARGEST:
        raise Rejected(
            Reason.IMAGE_UNAVAILABLE,
            f"The configuration of {repository}@{digest[:19]} has {size} bytes, and at most "
            f"{LARGEST} are read; build the image with smaller labels.",
        )


def _resolved(image: Image, digest: str, configuration: Configuration) -> Image:
    return image.model_copy(
        update={
            "platform_digest": digest,
            "architecture": configuration.ecs_architecture,
            "operating_system": configuration.ecs_system,
            "labels": known_labels(configuration.labels),
        }
    )


def _listed(platforms: Sequence[str]) -> str:
    return ", ".join(name for name in dict.fromkeys(platforms) if name) or "no known platform"
