"""The part of the Amazon States Language that the interpreter knows; anything else is refused."""

from typing import Any

from cloud.simulation.table import Unmodelled

_TASK_FIELDS = {
    "Comment",
    "Type",
    "Resource",
    "Arguments",
    "TimeoutSeconds",
    "Retry",
    "Catch",
    "Assign",
    "Next",
}
_KNOWN = {
    "Task": _TASK_FIELDS,
    "Choice": {"Comment", "Type", "Choices", "Default"},
    "Succeed": {"Comment", "Type"},
    "Fail": {"Comment", "Type", "Error", "Cause"},
}
_PARTS = {
    "Retry": {
        "ErrorEquals",
        "IntervalSeconds",
        "MaxAttempts",
        "BackoffRate",
        "MaxDelaySeconds",
        "JitterStrategy",
    },
    "Catch": {"ErrorEquals", "Assign", "Next"},
    "Choices": {"Condition", "Next"},
}
_MACHINE = {"Comment", "QueryLanguage", "StartAt", "TimeoutSeconds", "States"}


def check_definition(definition: dict[str, Any]) -> None:
    """Refuse a definition that uses more of ASL than the interpreter knows."""
    _refuse(definition, _MACHINE, "state machine")
    if definition["QueryLanguage"] != "JSONata":
        raise Unmodelled("a QueryLanguage other than JSONata")
    for name, state in definition["States"].items():
        if state["Type"] not in _KNOWN:
            raise Unmodelled(f"{name}: the state type {state['Type']}")
        _refuse(state, _KNOWN[state["Type"]], name)
        for part, known in _PARTS.items():
            for entry in state.get(part, []):
                _refuse(entry, known, f"{name}.{part}")


def _refuse(found: dict[str, Any], known: set[str], where: str) -> None:
    unknown = found.keys() - known
    if unknown:
        raise Unmodelled(f"{where}: the fields {sorted(unknown)}")
