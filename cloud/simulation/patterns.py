"""EventBridge's event patterns, in the forms that template.yaml uses."""

from collections.abc import Callable
from typing import Any

from cloud.simulation.table import Unmodelled

# Whether something fits: an event or a part of it, or one value of a field.
Accepts = Callable[[Any], bool]
_ABSENT = object()


def matches(pattern: dict[str, Any], event: Any) -> bool:
    """Whether the event has every field that the pattern names, with one of its values."""
    return compiled(pattern)(event)


def compiled(pattern: dict[str, Any]) -> Accepts:
    """The pattern as a function, for patterns that many events are held against."""
    fields = [(name, _field(wanted)) for name, wanted in pattern.items()]

    def accepts(event: Any) -> bool:
        if not isinstance(event, dict):
            return False
        return all(fits(event.get(name, _ABSENT)) for name, fits in fields)

    return accepts


def _field(wanted: Any) -> Accepts:
    if isinstance(wanted, dict):
        return compiled(wanted)
    values = frozenset(form for form in wanted if isinstance(form, str))
    others = [_form(form) for form in wanted if not isinstance(form, str)]

    def fits(found: Any) -> bool:
        if isinstance(found, str):
            return found in values or any(one(found) for one in others)
        candidates = (found or [_ABSENT]) if isinstance(found, list) else [found]
        return any(_listed(one, values) or any(fit(one) for fit in others) for one in candidates)

    return fits


def _listed(value: Any, values: frozenset[str]) -> bool:
    return isinstance(value, str) and value in values


def _form(form: Any) -> Accepts:
    if isinstance(form, dict) and len(form) == 1:
        ((kind, operand),) = form.items()
        if kind == "exists":
            return lambda value: (value is not _ABSENT) is operand
        if kind == "prefix":
            return lambda value: isinstance(value, str) and value.startswith(operand)
        if kind == "anything-but" and isinstance(operand, str):
            return lambda value: value is not _ABSENT and value != operand
    raise Unmodelled(f"event pattern {form}")
