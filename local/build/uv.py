"""Calls uv, which installs the pinned packages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path


class Failed(Exception):
    """Packages could not be installed; the message ends with uv's own words."""


def install(pins: Path, options: list[str]) -> None:
    """Install exactly what a requirements file lists, with its hashes, from wheels only."""
    command = [_program(), "pip", "install", "--quiet", *options]
    command += ["--only-binary", ":all:", "--require-hashes", "--requirements", str(pins)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise Failed(f"{pins.name} could not be installed: {answer.stderr.strip()}")


def _program() -> str:
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = shutil.which("uv", path=beside)
    if not found:
        raise Failed("uv is missing; `make setup` installs it.")
    return found
