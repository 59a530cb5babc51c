"""JSONata in states, evaluated by a library, with what was compiled and found kept."""

import json
import re
from functools import cache
from typing import Any

from jsonata import Jsonata

from cloud.simulation.table import Unmodelled

Scope = dict[str, Any]
_PATH = re.compile(r"\$\w+(\.\w+)*")
_VARIABLE = re.compile(r"\$(\w+)(?![\w(])")
_kept: dict[tuple[str, str], Any] = {}


class QueryFailed(Exception):
    """The expression has no value; Step Functions fails the state with QueryEvaluationError."""


def evaluate(template: Any, scope: Scope) -> Any:
    """A JSON template with every ``{% ... %}`` in it replaced by its value."""
    if isinstance(template, str):
        return _text(template, scope)
    if isinstance(template, dict):
        return {name: evaluate(value, scope) for name, value in template.items()}
    if isinstance(template, list):
        return [evaluate(value, scope) for value in template]
    return template


def _text(template: str, scope: Scope) -> Any:
    if not template.startswith("{%"):
        return template
    expression = template.removeprefix("{%").removesuffix("%}").strip()
    # A plain path needs no library; a test compares the two.
    if _PATH.fullmatch(expression):
        return plain_path(expression, scope)
    return _remembered(expression, scope)


def plain_path(expression: str, scope: Scope) -> Any:
    """The value at a path such as ``$plan.service_arn``."""
    found: Any = scope
    for name in expression[1:].split("."):
        if not isinstance(found, dict) or name not in found:
            raise QueryFailed(f"{expression} is undefined")
        found = found[name]
    return found


def _remembered(expression: str, scope: Scope) -> Any:
    """An expression without side effects has one value for one set of variables."""
    used = {name: scope.get(name) for name in _variables(expression)}
    if "states" in used:
        used["states"] = {k: v for k, v in scope["states"].items() if k != "context"}
        if "context" in expression:
            raise Unmodelled(f"$states.context inside of the expression {expression}")
    key = (expression, json.dumps(used, sort_keys=True, default=str))
    if key not in _kept:
        if len(_kept) > 50_000:
            _kept.clear()
        _kept[key] = by_library(expression, used)
    return _kept[key]


def by_library(expression: str, scope: Scope) -> Any:
    """The value of an expression as the JSONata library finds it."""
    compiled = _compiled(expression)
    frame = compiled.create_frame()
    for name, value in scope.items():
        frame.bind(name, value)
    found = compiled.evaluate(None, frame)
    if found is None:
        raise QueryFailed(f"{expression} is undefined")
    return found


@cache
def _compiled(expression: str) -> Jsonata:
    return Jsonata(expression)


@cache
def _variables(expression: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_VARIABLE.findall(expression)))
