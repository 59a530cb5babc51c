"""The record of every API call, so that a deployment's calls can be counted and judged."""

import re
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloud.twin.world import iso

KEPT_CALLS = 100_000
_APP_ID = re.compile(r"\bapp/(\S+)")


@dataclass(frozen=True)
class Call:
    """One API call: who asked for what, and the error code if it was refused."""

    time: datetime
    service: str
    operation: str
    caller: str
    error: str | None


class CallLog:
    """The latest calls, oldest first."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=KEPT_CALLS)

    def add(self, call: Call) -> None:
        self._calls.append(call)

    def clear(self) -> None:
        self._calls.clear()

    def rows(self) -> list[dict[str, Any]]:
        """The calls as plain data, times as ISO strings."""
        return [{**vars(call), "time": iso(call.time)} for call in list(self._calls)]


def caller_of(user_agent: str) -> str:
    """The `app/<id>` part of a User-Agent, which AWS_SDK_UA_APP_ID sets; empty without one."""
    found = _APP_ID.search(user_agent)
    return found.group(1) if found else ""
