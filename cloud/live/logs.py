"""Lines of the tasks: kept here as a tail, and forwarded to CloudWatch Logs in the background."""

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

Stream = tuple[str, str]
Line = tuple[int, str]

TAIL_LINES = 500
BATCH_LINES = 500
PAUSE_SECONDS = 0.2
# A line is offered so many times; then the tail is all that is left of it.
ATTEMPTS = 25

log = logging.getLogger(__name__)


class LogTails:
    """The last lines of every log stream; `forward`, if given, is handed each new line."""

    def __init__(self, forward: Callable[[Stream, Line], None] | None = None) -> None:
        self._forward = forward
        self._tails: dict[Stream, deque[str]] = {}

    def put(self, stream: Stream, text: str) -> None:
        """Take one line of a stream (log group, log stream), without its line break."""
        self._tails.setdefault(stream, deque(maxlen=TAIL_LINES)).append(text)
        if self._forward is not None:
            self._forward(stream, (int(time.time() * 1000), text))

    def all(self) -> dict[str, list[str]]:
        """The lines by `group:stream`."""
        return {f"{group}:{name}": list(tail) for (group, name), tail in self._tails.items()}


class LogForwarder:
    """Sends lines to CloudWatch Logs in batches; `client` is a boto3 logs client."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._waiting: dict[Stream, deque[Line]] = {}
        self._changed = threading.Condition()
        self._sending = False
        self._known: set[Stream] = set()
        threading.Thread(target=self._run, name="twin-logs", daemon=True).start()

    def put(self, stream: Stream, line: Line) -> None:
        with self._changed:
            self._waiting.setdefault(stream, deque()).append(line)
            self._changed.notify_all()

    def flush(self, timeout_seconds: float) -> None:
        """Wait until all lines so far are delivered, or the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting and not self._sending, timeout_seconds)

    def _run(self) -> None:
        while True:
            stream, lines = self._take()
            self._send(stream, lines)
            with self._changed:
                self._sending = False
                self._changed.notify_all()
                idle = not self._waiting
            if idle:
                time.sleep(PAUSE_SECONDS)

    def _take(self) -> tuple[Stream, list[Line]]:
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting))
            self._sending = True
            stream, waiting = next(iter(self._waiting.items()))
            lines = [waiting.popleft() for _ in range(min(BATCH_LINES, len(waiting)))]
            if not waiting:
                del self._waiting[stream]
            return stream, lines

    def _send(self, stream: Stream, lines: list[Line]) -> None:
        for _ in range(ATTEMPTS):
            try:
                self._ensure(stream)
                return self._put_events(stream, lines)
            except (BotoCoreError, ClientError) as cause:
                self._known.discard(stream)
                log.debug("lines of %s wait: %s", stream, cause)
                time.sleep(PAUSE_SECONDS)
        log.warning("%d lines of %s were not delivered", len(lines), ":".join(stream))

    def _ensure(self, stream: Stream) -> None:
        if stream in self._known:
            return
        group, name = stream
        exists = self._client.exceptions.ResourceAlreadyExistsException
        with contextlib.suppress(exists):
            self._client.create_log_group(logGroupName=group)
        with contextlib.suppress(exists):
            self._client.create_log_stream(logGroupName=group, logStreamName=name)
        self._known.add(stream)

    def _put_events(self, stream: Stream, lines: list[Line]) -> None:
        group, name = stream
        # CloudWatch Logs refuses empty messages.
        events = [{"timestamp": stamp, "message": text or " "} for stamp, text in lines]
        self._client.put_log_events(logGroupName=group, logStreamName=name, logEvents=events)


def stream_of(definition: dict[str, Any], task_id: str) -> Stream | None:
    """Where the awslogs driver writes a container's lines; None with another driver."""
    configuration = definition.get("logConfiguration", {})
    options = configuration.get("options", {})
    if configuration.get("logDriver") != "awslogs" or "awslogs-group" not in options:
        return None
    prefix = options.get("awslogs-stream-prefix", "ecs")
    return options["awslogs-group"], f"{prefix}/{definition['name']}/{task_id}"
