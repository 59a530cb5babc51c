"""A timeout for a whole call. Socket timeouts do not do: they start anew with every byte."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def call_within(seconds: float, call: Callable[[], T]) -> T:
    """Run a call and return or raise its result; TimeoutError when it takes too long.

    A call that is late keeps running in a thread of its own, so it must not change shared state.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # Raised again by future.result() below.
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future.result(timeout=seconds)
