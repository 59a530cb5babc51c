"""Decodes the body of an HTTP response, whatever its headers claim."""

import codecs
import zlib
from email.message import Message
from typing import Final

_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Python's own codecs, which no site means; some take quadratic time.
_NOT_CHARSETS: Final = frozenset(
    {"idna", "punycode", "raw-unicode-escape", "unicode-escape", "utf-7", "mbcs", "oem"}
)
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_RAW_DEFLATE: Final = -zlib.MAX_WBITS


def text_of(body: bytes, encoding: str, content_type: str, most: int) -> str:
    """The body as text of at most ``most`` bytes; ValueError for an unknown content encoding.

    A byte-order mark takes precedence over the declared charset; the default is UTF-8.
    """
    raw = _decompress(body, encoding.strip().lower(), most)[:most]
    for mark, name in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return raw.decode(name, errors="replace")
    return raw.decode(_charset(content_type), errors="replace")


def _decompress(body: bytes, encoding: str, most: int) -> bytes:
    """Decompress up to ``most`` bytes: some servers compress although we ask them not to."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise ValueError(
            f"the body has the content encoding {encoding[:40]}, which was not requested"
        )
    try:
        return zlib.decompressobj(_GZIP_OR_ZLIB).decompress(body, most)
    except zlib.error:
        if encoding != "deflate":
            raise
        return zlib.decompressobj(_RAW_DEFLATE).decompress(body, most)


def _charset(content_type: str) -> str:
    header = Message()
    header["Content-Type"] = content_type[:200].replace("\n", " ").replace("\r", " ")
    declared = str(header.get_content_charset() or "utf-8")
    try:
        name = codecs.lookup(declared).name
        "".encode(name)
    except (LookupError, ValueError):
        return "utf-8"
    return "utf-8" if name in _NOT_CHARSETS else name
