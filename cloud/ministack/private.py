"""The only way to MiniStack's private parts: each one is listed, and checked at start.

MiniStack promises nothing about the names below. They were read in the one version that is pinned;
another version, or one name that changed its parameters, stops the start with a sentence instead of
an odd failure in the middle of a deployment.
"""

import importlib
import importlib.metadata
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

VERSION = "1.5.33"

# The parameters, in order, of every private function that is called or replaced.
FUNCTIONS: dict[str, tuple[str, ...]] = {
    "app.app": ("scope", "receive", "send"),
    "core.responses.request_scope": ("account_id", "region"),
    "core.responses.error_response_json": (
        "code",
        "message",
        "status",
        "extra",
        "message_key",
        "content_type",
    ),
    "core.responses.json_response": ("data", "status", "content_type"),
    "core.responses.now_iso": (),
    "core.iam_actions.extract_resource_arn": (
        "service",
        "method",
        "path",
        "headers",
        "body",
        "query_params",
        "region",
        "account_id",
    ),
    "core.iam_actions.dynamodb_service_context": ("body",),
    "core.iam_actions.request_tag_context": ("service", "iam_action", "body", "params"),
    "core.lambda_runtime._worker_class_for": ("config",),
    "core.lambda_runtime.ProvidedWorker": ("func_name", "config", "code_zip"),
    "core.lambda_runtime.ProvidedWorker._build_handler_class": ("self", "generation", "pending"),
    "core.lambda_runtime.execution_credentials": ("config",),
    "core.lambda_runtime.reset": (),
    "services.lambda_svc._execute_function_warm": ("func", "event", "request_id"),
    "services.lambda_svc._execute_function_provided_warm": ("func", "event", "request_id"),
    "services.lambda_svc._provided_worker_env": ("config", "code_dir", "port"),
    "services.lambda_svc._provided_runtime_code_dir": ("code_zip",),
    "services.lambda_svc._docker_extracted_dir": ("blob", "kind"),
    "services.lambda_svc._resolve_layer_zip": ("attachment",),
    "services.lambda_svc._runtime_env_vars": ("config",),
    "services.lambda_svc._get_func_record_for_ref": ("function_ref",),
    "services.lambda_svc._execution_record_for_config": ("func", "config"),
    "services.lambda_svc.invoke_async_with_retry": ("func", "event"),
    "services.lambda_svc._apply_filter_criteria": ("records", "esm"),
    "services.lambda_svc._execute_function": ("func", "event"),
    "services.lambda_svc._get_func_record_for_qualifier": ("name", "qualifier"),
    "services.lambda_svc._iter_all_esms": (),
    "services.lambda_svc._poll_dynamodb_streams": (),
    "services.lambda_svc._put_function_concurrency": ("func_name", "data"),
    "services.cloudformation.provisioners._sm_secret_string": ("props",),
    "services.dynamodb._update_continuous_backups": ("data",),
    "services.dynamodb._update_ttl": ("data",),
    "services.dynamodb.stream_records_since": (
        "table_name",
        "position",
        "limit",
        "account_id",
        "region",
    ),
    "services.dynamodb.stream_start_position": ("table_name", "account_id", "region"),
    "services.secretsmanager._get_random_password": ("data",),
    "services.eventbridge._dispatch_to_lambda": ("arn", "payload"),
    "services.eventbridge._dispatch_event": ("event", "view"),
    "services.stepfunctions._ExecutionError": ("error", "cause"),
    "services.stepfunctions._add_event": ("execution", "event_type", "details"),
    "services.stepfunctions._apply_catcher": (
        "catcher",
        "raw_input",
        "ctx",
        "query_language",
        "error_output",
    ),
    "services.stepfunctions._apply_jsonata_arguments": ("state_def", "raw_input", "ctx"),
    "services.stepfunctions._apply_jsonata_output": (
        "state_def",
        "raw_input",
        "ctx",
        "result",
        "error_output",
        "default",
    ),
    "services.stepfunctions._apply_jsonata_template": (
        "value",
        "raw_input",
        "ctx",
        "result",
        "error_output",
    ),
    "services.stepfunctions._apply_output_path": ("state_def", "data", "ctx"),
    "services.stepfunctions._apply_state_assign": (
        "state_def",
        "raw_input",
        "ctx",
        "result",
        "error_output",
    ),
    "services.stepfunctions._call_lambda": ("func_ref", "event"),
    "services.stepfunctions._emit_execution_status_event": ("execution",),
    "services.stepfunctions._evaluate_jsonata_choice_rule": ("rule", "raw_input", "ctx"),
    "services.stepfunctions._execute_task": ("state_def", "raw_input", "execution", "ctx"),
    "services.stepfunctions._fail_execution": ("execution", "error", "cause"),
    "services.stepfunctions._find_matching_catcher": ("catchers", "error"),
    "services.stepfunctions._find_matching_retrier": ("retriers", "error", "retry_counts"),
    "services.stepfunctions._invoke_resource": ("resource", "input_data"),
    "services.stepfunctions._jsonata_state_field": (
        "state_def",
        "field",
        "expected",
        "raw_input",
        "ctx",
    ),
    "services.stepfunctions._next_or_end": ("state_def",),
    "services.stepfunctions._resolve_lambda_function_ref": ("value", "optimized"),
    "services.stepfunctions._run_execution": ("exec_arn",),
    "services.stepfunctions._send_task_failure": ("data",),
    "services.stepfunctions._send_task_heartbeat": ("data",),
    "services.stepfunctions._send_task_success": ("data",),
    "services.stepfunctions._start_execution": ("data",),
    "services.stepfunctions._state_query_language": ("state_def", "ctx"),
    "services.stepfunctions._stop_execution": ("data",),
}

# The type's name of every private value that is read.
VALUES: dict[str, str] = {
    "core.lambda_runtime._workers": "dict",
    "core.lambda_runtime._lock": "lock",
    "services.cloudformation.provisioners._RESOURCE_HANDLERS": "dict",
    "services.lambda_svc._dynamodb_stream_positions": "AccountRegionScopedDict",
    "services.stepfunctions._executions": "AccountRegionScopedDict",
    "services.stepfunctions._state_machines": "AccountRegionScopedDict",
    "services.stepfunctions._task_tokens": "AccountRegionScopedDict",
    "services.stepfunctions._SFN_WAIT_SCALE": "float",
}


class UnexpectedMiniStack(Exception):
    """The installed MiniStack is not the one that this module was written against."""


def check() -> None:
    """Raise UnexpectedMiniStack, naming everything that differs from what is listed here."""
    found = importlib.metadata.version("ministack")
    if found != VERSION:
        raise UnexpectedMiniStack(f"MiniStack {VERSION} is expected, but {found} is installed.")
    differences = [*_changed_functions(), *_changed_values()]
    if differences:
        raise UnexpectedMiniStack(f"MiniStack {VERSION} has changed: {'; '.join(differences)}.")


def function(name: str) -> Callable[..., Any]:
    """The private function of that name as it is now: a replacement, if there is one."""
    if name not in FUNCTIONS:
        raise UnexpectedMiniStack(f"{name} is not in the list of checked functions.")
    return _read(name)  # type: ignore[no-any-return]


def value(name: str) -> Any:
    """The private value of that name."""
    if name not in VALUES:
        raise UnexpectedMiniStack(f"{name} is not in the list of checked values.")
    return _read(name)


def replace(name: str, replacement: Callable[..., Any]) -> Callable[..., Any]:
    """Put a function in the place of a private one, and return the one that was there."""
    original = function(name)
    module, _, attribute = name.rpartition(".")
    setattr(importlib.import_module(f"ministack.{module}"), attribute, replacement)
    return original


def _read(name: str) -> Any:
    return pkgutil.resolve_name(f"ministack.{name}")


def _changed_functions() -> list[str]:
    return [
        f"{name} takes ({', '.join(found)}) instead of ({', '.join(parameters)})"
        for name, parameters in FUNCTIONS.items()
        if (found := _parameters(name)) != parameters
    ]


def _parameters(name: str) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(_read(name)).parameters)
    except (AttributeError, ImportError, TypeError):
        return ("missing",)


def _changed_values() -> list[str]:
    return [
        f"{name} is {found} instead of {kind}"
        for name, kind in VALUES.items()
        if (found := _kind(name)) != kind
    ]


def _kind(name: str) -> str:
    try:
        return type(_read(name)).__name__
    except (AttributeError, ImportError):
        return "missing"
