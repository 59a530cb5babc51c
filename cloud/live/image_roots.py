"""Images of the registry, unpacked for the tasks that run them: one folder per digest."""

import io
import json
import shutil
import tarfile
import tempfile
import threading
from pathlib import Path
from typing import Any

from cloud.twin.ecr.api import EcrModel, split_uri
from cloud.twin.ecr.images import Manifest
from cloud.twin.errors import AwsError

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"


class ImageRoots:
    """Unpacks each image once; `lock` is the one that the models run under."""

    def __init__(self, ecr: EcrModel, lock: threading.RLock, folder: Path) -> None:
        self._ecr = ecr
        self._lock = lock
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def image_root(
        self, image_uri: str, architecture: str = "amd64"
    ) -> tuple[Path, dict[str, Any]]:
        """The image's file system, and its OCI config (Env, Entrypoint, Cmd, WorkingDir, Labels).

        Raises AwsError if the image is missing, archived or not built for the architecture.
        """
        with self._lock:
            manifest = self._manifest(image_uri, architecture)
            config = self._blob(manifest.config or "")
            layers = [self._blob(digest) for digest in manifest.layers]
        root = self._folder / manifest.digest.removeprefix("sha256:")
        if not root.exists():
            self._unpack(layers, root)
        return root, json.loads(config).get("config", {})

    def _manifest(self, image_uri: str, architecture: str) -> Manifest:
        digest = self._ecr.resolve_image(image_uri)
        repository = self._ecr.repository(split_uri(image_uri)[0])
        manifest = repository.images[digest].manifest
        if not manifest.is_index:
            return manifest
        child = _child_for(manifest, architecture)
        return repository.images[child].manifest

    def _blob(self, digest: str) -> bytes:
        data = self._ecr.blobs.get(digest)
        if data is None:
            raise AwsError("LayersNotFoundException", f"The blob {digest} is not in the registry.")
        return data

    def _unpack(self, layers: list[bytes], root: Path) -> None:
        """Unpack beside the final place, so that no task sees half an image."""
        partial = Path(tempfile.mkdtemp(dir=self._folder))
        partial.chmod(0o755)
        for layer in layers:
            with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
                _apply(tar, partial)
        try:
            partial.rename(root)
        except OSError:
            # Another task unpacked the same image meanwhile.
            shutil.rmtree(partial)


def _child_for(index: Manifest, architecture: str) -> str:
    for entry in json.loads(index.text)["manifests"]:
        if entry.get("platform", {}).get("architecture") == architecture:
            return str(entry["digest"])
    raise AwsError(
        "CannotPullContainerError",
        f"image Manifest does not contain descriptor matching platform 'linux/{architecture}'",
    )


def _apply(tar: tarfile.TarFile, root: Path) -> None:
    """Lay a layer over the ones below: whiteouts remove, everything else replaces."""
    for member in tar:
        path = Path(member.name)
        if path.name == OPAQUE:
            _remove_all(_inside(root, path.parent))
        elif path.name.startswith(WHITEOUT):
            _remove(_inside(root, path.with_name(path.name.removeprefix(WHITEOUT))))
        else:
            _extract(tar, member, root)


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    """Folders, files and links only, and none outside: tarfile's own filter needs Python 3.11.4."""
    target = _inside(root, Path(member.name))
    if member.isdir():
        return target.mkdir(parents=True, exist_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove(target)
    if member.issym():
        _inside(root, Path(member.name).parent / member.linkname)
        target.symlink_to(member.linkname)
    elif (content := tar.extractfile(member)) is not None:
        target.write_bytes(content.read())
        target.chmod(0o755 if member.mode & 0o100 else 0o644)


def _inside(root: Path, path: Path) -> Path:
    target = (root / path).resolve()
    if not target.is_relative_to(root.resolve()):
        raise AwsError("CannotPullContainerError", f"a layer reaches out of its image: {path}")
    return target


def _remove_all(folder: Path) -> None:
    for path in folder.iterdir() if folder.is_dir() else ():
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
