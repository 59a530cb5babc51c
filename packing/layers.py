"""`python -m packing.layers NAME FOLDER`: builds the contents of a layer for `sam build`."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from packing import bytecode, store, uv
from packing.interpreters import find
from packing.services import SERVICES
from packing.target import BadTarget, Target

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "layers" / "core"
PINS = ROOT / "requirements" / "vendor.txt"


class NotBuilt(Exception):
    """A layer could not be built; the message says why."""


def vendor(destination: Path) -> None:
    """The third-party libraries, reduced to what is used."""
    target = Target.from_environment()
    key = store.key_of(
        PINS.read_text(), target, SERVICES, store.content(Path(__file__).parent.glob("*.py"))
    )

    def build(folder: Path) -> None:
        python = folder / "python"
        options = ["--target", str(python), "--python-version", target.version]
        options += ["--python-platform", target.platform, "--no-deps"]
        uv.install(PINS, options)
        _trim(python)
        bytecode.compile_for(target.version, python)

    store.deliver("vendor", f"{key}-{_compiler(target)}", build, destination)
    if not find(target.version):
        print(
            f"Python {target.version} was not found, so the layers are not compiled and functions "
            f"start more slowly. `uv python install {target.version}` installs it."
        )


def core(destination: Path) -> None:
    """Slipway itself, without what never runs in Lambda: catalog_build and operate."""
    target = Target.from_environment()
    sources = [file for file in (CORE / "slipway").rglob("*") if _is_shipped(file)]
    key = store.key_of(store.content(sources), target)

    def build(folder: Path) -> None:
        python = folder / "python"
        unwanted = shutil.ignore_patterns("__pycache__", "catalog_build", "operate")
        shutil.copytree(CORE / "slipway", python / "slipway", ignore=unwanted)
        _compile_templates(python / "slipway" / "web" / "compiled")
        bytecode.compile_for(target.version, python)

    store.deliver("core", f"{key}-{_compiler(target)}", build, destination)


def _is_shipped(file: Path) -> bool:
    return file.is_file() and "__pycache__" not in file.parts


def _compile_templates(folder: Path) -> None:
    """Compile the page templates to Python modules, so that a cold start does not parse them."""
    command = [sys.executable, "-m", "slipway.web.rendering", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(CORE)}
    if subprocess.run(command, env=environment, check=False).returncode:
        raise NotBuilt("The page templates could not be compiled; see above.")


def catalog(destination: Path) -> None:
    """The catalog in CATALOG_DIR, checked and compiled."""
    source = os.environ.get("CATALOG_DIR") or str(ROOT / "catalog")
    command = [sys.executable, "-m", "slipway.catalog_build", source, str(destination)]
    environment = {**os.environ, "PYTHONPATH": str(CORE)}
    destination.mkdir(parents=True, exist_ok=True)
    if subprocess.run(command, env=environment, check=False).returncode:
        raise NotBuilt("The catalog could not be compiled; see above.")


LAYERS: dict[str, Callable[[Path], None]] = {"catalog": catalog, "core": core, "vendor": vendor}


def _trim(python: Path) -> None:
    """Remove what only serves installing, testing, or services that are never called."""
    data = python / "botocore" / "data"
    for folder in data.iterdir():
        if folder.is_dir() and folder.name not in SERVICES:
            shutil.rmtree(folder)
    for pattern in ("boto3/data", "boto3/examples", "bin", "**/tests"):
        for folder in python.glob(pattern):
            shutil.rmtree(folder)
    for pattern in ("*.dist-info/RECORD", "*.dist-info/INSTALLER", "**/examples-1.json*"):
        for file in python.glob(pattern):
            file.unlink()


def _compiler(target: Target) -> str:
    """Part of the key: a layer built without an interpreter is rebuilt once there is one."""
    return "compiled" if find(target.version) else "plain"


def main() -> int:
    """Build one layer; the exit code is 0, or 1 after one sentence on stderr."""
    name, folder = sys.argv[1:]
    try:
        LAYERS[name](Path(folder))
    except (BadTarget, NotBuilt, uv.Failed) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
