"""Which keys an event names, by the table in waits.py.

An event that does not have the expected shape names no key and wakes nobody; the fallback timer
of the state looks again.
"""

from typing import Any, Final

from slipway.waits import LOOK_AGAIN, WAITS, Key

_READERS: Final = {
    (hint.source, hint.detail_type): hint.names
    for hint in (LOOK_AGAIN, *(hint for wait in WAITS for hint in wait.hints))
}


def hints(event: dict[str, Any], account: str) -> tuple[Key, ...]:
    """The keys under which requests may be parked that this event is about."""
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
