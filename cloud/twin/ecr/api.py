"""The model of ECR: repositories, images by digest and tag, scans, and the events they cause."""

import base64
from datetime import timedelta
from typing import Any

from cloud.twin.ecr.blobs import Blobs, InMemoryBlobs
from cloud.twin.ecr.images import Image, Manifest, Repository, read_manifest, readable
from cloud.twin.ecr.scans import ScanOutcome, Scans, started
from cloud.twin.errors import AwsError
from cloud.twin.pages import at_most, page
from cloud.twin.world import World

TOKEN_HOURS = 12
PASSWORD = "twin"
MOST_ON_A_PAGE = 1000
ASKED_AT_ONCE = 100


class EcrModel:
    """ECR as its API shows it: one method per operation, in botocore's shapes."""

    def __init__(self, world: World, blobs: Blobs | None = None) -> None:
        self.world = world
        self.blobs = blobs or InMemoryBlobs()
        self.scans = Scans(world)
        self.repositories: dict[str, Repository] = {}
        self.tells_media_types = False
        # Where the registry protocol answers; the live harness sets the twin's own address.
        self.endpoint = f"https://{self.host}"

    @property
    def host(self) -> str:
        """The registry's part of an image URI."""
        return f"{self.world.account}.dkr.ecr.{self.world.region}.amazonaws.com"

    # Repositories

    def create_repository(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params["repositoryName"]
        if name in self.repositories:
            raise AwsError(
                "RepositoryAlreadyExistsException",
                f"The repository with name '{name}' already exists in the registry with id"
                f" '{self.world.account}'",
            )
        self.repositories[name] = repository = Repository(
            name=name,
            arn=self.world.arn("ecr", f"repository/{name}"),
            uri=f"{self.host}/{name}",
            account=self.world.account,
            created_at=self.world.clock.now(),
            immutable=params.get("imageTagMutability") == "IMMUTABLE",
            scan_on_push=params.get("imageScanningConfiguration", {}).get("scanOnPush", False),
        )
        return {"repository": repository.describe()}

    def describe_repositories(self, params: dict[str, Any]) -> dict[str, Any]:
        names = params.get("repositoryNames") or list(self.repositories)
        found = [self.repository(name).describe() for name in names]
        return _paged("repositories", found, params, "repositoryNames")

    # Images

    def describe_images(self, params: dict[str, Any]) -> dict[str, Any]:
        """Without ids, only ACTIVE images are listed unless the filter says otherwise."""
        repository = self.repository(params["repositoryName"])
        if image_ids := params.get("imageIds"):
            images = [repository.image(image_id) for image_id in image_ids]
        else:
            images = _filtered(repository, params.get("filter", {}))
        account = self.world.account
        found = [each.describe(account, repository.name) for each in images]
        return _paged("imageDetails", found, params, "imageIds")

    def list_images(self, params: dict[str, Any]) -> dict[str, Any]:
        repository = self.repository(params["repositoryName"])
        images = _filtered(repository, params.get("filter", {}))
        found = [image_id for image in images for image_id in image.identifiers()]
        return _paged("imageIds", found, params)

    def batch_get_image(self, params: dict[str, Any]) -> dict[str, Any]:
        repository = self.repository(params["repositoryName"])
        accepted = params.get("acceptedMediaTypes")
        images, failures = [], []
        for image_id in at_most(ASKED_AT_ONCE, "imageIds", params):
            image = repository.find(image_id)
            if image is None or (accepted and image.manifest.media_type not in accepted):
                failures.append(_failure(image_id))
            else:
                images.append(self._shown(repository, image, image_id))
        return {"images": images, "failures": failures}

    def get_download_url_for_layer(self, params: dict[str, Any]) -> dict[str, Any]:
        repository = self.repository(params["repositoryName"])
        digest = params["layerDigest"]
        if digest not in repository.layers:
            raise AwsError(
                "LayersNotFoundException",
                f"The layer with digest '{digest}' was not found in the repository with name"
                f" '{repository.name}'",
            )
        url = f"{self.endpoint}/v2/{repository.name}/blobs/{digest}"
        return {"downloadUrl": url, "layerDigest": digest}

    def put_image(self, params: dict[str, Any]) -> dict[str, Any]:
        """Push a manifest, or give one that is here another tag; each tells of a PUSH."""
        repository = self.repository(params["repositoryName"])
        manifest = read_manifest(params["imageManifest"], params.get("imageManifestMediaType"))
        tag = params.get("imageTag")
        self._refuse_image(repository, manifest, tag, params.get("imageDigest"))
        image = repository.images.get(manifest.digest) or self._add(repository, manifest)
        if tag is not None:
            _move_tag(repository, image, tag)
        self._tell(repository, image.digest, "PUSH", tag)
        return {"image": self._shown(repository, image, {"imageTag": tag} if tag else {})}

    def batch_delete_image(self, params: dict[str, Any]) -> dict[str, Any]:
        """By tag: the tag goes, and the image with its last one. By digest: the image goes."""
        repository = self.repository(params["repositoryName"])
        deleted, failures = [], []
        for image_id in at_most(ASKED_AT_ONCE, "imageIds", params):
            image = repository.find(image_id)
            if image is None:
                failures.append(_failure(image_id))
            elif _parents(repository, image.digest):
                failures.append(_failure(image_id, "ImageReferencedByManifestList"))
            else:
                deleted += self._delete(repository, image, image_id.get("imageTag"))
        return {"imageIds": deleted, "failures": failures}

    def update_image_storage_class(self, params: dict[str, Any]) -> dict[str, Any]:
        """Archive an image, which then cannot be pulled, or bring it back."""
        repository = self.repository(params["repositoryName"])
        image = repository.image(params["imageId"])
        target, now = params["targetStorageClass"], self.world.clock.now()
        if target == "ARCHIVE":
            image.status, image.archived_at = "ARCHIVED", now
        else:
            image.status, image.activated_at = "ACTIVE", now
        extra = {
            "target-storage-class": target,
            "manifest-media-type": image.manifest.media_type,
            "artifact-media-type": image.manifest.artifact_type,
        }
        self._tell(repository, image.digest, "UPDATE_STORAGE_CLASS", None, extra)
        return {
            "registryId": self.world.account,
            "repositoryName": repository.name,
            "imageId": {"imageDigest": image.digest},
            "imageStatus": image.status,
        }

    # Scans

    def describe_image_scan_findings(self, params: dict[str, Any]) -> dict[str, Any]:
        repository = self.repository(params["repositoryName"])
        return self.scans.describe(repository, repository.image(params["imageId"]))

    def start_image_scan(self, params: dict[str, Any]) -> dict[str, Any]:
        repository = self.repository(params["repositoryName"])
        image = repository.image(params["imageId"])
        if image.manifest.is_index:
            raise AwsError("UnsupportedImageTypeException", "An index has no scan of its own.")
        if image.status == "ARCHIVED":
            raise AwsError("ImageArchivedException", "The image is archived.")
        scan = self.scans.start(repository, image)
        return started(repository, params["imageId"], scan)

    def set_scan(self, repository: str, reference: str, outcome: ScanOutcome) -> None:
        """Set how scans of a digest or tag end; a scanned image takes it on at once."""
        self.scans.prepare(repository, reference, outcome)
        found = self.repositories.get(repository)
        image = found and found.find(_image_id(reference))
        if found and image:
            self.scans.finish(found, image)

    # Access

    def get_authorization_token(self, params: dict[str, Any]) -> dict[str, Any]:
        token = base64.b64encode(f"AWS:{PASSWORD}".encode()).decode()
        expires_at = self.world.clock.now() + timedelta(hours=TOKEN_HOURS)
        return {
            "authorizationData": [
                {
                    "authorizationToken": token,
                    "expiresAt": expires_at,
                    "proxyEndpoint": self.endpoint,
                }
            ]
        }

    def resolve_image(self, image_uri: str) -> str:
        """The digest that an image URI stands for now; AwsError if it cannot be pulled."""
        repository_name, reference = split_uri(image_uri)
        image = self.repository(repository_name).image(_image_id(reference))
        if image.status != "ACTIVE":
            raise AwsError("ImageArchivedException", f"The image {image_uri} is {image.status}.")
        return image.digest

    # Used by the registry protocol

    def repository(self, name: str) -> Repository:
        """The repository of that name; raises RepositoryNotFoundException."""
        try:
            return self.repositories[name]
        except KeyError:
            raise AwsError(
                "RepositoryNotFoundException",
                f"The repository with name '{name}' does not exist in the registry with id"
                f" '{self.world.account}'",
            ) from None

    def put_layer(self, repository_name: str, data: bytes) -> str:
        """Keep a layer or a configuration in a repository and answer its digest."""
        repository = self.repository(repository_name)
        digest = self.blobs.put(data)
        repository.layers.add(digest)
        return digest

    # Inside

    def _refuse_image(
        self, repository: Repository, manifest: Manifest, tag: str | None, digest: str | None
    ) -> None:
        if digest not in (None, manifest.digest):
            raise AwsError(
                "ImageDigestDoesNotMatchException",
                f"The image's digest is {manifest.digest} and not {digest}.",
            )
        _refuse_unknown("LayersNotFoundException", "layers", manifest.blobs - repository.layers)
        _refuse_unknown(
            "ReferencedImagesNotFoundException",
            "images",
            set(manifest.children) - set(repository.images),
        )
        _refuse_tag(repository, manifest, tag)

    def _add(self, repository: Repository, manifest: Manifest) -> Image:
        # ECR gives an index the size of its largest child.
        size = max(
            (repository.images[child].size_bytes for child in manifest.children),
            default=manifest.size_bytes,
        )
        image = Image(manifest, self.world.clock.now(), size)
        repository.images[manifest.digest] = image
        if repository.scan_on_push and not manifest.is_index:
            self.scans.start(repository, image)
        return image

    def _delete(
        self, repository: Repository, image: Image, tag: str | None
    ) -> list[dict[str, str]]:
        gone = [tag] if tag else list(image.tags)
        for each in gone:
            image.tags.remove(each)
            del repository.tags[each]
            self._tell(repository, image.digest, "DELETE", each)
        if not image.tags:
            del repository.images[image.digest]
            self.scans.forget(repository, image)
            if not gone:
                self._tell(repository, image.digest, "DELETE", None)
        if not gone:
            return [{"imageDigest": image.digest}]
        return [{"imageDigest": image.digest, "imageTag": each} for each in gone]

    def _shown(
        self, repository: Repository, image: Image, image_id: dict[str, str]
    ) -> dict[str, Any]:
        return {
            "registryId": self.world.account,
            "repositoryName": repository.name,
            "imageId": {**image_id, "imageDigest": image.digest},
            "imageManifest": image.manifest.text,
            "imageManifestMediaType": image.manifest.media_type,
        }

    def _tell(
        self,
        repository: Repository,
        digest: str,
        action: str,
        tag: str | None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        """The documented shape: `resources` is empty.

        An untagged image has no image-tag, as documented; or an empty one and its media types, as
        recorded since 2025.
        """
        detail: dict[str, Any] = {
            "result": "SUCCESS",
            "repository-name": repository.name,
            "image-digest": digest,
            "action-type": action,
            **({"image-tag": tag} if tag else {}),
            **(extra or {}),
        }
        if action == "PUSH" and not tag and self.tells_media_types:
            manifest = repository.images[digest].manifest
            detail |= {"image-tag": "", "manifest-media-type": manifest.media_type}
            detail |= (
                {"artifact-media-type": manifest.artifact_type} if manifest.artifact_type else {}
            )
        self.world.tell("aws.ecr", "ECR Image Action", [], detail)


def _paged(name: str, found: list[Any], params: dict[str, Any], asked: str = "") -> dict[str, Any]:
    """A page of all there is; who names what is wanted gets it whole, and up to 100 at once."""
    if not params.get(asked):
        return page(name, found, params, most=MOST_ON_A_PAGE)
    at_most(ASKED_AT_ONCE, asked, params)
    if "maxResults" in params or "nextToken" in params:
        message = f"maxResults and nextToken cannot be used together with {asked}."
        raise AwsError("InvalidParameterException", message)
    return {name: found}


def split_uri(image_uri: str) -> tuple[str, str]:
    """Repository and reference (digest or tag) of `<host>/<repository>[:<tag>|@<digest>]`."""
    _, _, path = image_uri.partition("/")
    if "@" in path:
        name, _, digest = path.partition("@")
        return name.partition(":")[0], digest
    name, _, tag = path.partition(":")
    return name, tag or "latest"


def _image_id(reference: str) -> dict[str, str]:
    return {"imageDigest" if reference.startswith("sha256:") else "imageTag": reference}


def _filtered(repository: Repository, wanted: dict[str, str]) -> list[Image]:
    status = wanted.get("imageStatus", "ACTIVE")
    tagged = {"TAGGED": True, "UNTAGGED": False}.get(wanted.get("tagStatus", "ANY"))
    return [
        image
        for image in repository.images.values()
        if status in ("ANY", image.status) and tagged in (None, bool(image.tags))
    ]


def _move_tag(repository: Repository, image: Image, tag: str) -> None:
    previous = repository.images.get(repository.tags.get(tag, ""))
    if previous is not None:
        previous.tags.remove(tag)
    repository.tags[tag] = image.digest
    image.tags.append(tag)


def _refuse_tag(repository: Repository, manifest: Manifest, tag: str | None) -> None:
    here = repository.find({"imageDigest": manifest.digest})
    if here is not None and (tag is None or tag in here.tags):
        raise AwsError(
            "ImageAlreadyExistsException",
            f"Image with digest '{manifest.digest}' and tag '{tag}' already exists in the"
            f" repository with name '{repository.name}' in registry with id"
            f" '{repository.account}'",
        )
    if tag is not None and repository.immutable and tag in repository.tags:
        raise AwsError(
            "ImageTagAlreadyExistsException",
            f"The image tag '{tag}' already exists in the '{repository.name}' repository and"
            " cannot be overwritten because the tag is immutable.",
        )


def _refuse_unknown(code: str, what: str, missing: set[str]) -> None:
    if missing:
        raise AwsError(code, f"The {what} with the digests {sorted(missing)} do not exist.")


def _parents(repository: Repository, digest: str) -> list[str]:
    return [
        image.digest for image in repository.images.values() if digest in image.manifest.children
    ]


def _failure(image_id: dict[str, str], code: str = "ImageNotFound") -> dict[str, Any]:
    reasons = {
        "ImageNotFound": "Requested image not found",
        "ImageReferencedByManifestList": (
            f"Requested image {readable(image_id)} is referenced by a manifest list"
        ),
    }
    return {"imageId": image_id, "failureCode": code, "failureReason": reasons[code]}
