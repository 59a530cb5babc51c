"""Finds the keys that an event is about, with the table in waits.py.

An event without the expected shape has no keys and resumes nothing; the step is checked again when
the fallback timer of its state fires.
"""

from typing import Any, Final

from slipway.waits import LOOK_AGAIN, WAITS, Key

_READERS: Final = {
    (hint.source, hint.detail_type): hint.names
    for hint in (LOOK_AGAIN, *(hint for wait in WAITS for hint in wait.hints))
}


def hints(event: dict[str, Any], account: str) -> tuple[Key, ...]:
    """The keys of the event, under which requests may be parked."""
    if event.get("account") != account:
        return ()
    detail = event.get("detail")
    names = _READERS.get((str(event.get("source")), str(event.get("detail-type"))))
    if names is None or not isinstance(detail, dict):
        return ()
    return tuple(names(detail, _resources(event)))


def _resources(event: dict[str, Any]) -> list[str]:
    named = event.get("resources")
    return [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
