"""From a container's definition and image to the program that is run for it."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cloud.live.processes import Program
from cloud.twin.engines import ContainerSpec

ImageRoot = Callable[[str, str], tuple[Path, dict[str, Any]]]
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class CannotStartError(Exception):
    """The container's program cannot be made out; the message is ECS's own."""


def pinned(container: ContainerSpec) -> str:
    """The image by digest: what was resolved is what runs."""
    repository = container.image.partition("@")[0]
    head, slash, last = repository.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}@{container.digest}"


def program(
    container: ContainerSpec,
    root: Path,
    config: dict[str, Any],
    added: dict[str, str],
    image_bin: Path | None,
) -> Program:
    """The program of a container; `added` environment wins over image and definition."""
    environment = _environment(container, config, added, image_bin)
    folder = root / (config.get("WorkingDir") or "/").lstrip("/")
    if not folder.is_dir():
        raise CannotStartError(f"CannotStartContainerError: no folder {config['WorkingDir']}")
    arguments = _arguments(container, config)
    return Program([_located(arguments[0], root, environment), *arguments[1:]], folder, environment)


def _arguments(container: ContainerSpec, config: dict[str, Any]) -> list[str]:
    definition = container.definition
    entry_point = definition.get("entryPoint") or config.get("Entrypoint") or []
    # An entry point of the definition drops the image's command, as it does for Docker.
    inherited = [] if definition.get("entryPoint") else config.get("Cmd") or []
    command = container.command or definition.get("command") or inherited
    arguments = [*entry_point, *command]
    if not arguments:
        raise CannotStartError("CannotStartContainerError: no command specified")
    return arguments


def _environment(
    container: ContainerSpec, config: dict[str, Any], added: dict[str, str], image_bin: Path | None
) -> dict[str, str]:
    image = dict(each.partition("=")[::2] for each in config.get("Env") or [])
    defined = {
        each["name"]: each.get("value", "") for each in container.definition.get("environment", [])
    }
    environment = {"HOME": "/tmp", **image, **defined, **container.environment, **added}
    environment["PATH"] = _path(environment.get("PATH", ""), image_bin)
    return environment


def _path(image_path: str, image_bin: Path | None) -> str:
    # There is no root of its own for the process: the programs of the image's base are the
    # ones of `image_bin` and of the host.
    parts = [str(image_bin) if image_bin else "", image_path, SYSTEM_PATH]
    return os.pathsep.join(part for part in parts if part)


def _located(name: str, root: Path, environment: dict[str, str]) -> str:
    inside = root / name.lstrip("/")
    if name.startswith("/") and inside.is_file():
        return str(inside)
    found = shutil.which(name, path=environment["PATH"])
    if found is None and "/" not in name:
        raise CannotStartError(
            f'CannotStartContainerError: exec: "{name}": executable file not found in $PATH'
        )
    return found or name
