"""The template and the state machine as data, and EventBridge's rule for matching events."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]
EVENTS = {path.stem: path for path in sorted((ROOT / "events").glob("*.json"))}


@cache
def template() -> dict[str, Any]:
    """template.yaml, its short tags written out."""
    parsed: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return parsed


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of every resource of this type, by name."""
    found = template()["Resources"].items()
    return {name: one["Properties"] for name, one in found if one["Type"] == kind}


def functions() -> dict[str, dict[str, Any]]:
    """The functions' properties, by verb."""
    found = resources("AWS::Serverless::Function").items()
    return {name.removesuffix("Function").lower(): one for name, one in found}


def statements(function: dict[str, Any]) -> list[dict[str, Any]]:
    """What a function is allowed."""
    return [one for policy in function["Policies"] for one in policy["Statement"]]


def actions(statement: dict[str, Any]) -> list[str]:
    """The actions of a statement, also when it names only one."""
    named = statement["Action"]
    return [named] if isinstance(named, str) else list(named)


def granted(verb: str) -> set[str]:
    """Every action that a function may call."""
    return {action for one in statements(functions()[verb]) for action in actions(one)}


def rules(verb: str) -> dict[str, dict[str, Any]]:
    """The EventBridge rules that start a function, by name."""
    events = functions()[verb].get("Events", {}).items()
    return {name: one["Properties"] for name, one in events if one["Type"] == "EventBridgeRule"}


@cache
def machine() -> dict[str, Any]:
    """The state machine's definition."""
    text = (ROOT / "statemachines" / "deployment.asl.json").read_text()
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def matches(pattern: dict[str, Any], value: Any) -> bool:
    """Whether EventBridge would deliver an event under a pattern: every field has to match."""
    if not isinstance(value, dict):
        return False
    return all(_matches(wanted, value.get(field)) for field, wanted in pattern.items())


def _matches(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, dict):
        return matches(wanted, value)
    return any(_allows(one, value) for one in wanted)


def _allows(one: Any, value: Any) -> bool:
    match one:
        case {"prefix": prefix}:
            return isinstance(value, str) and value.startswith(prefix)
        case {"exists": wanted}:
            return (value is not None) is wanted
        case {"anything-but": str(unwanted)}:
            # A field that is not there matches no anything-but.
            return value not in (None, unwanted)
        case {"Fn::Sub": _}:
            return isinstance(value, str)
        case str():
            return bool(value == one)
    raise AssertionError(f"a pattern that this test does not know: {one}")
