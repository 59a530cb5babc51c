"""The Lambda runtime and CPU architecture that a layer is built for."""

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

# The defaults of the parameters Runtime and Architecture in template.yaml.
RUNTIME = "python3.13"
ARCHITECTURE = "arm64"

_CPU = {"arm64": "aarch64", "x86_64": "x86_64"}


class BadTarget(Exception):
    """The configured runtime or architecture is not supported."""


@dataclass(frozen=True)
class Target:
    """A Python version such as "3.13" and an architecture as Lambda names it."""

    version: str
    architecture: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """The target in SLIPWAY_RUNTIME and SLIPWAY_ARCHITECTURE; raises BadTarget."""
        runtime = environment.get("SLIPWAY_RUNTIME") or RUNTIME
        architecture = environment.get("SLIPWAY_ARCHITECTURE") or ARCHITECTURE
        if not runtime.startswith("python3."):
            raise BadTarget(f"SLIPWAY_RUNTIME is {runtime}; expected one such as {RUNTIME}.")
        if architecture not in _CPU:
            expected = " or ".join(_CPU)
            raise BadTarget(f"SLIPWAY_ARCHITECTURE is {architecture}; expected {expected}.")
        return cls(runtime.removeprefix("python"), architecture)

    @property
    def platform(self) -> str:
        """The newest wheel platform: Lambda runs 3.11 on Amazon Linux 2, later ones on 2023."""
        glibc = "manylinux2014" if self.version == "3.11" else "manylinux_2_28"
        return f"{_CPU[self.architecture]}-{glibc}"


def settings(config: Path, section: str) -> dict[str, str]:
    """The environment variables that build the layers for a section of samconfig.toml."""
    parameters = _parameters(tomllib.loads(config.read_text()), section)
    return {
        "SLIPWAY_RUNTIME": parameters.get("Runtime", RUNTIME),
        "SLIPWAY_ARCHITECTURE": parameters.get("Architecture", ARCHITECTURE),
    }


def _parameters(config: Mapping[str, Any], section: str) -> dict[str, str]:
    if section not in config:
        known = ", ".join(name for name in config if name != "version")
        raise BadTarget(f"samconfig.toml has no section {section}; it has: {known}.")
    given = config[section].get("deploy", {}).get("parameters", {}).get("parameter_overrides", [])
    pairs = given.split() if isinstance(given, str) else given
    return dict(pair.split("=", 1) for pair in pairs)


def main() -> int:
    """Print the settings for `sam build --config-env SECTION` as NAME=value words."""
    try:
        found = settings(Path(sys.argv[2]), sys.argv[1])
    except BadTarget as error:
        print(error, file=sys.stderr)
        return 1
    print(*(f"{name}={value}" for name, value in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
