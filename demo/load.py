"""A steady load on a service while it is being changed, and what became of each request."""

import threading
import time
from types import TracebackType
from typing import Self

import requests

_PAUSE_SECONDS = 0.05
_TIMEOUT_SECONDS = 10


class Load:
    """Asks the same URLs one after the other until it is stopped; counts what went wrong."""

    def __init__(self, *urls: str) -> None:
        self.requests = 0
        self.failures: list[str] = []
        self._urls = urls
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(url,)) for url in urls]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def __str__(self) -> str:
        return f"{self.requests} requests, {len(self.failures)} failed"

    def _run(self, url: str) -> None:
        while not self._stopped.is_set():
            self._ask(url)
            time.sleep(_PAUSE_SECONDS)

    def _ask(self, url: str) -> None:
        # A connection per request: a kept one would hide a balancer that no longer answers.
        self.requests += 1
        try:
            answer = requests.get(url, timeout=_TIMEOUT_SECONDS, headers={"Connection": "close"})
        except requests.RequestException as error:
            self.failures.append(f"{url}: {type(error).__name__}")
            return
        if answer.status_code >= 500:
            self.failures.append(f"{url}: {answer.status_code}")
