"""The deployed service, seen from outside: whatever it answers is an answer."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from slipway.adapters.website import HttpWebsite
from slipway.domain.verdict import HttpAnswer

ELSEWHERE = "http://localhost:1/"
asked: list[str] = []


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        asked.append(path)
        if path == "/hang":
            time.sleep(1.0)
        if path == "/hang-up":
            self.close_connection = True
            return
        if path == "/blip" and asked.count(path) == 1:
            self.send_error(503)
            return
        status = {"/broken": 503, "/error": 500, "/moved": 302, "/away": 302, "/circle": 302}.get(
            path, 200
        )
        targets = {"/moved": "/health", "/away": ELSEWHERE, "/circle": "/circle"}
        body = {"/large": b"x" * 200_000, "/binary": b"\xff"}.get(path, b'{"version": "1.4.0"}')
        self.send_response(status)
        if path in targets:
            self.send_header("Location", targets[path])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def site() -> Iterator[str]:
    asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _get(url: str) -> HttpAnswer:
    with requests.Session() as session:
        session.trust_env = False
        return HttpWebsite(session, timeout_seconds=5).get(url)


@pytest.mark.parametrize(("path", "status"), [("/health", 200), ("/broken", 503)])
def test_an_answer_has_its_status_and_body(site: str, path: str, status: int) -> None:
    url = site + path

    assert _get(url) == HttpAnswer(url=url, status=status, body='{"version": "1.4.0"}')


def test_a_blip_is_no_verdict(site: str) -> None:
    assert _get(f"{site}/blip").status == 200


@pytest.mark.parametrize(
    ("path", "times"), [("/health", 1), ("/error", 1), ("/broken", 2), ("/hang-up", 2)]
)
def test_only_what_may_pass_is_asked_again_and_only_once(site: str, path: str, times: int) -> None:
    _get(site + path)

    assert asked == [path] * times


def test_a_site_that_hangs_is_not_asked_again(site: str) -> None:
    with requests.Session() as session:
        session.trust_env = False
        answer = HttpWebsite(session, timeout_seconds=0.2).get(f"{site}/hang")

    assert (answer.status, asked) == (0, ["/hang"])


def test_a_redirect_on_the_same_host_is_followed(site: str) -> None:
    assert _get(f"{site}/moved").status == 200


def test_a_redirect_to_another_host_is_the_answer(site: str) -> None:
    assert _get(f"{site}/away").status == 302


def test_a_circle_of_redirects_ends(site: str) -> None:
    assert _get(f"{site}/circle").status == 302


def test_a_large_body_is_cut_at_64_kib(site: str) -> None:
    assert len(_get(f"{site}/large").body) == 65_536


def test_a_body_that_is_no_text_is_still_an_answer(site: str) -> None:
    assert _get(f"{site}/binary").body == "\ufffd"


def test_a_connection_that_is_hung_up_is_no_answer(site: str) -> None:
    answer = _get(f"{site}/hang-up")

    assert (answer.status, answer.body.partition(":")[0]) == (0, "ConnectionError")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/health",
        "http://[::1/health",
        "http:///health",
        "/health",
        "gopher://127.0.0.1/",
        f"http://{'a' * 70}.invalid/",
    ],
)
def test_an_address_that_cannot_be_reached_is_no_answer(url: str) -> None:
    answer = _get(url)

    assert (answer.url, answer.status) == (url, 0)
    assert answer.body
