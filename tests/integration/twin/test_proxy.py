"""The load balancer's proxy by itself: many connections, weights, rules, bad targets, TCP."""

import http.client
import http.server
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from cloud.live.addresses import Addresses
from cloud.live.loop import Loop
from cloud.live.probe import matches
from cloud.live.proxy import LiveTraffic
from cloud.twin.engines import FixedResponse, Forward, Route, Routing

Address = tuple[str, int]


class Target(http.server.ThreadingHTTPServer):
    """A web server that answers its name, or what its path asks for."""

    request_queue_size = 128

    def __init__(self, name: str) -> None:
        self.name = name
        self.seen: list[dict[str, str]] = []
        super().__init__(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def place(self) -> Address:
        return "127.0.0.1", int(self.server_address[1])


class Answer(http.server.BaseHTTPRequestHandler):
    server: Target

    def do_GET(self) -> None:
        self.server.seen.append({name.lower(): value for name, value in self.headers.items()})
        if self.path == "/hang-up":
            return
        body = self.server.name.encode()
        self.send_response(200)
        # Without a length the answer ends with the connection, as HTTP/1.0 allows.
        if self.path != "/no-length":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


class Front:
    """One listener before two targets, `a` and `b`."""

    def __init__(self, protocol: str = "HTTP") -> None:
        self.loop = Loop()
        self.traffic = LiveTraffic(self.loop, Addresses())
        self.targets = {name: Target(name) for name in ("a", "b")}
        self.address = self.traffic.address("balancer")
        self.port = self.traffic.listen("listener", self.address, 0, protocol)

    def route(self, *routes: Route) -> None:
        self.traffic.route("listener", Routing(routes))

    def forward(self, *groups: tuple[int, str]) -> Forward:
        """Groups by weight and the names of their targets."""
        places = [
            (weight, tuple(self.targets[name].place for name in names)) for weight, names in groups
        ]
        return Forward(tuple(places))

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.address, self.port, timeout=5)

    def get(self, path: str = "/", method: str = "GET", **headers: str) -> tuple[int, str]:
        connection = self.connect()
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def close(self) -> None:
        self.traffic.close_all()
        self.loop.stop()
        for target in self.targets.values():
            target.shutdown()
            target.server_close()


@contextmanager
def front(protocol: str = "HTTP") -> Iterator[Front]:
    opened = Front(protocol)
    try:
        yield opened
    finally:
        opened.close()


def test_targets_take_turns() -> None:
    with front() as web:
        web.route(Route({}, web.forward((1, "ab"))))
        assert Counter(web.get()[1] for _ in range(10)) == {"a": 5, "b": 5}


def test_many_connections_at_once_are_all_answered() -> None:
    with front() as web, ThreadPoolExecutor(32) as pool:
        web.route(Route({}, web.forward((1, "ab"))))
        answers = Counter(pool.map(lambda _: web.get(), range(400)))
    assert answers == {(200, "a"): 200, (200, "b"): 200}


def test_a_kept_connection_follows_each_change_of_the_targets() -> None:
    with front() as web:
        connection = web.connect()
        seen = []
        for names in ("a", "b", "a"):
            web.route(Route({}, web.forward((1, names))))
            connection.request("GET", "/")
            seen.append(connection.getresponse().read().decode())
        connection.close()
    assert seen == ["a", "b", "a"]


def test_weights_share_the_requests_out() -> None:
    with front() as web:
        web.route(Route({}, web.forward((0, "a"), (1, "b"))))
        assert Counter(web.get()[1] for _ in range(20)) == {"b": 20}
        web.route(Route({}, web.forward((3, "a"), (1, "b"))))
        counted = Counter(web.get()[1] for _ in range(200))
    assert 100 < counted["a"] < 190


def test_the_first_rule_that_holds_decides() -> None:
    with front() as web:
        web.route(
            Route({"path-pattern": ("/gone/*",)}, FixedResponse(410, "text/plain", "gone")),
            Route({"host-header": ("b.example",)}, web.forward((1, "b"))),
            Route({"http-header:x-test": ("on",)}, web.forward((1, "b"))),
            Route({}, web.forward((1, "a"))),
        )
        assert web.get("/gone/x?y=1") == (410, "gone")
        assert web.get(Host="b.example:80") == (200, "b")
        assert web.get(**{"X-Test": "on"}) == (200, "b")
        assert web.get() == (200, "a")


def test_a_redirect_leads_where_its_rule_says_in_the_words_of_the_request() -> None:
    def location(template: str, path: str, host: str) -> str | None:
        web.route(Route({}, FixedResponse(301, "text/html", "", template)))
        connection = web.connect()
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        assert answer.status == 301
        return answer.getheader("Location")

    with front() as web:
        secure = "https://#{host}:443/#{path}?#{query}"
        assert location(secure, "/a/b?c=1", "Web.Example:80") == "https://web.example:443/a/b?c=1"
        assert location(secure, "/", "web.example") == "https://web.example:443/"
        assert location("https://x.example:443/y", "/a", "web") == "https://x.example:443/y"


def test_a_bracket_in_a_pattern_is_a_bracket() -> None:
    with front() as web:
        web.route(
            Route({"path-pattern": ("/[ab]*",)}, web.forward((1, "b"))),
            Route({}, web.forward((1, "a"))),
        )
        assert (web.get("/a"), web.get("/[ab]c")) == ((200, "a"), (200, "b"))


@pytest.mark.parametrize("path", ["/", "/no-length"])
def test_an_answer_arrives_whole_and_the_connection_lives_on(path: str) -> None:
    with front() as web:
        web.route(Route({}, web.forward((1, "a"))))
        connection = web.connect()
        for _ in range(2):
            connection.request("GET", path)
            assert connection.getresponse().read() == b"a"
        connection.close()


def test_an_answer_to_head_has_no_body() -> None:
    with front() as web:
        web.route(Route({}, web.forward((1, "a"))))
        assert web.get(method="HEAD") == (200, "")


def test_nobody_to_ask_is_503_and_a_target_that_fails_is_502() -> None:
    with front() as web:
        web.route(Route({}, Forward(((1, ()),))))
        assert web.get()[0] == 503
        web.route(Route({}, web.forward((1, "a"))))
        assert web.get("/hang-up")[0] == 502
        web.route(Route({}, Forward(((1, (("127.0.0.1", 1),)),))))
        assert web.get()[0] == 502


def test_what_is_not_http_is_answered_with_400() -> None:
    with front() as web, socket.create_connection((web.address, web.port), 5) as raw:
        raw.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_target_sees_the_host_and_where_the_request_came_from() -> None:
    with front() as web:
        web.route(Route({}, web.forward((1, "a"))))
        web.get(Host="notes.example", Connection="keep-alive")
        seen = web.targets["a"].seen[0]
    chosen = {name: seen[name] for name in ("host", "x-forwarded-for", "connection")}
    assert chosen == {
        "host": "notes.example",
        "x-forwarded-for": "127.0.0.1",
        "connection": "close",
    }


def test_a_tcp_listener_carries_bytes() -> None:
    with front("TCP") as web:
        web.route(Route({}, web.forward((1, "a"))))
        assert web.get() == (200, "a")


def test_a_closed_listener_refuses() -> None:
    with front() as web:
        web.route(Route({}, web.forward((1, "a"))))
        web.traffic.close("listener")
        with pytest.raises(ConnectionRefusedError):
            web.get()


@pytest.mark.parametrize(
    ("matcher", "status", "expected"),
    [("200", 200, True), ("200,204", 204, True), ("200-299", 302, False), ("200", 500, False)],
)
def test_a_matcher_names_codes_and_ranges(matcher: str, status: int, expected: bool) -> None:
    assert matches(matcher, status) is expected
