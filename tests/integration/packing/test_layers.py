"""The layers' folders hold what Lambda needs, compiled so that Lambda takes it as it is."""

import importlib.util
import json
import marshal
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from packing import interpreters, layers, uv
from packing.services import SERVICES

_HASHED = 1  # PEP 552: the flags of a hash-based .pyc that nobody checks
_HEADER = 16  # bytes


@pytest.fixture(autouse=True)
def _this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = os.uname().machine
    monkeypatch.setenv("SLIPWAY_RUNTIME", f"python{interpreters.AT_HAND}")
    monkeypatch.setenv("SLIPWAY_ARCHITECTURE", "arm64" if machine == "aarch64" else "x86_64")


def flags(folder: Path) -> set[int]:
    files = folder.rglob("*.pyc")
    return {int.from_bytes(file.read_bytes()[4:8], "little") for file in files}


def run(code: str, *folders: Path) -> str:
    """Run code with these folders and the standard library alone."""
    environment = {"PYTHONPATH": os.pathsep.join(map(str, folders))}
    command = [sys.executable, "-S", "-c", code]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def test_the_vendor_layer_is_complete_and_compiled_with_unchecked_hashes(tmp_path: Path) -> None:
    layers.vendor(tmp_path)

    python = tmp_path / "python"
    assert flags(python) == {_HASHED}
    code = "import aws_lambda_powertools, boto3, jinja2, pydantic, requests; print(boto3.__file__)"
    assert run(code, python) == str(python / "boto3" / "__init__.py")


def test_the_vendor_layer_describes_the_services_that_are_called(tmp_path: Path) -> None:
    layers.vendor(tmp_path)

    code = "import boto3; print(*boto3.Session().get_available_services())"
    assert run(code, tmp_path / "python").split() == list(SERVICES)


def test_a_second_build_installs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layers.vendor(tmp_path / "first")

    def never(*arguments: object) -> None:
        raise AssertionError("installed again")

    monkeypatch.setattr(uv, "install", never)
    layers.vendor(tmp_path / "second")

    first, second = ({f.name for f in (tmp_path / n).rglob("*")} for n in ("first", "second"))
    assert first == second


def test_the_core_layer_holds_slipway_without_the_catalog_build(tmp_path: Path) -> None:
    layers.core(tmp_path)

    slipway = tmp_path / "python" / "slipway"
    assert flags(slipway) == {_HASHED}
    assert (slipway / "domain" / "errors.py").exists()
    assert not (slipway / "catalog_build").exists()
    assert not (slipway / "operate").exists()


def test_the_pages_of_the_core_layer_are_compiled(tmp_path: Path) -> None:
    layers.core(tmp_path)

    pages = tmp_path / "python" / "slipway" / "web"
    templates = list((pages / "templates").glob("*.html"))
    assert templates
    assert len(list((pages / "compiled").glob("*.py"))) == len(templates)


def test_a_changed_page_makes_another_core_layer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = shutil.copytree(layers.CORE, tmp_path / "core")
    monkeypatch.setattr(layers, "CORE", core)
    layers.core(tmp_path / "before")
    style = core / "slipway" / "web" / "templates" / "style.css"
    style.write_text(style.read_text() + "/* another */")

    layers.core(tmp_path / "after")

    delivered = tmp_path / "after" / "python" / "slipway" / "web" / "templates" / "style.css"
    assert delivered.read_text().endswith("/* another */")


def test_bytecode_is_the_same_wherever_it_was_built(tmp_path: Path) -> None:
    layers.core(tmp_path)

    (compiled,) = (tmp_path / "python" / "slipway" / "domain").glob("__pycache__/errors.*.pyc")
    code = marshal.loads(compiled.read_bytes()[_HEADER:])
    assert code.co_filename == "/opt/python/slipway/domain/errors.py"


def test_the_catalog_layer_is_the_compiled_catalog(tmp_path: Path) -> None:
    layers.catalog(tmp_path)

    compiled = json.loads((tmp_path / "slipway_catalog.json").read_text())
    assert "fastapi-rds" in compiled["applications"]


def test_a_wrong_catalog_fails_the_build_with_its_own_sentence(tmp_path: Path) -> None:
    catalog = tmp_path / "catalog"
    catalog.mkdir()
    (catalog / "shop.yaml").write_text("application: shop\nenviroments: {}\n")
    command = [sys.executable, "-m", "packing.layers", "catalog", str(tmp_path / "out")]

    answer = subprocess.run(
        command,
        env={**os.environ, "CATALOG_DIR": str(catalog)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 1
    assert "shop.yaml:2" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_interpreter_at_hand_wrote_bytecode_that_it_reads() -> None:
    found = interpreters.find(interpreters.AT_HAND)

    assert found is not None
    code = "import importlib.util; print(importlib.util.MAGIC_NUMBER.hex())"
    answer = subprocess.run([found, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == importlib.util.MAGIC_NUMBER.hex()


@pytest.mark.parametrize("layer", ["catalog", "core", "vendor"])
def test_a_fresh_clone_says_the_one_command_that_it_needs(layer: str, tmp_path: Path) -> None:
    """Stock `sam build` runs these Makefiles before anybody has run `make setup`."""
    shutil.copytree(layers.ROOT / "layers", tmp_path / "layers")
    target = f"build-{layer.title()}Layer"
    command = ["make", "--no-print-directory", "-f", f"layers/{layer}/Makefile", target]
    environment = {"PATH": os.environ["PATH"], "ARTIFACTS_DIR": str(tmp_path / "out")}

    answer = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert answer.returncode == 2
    assert answer.stderr.splitlines()[0] == (
        f"Slipway is not set up: run `make setup` in {tmp_path} once, then `sam build` again."
    )
    assert "Traceback" not in answer.stderr
