"""Installs AWS's runtime interface client for each interpreter that runs functions."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from local.build import interpreters

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".venv-lambda"
PINS = ROOT / "requirements" / "lambda.txt"


class NotInstalled(Exception):
    """The runtime interface client could not be installed; the message ends with uv's reason."""


def installed() -> Path:
    """The folder with one sub-folder per Python version; installs what is missing.

    Functions run on the version that is deployed by default and on the one at hand.
    """
    for version in sorted({interpreters.best(), interpreters.AT_HAND}):
        if not _stamp(version).exists():
            _install(version)
    return FOLDER


def _install(version: str) -> None:
    target = FOLDER / version
    shutil.rmtree(target, ignore_errors=True)
    command = [_uv(), "pip", "install", "--quiet", "--target", str(target), "--no-deps"]
    command += ["--python", str(interpreters.find(version)), "--only-binary", ":all:"]
    command += ["--require-hashes", "--requirements", str(PINS)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise NotInstalled(f"awslambdaric for Python {version}: {answer.stderr.strip()}")
    _stamp(version).touch()


def _stamp(version: str) -> Path:
    return FOLDER / version / f".{hash_of(PINS)}"


def hash_of(file: Path) -> str:
    """A short name for a file's content."""
    import hashlib

    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def _uv() -> str:
    found = shutil.which(
        "uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    if not found:
        raise NotInstalled("uv is missing; `make setup` installs it.")
    return found


if __name__ == "__main__":
    installed()
