"""Calls uv, which installs the pinned packages: into environments, and into folders for layers."""

import os
import shutil
import subprocess
import sys
from pathlib import Path


class Failed(Exception):
    """Packages could not be installed; the message ends with uv's own words."""


def install(pins: Path, options: list[str]) -> None:
    """Install exactly what a requirements file lists, with its hashes, from wheels only."""
    command = ["pip", "install", "--quiet", *options, "--only-binary", ":all:"]
    _run([*command, "--require-hashes", "--requirements", str(pins)], pins.name)


def fill(environment: Path, pins: Path) -> None:
    """Make the virtual environment if it is missing, and install the pins into it."""
    python = environment / "bin" / "python"
    if not python.exists():
        command = ["venv", "--quiet", "--allow-existing", "--python", sys.executable]
        _run([*command, str(environment)], environment.name)
    install(pins, ["--python", str(python)])


def _run(arguments: list[str], what: str) -> None:
    answer = subprocess.run(
        [_program(), *arguments], capture_output=True, text=True, check=False, env=settings()
    )
    if answer.returncode:
        raise Failed(f"{what} could not be installed: {answer.stderr.strip()}")


def settings() -> dict[str, str]:
    """The system's certificates and the registry that pip was told of; uv's own come first."""
    settings = {"UV_SYSTEM_CERTS": "true", **os.environ}
    if not settings.keys() & {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} and (index := _index_of_pip()):
        settings["UV_DEFAULT_INDEX"] = index
    return settings


def _index_of_pip() -> str:
    """A registry of one's own is told to pip more often than to uv, which does not ask pip."""
    if "PIP_INDEX_URL" in os.environ:
        return os.environ["PIP_INDEX_URL"]
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else ""


def _program() -> str:
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = shutil.which("uv", path=beside)
    if not found:
        raise Failed("uv is missing; `make setup` installs it.")
    return found


def main() -> int:
    """Fill an environment from pins: the exit code, after one sentence if it is not 0."""
    environment, pins = sys.argv[1:]
    try:
        fill(Path(environment), Path(pins))
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
