"""Installs pinned packages with uv: into virtual environments, and into folders for layers."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

# Compile what a virtual environment contains: otherwise Python does so at the first import, and at
# every import where PYTHONDONTWRITEBYTECODE is set, as it is in functions. Layers are compiled
# differently, in bytecode.py.
COMPILE: Final = "--compile-bytecode"


class Failed(Exception):
    """Packages could not be installed; the message ends with the output of uv."""


def install(pins: Path, options: list[str]) -> None:
    """Install exactly what a requirements file lists, checking its hashes, from wheels only."""
    command = ["pip", "install", "--quiet", *options, "--only-binary", ":all:"]
    _run([*command, "--require-hashes", "--requirements", str(pins)], pins.name)


def fill(environment: Path, pins: Path) -> None:
    """Create the virtual environment if it is missing, and install the pins into it."""
    python = environment / "bin" / "python"
    if not python.exists():
        command = ["venv", "--quiet", "--allow-existing", "--python", sys.executable]
        _run([*command, str(environment)], environment.name)
    install(pins, ["--python", str(python), COMPILE])


def _run(arguments: list[str], what: str) -> None:
    answer = subprocess.run(
        [_program(), *arguments], capture_output=True, text=True, check=False, env=settings()
    )
    if answer.returncode:
        raise Failed(f"{what} could not be installed: {answer.stderr.strip()}")


def settings() -> dict[str, str]:
    """uv's environment: the system's certificates, and pip's registry unless uv has its own."""
    settings = {"UV_SYSTEM_CERTS": "true", **os.environ}
    if not settings.keys() & {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} and (index := _index_of_pip()):
        settings["UV_DEFAULT_INDEX"] = index
    return settings


def _index_of_pip() -> str:
    """The registry that pip is configured for, which uv does not read."""
    if "PIP_INDEX_URL" in os.environ:
        return os.environ["PIP_INDEX_URL"]
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else ""


def _program() -> str:
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = shutil.which("uv", path=beside)
    if not found:
        raise Failed("uv is not installed. Run `make setup`.")
    return found


def main() -> int:
    """Fill an environment from pins; the exit code is 0, or 1 after one sentence on stderr."""
    environment, pins = sys.argv[1:]
    try:
        fill(Path(environment), Path(pins))
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
