"""Delivery of events to the launcher's event door, in order, in the background."""

import json
import logging
import queue
import threading
import time
import urllib.error
import urllib.request

from cloud.twin.world import Event

RETRY_SECONDS = 0.2
GIVE_UP_SECONDS = 60.0
TIMEOUT_SECONDS = 10.0

log = logging.getLogger(__name__)


class EventDoor:
    """Posts each event to a URL; keeps trying while the other side is starting."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._waiting: queue.Queue[Event] = queue.Queue()
        threading.Thread(target=self._run, name="twin-events", daemon=True).start()

    def __call__(self, event: Event) -> None:
        self._waiting.put(event)

    def _run(self) -> None:
        while True:
            self._deliver(self._waiting.get())

    def _deliver(self, event: Event) -> None:
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                return self._post(event)
            except (urllib.error.URLError, OSError) as cause:
                if time.monotonic() > deadline:
                    return log.error("event %s was not delivered: %s", event["id"], cause)
                time.sleep(RETRY_SECONDS)

    def _post(self, event: Event) -> None:
        request = urllib.request.Request(
            self._url,
            json.dumps(event).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            answer.read()
