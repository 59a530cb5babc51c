"""Where layers and image configurations are kept, by digest."""

import hashlib
from pathlib import Path
from typing import Protocol


def digest_of(data: bytes) -> str:
    """The OCI digest of some bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Blobs(Protocol):
    """Content-addressed storage; a digest is always of the form sha256:<hex>."""

    def put(self, data: bytes) -> str:
        """Keep the bytes and answer their digest."""
        ...

    def get(self, digest: str) -> bytes | None:
        """The bytes, or None if they are not here."""
        ...


class InMemoryBlobs:
    """Blobs of a simulated run."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def put(self, data: bytes) -> str:
        digest = digest_of(data)
        self._kept[digest] = data
        return digest

    def get(self, digest: str) -> bytes | None:
        return self._kept.get(digest)


class FolderBlobs:
    """Blobs of a live run, one file each, so that large images do not fill the memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, data: bytes) -> str:
        digest = digest_of(data)
        partial = self._file(digest).with_suffix(".partial")
        partial.write_bytes(data)
        partial.replace(self._file(digest))
        return digest

    def get(self, digest: str) -> bytes | None:
        try:
            return self._file(digest).read_bytes()
        except FileNotFoundError:
            return None

    def _file(self, digest: str) -> Path:
        return self._folder / digest.removeprefix("sha256:")
