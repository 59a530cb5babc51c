"""The versions of the example application: one source tree and small overlays."""

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parent
SOURCE_URL = "https://github.com/example/notes"


@dataclass(frozen=True)
class AppVersion:
    """One version: the folders laid over each other, and what its image says about itself."""

    name: str
    number: str
    layers: tuple[str, ...]
    schema: str
    backward_compatible: bool = True

    @property
    def labels(self) -> Mapping[str, str]:
        """The image's OCI labels; the commit is made up, and stable."""
        return {
            "org.opencontainers.image.version": self.number,
            "org.opencontainers.image.revision": hashlib.sha1(self.name.encode()).hexdigest(),
            "org.opencontainers.image.source": SOURCE_URL,
            "dev.slipway.schema": self.schema,
            "dev.slipway.backward-compatible": str(self.backward_compatible).lower(),
        }


VERSIONS = {
    version.name: version
    for version in (
        AppVersion("bootstrap", "0", ("base",), "base"),
        AppVersion("v1", "1", ("base", "v1"), "0001_notes"),
        AppVersion("v2", "2", ("base", "v1", "v2"), "0002_author"),
        AppVersion("v3", "3", ("base", "v1", "v2", "v3"), "0002_author"),
        AppVersion("v4", "4", ("base", "v1", "v2", "v4"), "0004_archive_index"),
        AppVersion("v5", "5", ("base", "v1", "v2", "v5"), "0002_author"),
        AppVersion("v6", "6", ("base", "v1", "v2", "v6"), "0003_pinned"),
    )
}


def assemble(version: AppVersion, target: Path) -> None:
    """Copy the version's layers over each other into `target`; a later layer's file wins."""
    for layer in version.layers:
        shutil.copytree(
            SOURCES / layer,
            target,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("__pycache__", ".gitkeep"),
        )
