"""Reads a YAML 1.2 file as JSON values and remembers the position of each value.

Anchors, aliases, tags and directives are refused, so that a reader of the file sees the values that
Slipway sees.
"""

import re
from collections.abc import Iterator
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
from slipway.catalog_build.scalar import display, is_nothing, is_sound, meaning

_START: Final = Place(1, 1)
_DEEPEST: Final = 16
_NO_CHARACTER: Final = re.compile(r"\\U(?!0010|000)[0-9a-fA-F]{8}")
# Two messages of the parser that do not say what to do.
_CLEARER: Final = {
    "found character '\\t' that cannot start any token": "indented with a tab; use spaces",
    "mapping values are not allowed here": "unexpected colon; quote text that contains ': ', "
    "and indent the fields of a mapping equally",
}


@dataclass
class Document:
    """A file's value, with the position of each part and of its name, and how it is written.

    ``unread`` holds the paths whose value could not be read; ``value`` is None when the file is
    not YAML at all, and ``mistakes`` then says why.
    """

    value: JsonValue = None
    places: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    written: dict[Path, str] = field(default_factory=dict)
    unread: set[Path] = field(default_factory=set)
    mistakes: list[Mistake] = field(default_factory=list)

    def place(self, path: Path) -> Place:
        """The position of the path, or of the innermost part of it that exists."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, _START)

    def is_unread(self, path: Path) -> bool:
        """Whether the path is at or below a value that could not be read."""
        return any(path[:length] in self.unread for length in range(len(path) + 1))


def read(raw: bytes) -> Document:
    """Parse a file's bytes; whatever is in them, it does not raise."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _not_yaml(_place_of(raw[: error.start].decode("utf-8-sig")), "expected UTF-8 text")
    reader = _Reader(text)
    try:
        reader.read()
    except ReaderError as error:
        sentence = f"expected printable text, got the character U+{error.character:04X}"
        return _not_yaml(_place_of(text[: error.position]), sentence)
    except MarkedYAMLError as error:
        reader.give_up(_syntax_mistake(error))
    except (OverflowError, ValueError):
        # The parser's chr() fails on an escape beyond U+10FFFF.
        found = _NO_CHARACTER.search(text)
        place = _place_of(text[: found.start()]) if found else _START
        reader.give_up(Mistake(place, (), "not valid YAML: no such Unicode character"))
    except _TooDeep as error:
        reader.give_up(error.mistake)
    return reader.document


def _not_yaml(place: Place, sentence: str) -> Document:
    return Document(mistakes=[Mistake(place, (), sentence)])


def _place_of(before: str) -> Place:
    """The position after this text."""
    return Place(before.count("\n") + 1, len(before) - before.rfind("\n"))


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _syntax_mistake(error: MarkedYAMLError) -> Mistake:
    mark = error.problem_mark or error.context_mark
    problem = error.problem or error.context
    sentence = f"not valid YAML: {_CLEARER.get(problem, problem)}"
    if error.context and error.context_mark is not None:
        sentence += f" {error.context} that begins on line {error.context_mark.line + 1}"
    return Mistake(_place(mark) if mark else _START, (), sentence)


class _TooDeep(Exception):
    """Nobody nests this deeply on purpose, and the parser's time grows quadratically with it."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.mistake = Mistake(place, (), f"expected at most {_DEEPEST} levels, got more")


class _Reader:
    """Walks the parser's events once, depth first."""

    def __init__(self, text: str) -> None:
        self.document = Document()
        self._lines = text.splitlines()
        self._events: Iterator[Event] = YAML(typ="safe", pure=True).parse(text)

    def give_up(self, mistake: Mistake) -> None:
        """Add the mistake; nothing of the file counts as read."""
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
        """The value that begins with this event; a mapping or list has the position of its key."""
        here = _place(event.start_mark)
        at_key = isinstance(event, CollectionStartEvent) or is_nothing(event)
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
            if not isinstance(event, ScalarEvent) or not is_sound(event.value):
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
            self._refuse(place, path, f"given twice; first on line {first}")
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
        if is_nothing(event):
            self.document.unread.add(path)
            self._refuse(place, path, f"expected a value, got nothing ({self._advice(place)})")
            return None
        if not is_sound(event.value):
            self.document.unread.add(path)
            self._refuse(place, path, "expected text, got a lone surrogate")
            return None
        value = meaning(event)
        self.document.written[path] = display(event, value)
        return value

    def _advice(self, place: Place) -> str:
        comment = "text after # is a comment unless quoted; "
        has_comment = "#" in "".join(self._lines[place.line - 1 : place.line])
        return (comment if has_comment else "") + "write null for no value"

    def _refuse_decoration(self, event: Event, path: Path) -> None:
        for what in _decorations(event):
            sentence = f"expected the value itself, got {what}"
            self._refuse(_place(event.start_mark), path, sentence)

    def _until(self, end: type[CollectionEndEvent]) -> Iterator[Event]:
        while not isinstance(event := next(self._events), end):
            yield event

    def _skip(self, event: Event) -> None:
        """Skip the rest of the value that begins with this event."""
        depth = _depth(event)
        while depth:
            inner = next(self._events)
            depth += _depth(inner)
            if depth > _DEEPEST:
                raise _TooDeep(_place(inner.start_mark))

    def _refuse(self, place: Place, path: Path, sentence: str) -> None:
        self.document.mistakes.append(Mistake(place, path, sentence))


def _decorations(event: Event) -> Iterator[str]:
    if isinstance(event, AliasEvent):
        yield f"the alias *{event.anchor}"
    elif isinstance(event, NodeEvent) and event.anchor:
        yield f"the anchor &{event.anchor}"
    if (tag := getattr(event, "ctag", None)) is not None:
        yield f"the tag {tag}"


def _depth(event: Event) -> int:
    return isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
