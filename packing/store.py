"""A build cache: results are kept under the hash of everything that goes into them."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STORE = ROOT / ".build" / "layers"


def deliver(name: str, key: str, build: Callable[[Path], None], destination: Path) -> None:
    """Copy a result to its destination, building it first if it is not cached."""
    kept = STORE / f"{name}-{key}"
    if not kept.exists():
        _build(build, kept)
    shutil.copytree(kept, destination, dirs_exist_ok=True)


def key_of(*parts: object) -> str:
    """A short hash of everything that determines a result."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]


def content(files: Iterable[Path]) -> str:
    """A hash of files and their paths."""
    seen = hashlib.sha256()
    for file in sorted(files):
        seen.update(str(file).encode() + b"\0" + file.read_bytes())
    return seen.hexdigest()


def _build(build: Callable[[Path], None], kept: Path) -> None:
    """Build in a temporary folder and move it into place, so that no build is left incomplete."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        fresh = Path(folder) / "fresh"
        build(fresh)
        if not kept.exists():
            fresh.rename(kept)
