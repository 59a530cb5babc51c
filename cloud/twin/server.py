"""The twin's one HTTP port: AWS calls, what others mount (`/v2/`, `/slack/`), and control."""

import json
import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

from werkzeug import Request, Response
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from cloud.crashes import CrashPoints
from cloud.twin import wire
from cloud.twin.calls import caller_of
from cloud.twin.clock import LiveClock
from cloud.twin.errors import AwsError
from cloud.twin.events import EventSink, Policy
from cloud.twin.twin import Twin

log = logging.getLogger(__name__)


class Mount(Protocol):
    """Whatever answers below a path prefix of the twin's port."""

    def handle(self, request: Request) -> Response:
        """Answer one request; called in a thread of its own, without the models' lock."""
        ...


class TwinServer:
    """Serves one twin over HTTP; model calls run under the clock's lock."""

    def __init__(self, twin: Twin, clock: LiveClock, sink: EventSink) -> None:
        self.twin = twin
        self.clock = clock
        self.sink = sink
        self.crashes = CrashPoints()
        self._mounts: dict[str, Mount] = {"/_twin/": Control(self)}
        self._server: BaseWSGIServer | None = None

    def mount(self, prefix: str, handler: Mount) -> None:
        """Let the handler answer every path that starts with the prefix."""
        self._mounts[prefix] = handler

    def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen (0: on a free port) in the background; the address to reach the server at."""
        self._server = make_server(
            host, port, self._application, threaded=True, request_handler=QuietHandler
        )
        threading.Thread(target=self._server.serve_forever, name="twin-http", daemon=True).start()
        return f"http://{host}:{self._server.port}"

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _application(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        return self._respond(request)(environ, start_response)

    def _respond(self, request: Request) -> Response:
        try:
            # The longest prefix wins.
            found = [prefix for prefix in self._mounts if request.path.startswith(prefix)]
            if found:
                return self._mounts[max(found, key=len)].handle(request)
            return self._aws(request)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            error = AwsError("InternalFailure", "The twin failed; its log says why.", 500)
            return wire.write_error(_protocol(request), error)

    def _aws(self, request: Request) -> Response:
        try:
            operation = wire.read(request)
            caller = caller_of(request.headers.get("User-Agent", ""))
            with self.clock.lock:
                result = self.twin.call(
                    operation.client, operation.model.name, operation.params, caller
                )
                answer = wire.write(operation, result)
            self.crashes.strike(caller, operation.model.name, _body(request), _port(request))
            return answer
        except AwsError as refused:
            return wire.write_error(_protocol(request), refused)


class Control:
    """`/_twin/…`: what tests and people ask the twin itself, in JSON."""

    def __init__(self, server: TwinServer) -> None:
        self._server = server
        self._routes: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("GET", "/_twin/ready"): lambda _: {"ready": True},
            ("GET", "/_twin/calls"): lambda _: server.twin.calls.rows(),
            ("POST", "/_twin/calls/clear"): self._clear_calls,
            ("GET", "/_twin/events"): lambda _: list(server.sink.emitted),
            ("GET", "/_twin/events/policy"): lambda _: server.sink.policies(),
            ("POST", "/_twin/events/policy"): self._set_policy,
            ("GET", "/_twin/crashes"): lambda _: server.crashes.rows(),
            ("POST", "/_twin/crashes"): self._set_crash,
            ("POST", "/_twin/ecs/policy"): self._set_task_policy,
            ("GET", "/_twin/state"): self._state,
        }

    def handle(self, request: Request) -> Response:
        route = self._routes.get((request.method, request.path))
        if route is None:
            return _json({"message": f"no {request.method} {request.path} here"}, 404)
        try:
            with self._server.clock.lock:
                return _json(route(request))
        except (TypeError, ValueError) as cause:
            return _json({"message": f"unreadable request: {cause}"}, 400)

    def _clear_calls(self, request: Request) -> dict[str, Any]:
        self._server.twin.calls.clear()
        return {}

    def _set_policy(self, request: Request) -> dict[str, Any]:
        """`{"detailType": …, "policy": {drop, delay_seconds, copies, remaining} | null}`."""
        body = json.loads(request.get_data())
        policy = body.get("policy")
        detail_type = body.get("detailType", "*")
        self._server.sink.set_policy(detail_type, None if policy is None else Policy(**policy))
        return self._server.sink.policies()

    def _set_task_policy(self, request: Request) -> dict[str, Any]:
        """`{cluster, no_capacity, start_failure, remaining}`; what is left out does not happen."""
        body = json.loads(request.get_data())
        with self._server.clock.lock:
            answer: dict[str, Any] = self._server.twin.models["ecs"].set_policy(**body)
        return answer

    def _set_crash(self, request: Request) -> list[dict[str, Any]]:
        """A crash point: `{caller, operation, containing, nth}`."""
        return self._server.crashes.add(**json.loads(request.get_data()))

    def _state(self, request: Request) -> dict[str, Any]:
        models = self._server.twin.models.items()
        return {client: model.state() for client, model in models if hasattr(model, "state")}


class QuietHandler(WSGIRequestHandler):
    """A request handler without a line on stderr for every request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        log.debug("%s %s %s", self.command, self.path, code)


def _body(request: Request) -> str:
    # Of a form werkzeug keeps only the values.
    return request.get_data(as_text=True) or " ".join(request.values.values())


def _port(request: Request) -> int:
    return int(request.environ["REMOTE_PORT"])


def _protocol(request: Request) -> str:
    return "json" if "X-Amz-Target" in request.headers else "query"


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value, default=str), status, content_type="application/json")
