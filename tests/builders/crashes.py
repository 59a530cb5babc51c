"""A function that dies just before or just after a call to the outside."""

from collections.abc import Callable
from typing import Any


class Crash(Exception):
    """The function died: what it had done stays done, its answer is lost."""


class Crashes:
    """Counts the calls to the outside; dies once, just before or just after one of them.

    ``at`` is the call's number or its name, such as "Service.update".
    """

    def __init__(self, at: int | str | None = None, *, after: bool = False) -> None:
        self.calls: list[str] = []
        self._at, self._after = at, after

    def around(self, port: object) -> Any:
        """The port with every call counted."""
        return _Watched(port, self)

    def call(self, name: str, call: Callable[[], Any]) -> Any:
        """One call to the outside."""
        self.calls.append(name)
        fatal = self._at in (len(self.calls) - 1, name)
        if fatal and not self._after:
            raise Crash(f"just before {name}")
        answer = call()
        if fatal:
            raise Crash(f"just after {name}")
        return answer


class _Watched:
    def __init__(self, port: object, crashes: Crashes) -> None:
        self._port, self._crashes = port, crashes

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        label = f"{type(self._port).__name__}.{name}"
        return lambda *args, **named: self._crashes.call(label, lambda: method(*args, **named))
