"""Installs AWS's Lambda runtime interface client for each Python version that runs functions."""

import hashlib
import shutil
from pathlib import Path

from packing import interpreters, uv

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".venv-lambda"
PINS = ROOT / "requirements" / "lambda.txt"


def install_missing() -> Path:
    """Install what is missing; the folder with one subfolder per Python version.

    Functions run on the version that is deployed by default and on the current one. Raises
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
    options = ["--target", str(target), "--python", interpreter, "--no-deps", uv.COMPILE]
    uv.install(PINS, options)
    _stamp(version).touch()


def _stamp(version: str) -> Path:
    pins = hashlib.sha256(PINS.read_bytes()).hexdigest()[:16]
    return FOLDER / version / f".{pins}"


if __name__ == "__main__":
    install_missing()
