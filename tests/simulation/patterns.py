"""EventBridge's event patterns, in the forms that template.yaml uses."""

from typing import Any

from tests.simulation.table import Unmodelled


def matches(pattern: dict[str, Any], event: Any) -> bool:
    """Whether the event has every field that the pattern names, with one of its values."""
    if not isinstance(event, dict):
        return False
    return all(_field(wanted, event, name) for name, wanted in pattern.items())


def _field(wanted: Any, event: dict[str, Any], name: str) -> bool:
    if isinstance(wanted, dict):
        return matches(wanted, event.get(name))
    values = event.get(name, _ABSENT)
    candidates = values if isinstance(values, list) else [values]
    return any(_one(form, candidate) for form in wanted for candidate in candidates or [_ABSENT])


_ABSENT = object()


def _one(form: Any, value: Any) -> bool:
    if isinstance(form, str):
        return bool(value == form)
    if isinstance(form, dict) and len(form) == 1:
        ((kind, operand),) = form.items()
        if kind == "exists":
            return (value is not _ABSENT) is operand
        if kind == "prefix":
            return isinstance(value, str) and value.startswith(operand)
    raise Unmodelled(f"event pattern {form}")
