"""Puts the launcher together: MiniStack, what is mended in it, the door, the call log."""

import asyncio
import secrets
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config

from cloud.crashes import CrashPoints
from cloud.ministack import (
    calls,
    conditions,
    door,
    events,
    executions,
    functions,
    private,
    resources,
    streams,
    tasks,
    tokens,
)

# The services that the twin answers instead of MiniStack, as the AWS SDKs name them in settings.
TWIN_SERVICES = ("ECS", "ECR", "RDS", "ELASTIC_LOAD_BALANCING_V2", "CLOUDWATCH")


def prepare(
    endpoint: str, twin: str, runtime_clients: Path, scratch: Path
) -> tuple[calls.App, str]:
    """Check MiniStack, mend it, open the door; returns the application and the door's address."""
    private.check()
    functions.install(
        functions.Surroundings(
            runtime_clients=runtime_clients,
            scratch=scratch,
            endpoints={
                "AWS_ENDPOINT_URL": endpoint,
                **{f"AWS_ENDPOINT_URL_{service}": twin for service in TWIN_SERVICES},
            },
        )
    )
    for part in (events, tokens, conditions, tasks, executions, resources, streams):
        part.install()
    log, crashes = calls.CallLog(), CrashPoints()
    secret = secrets.token_urlsafe(16)
    port = door.serve(door.Door(log, crashes), secret)
    return calls.recorded(
        private.function("app.app"), log, crashes
    ), f"http://127.0.0.1:{port}/{secret}"


async def serve(
    app: calls.App, listener: socket.socket, stop: threading.Event, ready: Callable[[], None]
) -> None:
    """Serve until the stop event is set, then end the functions' processes."""
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.5
    serving = asyncio.create_task(
        hypercorn_serve(cast(Any, app), config, shutdown_trigger=lambda: _stopped(stop))
    )
    ready()
    try:
        await serving
    finally:
        private.function("core.lambda_runtime.reset")()


async def _stopped(stop: threading.Event) -> None:
    while not stop.is_set():
        await asyncio.sleep(0.05)
