"""Downloads of which only so much is read, however large they are."""

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from requests import Session

_CHUNK_BYTES: Final = 256 * 1024


class Download(NamedTuple):
    """An answer; ``content`` is cut after the most that was to be read, and a chunk."""

    status_code: int
    content: bytes


class Downloads:
    """A session that reads no more than ``most`` bytes and a chunk of any answer."""

    def __init__(self, session: "Session", most: int) -> None:
        self._session = session
        self._most = most

    def get(self, url: str, timeout: float) -> Download:
        """The answer to a GET; raises what requests raises."""
        with self._session.get(url, timeout=timeout, stream=True) as response:
            content = b""
            for chunk in response.iter_content(_CHUNK_BYTES):
                content += chunk
                if len(content) > self._most:
                    break
            return Download(response.status_code, content)
