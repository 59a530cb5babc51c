"""Reads the catalog's directory; every mistake is told with file, line, column and field."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path as FilePath
from typing import Any, Final

from pydantic import ValidationError

from slipway.catalog_build import document, expectations, rules
from slipway.catalog_build.document import Document
from slipway.catalog_build.doubts import doubts
from slipway.catalog_build.meant import meant
from slipway.catalog_build.mistakes import CatalogMistakes, Mistake, Path, Place, in_order
from slipway.catalog_build.partial import broken_across, broken_rules
from slipway.domain.catalog import Application, Catalog

_TOP: Final = Place(1, 1)
_NO_SUCH_KIND: Final = ("union_tag_invalid", "union_tag_not_found")


def read_catalog(directory: FilePath) -> Catalog:
    """The catalog in `directory/*.yaml`; raises CatalogMistakes with all that is wrong in it."""
    return checked_catalog(directory)[0]


def checked_catalog(directory: FilePath) -> tuple[Catalog, list[str]]:
    """The catalog, and a line for everything in it that is rarely meant."""
    files = [_read_file(file) for file in _files(directory)]
    across = _across_files(files)
    lines = [line for file in files for line in file.lines(across.get(file.name, []))]
    if lines:
        raise CatalogMistakes(lines)
    entries = [file.entry for file in files if file.entry]
    catalog = Catalog(applications={entry.application: entry for entry in entries})
    return catalog, [line for file in files for line in file.warnings()]


@dataclass(frozen=True)
class _File:
    """A catalog file: its document, its entry when nothing is wrong in it, and what is."""

    path: FilePath
    found: Document = field(default_factory=Document)
    entry: Application | None = None
    mistakes: tuple[Mistake, ...] = ()

    @property
    def name(self) -> str:
        return self.path.stem

    def lines(self, more: Sequence[Mistake]) -> list[str]:
        return [one.told(str(self.path)) for one in in_order([*self.mistakes, *more])]

    def warnings(self) -> list[str]:
        told = doubts(self.entry, self.found) if self.entry else []
        return [one.warned(str(self.path)) for one in told]


def _across_files(files: Sequence[_File]) -> dict[str, list[Mistake]]:
    """Broken rules about several entries, by the file of the one that the sentence begins with."""
    documents = {file.name: file.found for file in files}
    told: dict[str, list[Mistake]] = {}
    for rule in broken_across(documents):
        about, _, sentence = rule.partition(": ")
        _, name, *path = about.split(".")
        place = documents[name].place(tuple(path))
        told.setdefault(name, []).append(Mistake(place, tuple(path), sentence))
    return told


def _files(directory: FilePath) -> Sequence[FilePath]:
    try:
        found = sorted(file for file in directory.iterdir() if not file.name.startswith("."))
    except OSError as error:
        raise CatalogMistakes([f"{directory}: cannot be read: {error.strerror}"]) from error
    files = [file for file in found if file.suffix.lower() in {".yaml", ".yml"}]
    if not files:
        raise CatalogMistakes([f"{directory}: expected at least one <application>.yaml, got none"])
    return files


def _read_file(file: FilePath) -> _File:
    try:
        raw = file.read_bytes()
    except OSError as error:
        return _File(file, mistakes=(Mistake(_TOP, (), f"cannot be read: {error.strerror}"),))
    found = document.read(raw)
    entry, mistakes = _entry(found, file.stem)
    if file.suffix != ".yaml":
        sentence = f"expected the file name {file.stem}.yaml, got {file.name}"
        mistakes = [Mistake(_TOP, (), sentence), *mistakes]
    return _File(file, found, entry, tuple(mistakes))


def read_entry(raw: bytes, name: str) -> tuple[Application | None, list[Mistake]]:
    """The entry in a file's bytes and its mistakes, by line; None when there are any.

    ``name`` is the file's name without its ending, which must be the application's.
    """
    return _entry(document.read(raw), name)


def _entry(found: Document, name: str) -> tuple[Application | None, list[Mistake]]:
    entry, mistakes = _validated(found)
    mistakes += [_broken_rule(sentence, path, found) for path, sentence in broken_rules(found)]
    wrong = {mistake.path for mistake in mistakes}
    mistakes += [one for one in rules.broken(found) if one.path not in wrong]
    if entry:
        mistakes += _too_large(entry, found)
    if ("application",) not in wrong:
        mistakes += _named_otherwise(found, name)
    # pydantic and the rules asked of what could be read may tell the same.
    told = in_order({*found.mistakes, *mistakes})
    return (None if told else entry), told


def _too_large(entry: Application, found: Document) -> Iterator[Mistake]:
    for name, environment in entry.environments.items():
        path = ("environments", name)
        sentence = rules.too_large(name, environment)
        if sentence:
            yield Mistake(found.place(path), path, sentence)


def _named_otherwise(found: Document, name: str) -> Iterator[Mistake]:
    application = found.value.get("application") if isinstance(found.value, dict) else None
    if isinstance(application, str) and application != name:
        sentence = f"expected '{name}' as the file is named, got '{application}'"
        yield Mistake(found.place(("application",)), ("application",), sentence)


def _validated(found: Document) -> tuple[Application | None, list[Mistake]]:
    if found.value is None and found.mistakes:
        return None, []
    try:
        # Strict, and as JSON: `timeout_minutes: true` is not 1 and `encrypted: yes` is text, just
        # as the JSON Schema tells an editor.
        return Application.model_validate_json(json.dumps(found.value), strict=True), []
    except ValidationError as error:
        return None, list(_translated(error, found))


def _translated(error: ValidationError, found: Document) -> Iterator[Mistake]:
    for detail in error.errors(include_url=False):
        loc: Path = detail["loc"]
        path = expectations.in_file(loc)
        if found.is_unread(path) or _only_follows(detail):
            continue
        if detail["type"] == "value_error":
            for sentence in str(detail["ctx"]["error"]).splitlines():
                yield _broken_rule(sentence, path, found)
        elif detail["type"] == "extra_forbidden":
            yield Mistake(_key_place(path, found), path, _unknown(loc))
        elif path[-1:] == ("[key]",):
            yield _bad_name(path[:-1], found)
        elif detail["type"] in _NO_SUCH_KIND:
            kind = (*path, "kind")
            yield Mistake(found.place(kind), kind, _no_such_kind(detail["input"], loc, found))
        else:
            yield Mistake(found.place(path), path, _unexpected(detail, loc, found))


def _only_follows(detail: Any) -> bool:
    """Whether a list counts as empty only because its one entry is wrong, which is told itself."""
    return detail["type"] == "too_short" and bool(detail["input"])


def _broken_rule(sentence: str, path: Path, found: Document) -> Mistake:
    """A rule's sentence begins with the field that it is about: that is where the reader looks."""
    about = sentence.split(maxsplit=1)[0].removesuffix(":").split(".")
    return Mistake(found.place((*path, *about)), path, sentence)


def _key_place(path: Path, found: Document) -> Place:
    return found.keys.get(path) or found.place(path)


def _no_such_kind(value: dict[str, Any], loc: Path, found: Document) -> str:
    known = list(expectations.kinds_at(loc))
    got = found.written.get((*expectations.in_file(loc), "kind"), "something else")
    sentence = f"expected {expectations.choice(known)}, got {got}"
    written = value["kind"]
    close = get_close_matches(written, known, n=1) if isinstance(written, str) else []
    return f"{sentence}; did you mean '{close[0]}'?" if close else sentence


def _unknown(loc: Path) -> str:
    others = expectations.kinds_with(loc)
    if others:
        return f"a field of kind {expectations.choice(others)}, and this is of kind '{loc[-2]}'"
    known = expectations.fields(loc[:-1])
    close = get_close_matches(str(loc[-1]), known, n=1)
    if close:
        return f"unknown field; did you mean '{close[0]}'?"
    return f"unknown field; expected one of {', '.join(known)}"


def _bad_name(path: Path, found: Document) -> Mistake:
    wanted = expectations.expected_name(path[:-1])
    return Mistake(_key_place(path, found), path, f"expected a name of {wanted}")


def _unexpected(detail: Any, loc: Path, found: Document) -> str:
    wanted = expectations.expected(loc)
    if detail["type"] == "missing":
        return f"missing; expected {wanted}"
    got = found.written.get(expectations.in_file(loc), "something else")
    return f"expected {wanted}, got {got}{_advice(detail['input'], loc, got)}"


def _advice(value: object, loc: Path, got: str) -> str:
    if isinstance(value, bool | int | float) and expectations.is_text(loc):
        return f'; in quotes it is text: "{got}"'
    if isinstance(value, str) and value.isdecimal() and expectations.is_number(loc):
        return "; without quotes it is a number"
    name = meant(rules.field_of(loc), value) if isinstance(value, str) else None
    return f"; did you mean '{name}'?" if name else ""
