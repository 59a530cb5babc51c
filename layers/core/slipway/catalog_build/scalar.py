"""The value of a YAML 1.2 scalar, and how a message displays it."""

import re
from collections.abc import Callable
from typing import Final

from pydantic import JsonValue
from ruamel.yaml.events import Event, ScalarEvent

# YAML 1.2.2, section 10.3.2 (core schema), as far as JSON can express it; everything else is
# text, including `yes`, `off` and dates.
_CORE_SCHEMA: Final[tuple[tuple[re.Pattern[str], Callable[[str], JsonValue]], ...]] = (
    (re.compile(r"null|Null|NULL|~"), lambda _: None),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(r"[-+]?[0-9]{1,100}"), int),
    (re.compile(r"0o[0-7]{1,100}|0x[0-9a-fA-F]{1,100}"), lambda text: int(text, 0)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
)


def meaning(event: ScalarEvent) -> JsonValue:
    """The value of a scalar; always text when it is quoted."""
    text: str = event.value
    if event.style is not None:
        return text
    return next((make(text) for form, make in _CORE_SCHEMA if form.fullmatch(text)), text)


def is_nothing(event: Event) -> bool:
    """Whether a value is missing altogether (`approval:` and then the next field)."""
    return isinstance(event, ScalarEvent) and event.style is None and event.value == ""


def is_sound(text: str) -> bool:
    """Whether the text can be encoded as UTF-8; an escape such as "\\ud800" cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def display(event: ScalarEvent, value: JsonValue) -> str:
    """The scalar as written, in quotes when it is text; long ones are shortened."""
    text: str = event.value
    short = text if len(text) <= 40 else f"{text[:37]}..."
    return repr(short) if isinstance(value, str) else short
