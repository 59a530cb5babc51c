"""What uv installs into a virtual environment is compiled, whatever the shell says."""

from pathlib import Path

import pytest

from packing import uv

PINS = Path(__file__).resolve().parents[3] / "requirements" / "lambda.txt"


def test_an_environment_is_compiled_even_where_python_writes_no_bytecode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    uv.fill(tmp_path / "environment", PINS)

    (package,) = (tmp_path / "environment").glob("lib/python*/site-packages/awslambdaric")
    assert sorted(file.name.partition(".")[0] for file in package.glob("__pycache__/*.pyc")) == (
        sorted(file.stem for file in package.glob("*.py"))
    )
