"""HTTP downloads with a bound on how much is read."""

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from requests import Session

_CHUNK_BYTES: Final = 256 * 1024


class Download(NamedTuple):
    """A response; ``content`` is cut off at the first chunk beyond the limit."""

    status_code: int
    content: bytes


class Downloads:
    """A session that stops reading a response at the first chunk beyond ``most`` bytes."""

    def __init__(self, session: "Session", most: int) -> None:
        self._session = session
        self._most = most

    def get(self, url: str, timeout: float) -> Download:
        """The response to a GET; raises what requests raises."""
        with self._session.get(url, timeout=timeout, stream=True) as response:
            content = b""
            for chunk in response.iter_content(_CHUNK_BYTES):
                content += chunk
                if len(content) > self._most:
                    break
            return Download(response.status_code, content)
