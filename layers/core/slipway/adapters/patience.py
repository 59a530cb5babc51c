"""A bound on the whole time that a call may take, whatever it waits for."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T]) -> T:
    """What the call answers or raises; TimeoutError once the time is up.

    Time limits of sockets begin anew with every byte. A call that is late is left behind in a
    thread of its own, so it must change nothing that others use.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:  # It is raised where the outcome is asked for.
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return outcome.result(timeout=seconds)
