"""What the build decides before it builds: interpreter, target, registry, services."""

import re
from pathlib import Path

import pytest

from packing import interpreters, target, uv
from packing.services import SERVICES
from packing.target import BadTarget, Target

ROOT = Path(__file__).resolve().parents[2]
CALLED = re.compile(r"""\bclient\(["']([a-z0-9-]+)["']""")


def program(folder: Path, name: str, script: str) -> Path:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def elsewhere(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """A machine with nothing but what is in the folder."""
    interpreters.find.cache_clear()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("PYENV_ROOT", str(folder / "pyenv"))


def test_a_shim_of_a_version_that_is_switched_off_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "python3.99", "echo 'pyenv: python3.99: command not found' >&2; exit 127")
    elsewhere(monkeypatch, tmp_path)

    assert interpreters.find("3.99") is None


def test_an_interpreter_of_pyenv_is_found_behind_its_dead_shim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "python3.99", "exit 127")
    folder = tmp_path / "pyenv" / "versions" / "3.99.1" / "bin"
    folder.mkdir(parents=True)
    working = program(folder, "python3.99", "echo 3.99")
    elsewhere(monkeypatch, tmp_path)

    assert interpreters.find("3.99") == working


@pytest.mark.parametrize(
    ("runtime", "architecture", "platform"),
    [
        ("python3.11", "x86_64", "x86_64-manylinux2014"),
        ("python3.13", "arm64", "aarch64-manylinux_2_28"),
    ],
)
def test_wheels_are_taken_for_the_platform_of_the_runtime(
    runtime: str, architecture: str, platform: str
) -> None:
    environment = {"SLIPWAY_RUNTIME": runtime, "SLIPWAY_ARCHITECTURE": architecture}

    assert Target.from_environment(environment).platform == platform


def test_an_unknown_architecture_is_one_sentence() -> None:
    with pytest.raises(BadTarget) as caught:
        Target.from_environment({"SLIPWAY_ARCHITECTURE": "sparc"})

    assert str(caught.value) == "SLIPWAY_ARCHITECTURE is sparc; expected arm64 or x86_64."


@pytest.mark.parametrize("section", ["local", "staging", "production"])
def test_every_section_of_samconfig_says_what_to_build_for(section: str) -> None:
    assert target.settings(ROOT / "samconfig.toml", section) == {
        "SLIPWAY_RUNTIME": target.RUNTIME,
        "SLIPWAY_ARCHITECTURE": target.ARCHITECTURE,
    }


def test_an_unknown_section_is_one_sentence() -> None:
    with pytest.raises(BadTarget) as caught:
        target.settings(ROOT / "samconfig.toml", "moon")

    assert str(caught.value) == (
        "samconfig.toml has no section moon; it has: default, local, staging, production."
    )


def test_the_defaults_of_the_build_are_those_of_the_template() -> None:
    template = (ROOT / "template.yaml").read_text()

    defaults = re.findall(
        r"  (Runtime|Architecture):\n    Type: String\n    Default: (\S+)", template
    )
    assert dict(defaults) == {
        "Runtime": target.RUNTIME,
        "Architecture": target.ARCHITECTURE,
    }


def test_the_vendor_layer_describes_every_service_that_slipway_calls() -> None:
    sources = (ROOT / "layers" / "core").rglob("*.py")
    called = {name for source in sources for name in CALLED.findall(source.read_text())}

    assert called
    assert called <= set(SERVICES)


def test_a_registry_that_pip_was_told_of_is_told_to_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    monkeypatch.delenv("UV_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example/simple")

    assert uv.settings()["UV_DEFAULT_INDEX"] == "https://packages.example/simple"


def test_a_registry_that_uv_was_told_of_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://own.example/simple")
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example/simple")

    assert uv.settings()["UV_DEFAULT_INDEX"] == "https://own.example/simple"
