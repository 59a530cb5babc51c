"""The launcher's own HTTP port: events in, the call log and the functions' processes out."""

import json
import os
import signal
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cloud.crashes import CrashPoints
from cloud.ministack import events, functions
from cloud.ministack.calls import CallLog

ACCOUNT = "000000000000"
REGION = "us-east-1"


class Door:
    """What can be asked of a running launcher, by method and path."""

    def __init__(self, calls: CallLog, crashes: CrashPoints) -> None:
        self._calls = calls
        self.routes: dict[tuple[str, str], Callable[[Any], Any]] = {
            ("GET", "/calls"): lambda _: calls.all(),
            ("POST", "/calls/clear"): lambda _: calls.clear(),
            ("POST", "/events"): self._events,
            ("GET", "/workers"): lambda _: functions.workers(),
            ("POST", "/kill"): self._kill,
            ("GET", "/crashes"): lambda _: crashes.rows(),
            ("POST", "/crashes"): lambda body: crashes.add(**body),
        }

    def _events(self, body: Any) -> dict[str, int]:
        envelopes = body if isinstance(body, list) else [body]
        for envelope in envelopes:
            if not isinstance(envelope, dict):
                raise events.BadEvent("An event is a JSON object.")
            events.deliver(envelope, ACCOUNT, REGION)
        return {"delivered": len(envelopes)}

    def _kill(self, body: Any) -> dict[str, list[int]]:
        """Kill the processes of a function as a crash would: at once, whatever they are doing."""
        killed = [w["pid"] for w in functions.workers() if w["function"] == body.get("function")]
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        return {"killed": killed}


def serve(door: Door, secret: str) -> int:
    """Serve the door in a thread, on a free loopback port, below /<secret>; returns the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(door, secret))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True, name="door").start()
    return server.server_port


def _handler(door: Door, secret: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer(b"{}")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")

        def _answer(self, body: bytes) -> None:
            route = door.routes.get((self.command, self.path.removeprefix(f"/{secret}")))
            if not self.path.startswith(f"/{secret}/") or route is None:
                return self._reply(404, {"error": f"There is no {self.command} {self.path}."})
            try:
                self._reply(200, route(json.loads(body)))
            except (AttributeError, TypeError, ValueError):
                self._reply(400, {"error": "The body is not the expected JSON."})
            except events.BadEvent as error:
                self._reply(400, {"error": str(error)})

        def _reply(self, status: int, content: Any) -> None:
            text = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
