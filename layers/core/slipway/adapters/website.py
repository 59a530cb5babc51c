"""The deployed service, seen from outside."""

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from requests.exceptions import ReadTimeout
from urllib3.exceptions import HTTPError

from slipway.domain.verdict import HttpAnswer

if TYPE_CHECKING:
    from requests import Response, Session

PERMISSIONS: Final = ()

_BODY_BYTES: Final = 64 * 1024
_CHUNK_BYTES: Final = 8 * 1024
_REDIRECTS: Final = 5
_CONNECT_SECONDS: Final = 2
_NOT_NOW: Final = (0, 429, 502, 503, 504)


class HttpWebsite:
    """Plain GET requests that follow redirects on the same host only."""

    def __init__(self, session: "Session", timeout_seconds: float) -> None:
        self._session = session
        self._timeout_seconds = timeout_seconds

    def get(self, url: str) -> HttpAnswer:
        """The answer to a GET; an unreachable address is one with status 0. 64 KiB of body at most.

        Where nobody answers, or a balancer says "not now", it is asked once more: a lost packet is
        no verdict about a release. A site that hangs is not: that takes the whole patience.
        """
        try:
            answer = self._asked(url)
            return self._asked(url) if answer.status in _NOT_NOW else answer
        except ReadTimeout as hung:
            return _nobody(url, hung)

    def _asked(self, url: str) -> HttpAnswer:
        try:
            with self._followed(url) as response:
                return HttpAnswer(url=url, status=response.status_code, body=_body(response))
        except ReadTimeout:
            raise
        # What requests raises is an OSError; a URL that cannot be one is a ValueError.
        except (OSError, ValueError, HTTPError) as error:
            return _nobody(url, error)

    def _followed(self, url: str) -> "Response":
        response = self._get(url)
        for _ in range(_REDIRECTS):
            following = response.next
            if following is None or not _same_host(url, following.url or ""):
                break
            response.close()
            response = self._get(following.url or "")
        return response

    def _get(self, url: str) -> "Response":
        return self._session.get(
            url,
            timeout=(_CONNECT_SECONDS, self._timeout_seconds),
            allow_redirects=False,
            stream=True,
        )


def _nobody(url: str, error: Exception) -> HttpAnswer:
    return HttpAnswer(url=url, status=0, body=f"{type(error).__name__}: {error}")


def _same_host(url: str, other: str) -> bool:
    return urlsplit(url).hostname == urlsplit(other).hostname


def _body(response: "Response") -> str:
    body = b""
    for chunk in response.iter_content(_CHUNK_BYTES):
        body += chunk
        if len(body) >= _BODY_BYTES:
            break
    return body[:_BODY_BYTES].decode(errors="replace")
