"""A way from Docker containers to the embedded cloud: an HTTP proxy that leads to loopback only.

The cloud listens on loopback addresses, which a container cannot reach. The proxy listens on the
Docker bridge, asks for a password, and forwards to nothing but 127.0.0.0/8 of this machine.
"""

import base64
import http.client
import ipaddress
import secrets
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_HOP_BY_HOP = frozenset(
    {"connection", "proxy-authorization", "proxy-connection", "keep-alive", "transfer-encoding"}
)
_TIMEOUT_SECONDS = 60


class NoBridge(Exception):
    """There is no Docker bridge on this machine; the message says what was tried."""


def bridge_address() -> str:
    """This machine's own address on Docker's default bridge; raises NoBridge."""
    command = ["docker", "network", "inspect", "bridge"]
    command += ["--format", "{{with index .IPAM.Config 0}}{{or .Gateway .Subnet}}{{end}}"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NoBridge("There is no `docker` command; `sam local invoke` needs Docker.") from None
    if answer.returncode:
        raise NoBridge(f"Docker's default bridge cannot be found: {answer.stderr.strip()}")
    return _first_address(answer.stdout.strip())


def _first_address(told: str) -> str:
    """The gateway; an engine that has not served a container yet tells only the subnet."""
    return str(next(ipaddress.ip_network(told).hosts())) if "/" in told else told


class ContainerDoor:
    """An open door on one address; `url` is what a container sets as its HTTP proxy."""

    def __init__(self, address: str) -> None:
        password = secrets.token_urlsafe(16)
        word = base64.b64encode(f"slipway:{password}".encode()).decode()
        self._server = ThreadingHTTPServer((address, 0), _handler(f"Basic {word}"))
        self._server.daemon_threads = True
        self.url = f"http://slipway:{password}@{address}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def _handler(expected: str) -> type[BaseHTTPRequestHandler]:
    """The proxy's handler, for those who send this Proxy-Authorization."""

    class Forward(_Forward):
        authorization = expected

    return Forward


class _Forward(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    authorization: str

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        target = urlsplit(self.path)
        if self.headers.get("Proxy-Authorization") != self.authorization:
            return self._reply(407, b"The proxy password is missing or wrong.\n")
        if not _is_loopback(target.hostname or ""):
            return self._reply(403, b"This proxy forwards to loopback addresses only.\n")
        return self._pass_on(target.hostname or "", target.port or 80, body)

    def _pass_on(self, host: str, port: int, body: bytes) -> None:
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
        path = self.path.split("/", 3)[3:]
        upstream = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)
        try:
            upstream.request(self.command, f"/{''.join(path)}", body or None, headers)
            answer = upstream.getresponse()
            self._reply(answer.status, answer.read(), answer.getheaders())
        except OSError as error:
            self._reply(502, f"{host}:{port} does not answer: {error}\n".encode())
        finally:
            upstream.close()

    def _reply(
        self, status: int, content: bytes, headers: list[tuple[str, str]] | None = None
    ) -> None:
        self.send_response_only(status)
        for name, value in headers or []:
            if name.lower() not in _HOP_BY_HOP | {"content-length"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _forward  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the terminal belongs to whoever runs the container."""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
