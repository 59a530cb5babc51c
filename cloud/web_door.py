"""A fixed address for the web function, known before its Function URL is."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
_TIMEOUT_SECONDS = 60


class WebDoor:
    """Forwards every request to the Function URL, whose host the emulator tells apart by name."""

    def __init__(self) -> None:
        self.host = ""
        self.port = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where people reach the web function."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def lead_to(self, function_url: str, endpoint_url: str) -> None:
        """Forward to this function from now on.

        The stack's output names AWS's host (<id>.lambda-url.<region>.on.aws); the emulator serves
        the same id at its own endpoint.
        """
        endpoint = urlsplit(endpoint_url)
        name = (urlsplit(function_url).hostname or "").removesuffix(".on.aws")
        name = name.removesuffix(".localhost")
        self.port = endpoint.port or 80
        self.host = f"{name}.localhost:{self.port}"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def _handler(door: WebDoor) -> type[BaseHTTPRequestHandler]:
    class Forward(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _forward(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else None
            headers = {
                k: v for k, v in self.headers.items() if k.lower() not in (*_HOP_BY_HOP, "host")
            }
            upstream = http.client.HTTPConnection("127.0.0.1", door.port, timeout=_TIMEOUT_SECONDS)
            upstream.request(self.command, self.path, body, {**headers, "Host": door.host})
            answer = upstream.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in (*_HOP_BY_HOP, "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)
            upstream.close()

        do_GET = do_HEAD = do_POST = do_OPTIONS = _forward  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            """Say nothing: links carry signatures."""

    return Forward
