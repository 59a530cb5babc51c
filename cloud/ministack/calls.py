"""Keeps a list of the AWS calls that reached MiniStack: who called what, and the answer."""

import json
import re
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from cloud.crashes import CrashPoints
from cloud.ministack import tokens

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Receive, Send], Awaitable[None]]

_SCOPE = re.compile(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/")
_CALLER = re.compile(r"\bapp/(\S+)")


class CallLog:
    """The calls so far, oldest first; safe to use from several threads."""

    def __init__(self) -> None:
        self._calls: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def add(self, call: dict[str, Any]) -> None:
        with self._lock:
            self._calls.append(call)

    def all(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._calls)

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()


def recorded(app: App, log: CallLog, crashes: CrashPoints) -> App:
    """The same application; every signed AWS request is in the log once it is answered.

    Its caller may be killed just before the answer leaves.
    """

    async def wrapped(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        body, answer = bytearray(), bytearray()
        started: dict[str, Any] = {}

        async def reading() -> Message:
            message = await receive()
            body.extend(message.get("body", b"")[:_KEPT])
            return message

        async def answering(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                _strike(crashes, scope, headers, bytes(body))
            started.update(message if message["type"] == "http.response.start" else {})
            answer.extend(message.get("body", b"")[:_KEPT])
            await send(message)

        await app(scope, reading, answering)
        call = _call(scope, headers, bytes(body), started, bytes(answer))
        if call:
            log.add(call)

    return wrapped


_KEPT = 65_536  # bytes of a body that are looked at


def _strike(crashes: CrashPoints, scope: Any, headers: dict[str, str], body: bytes) -> None:
    operation = _operation(scope, headers, body)
    # A task token says nothing to a reader; the execution behind it does.
    text = f"{body.decode(errors='replace')} {tokens.execution_of(body) or ''}"
    crashes.strike(_caller(headers), operation, text, scope["client"][1])


def _caller(headers: dict[str, str]) -> str:
    found = _CALLER.search(headers.get("user-agent", ""))
    return found.group(1) if found else ""


def _call(
    scope: Any, headers: dict[str, str], body: bytes, started: dict[str, Any], answer: bytes
) -> dict[str, Any] | None:
    signed = _SCOPE.search(headers.get("authorization", ""))
    if not signed:
        return None
    return {
        "time": datetime.now(UTC).isoformat(),
        "service": signed.group(1),
        "operation": _operation(scope, headers, body),
        "caller": _caller(headers) or None,
        "error": _error(started, answer),
    }


def _operation(scope: Any, headers: dict[str, str], body: bytes) -> str:
    """The operation's name where the protocol carries it, else method and path."""
    target = headers.get("x-amz-target", "")
    if target:
        return target.rpartition(".")[2]
    action = parse_qs(body.decode(errors="replace")).get("Action")
    return action[0] if action else f"{scope['method']} {scope['path']}"


def _error(started: dict[str, Any], answer: bytes) -> str | None:
    if started.get("status", 200) < 400:
        return None
    try:
        kind = json.loads(answer).get("__type", "")
    except (ValueError, AttributeError):
        found = re.search(rb"<Code>([^<]+)</Code>", answer)
        kind = found.group(1).decode() if found else ""
    return kind.rpartition("#")[2] or str(started["status"])
