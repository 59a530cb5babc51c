"""The version that a service reports of itself, in a JSON answer that may be anything."""

import json
from typing import Any, Final

from slipway.domain.text import plain
from slipway.domain.verdict import HttpAnswer

_MISSING: Final = object()
_SHOWN: Final = 100


def wrong_version(answer: HttpAnswer, field: str, version: str) -> str | None:
    """Why the answer's field does not name the version; None when it does.

    ``field`` is a key of the JSON object, or a path of keys with dots (``build.version``).
    """
    if not answer.body:
        return f"answered {answer.status} with an empty body, which has no field '{field}'"
    try:
        document = _document(answer.body)
    except (ValueError, RecursionError):
        kind = f" ({plain(answer.media_type, _SHOWN)})" if answer.media_type else ""
        return f"is not JSON{kind}, so it has no field '{field}'"
    reported = _field_value(document, field)
    if reported is _MISSING:
        return f"has no field '{field}'"
    if not isinstance(reported, str):
        return f"has {_kind(reported)} in the field '{field}', which is not a version"
    if reported != version:
        return f"reports version {plain(reported, _SHOWN)} instead of {version}"
    return None


def _document(body: str) -> Any:
    """The JSON value, its numbers as they are written: 1.10 is not 1.1."""
    return json.loads(
        body.removeprefix("\ufeff"), parse_float=str, parse_int=str, parse_constant=str
    )


def _field_value(value: Any, field: str) -> Any:
    """The value under a key that may itself contain dots, or else under a path of keys."""
    if not isinstance(value, dict):
        return _MISSING
    if field in value:
        return value[field]
    key, dot, rest = field.partition(".")
    return _field_value(value[key], rest) if dot and key in value else _MISSING


def _kind(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return "a list" if isinstance(value, list) else "an object"
