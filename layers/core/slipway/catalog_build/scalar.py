"""What a YAML 1.2 scalar stands for, and how a message shows it."""

import re
from collections.abc import Callable
from typing import Final

from pydantic import JsonValue
from ruamel.yaml.events import Event, ScalarEvent

# YAML 1.2.2, section 10.3.2 (core schema), as far as JSON can say it; everything else is text,
# `yes`, `off` and dates included.
_CORE_SCHEMA: Final[tuple[tuple[re.Pattern[str], Callable[[str], JsonValue]], ...]] = (
    (re.compile(r"null|Null|NULL|~"), lambda _: None),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(r"[-+]?[0-9]{1,100}"), int),
    (re.compile(r"0o[0-7]{1,100}|0x[0-9a-fA-F]{1,100}"), lambda text: int(text, 0)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
)


def meaning(event: ScalarEvent) -> JsonValue:
    """The value that a scalar stands for: always text when it is quoted."""
    text: str = event.value
    if event.style is not None:
        return text
    return next((make(text) for form, make in _CORE_SCHEMA if form.fullmatch(text)), text)


def is_nothing(event: Event) -> bool:
    """Whether there is no value at all where one belongs (`approval:` and then the next field)."""
    return isinstance(event, ScalarEvent) and event.style is None and event.value == ""


def is_sound(text: str) -> bool:
    """Whether the text can be written as UTF-8; an escape such as "\\ud800" cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def shown(event: ScalarEvent, value: JsonValue) -> str:
    """The scalar as it is written, in quotes when it is text; long ones shortened."""
    text: str = event.value
    short = text if len(text) <= 40 else f"{text[:37]}..."
    return repr(short) if isinstance(value, str) else short
