"""The OCI distribution protocol over ECR's storage: `/v2/…`, what `docker push` speaks."""

import json
import re
import threading
from collections.abc import Callable
from typing import Any

from werkzeug import Request, Response

from cloud.twin.ecr.api import EcrModel
from cloud.twin.ecr.blobs import digest_of
from cloud.twin.errors import AwsError

# The protocol's own error codes for what ECR's API calls otherwise.
CODES = {
    "RepositoryNotFoundException": ("NAME_UNKNOWN", 404),
    "ImageNotFoundException": ("MANIFEST_UNKNOWN", 404),
    "LayersNotFoundException": ("MANIFEST_BLOB_UNKNOWN", 404),
    "ReferencedImagesNotFoundException": ("MANIFEST_BLOB_UNKNOWN", 404),
    "ImageTagAlreadyExistsException": ("TAG_INVALID", 400),
    "ImageDigestDoesNotMatchException": ("DIGEST_INVALID", 400),
    "InvalidParameterException": ("MANIFEST_INVALID", 400),
}
NAME = r"/v2/(?P<name>[a-z0-9._/-]+?)"


class Registry:
    """Answers registry clients; manifests and layers land in the model's repositories."""

    def __init__(self, ecr: EcrModel, lock: threading.RLock) -> None:
        self._ecr = ecr
        self._lock = lock
        self._uploads: dict[str, bytearray] = {}
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Response]]] = [
            (method, re.compile(pattern), answer)
            for method, pattern, answer in (
                ("GET", r"/v2/", self._version),
                ("GET", NAME + r"/blobs/(?P<digest>sha256:[0-9a-f]{64})", self._blob),
                ("POST", NAME + r"/blobs/uploads/", self._begin),
                ("PATCH", NAME + r"/blobs/uploads/(?P<upload>[0-9a-f-]+)", self._append),
                ("PUT", NAME + r"/blobs/uploads/(?P<upload>[0-9a-f-]+)", self._finish),
                ("GET", NAME + r"/manifests/(?P<reference>[^/]+)", self._manifest),
                ("PUT", NAME + r"/manifests/(?P<reference>[^/]+)", self._put_manifest),
                ("GET", NAME + r"/tags/list", self._tags),
            )
        ]

    def handle(self, request: Request) -> Response:
        """Answer one request; a HEAD is a GET whose body is not sent."""
        method = "GET" if request.method == "HEAD" else request.method
        body = request.get_data()
        with self._lock:
            try:
                response = self._answer(method, request, body)
            except AwsError as refused:
                code, status = CODES.get(refused.code, ("UNSUPPORTED", 400))
                response = _error(code, refused.message, status)
        response.headers["Docker-Distribution-Api-Version"] = "registry/2.0"
        return response

    def _answer(self, method: str, request: Request, body: bytes) -> Response:
        for known, pattern, answer in self._routes:
            found = pattern.fullmatch(request.path)
            if found and known == method:
                return answer(request, body, **found.groupdict())
        return _error("UNSUPPORTED", f"no {method} {request.path} in this registry", 404)

    def _version(self, request: Request, body: bytes) -> Response:
        return _json({})

    def _blob(self, request: Request, body: bytes, name: str, digest: str) -> Response:
        here = digest in self._ecr.repository(name).layers
        data = self._ecr.blobs.get(digest) if here else None
        if data is None:
            return _error("BLOB_UNKNOWN", f"{name} has no blob {digest}", 404)
        return Response(
            data,
            content_type="application/octet-stream",
            headers={"Docker-Content-Digest": digest},
        )

    def _begin(self, request: Request, body: bytes, name: str) -> Response:
        self._ecr.repository(name)
        upload = self._ecr.world.uuid()
        self._uploads[upload] = bytearray()
        if "digest" in request.args:
            return self._finish(request, body, name, upload)
        return self._accepted(name, upload)

    def _append(self, request: Request, body: bytes, name: str, upload: str) -> Response:
        if upload not in self._uploads:
            return _error("BLOB_UPLOAD_UNKNOWN", f"no upload {upload}", 404)
        self._uploads[upload] += body
        return self._accepted(name, upload)

    def _finish(self, request: Request, body: bytes, name: str, upload: str) -> Response:
        if upload not in self._uploads:
            return _error("BLOB_UPLOAD_UNKNOWN", f"no upload {upload}", 404)
        data = bytes(self._uploads.pop(upload) + body)
        digest = digest_of(data)
        if digest != request.args.get("digest"):
            return _error("DIGEST_INVALID", f"the bytes sent have the digest {digest}", 400)
        self._ecr.put_layer(name, data)
        return _created(f"/v2/{name}/blobs/{digest}", digest)

    def _accepted(self, name: str, upload: str) -> Response:
        received = len(self._uploads[upload])
        headers = {
            "Location": f"/v2/{name}/blobs/uploads/{upload}",
            "Docker-Upload-UUID": upload,
            "Range": f"0-{max(0, received - 1)}",
        }
        return Response(status=202, headers=headers)

    def _manifest(self, request: Request, body: bytes, name: str, reference: str) -> Response:
        image = self._ecr.repository(name).image(_image_id(reference))
        if image.status != "ACTIVE":
            return _error("MANIFEST_UNKNOWN", f"{name}:{reference} is {image.status}", 404)
        return Response(
            image.manifest.text,
            content_type=image.manifest.media_type,
            headers={"Docker-Content-Digest": image.digest},
        )

    def _put_manifest(self, request: Request, body: bytes, name: str, reference: str) -> Response:
        identifier = _image_id(reference)
        params = {
            "repositoryName": name,
            "imageManifest": body.decode(),
            "imageManifestMediaType": request.content_type,
            **identifier,
        }
        try:
            digest = self._ecr.put_image(params)["image"]["imageId"]["imageDigest"]
        except AwsError as refused:
            # A second push of the same image is no error for a registry client.
            if refused.code != "ImageAlreadyExistsException":
                raise
            digest = self._ecr.repository(name).image(identifier).digest
        return _created(f"/v2/{name}/manifests/{digest}", digest)

    def _tags(self, request: Request, body: bytes, name: str) -> Response:
        return _json({"name": name, "tags": sorted(self._ecr.repository(name).tags)})


def _image_id(reference: str) -> dict[str, str]:
    return {"imageDigest" if reference.startswith("sha256:") else "imageTag": reference}


def _created(location: str, digest: str) -> Response:
    return Response(status=201, headers={"Location": location, "Docker-Content-Digest": digest})


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json")


def _error(code: str, message: str, status: int) -> Response:
    return _json({"errors": [{"code": code, "message": message}]}, status)
