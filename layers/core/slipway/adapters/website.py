"""HTTP checks of the deployed service, like the first request of a new visitor."""

import time
import zlib
from collections.abc import Sequence
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from requests.exceptions import ReadTimeout
from urllib3.exceptions import HTTPError, ReadTimeoutError

from slipway.adapters.patience import call_within
from slipway.adapters.web_text import text_of
from slipway.domain.routing import DEFAULT_PORTS
from slipway.domain.text import plain
from slipway.domain.verdict import HttpAnswer, HttpRequest
from slipway.domain.version import VERSION

if TYPE_CHECKING:
    from requests import Response, Session

PERMISSIONS: Final = ()

_BODY_BYTES: Final = 64 * 1024
_CHUNK_BYTES: Final = 8 * 1024
_MOST_REDIRECTS: Final = 5
_CONNECT_SECONDS: Final = 2
_RETRIED: Final = (0, 429, 502, 503, 504)
_REDIRECT_STATUSES: Final = (301, 302, 303, 307, 308)
_HEADERS: Final = {
    # A fixed name, so that a firewall can allow it.
    "User-Agent": f"slipway/{VERSION} (+deployment verification)",
    "Cache-Control": "no-cache",
    # An uncompressed body cannot be a decompression bomb.
    "Accept-Encoding": "identity",
}


class HttpWebsite:
    """GET requests without cookies that follow redirects on the same host only.

    ``timeout_seconds`` bounds one whole request, from name resolution to the end of the body.
    """

    def __init__(self, session: "Session", timeout_seconds: float) -> None:
        self._session = session
        self._timeout_seconds = timeout_seconds
        # A stickiness cookie would pin every check to one task, perhaps an old one.
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))

    def get_all(self, requests: Sequence[HttpRequest], seconds: float) -> tuple[HttpAnswer, ...]:
        """An answer to each, in their order, all call_within so many seconds; see ``get``.

        A request that no time was left for has an answer with status 0.
        """
        end = time.monotonic() + seconds
        return tuple(self._get_in_time(one, end - time.monotonic()) for one in requests)

    def _get_in_time(self, request: HttpRequest, left: float) -> HttpAnswer:
        if left <= 0:
            late = "no request was made, because the checks before it took all the time"
            return HttpAnswer(url=request.url, status=0, body=late)
        return self.get(request.url, follow=request.follow, seconds=left)

    def get(self, url: str, *, follow: bool = True, seconds: float = 60.0) -> HttpAnswer:
        """The answer to a GET, with at most 64 KiB of body; status 0 when nothing answered.

        When nothing answers, or the load balancer returns 429, 502, 503 or 504, it tries once more:
        a lost packet says nothing about a release. A site that hangs has used up the time.
        """
        end = time.monotonic() + seconds
        try:
            answer = self._try(url, follow, seconds)
            left = end - time.monotonic()
            again = answer.status in _RETRIED and left > 0
            return self._try(url, follow, left) if again else answer
        except TimeoutError as hung:
            return _no_answer(url, hung)

    def _try(self, url: str, follow: bool, left: float) -> HttpAnswer:
        seconds = min(self._timeout_seconds, left)
        try:
            return call_within(
                seconds, lambda: self._follow(url, follow, time.monotonic() + seconds)
            )
        except (TimeoutError, ReadTimeout, ReadTimeoutError):
            raise TimeoutError(f"no complete response after {seconds:g} seconds") from None
        # requests raises subclasses of OSError, and ValueError for an invalid URL.
        except (OSError, ValueError, HTTPError, zlib.error) as error:
            return _no_answer(url, error)

    def _follow(self, url: str, follow: bool, end: float) -> HttpAnswer:
        place, (response, location) = url, self._get(url)
        for _ in range(_MOST_REDIRECTS):
            if not (follow and may_follow(place, location) and time.monotonic() < end):
                break
            response.close()
            place = location
            response, location = self._get(place)
        with response:
            return HttpAnswer(
                url=url,
                status=response.status_code,
                body=_body(response, end),
                answered_by="" if place == url else place,
                location=location,
                media_type=response.headers.get("Content-Type", "").partition(";")[0].strip(),
            )

    def _get(self, url: str) -> "tuple[Response, str]":
        """The response with its body unread, and where it redirects to."""
        locations: list[str] = []

        def keep_location(response: "Response", **_: Any) -> None:
            # Without a Location header, requests does not read the body of a redirect.
            locations.append(response.headers.pop("Location", ""))

        response = self._session.get(
            url,
            headers=_HEADERS,
            timeout=(_CONNECT_SECONDS, self._timeout_seconds),
            allow_redirects=False,
            stream=True,
            hooks={"response": keep_location},
        )
        location = locations[-1] if locations and response.status_code in _REDIRECT_STATUSES else ""
        return response, urljoin(url, _as_utf8(location)) if location else ""


def _no_answer(url: str, error: Exception) -> HttpAnswer:
    return HttpAnswer(url=url, status=0, body=plain(f"{type(error).__name__}: {error}"))


def _as_utf8(location: str) -> str:
    """http.client decodes headers as Latin-1; servers send UTF-8."""
    return location.encode("latin-1").decode("utf-8", errors="replace")


def may_follow(url: str, location: str) -> bool:
    """Same host, and same scheme and port, or the upgrade from HTTP to HTTPS."""
    if not location:
        return False
    here, there = urlsplit(url), urlsplit(location)
    if here.hostname != there.hostname or "@" in there.netloc:
        return False
    before, after = _origin(here.scheme, here.port), _origin(there.scheme, there.port)
    return before == after or (before, after) == (("HTTP", 80), ("HTTPS", 443))


def _origin(scheme: str, port: int | None) -> tuple[str, int | None]:
    return scheme.upper(), port or DEFAULT_PORTS.get(scheme.upper())


def _body(response: "Response", end: float) -> str:
    body = b""
    while len(body) < _BODY_BYTES:
        # read1 returns what has arrived; read would wait for the whole chunk.
        chunk = response.raw.read1(_CHUNK_BYTES, decode_content=False)
        if not chunk:
            break
        body += chunk
        if time.monotonic() >= end:
            raise TimeoutError("the body did not end in time")
    encoding = response.headers.get("Content-Encoding", "")
    return text_of(body, encoding, response.headers.get("Content-Type", ""), _BODY_BYTES)
