"""The launcher's process: MiniStack with real function runtimes, AWS's own events and a call log.

Started by `cloud.ministack.launch`. Writes one line of JSON with its addresses to standard output
when it is ready, and ends when its standard input closes: it never outlives whoever started it.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import threading
from pathlib import Path
from typing import TextIO


def main() -> None:
    options = _options()
    announcements = _own_output()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    _set_environment(options.state_dir, port)
    # MiniStack reads its settings when it is imported, so nothing of it may be imported before.
    from cloud.ministack import server

    def ready() -> None:
        print(json.dumps({"endpoint_url": endpoint, "door_url": door}), file=announcements)

    stop = threading.Event()
    _end_with_parent(stop)
    endpoint = f"http://127.0.0.1:{port}"
    app, door = server.prepare(
        endpoint, options.twin_url or endpoint, options.runtime_clients, options.state_dir / "tmp"
    )
    asyncio.run(server.serve(app, listener, stop, ready))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run MiniStack for the embedded cloud.")
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--runtime-clients", type=Path, required=True)
    parser.add_argument("--twin-url", default="")
    return parser.parse_args()


def _own_output() -> TextIO:
    """Standard output for the addresses alone: whatever MiniStack prints goes to the log."""
    own = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return own


def _set_environment(state_dir: Path, port: int) -> None:
    """Keep MiniStack on loopback, in its own folder, and away from any Docker engine."""
    scratch = state_dir / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        AUTH="true",
        BIND_HOST="127.0.0.1",
        DOCKER_HOST="unix:///nonexistent.sock",
        GATEWAY_PORT=str(port),
        IOT_MTLS_ENABLED="0",
        S3_DATA_DIR=str(state_dir / "s3"),
        SFTP_ENABLED="0",
        STATE_DIR=str(state_dir / "state"),
        TMPDIR=str(scratch),
    )


def _end_with_parent(stop: threading.Event) -> None:
    def watch() -> None:
        while os.read(0, 1):
            pass
        stop.set()

    threading.Thread(target=watch, daemon=True, name="parent").start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())


if __name__ == "__main__":
    main()
