"""Answers of a site that are slow, deep, huge, packed, misdirected or in another alphabet."""

import gzip
import json
import socket
import ssl
import subprocess
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from slipway.adapters.patience import call_within
from slipway.adapters.website import HttpWebsite, may_follow
from slipway.domain.verdict import HttpAnswer, HttpRequest
from slipway.domain.version import VERSION

Reply = Callable[["_Site"], None]
PAGES: dict[str, Reply] = {}


class _Site(BaseHTTPRequestHandler):
    seen: list[dict[str, str]] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.seen.append({name.lower(): value for name, value in self.headers.items()})
        with suppress(OSError):
            PAGES[self.path.partition("?")[0]](self)

    def reply(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


def _drip(site: _Site, piece: bytes, *, seconds: float = 0.05, times: int = 2000) -> None:
    for _ in range(times):
        site.wfile.write(piece)
        time.sleep(seconds)


def _slow_body(site: _Site) -> None:
    site.send_response(200)
    site.send_header("Content-Length", "100000")
    site.end_headers()
    _drip(site, b"x")


def _slow_chunks(site: _Site) -> None:
    site.send_response(200)
    site.send_header("Transfer-Encoding", "chunked")
    site.end_headers()
    _drip(site, b"1\r\nx\r\n")


def _slow_headers(site: _Site) -> None:
    site.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _drip(site, b"x")


def _many_headers(site: _Site) -> None:
    site.wfile.write(b"HTTP/1.1 200 OK\r\n")
    _drip(site, b"X-Slow: x\r\n", times=90)


def _slow_circle(site: _Site) -> None:
    time.sleep(0.3)
    site.reply(b"", 302, Location="/slow-circle")


def _endless(site: _Site) -> None:
    site.send_response(200)
    site.end_headers()
    for _ in range(20_000):
        site.wfile.write(b"x" * 8192)


def _bomb(mebibytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(mebibytes)) + packer.flush()


BOMB = _bomb(100)
HEALTH = b'{"version": "1.4.0"}'
SIGN_IN = b"<html>Sign in</html>"
RAW = zlib.compress(HEALTH)[2:-4]
PAGES |= {
    "/health": lambda site: site.reply(HEALTH, Content_Type="application/json"),
    "/slow-body": _slow_body,
    "/slow-chunks": _slow_chunks,
    "/slow-headers": _slow_headers,
    "/many-headers": _many_headers,
    "/slow-circle": _slow_circle,
    "/endless": _endless,
    "/bomb": lambda site: site.reply(BOMB, Content_Encoding="gzip"),
    "/bomb-behind-redirect": lambda site: site.reply(
        BOMB, 302, Content_Encoding="gzip", Location="/health"
    ),
    "/packed": lambda site: site.reply(gzip.compress(HEALTH), Content_Encoding="gzip"),
    "/deflated": lambda site: site.reply(zlib.compress(HEALTH), Content_Encoding="deflate"),
    "/raw-deflated": lambda site: site.reply(RAW, Content_Encoding="deflate"),
    "/not-packed": lambda site: site.reply(HEALTH, Content_Encoding="gzip"),
    "/brotli": lambda site: site.reply(b"\x0b\x02\x80", Content_Encoding="br"),
    "/bom": lambda site: site.reply(b"\xef\xbb\xbf" + HEALTH),
    "/utf-16": lambda site: site.reply(HEALTH.decode().encode("utf-16")),
    "/latin": lambda site: site.reply(
        "Grüße".encode("latin-1"), Content_Type="text/html; charset=ISO-8859-1"
    ),
    "/utf-8": lambda site: site.reply("Grüße".encode(), Content_Type="text/html"),
    "/no-charset": lambda site: site.reply("Grüße".encode(), Content_Type="text/plain; charset=x"),
    "/codec": lambda site: site.reply(b"ok", Content_Type="text/plain; charset=punycode"),
    "/cookie": lambda site: site.reply(b"ok", Set_Cookie="route=old-task; Path=/"),
    "/cookie-moved": lambda site: site.reply(
        b"", 302, Set_Cookie="route=old-task; Path=/", Location="/health"
    ),
    "/moved": lambda site: site.reply(b"", 302, Location="/login?next=/moved"),
    "/login": lambda site: site.reply(SIGN_IN, Content_Type="text/html; charset=utf-8"),
    "/other-port": lambda site: site.reply(b"", 302, Location="http://127.0.0.1:1/health"),
    "/other-host": lambda site: site.reply(b"", 307, Location="//other.example.com/health"),
    "/userinfo": lambda site: site.reply(
        b"", 302, Location=f"http://a:b@{site.headers['Host']}/health"
    ),
    "/to-file": lambda site: site.reply(b"", 302, Location="file:///etc/passwd"),
    "/bad-place": lambda site: site.reply(b"", 302, Location="http://[::1/"),
    "/nowhere": lambda site: site.reply(b"stays", 302),
    "/created": lambda site: site.reply(b"made", 201, Location="/health"),
    "/empty": lambda site: site.reply(b"", 204),
}


@pytest.fixture
def site() -> Iterator[str]:
    _Site.seen.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def website() -> Iterator[HttpWebsite]:
    with requests.Session() as session:
        session.trust_env = False
        yield HttpWebsite(session, timeout_seconds=1)


SLOW = ["/slow-body", "/slow-chunks", "/slow-headers", "/many-headers", "/slow-circle"]


@pytest.mark.parametrize("path", SLOW)
def test_the_whole_of_a_request_has_its_time_however_lively_the_site_is(
    site: str, website: HttpWebsite, path: str
) -> None:
    began = time.monotonic()
    answer = website.get(site + path)

    assert time.monotonic() - began < 2
    assert answer == HttpAnswer(
        url=site + path, status=0, body="TimeoutError: no complete response after 1 seconds"
    )


def test_all_requests_of_a_look_share_one_time_and_what_is_left_over_is_no_answer(
    site: str, website: HttpWebsite
) -> None:
    asked = [HttpRequest(url=f"{site}{path}") for path in ("/health", *SLOW, "/health")]
    began = time.monotonic()
    answers = website.get_all(asked, seconds=2.5)

    assert time.monotonic() - began < 3.5
    assert [answer.url for answer in answers] == [one.url for one in asked]
    assert [answer.status for answer in answers] == [200, 0, 0, 0, 0, 0, 0]
    assert answers[-1].body == "no request was made, because the checks before it took all the time"


def test_a_body_without_end_is_read_as_far_as_64_kib(site: str, website: HttpWebsite) -> None:
    assert len(website.get(f"{site}/endless").body) == 65_536


@pytest.mark.parametrize(("path", "length"), [("/bomb", 65_536), ("/bomb-behind-redirect", 20)])
def test_a_body_that_grows_does_not_grow_here(
    site: str, website: HttpWebsite, path: str, length: int
) -> None:
    website.get(f"{site}/health")
    tracemalloc.start()
    try:
        answer = website.get(site + path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert (answer.status, len(answer.body)) == (200, length)
    assert peak < 4 << 20


@pytest.mark.parametrize(
    "path", ["/health", "/packed", "/deflated", "/raw-deflated", "/bom", "/utf-16"]
)
def test_an_answer_is_read_as_it_is_packed_and_written(
    site: str, website: HttpWebsite, path: str
) -> None:
    assert json.loads(website.get(site + path).body) == {"version": "1.4.0"}


@pytest.mark.parametrize("path", ["/latin", "/utf-8", "/no-charset"])
def test_the_declared_charset_counts_and_otherwise_it_is_utf_8(
    site: str, website: HttpWebsite, path: str
) -> None:
    assert website.get(site + path).body == "Grüße"


def test_a_codec_that_is_no_charset_is_not_used(site: str, website: HttpWebsite) -> None:
    assert website.get(f"{site}/codec").body == "ok"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/not-packed", "error: Error -3 while decompressing data: incorrect header check"),
        ("/brotli", "ValueError: the body has the content encoding br, which was not requested"),
    ],
)
def test_a_body_that_cannot_be_unpacked_is_no_answer(
    site: str, website: HttpWebsite, path: str, why: str
) -> None:
    assert website.get(site + path) == HttpAnswer(url=site + path, status=0, body=why)


def test_every_look_is_that_of_a_new_visitor_with_a_name_of_its_own(
    site: str, website: HttpWebsite
) -> None:
    for path in ("/cookie", "/cookie-moved", "/cookie", "/health"):
        website.get(site + path)

    assert len(_Site.seen) == 5
    for headers in _Site.seen:
        assert "cookie" not in headers
        assert headers["user-agent"] == f"slipway/{VERSION} (+deployment verification)"
        assert headers["cache-control"] == "no-cache"
        assert headers["accept-encoding"] == "identity"


def test_the_version_is_the_projects() -> None:
    project = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")

    assert f'version = "{VERSION}"' in project


def test_an_answer_from_another_page_says_so(site: str, website: HttpWebsite) -> None:
    assert website.get(f"{site}/moved") == HttpAnswer(
        url=f"{site}/moved",
        status=200,
        body="<html>Sign in</html>",
        answered_by=f"{site}/login?next=/moved",
        media_type="text/html",
    )


def test_a_redirect_that_is_expected_is_not_followed(site: str, website: HttpWebsite) -> None:
    (answer,) = website.get_all([HttpRequest(url=f"{site}/moved", follow=False)], seconds=5)

    assert answer == HttpAnswer(
        url=f"{site}/moved", status=302, body="", location=f"{site}/login?next=/moved"
    )
    assert len(_Site.seen) == 1


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("/other-port", 302, "http://127.0.0.1:1/health"),
        ("/other-host", 307, "http://other.example.com/health"),
        ("/to-file", 302, "file:///etc/passwd"),
    ],
)
def test_a_redirect_to_another_host_port_or_scheme_is_the_answer(
    site: str, website: HttpWebsite, path: str, status: int, location: str
) -> None:
    assert website.get(site + path) == HttpAnswer(
        url=site + path, status=status, body="", location=location
    )


def test_a_redirect_with_a_password_is_not_followed(site: str, website: HttpWebsite) -> None:
    assert website.get(f"{site}/userinfo").status == 302


def test_a_redirect_to_a_place_that_is_none_is_no_answer(site: str, website: HttpWebsite) -> None:
    assert website.get(f"{site}/bad-place").status == 0


def test_a_location_that_is_no_redirect_leads_nowhere(site: str, website: HttpWebsite) -> None:
    nowhere, created = website.get(f"{site}/nowhere"), website.get(f"{site}/created")

    assert (nowhere.status, nowhere.body, nowhere.location) == (302, "stays", "")
    assert (created.status, created.body, created.location) == (201, "made", "")


def test_an_empty_answer_is_an_answer(site: str, website: HttpWebsite) -> None:
    assert website.get(f"{site}/empty") == HttpAnswer(url=f"{site}/empty", status=204, body="")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate with its key, for localhost."""
    both = tmp_path / "both.pem"
    command = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "crt")]
    subprocess.run(["openssl", *command.split(), *names, *files], check=True, capture_output=True)
    both.write_text((tmp_path / "key").read_text() + (tmp_path / "crt").read_text())
    return both


@pytest.fixture
def secure_site(certificate: Path) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_https_is_asked_under_the_name_of_its_certificate_only(
    secure_site: int, certificate: Path
) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(certificate)
        website = HttpWebsite(session, timeout_seconds=2)
        right = website.get(f"https://localhost:{secure_site}/health")
        wrong = website.get(f"https://127.0.0.1:{secure_site}/health")

    assert (right.status, right.body) == (200, HEALTH.decode())
    assert (wrong.status, wrong.body.partition(":")[0]) == (0, "SSLError")


@pytest.mark.parametrize(
    ("url", "location", "followed"),
    [
        ("http://n.example.com/a", "https://n.example.com/a", True),
        ("http://n.example.com/a", "https://N.example.com:443/b", True),
        ("https://n.example.com/a", "https://n.example.com:443/b", True),
        ("https://n.example.com/a", "http://n.example.com/a", False),
        ("http://n.example.com:8080/a", "https://n.example.com/a", False),
        ("http://n.example.com/a", "https://n.example.com:8443/a", False),
        ("http://n.example.com/a", "http://n.example.com:8080/a", False),
        ("http://n.example.com/a", "http://n.example.com.evil.example/a", False),
        ("http://n.example.com/a", "http://n.example.com@evil.example/a", False),
        ("http://n.example.com/a", "ftp://n.example.com/a", False),
        ("http://n.example.com/a", "", False),
    ],
)
def test_of_other_places_only_the_step_to_https_is_taken(
    url: str, location: str, followed: bool
) -> None:
    assert may_follow(url, location) is followed


def test_an_address_of_the_sixth_version_is_asked() -> None:
    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6

    try:
        server = Server(("::1", 0), _Site)
    except OSError:
        pytest.skip("this machine has no IPv6")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = HttpWebsite(session, 2).get(f"http://[::1]:{server.server_port}/health")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert answer.status == 200


def test_a_call_within_its_time_answers_or_raises_as_it_would_alone() -> None:
    def fails() -> int:
        raise KeyError("x")

    assert call_within(1, lambda: 7) == 7
    with pytest.raises(KeyError):
        call_within(1, fails)
    with pytest.raises(TimeoutError):
        call_within(0.05, lambda: time.sleep(0.5))
