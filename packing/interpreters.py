"""Finds a working Python interpreter of the version that a Lambda runtime uses."""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PREFERRED = "3.13"
AT_HAND = f"{sys.version_info.major}.{sys.version_info.minor}"


def best() -> str:
    """The version that local functions run on: the preferred one, else the current one."""
    return PREFERRED if find(PREFERRED) else AT_HAND


@functools.cache
def find(version: str) -> Path | None:
    """A working interpreter of a version such as "3.13", or None.

    pyenv puts a shim on PATH for every version, even for inactive ones, so each candidate is run to
    check its version.
    """
    if version == AT_HAND:
        return Path(sys.executable)
    return next((path for path in _candidates(version) if _version(path) == version), None)


def _candidates(version: str) -> Iterator[Path]:
    yield from _on_path(version)
    yield from _of_pyenv(version)
    yield from _of_uv(version)


def _on_path(version: str) -> Iterator[Path]:
    for folder in os.get_exec_path():
        found = shutil.which(f"python{version}", path=folder)
        if found:
            yield Path(found)


def _of_pyenv(version: str) -> Iterator[Path]:
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(root.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)


def _of_uv(version: str) -> Iterator[Path]:
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if not uv:
        return
    command = [uv, "python", "find", "--no-project", "--no-python-downloads", version]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode == 0:
        yield Path(answer.stdout.strip())


def _version(interpreter: Path) -> str:
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [interpreter, "-I", "-c", question],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip()
