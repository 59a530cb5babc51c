"""Time for the models: the real clock with a speed factor, or a virtual one that jumps."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

Action = Callable[[], None]

log = logging.getLogger(__name__)


class Clock(Protocol):
    """What a model may know of time."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...

    def call_later(self, seconds: float, action: Action) -> None:
        """Run the action after so many seconds of the cloud's own time."""
        ...


class VirtualClock:
    """A clock that stands still until it is told to run; equal times run in the order asked for."""

    def __init__(self, start: datetime = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._heap: list[tuple[float, int, Action]] = []
        self._order = itertools.count()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._elapsed

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def call_later(self, seconds: float, action: Action) -> None:
        heapq.heappush(self._heap, (self._elapsed + seconds, next(self._order), action))

    def run_next(self) -> bool:
        """Jump to the next action and run it; False when nothing is left to do."""
        if not self._heap:
            return False
        self._elapsed, _, action = heapq.heappop(self._heap)
        action()
        return True

    def run_until(self, done: Callable[[], bool], limit_seconds: float = 86_400.0) -> bool:
        """Run actions until the condition holds; False when it did not within the limit."""
        deadline = self._elapsed + limit_seconds
        while not done():
            if not self._heap or self._heap[0][0] > deadline:
                return False
            self.run_next()
        return True

    def run_for(self, seconds: float) -> None:
        """Run everything that is due within so many seconds, and stand at their end."""
        end = self._elapsed + seconds
        while self._heap and self._heap[0][0] <= end:
            self.run_next()
        self._elapsed = end


class LiveClock:
    """The real clock; intervals are divided by the speed, actions run under the one lock."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self.lock = threading.RLock()
        self._heap: list[tuple[float, int, Action]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="twin-clock", daemon=True)
        self._thread.start()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def call_later(self, seconds: float, action: Action) -> None:
        due = time.monotonic() + seconds / self.speed
        with self._changed:
            heapq.heappush(self._heap, (due, next(self._order), action))
            self._changed.notify()

    def stop(self) -> None:
        """Run no further action."""
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def _run(self) -> None:
        while (action := self._next_due()) is not None:
            self._act(action)

    def _next_due(self) -> Action | None:
        with self._changed:
            while not self._stopped:
                wait = self._heap[0][0] - time.monotonic() if self._heap else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._heap)[2]
                self._changed.wait(wait)
        return None

    def _act(self, action: Action) -> None:
        with self.lock:
            try:
                action()
            except Exception:
                # One broken action must not stop the clock of every other resource.
                log.exception("a scheduled action failed")
