"""Runs Python functions as AWS does: its runtime client, a clean environment, layers.

MiniStack would start the handler in its own interpreter, with its own packages and the whole host
environment in reach, and would call every error `Runtime.HandlerError`. Its support for custom
runtimes speaks the real Lambda runtime API, so a Python function is started as one of those.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud.ministack import private
from packing import interpreters

_BOOTSTRAP = """#!/bin/sh
python=$_PYTHON
unset _PYTHON
exec "$python" -S -m awslambdaric "$_HANDLER"
"""


@dataclass(frozen=True)
class Surroundings:
    """What every function gets, whatever its configuration says."""

    runtime_clients: Path  # one folder per Python version, each with awslambdaric in it
    scratch: Path  # stands for /tmp and for the home directory
    endpoints: Mapping[str, str]  # AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_ECS, ...


def install(surroundings: Surroundings) -> None:
    """Make MiniStack run every Python function this way from now on."""
    plain_code_dir = private.function("services.lambda_svc._provided_runtime_code_dir")
    plain_environment = private.function("services.lambda_svc._provided_worker_env")
    plain_class = private.function("core.lambda_runtime._worker_class_for")
    plain_execution = private.function("services.lambda_svc._execute_function_warm")
    execution = private.function("services.lambda_svc._execute_function_provided_warm")
    worker = _prompt(private.function("core.lambda_runtime.ProvidedWorker"))

    def code_dir(code_zip: bytes) -> str:
        folder: str = plain_code_dir(code_zip)
        _write_bootstrap(Path(folder))
        return folder

    def environment(config: dict[str, Any], code_dir: str, port: int) -> dict[str, str]:
        if not _is_python(config):
            return plain_environment(config, code_dir, port)  # type: ignore[no-any-return]
        return function_environment(config, code_dir, port, surroundings)

    def worker_class(config: dict[str, Any]) -> Any:
        return worker if _is_python(config) else plain_class(config)

    def execute(func: dict[str, Any], event: Any, request_id: str) -> Any:
        python = _is_python(func.get("config") or func)
        return (execution if python else plain_execution)(func, event, request_id)

    private.replace("services.lambda_svc._provided_runtime_code_dir", code_dir)
    private.replace("services.lambda_svc._provided_worker_env", environment)
    private.replace("core.lambda_runtime._worker_class_for", worker_class)
    private.replace("services.lambda_svc._execute_function_warm", execute)


def function_environment(
    config: dict[str, Any], code_dir: str, port: int, surroundings: Surroundings
) -> dict[str, str]:
    """The whole environment of a function's process; nothing of the host's is in it.

    The names are those of the Lambda developer guide, "Defined runtime environment variables".
    """
    version = config["Runtime"].removeprefix("python")
    interpreter = interpreters.find(version)
    used = version if interpreter else interpreters.AT_HAND
    layers = _layers(config)
    return {
        **_own_variables(config, layers),
        **private.function("core.lambda_runtime.execution_credentials")(config),
        **surroundings.endpoints,
        **_log_settings(config),
        **_reserved_variables(config),
        "_PYTHON": str(interpreter or interpreters.find(used)),
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
        "HOME": str(surroundings.scratch),
        "LAMBDA_TASK_ROOT": code_dir,
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",  # /var/task and /opt are read-only on AWS
        "PYTHONPATH": os.pathsep.join(
            [*_python_folders(layers, used), str(surroundings.runtime_clients / used)]
        ),
        "TMPDIR": str(surroundings.scratch),
        "TZ": ":UTC",
    }


def _reserved_variables(config: dict[str, Any]) -> dict[str, str]:
    region = config["FunctionArn"].split(":")[3]
    return {
        "_HANDLER": config["Handler"],
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
        "AWS_LAMBDA_FUNCTION_NAME": config["FunctionName"],
        "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_REGION": region,
        "AWS_SDK_UA_APP_ID": config["FunctionName"],
    }


def workers() -> list[dict[str, Any]]:
    """The functions' processes that run now: function, version, pid, and whether it is at work."""
    with private.value("core.lambda_runtime._lock"):
        known = [w for pool in private.value("core.lambda_runtime._workers").values() for w in pool]
    return [
        {
            "function": worker.func_name,
            "version": worker.config.get("Version", "$LATEST"),
            "pid": worker._proc.pid,
            "busy": worker.in_use,
        }
        for worker in known
        if worker._proc is not None and worker._proc.poll() is None
    ]


def _prompt(worker_class: Any) -> Any:
    """The same worker, whose answers do not wait 40 ms for a delayed acknowledgement."""

    class PromptWorker(worker_class):  # type: ignore[misc]
        def _build_handler_class(self, *arguments: Any) -> Any:
            handler = super()._build_handler_class(*arguments)
            handler.disable_nagle_algorithm = True
            return handler

    return PromptWorker


def _is_python(config: dict[str, Any]) -> bool:
    return str(config.get("Runtime", "")).startswith("python")


def _write_bootstrap(folder: Path) -> None:
    bootstrap = folder / "bootstrap"
    if not bootstrap.exists():
        bootstrap.write_text(_BOOTSTRAP)
        bootstrap.chmod(0o755)


def _layers(config: dict[str, Any]) -> list[Path]:
    """The folders of the layers, the last layer first: on AWS a later one covers an earlier one."""
    unpack = private.function("services.lambda_svc._docker_extracted_dir")
    content = private.function("services.lambda_svc._resolve_layer_zip")
    blobs = [content(layer) for layer in reversed(config.get("Layers") or [])]
    return [Path(unpack(blob, "layer")) for blob in blobs if blob]


def _python_folders(layers: list[Path], version: str) -> list[str]:
    places = ("python", f"python/lib/python{version}/site-packages")
    return [str(layer / place) for layer in layers for place in places if (layer / place).is_dir()]


def _own_variables(config: dict[str, Any], layers: list[Path]) -> dict[str, str]:
    """What the template sets; a path below /opt leads to the layer that has the file."""
    plain = private.function("services.lambda_svc._runtime_env_vars")(config)
    return {name: _below_opt(value, layers) for name, value in plain.items()}


def _below_opt(value: str, layers: list[Path]) -> str:
    path = value.removeprefix("/opt/")
    found = [layer / path for layer in layers if path != value and (layer / path).exists()]
    return str(found[0]) if found else value


def _log_settings(config: dict[str, Any]) -> dict[str, str]:
    logging = config.get("LoggingConfig") or {}
    settings = {
        "AWS_LAMBDA_LOG_GROUP_NAME": logging.get("LogGroup")
        or f"/aws/lambda/{config['FunctionName']}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_LAMBDA_LOG_FORMAT": logging.get("LogFormat", "Text"),
    }
    if "ApplicationLogLevel" in logging:
        settings["AWS_LAMBDA_LOG_LEVEL"] = logging["ApplicationLogLevel"]
    return settings
