"""Installs AWS's runtime interface client for each interpreter that runs functions."""

import hashlib
import shutil
from pathlib import Path

from packing import interpreters, uv

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".venv-lambda"
PINS = ROOT / "requirements" / "lambda.txt"


def installed() -> Path:
    """The folder with one sub-folder per Python version; installs what is missing.

    Functions run on the version that is deployed by default and on the one at hand. Raises
    uv.Failed.
    """
    for version in sorted({interpreters.best(), interpreters.AT_HAND}):
        if not _stamp(version).exists():
            _install(version)
    return FOLDER


def _install(version: str) -> None:
    target = FOLDER / version
    shutil.rmtree(target, ignore_errors=True)
    interpreter = str(interpreters.find(version))
    uv.install(PINS, ["--target", str(target), "--python", interpreter, "--no-deps"])
    _stamp(version).touch()


def _stamp(version: str) -> Path:
    pins = hashlib.sha256(PINS.read_bytes()).hexdigest()[:16]
    return FOLDER / version / f".{pins}"


if __name__ == "__main__":
    installed()
