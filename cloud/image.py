"""Build an OCI image from a folder, without Docker, and push it to a registry.

The layer is an uncompressed tar with fixed times and owners, so that the same folder has the same
digest everywhere.
"""

import argparse
import io
import json
import stat
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests

from cloud.twin.ecr.blobs import digest_of
from examples.notes.versions import VERSIONS, AppVersion, assemble

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
ARCHITECTURES = ("amd64", "arm64")
WORKING_DIR = "/srv"
CREATED = "2026-01-01T00:00:00Z"
CHUNK_BYTES = 8 * 1024 * 1024
TIMEOUT_SECONDS = 60

Progress = Callable[[str], None]


class PushError(Exception):
    """The registry refused, or is not there; the text says what was tried and what it answered."""


@dataclass(frozen=True)
class Image:
    """An image or an index, ready to be pushed: its manifest, and the blobs or images below it."""

    media_type: str
    manifest: bytes
    architecture: str | None = None
    blobs: tuple[bytes, ...] = ()
    children: tuple["Image", ...] = ()

    @property
    def digest(self) -> str:
        return digest_of(self.manifest)


def build_image(
    folder: Path,
    command: Sequence[str],
    env: Mapping[str, str],
    labels: Mapping[str, str],
    architecture: str = "amd64",
) -> Image:
    """One platform's image with the folder as its working directory."""
    layer = _layer(folder)
    config = _json(
        {
            "created": CREATED,
            "architecture": architecture,
            "os": "linux",
            "config": {
                "Env": [f"{name}={value}" for name, value in env.items()],
                "Entrypoint": [],
                "Cmd": list(command),
                "WorkingDir": WORKING_DIR,
                "Labels": dict(labels),
            },
            "rootfs": {"type": "layers", "diff_ids": [digest_of(layer)]},
        }
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _descriptor(CONFIG_TYPE, config),
        "layers": [_descriptor(LAYER_TYPE, layer)],
    }
    return Image(MANIFEST_TYPE, _json(manifest), architecture, blobs=(config, layer))


def build_index(images: Iterable[Image]) -> Image:
    """One name for several platforms' images."""
    children = tuple(images)
    entries = [
        {
            **_descriptor(child.media_type, child.manifest),
            "platform": {"architecture": child.architecture, "os": "linux"},
        }
        for child in children
    ]
    manifest = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": entries}
    return Image(INDEX_TYPE, _json(manifest), children=children)


def build_version(version: AppVersion, architectures: Sequence[str] = ("amd64",)) -> Image:
    """The image of a version of the example application; an index for several architectures."""
    env = {"APP_VERSION": version.number, "PYTHONUNBUFFERED": "1"}
    command = ("python", "-m", "notes")
    with tempfile.TemporaryDirectory() as folder:
        assemble(version, Path(folder))
        images = [
            build_image(Path(folder), command, env, version.labels, architecture)
            for architecture in architectures
        ]
    return images[0] if len(images) == 1 else build_index(images)


def push_version(
    registry_url: str,
    repository: str,
    tag: str,
    version: str,
    architectures: Sequence[str] = ("amd64",),
    progress: Progress = lambda line: None,
) -> str:
    """Build a version (a key of VERSIONS), push it under a tag, and answer its digest."""
    image = build_version(VERSIONS[version], architectures)
    return push_image(registry_url, repository, tag, image, progress)


def push_image(
    registry_url: str,
    repository: str,
    tag: str | None,
    image: Image,
    progress: Progress = lambda line: None,
) -> str:
    """Push blobs, then children, then the manifest; without a tag it is known by digest alone."""
    with requests.Session() as session:
        target = _Target(session, f"{registry_url.rstrip('/')}/v2/{repository}", progress)
        try:
            target.push(image, tag)
        except requests.ConnectionError as error:
            raise PushError(f"no registry answers at {registry_url}") from error
    return image.digest


@dataclass(frozen=True)
class _Target:
    """One repository of a registry, by its base URL."""

    session: requests.Session
    url: str
    progress: Progress

    def push(self, image: Image, tag: str | None) -> None:
        for child in image.children:
            self.push(child, None)
        for blob in image.blobs:
            self._push_blob(blob)
        self._ask(
            "PUT",
            f"{self.url}/manifests/{tag or image.digest}",
            data=image.manifest,
            headers={"Content-Type": image.media_type},
        )
        self.progress(f"{_kind(image)} {_short(image.digest)} {f'as {tag}' if tag else ''}".strip())

    def _push_blob(self, blob: bytes) -> None:
        """POST opens an upload, each PATCH sends a part, PUT closes it with the digest."""
        digest, size = digest_of(blob), f"{len(blob) / 1000:.1f} kB"
        if self.session.head(f"{self.url}/blobs/{digest}", timeout=TIMEOUT_SECONDS).ok:
            return self.progress(f"blob {_short(digest)} {size} already there")
        location = self._ask("POST", f"{self.url}/blobs/uploads/")
        for start in range(0, len(blob), CHUNK_BYTES):
            part = blob[start : start + CHUNK_BYTES]
            headers = {
                "Content-Type": "application/octet-stream",
                "Content-Range": f"{start}-{start + len(part) - 1}",
            }
            location = self._ask("PATCH", location, data=part, headers=headers)
        self._ask("PUT", location, params={"digest": digest})
        return self.progress(f"blob {_short(digest)} {size} pushed")

    def _ask(self, method: str, url: str, **options: Any) -> str:
        """Send a request and answer the Location of its response."""
        response = self.session.request(method, url, timeout=TIMEOUT_SECONDS, **options)
        if not response.ok:
            raise PushError(f"{method} {url} answered {response.status_code}: {_reason(response)}")
        return urljoin(url, response.headers.get("Location", ""))


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m cloud.image push …`; the digest goes to stdout, progress to stderr."""
    options = _parser().parse_args(arguments)
    try:
        digest = push_version(
            options.registry,
            options.repository,
            options.tag or VERSIONS[options.version].number,
            options.version,
            options.arch or ("amd64",),
            progress=lambda line: print(f"  {line}", file=sys.stderr),
        )
    except PushError as error:
        print(f"push failed: {error}", file=sys.stderr)
        return 1
    print(digest)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cloud.image", description=__doc__)
    push = parser.add_subparsers(required=True).add_parser("push", help="build and push a version")
    push.add_argument("--registry", required=True, help="URL, such as http://127.0.0.1:4510")
    push.add_argument("--repository", required=True, help="its name in ECR")
    push.add_argument("--version", required=True, choices=sorted(VERSIONS))
    push.add_argument("--tag", help="the version's number if not given")
    push.add_argument(
        "--arch",
        action="append",
        choices=ARCHITECTURES,
        help="twice for an index; amd64 if not given",
    )
    return parser


def _layer(folder: Path) -> bytes:
    """A tar of the folder below the working directory: sorted, owned by root, without times."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in [folder, *sorted(folder.rglob("*"))]:
            name = Path(WORKING_DIR.lstrip("/")) / path.relative_to(folder)
            info = tar.gettarinfo(path, arcname=name.as_posix())
            info.uid = info.gid = info.mtime = 0
            info.uname = info.gname = ""
            info.mode = 0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644
            tar.addfile(info, io.BytesIO(path.read_bytes()) if info.isreg() else None)
    return buffer.getvalue()


def _descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _kind(image: Image) -> str:
    return "index" if image.children else f"image ({image.architecture})"


def _short(digest: str) -> str:
    return digest[:19]


def _reason(response: requests.Response) -> str:
    """The registry's own words, if it answers as the protocol says."""
    try:
        return "; ".join(error["message"] for error in response.json()["errors"])
    except (ValueError, KeyError, TypeError):
        return response.text[:200]


if __name__ == "__main__":
    sys.exit(main())
