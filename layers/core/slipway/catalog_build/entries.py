"""Reads the catalog's directory and reports every mistake with file, line, column and field."""

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
from slipway.catalog_build.mistakes import CatalogMistakes, Mistake, Path, Place, in_order
from slipway.catalog_build.partial import broken_across, broken_rules
from slipway.catalog_build.suggestions import suggestion
from slipway.domain.catalog import Application, Catalog

_TOP: Final = Place(1, 1)
_UNKNOWN_KIND: Final = ("union_tag_invalid", "union_tag_not_found")


def read_catalog(directory: FilePath) -> Catalog:
    """The catalog in `directory/*.yaml`; raises CatalogMistakes with everything that is wrong."""
    return check_catalog(directory)[0]


def check_catalog(directory: FilePath) -> tuple[Catalog, list[str]]:
    """The catalog, and one line per warning."""
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
    """A catalog file: its document, its mistakes, and its entry when there are none."""

    path: FilePath
    found: Document = field(default_factory=Document)
    entry: Application | None = None
    mistakes: tuple[Mistake, ...] = ()

    @property
    def name(self) -> str:
        return self.path.stem

    def lines(self, more: Sequence[Mistake]) -> list[str]:
        return [one.as_error(str(self.path)) for one in in_order([*self.mistakes, *more])]

    def warnings(self) -> list[str]:
        warnings = doubts(self.entry, self.found) if self.entry else []
        return [one.as_warning(str(self.path)) for one in warnings]


def _across_files(files: Sequence[_File]) -> dict[str, list[Mistake]]:
    """Broken rules about several entries, by the file of the one that is named first."""
    documents = {file.name: file.found for file in files}
    mistakes: dict[str, list[Mistake]] = {}
    for rule in broken_across(documents):
        about, _, sentence = rule.partition(": ")
        _, name, *path = about.split(".")
        place = documents[name].place(tuple(path))
        mistakes.setdefault(name, []).append(Mistake(place, tuple(path), sentence))
    return mistakes


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
    """The entry in a file's bytes, None when it has mistakes, and these by line.

    ``name`` is the file's name without its suffix, which must be the application's.
    """
    return _entry(document.read(raw), name)


def _entry(found: Document, name: str) -> tuple[Application | None, list[Mistake]]:
    entry, mistakes = _validate(found)
    mistakes += [_broken_rule(sentence, path, found) for path, sentence in broken_rules(found)]
    wrong = {mistake.path for mistake in mistakes}
    mistakes += [one for one in rules.mistakes_in(found) if one.path not in wrong]
    if entry:
        mistakes += _too_large(entry, found)
    if ("application",) not in wrong:
        mistakes += _wrong_name(found, name)
    # pydantic and the rules that ran on a part of the file may report the same mistake.
    everything = in_order({*found.mistakes, *mistakes})
    return (None if everything else entry), everything


def _too_large(entry: Application, found: Document) -> Iterator[Mistake]:
    for name, environment in entry.environments.items():
        path = ("environments", name)
        sentence = rules.too_large(name, environment)
        if sentence:
            yield Mistake(found.place(path), path, sentence)


def _wrong_name(found: Document, name: str) -> Iterator[Mistake]:
    application = found.value.get("application") if isinstance(found.value, dict) else None
    if isinstance(application, str) and application != name:
        sentence = f"expected '{name}', the name of the file, got '{application}'"
        yield Mistake(found.place(("application",)), ("application",), sentence)


def _validate(found: Document) -> tuple[Application | None, list[Mistake]]:
    if found.value is None and found.mistakes:
        return None, []
    try:
        # Strict, and as JSON: `timeout_minutes: true` is not 1 and `encrypted: yes` is text, as in
        # the JSON Schema for editors.
        return Application.model_validate_json(json.dumps(found.value), strict=True), []
    except ValidationError as error:
        return None, list(_translate(error, found))


def _translate(error: ValidationError, found: Document) -> Iterator[Mistake]:
    for detail in error.errors(include_url=False):
        loc: Path = detail["loc"]
        path = expectations.in_file(loc)
        if found.is_unread(path) or _is_consequence(detail):
            continue
        if detail["type"] == "value_error":
            for sentence in str(detail["ctx"]["error"]).splitlines():
                yield _broken_rule(sentence, path, found)
        elif detail["type"] == "extra_forbidden":
            yield Mistake(_key_place(path, found), path, _unknown_field(loc))
        elif path[-1:] == ("[key]",):
            yield _bad_name(path[:-1], found)
        elif detail["type"] in _UNKNOWN_KIND:
            kind = (*path, "kind")
            yield Mistake(found.place(kind), kind, _unknown_kind(detail["input"], loc, found))
        else:
            yield Mistake(found.place(path), path, _unexpected(detail, loc, found))


def _is_consequence(detail: Any) -> bool:
    """Whether a list counts as empty only because its one entry is wrong, and reported."""
    return detail["type"] == "too_short" and bool(detail["input"])


def _broken_rule(sentence: str, path: Path, found: Document) -> Mistake:
    """The mistake of a broken rule, whose sentence begins with the field that it is about."""
    about = sentence.split(maxsplit=1)[0].removesuffix(":").split(".")
    return Mistake(found.place((*path, *about)), path, sentence)


def _key_place(path: Path, found: Document) -> Place:
    return found.keys.get(path) or found.place(path)


def _unknown_kind(value: dict[str, Any], loc: Path, found: Document) -> str:
    known = list(expectations.kinds_at(loc))
    got = found.written.get((*expectations.in_file(loc), "kind"), "something else")
    sentence = f"expected {expectations.choice(known)}, got {got}"
    written = value["kind"]
    close = get_close_matches(written, known, n=1) if isinstance(written, str) else []
    return f"{sentence}; did you mean '{close[0]}'?" if close else sentence


def _unknown_field(loc: Path) -> str:
    others = expectations.kinds_with(loc)
    if others:
        return f"only {expectations.choice(others)} has this field; this is of kind '{loc[-2]}'"
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
        return f'; quote it to make it text: "{got}"'
    if isinstance(value, str) and value.isdecimal() and expectations.is_number(loc):
        return "; remove the quotes to make it a number"
    name = suggestion(rules.field_of(loc), value) if isinstance(value, str) else None
    return f"; did you mean '{name}'?" if name else ""
