"""Reads a YAML 1.2 file as JSON values and remembers where each of them stands.

A catalog file says every value once and plainly: anchors, aliases, tags and directives are
refused, so that each line is one field and a reader sees what Slipway sees.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import JsonValue
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from slipway.catalog_build.mistakes import Mistake, Path, Place

_START: Final = Place(1, 1)
_DEEPEST: Final = 16
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


@dataclass
class Document:
    """A file's value with the place (and its name's place) and the wording of each part of it.

    ``unread`` holds the paths whose value could not be taken over; ``value`` is None when the
    file is no YAML at all, and ``mistakes`` then says why.
    """

    value: JsonValue = None
    places: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    written: dict[Path, str] = field(default_factory=dict)
    unread: set[Path] = field(default_factory=set)
    mistakes: list[Mistake] = field(default_factory=list)

    def place(self, path: Path) -> Place:
        """Where the path stands, or the innermost part of it that exists."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, _START)

    def is_unread(self, path: Path) -> bool:
        """Whether the path lies at or below a value that could not be taken over."""
        return any(path[:length] in self.unread for length in range(len(path) + 1))


def read(raw: bytes) -> Document:
    """The document in a file's bytes; never raises for what the bytes hold."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _no_yaml(_place_of(raw[: error.start].decode("utf-8-sig")), "expected UTF-8 text")
    reader = _Reader(text)
    try:
        reader.read()
    except ReaderError as error:
        sentence = f"expected printable text, got the character U+{error.character:04X}"
        return _no_yaml(_place_of(text[: error.position]), sentence)
    except MarkedYAMLError as error:
        reader.give_up(_syntax_mistake(error))
    except (OverflowError, ValueError):
        # What the parser lets through for an escape above the last character, U+10FFFF.
        reader.give_up(Mistake(reader.place, (), "not valid YAML: no such character"))
    except _TooDeep as error:
        reader.give_up(error.mistake)
    return reader.document


def _no_yaml(place: Place, sentence: str) -> Document:
    return Document(mistakes=[Mistake(place, (), sentence)])


def _place_of(before: str) -> Place:
    """The place that follows this text."""
    return Place(before.count("\n") + 1, len(before) - before.rfind("\n"))


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _syntax_mistake(error: MarkedYAMLError) -> Mistake:
    mark = error.problem_mark or error.context_mark
    sentence = f"not valid YAML: {error.problem or error.context}"
    if error.context and error.context_mark is not None:
        sentence += f" {error.context} that begins in line {error.context_mark.line + 1}"
    return Mistake(_place(mark) if mark else _START, (), sentence)


def _scalar(event: ScalarEvent) -> JsonValue:
    """The value that a scalar stands for: text when it is quoted."""
    text: str = event.value
    if not _is_plain(event):
        return text
    return next((make(text) for form, make in _CORE_SCHEMA if form.fullmatch(text)), text)


def _is_plain(event: ScalarEvent) -> bool:
    return event.style is None


def _is_nothing(event: Event) -> bool:
    return isinstance(event, ScalarEvent) and _is_plain(event) and event.value == ""


def _is_sound(text: str) -> bool:
    """Whether the text can be written as UTF-8; an escape such as "\\ud800" cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


class _TooDeep(Exception):
    """Nobody nests this deep on purpose, and the parser's time grows with the square of it."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.mistake = Mistake(place, (), f"expected at most {_DEEPEST} levels, got more")


class _Reader:
    """Walks the parser's events once, depth first."""

    def __init__(self, text: str) -> None:
        self.document = Document()
        self._lines = text.splitlines()
        self._yaml = YAML(typ="safe", pure=True)
        self._events: Iterator[Event] = self._yaml.parse(text)

    @property
    def place(self) -> Place:
        """How far the parser has come."""
        return _place(self._yaml.reader.get_mark())

    def give_up(self, mistake: Mistake) -> None:
        """Keep what is wrong; nothing of the file counts as read."""
        self.document.mistakes.append(mistake)
        self.document.value = None

    def read(self) -> None:
        """Fill the document; raises the parser's errors."""
        for event in self._events:
            if not isinstance(event, DocumentStartEvent):
                continue
            if () in self.document.places:
                self._refuse(_place(event.start_mark), (), "expected one document, got a second")
                return
            if event.version or event.tags:
                self._refuse(_START, (), "expected no % directive")
            self.document.value = self._value(next(self._events), (), None)
        if () not in self.document.places:
            self._refuse(_START, (), "expected a mapping, got an empty file")

    def _value(self, event: Event, path: Path, key: Place | None) -> JsonValue:
        """The value that begins with this event; a mapping or list stands where its key does."""
        here = _place(event.start_mark)
        at_key = isinstance(event, CollectionStartEvent) or _is_nothing(event)
        self.document.places[path] = key if key and at_key else here
        self._refuse_decoration(event, path)
        if len(path) > _DEEPEST:
            raise _TooDeep(here)
        if isinstance(event, MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(path)
        if isinstance(event, ScalarEvent):
            return self._text(event, path)
        self.document.unread.add(path)
        return None

    def _mapping(self, path: Path) -> JsonValue:
        values: dict[str, JsonValue] = {}
        for event in self._until(MappingEndEvent):
            if not isinstance(event, ScalarEvent) or not _is_sound(event.value):
                self._refuse(_place(event.start_mark), path, "expected a name before the colon")
                self._skip(event)
                self._skip(next(self._events))
                continue
            self._entry(event, (*path, event.value), values)
        self.document.written[path] = "a mapping" if values else "an empty mapping"
        return values

    def _entry(self, key: ScalarEvent, path: Path, values: dict[str, JsonValue]) -> None:
        place = _place(key.start_mark)
        self._refuse_decoration(key, path)
        if key.value in values:
            first = self.document.keys[path].line
            self._refuse(place, path, f"given twice; first in line {first}")
            self._skip(next(self._events))
            return
        self.document.keys[path] = place
        values[key.value] = self._value(next(self._events), path, place)

    def _sequence(self, path: Path) -> JsonValue:
        values: list[JsonValue] = []
        for event in self._until(SequenceEndEvent):
            values.append(self._value(event, (*path, len(values)), None))
        self.document.written[path] = "a list" if values else "an empty list"
        return values

    def _text(self, event: ScalarEvent, path: Path) -> JsonValue:
        place = self.document.places[path]
        if _is_nothing(event):
            self.document.unread.add(path)
            self._refuse(place, path, f"expected a value, got nothing ({self._advice(place)})")
            return None
        if not _is_sound(event.value):
            self.document.unread.add(path)
            self._refuse(place, path, "expected text, got half a character (a lone surrogate)")
            return None
        value = _scalar(event)
        self.document.written[path] = _shown(event.value, quoted=isinstance(value, str))
        return value

    def _advice(self, place: Place) -> str:
        comment = "text after # is a comment unless it is in quotes; "
        has_comment = "#" in "".join(self._lines[place.line - 1 : place.line])
        return (comment if has_comment else "") + "write null if nothing is meant"

    def _refuse_decoration(self, event: Event, path: Path) -> None:
        if not isinstance(event, NodeEvent):
            return
        tag = getattr(event, "ctag", None)
        found = {
            f"the alias *{event.anchor}": isinstance(event, AliasEvent),
            f"the anchor &{event.anchor}": event.anchor and not isinstance(event, AliasEvent),
            f"the tag {tag}": tag is not None,
        }
        for what in (what for what, given in found.items() if given):
            sentence = f"expected the value itself, got {what}"
            self._refuse(_place(event.start_mark), path, sentence)

    def _until(self, end: type[CollectionEndEvent]) -> Iterator[Event]:
        while not isinstance(event := next(self._events), end):
            yield event

    def _skip(self, event: Event) -> None:
        """Pass over the rest of the value that begins with this event."""
        depth = _depth(event)
        while depth:
            if depth > _DEEPEST:
                raise _TooDeep(self.place)
            depth += _depth(next(self._events))

    def _refuse(self, place: Place, path: Path, sentence: str) -> None:
        self.document.mistakes.append(Mistake(place, path, sentence))


def _depth(event: Event) -> int:
    return isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)


def _shown(text: str, *, quoted: bool) -> str:
    short = text if len(text) <= 40 else f"{text[:37]}..."
    return repr(short) if quoted else short
