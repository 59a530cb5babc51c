"""Reads the catalog's directory; every mistake is told with file, line, column and field."""

import json
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from slipway.catalog_build import document, expectations
from slipway.catalog_build.document import Document
from slipway.catalog_build.mistakes import CatalogMistakes, Mistake, Path, Place, in_order
from slipway.domain.catalog import Application, Catalog


def read_catalog(directory: FilePath) -> Catalog:
    """The catalog in `directory/*.yaml`; raises CatalogMistakes with all that is wrong in it."""
    applications: dict[str, Application] = {}
    lines: list[str] = []
    for file in _files(directory):
        entry, mistakes = _read_file(file)
        lines += [mistake.told(str(file)) for mistake in mistakes]
        if entry:
            applications[entry.application] = entry
    if lines:
        raise CatalogMistakes(lines)
    try:
        return Catalog(applications=applications)
    except ValidationError as error:
        details = error.errors(include_url=False)
        rules = [str(detail["ctx"]["error"]) for detail in details]
        raise CatalogMistakes([_across_files(rule, directory) for rule in rules]) from error


def _across_files(rule: str, directory: FilePath) -> str:
    """A rule about several entries is told in the file of the one that its sentence begins with."""
    about, _, sentence = rule.partition(": ")
    _, application, *path = about.split(".")
    file = directory / f"{application}.yaml"
    place = document.read(file.read_bytes()).place(tuple(path))
    return Mistake(place, tuple(path), sentence).told(str(file))


def _files(directory: FilePath) -> Sequence[FilePath]:
    try:
        found = sorted(file for file in directory.iterdir() if not file.name.startswith("."))
    except OSError as error:
        raise CatalogMistakes([f"{directory}: cannot be read: {error.strerror}"]) from error
    files = [file for file in found if file.suffix.lower() in {".yaml", ".yml"}]
    if not files:
        raise CatalogMistakes([f"{directory}: expected at least one <application>.yaml, got none"])
    return files


def _read_file(file: FilePath) -> tuple[Application | None, list[Mistake]]:
    try:
        raw = file.read_bytes()
    except OSError as error:
        return None, [Mistake(Place(1, 1), (), f"cannot be read: {error.strerror}")]
    entry, mistakes = read_entry(raw, file.stem)
    if file.suffix != ".yaml":
        sentence = f"expected the file name {file.stem}.yaml, got {file.name}"
        mistakes = [Mistake(Place(1, 1), (), sentence), *mistakes]
    return entry, mistakes


def read_entry(raw: bytes, name: str) -> tuple[Application | None, list[Mistake]]:
    """The entry in a file's bytes and its mistakes, by line; None when there are any.

    ``name`` is the file's name without its ending, which must be the application's.
    """
    found = document.read(raw)
    entry, mistakes = _validated(found)
    if entry and entry.application != name:
        sentence = f"expected '{name}' as the file is named, got '{entry.application}'"
        mistakes = [Mistake(found.place(("application",)), ("application",), sentence)]
    mistakes = in_order([*found.mistakes, *mistakes])
    return (None if mistakes else entry), mistakes


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
        path: Path = detail["loc"]
        if found.is_unread(path) or _only_follows(detail):
            continue
        if detail["type"] == "value_error":
            yield _broken_rule(detail["ctx"]["error"], path, found)
        elif detail["type"] == "extra_forbidden":
            yield Mistake(_key_place(path, found), path, _unknown(path))
        elif path[-1:] == ("[key]",):
            yield _bad_name(path[:-1], found)
        else:
            yield Mistake(found.place(path), path, _unexpected(detail, path, found))


def _only_follows(detail: Any) -> bool:
    """Whether a list counts as empty only because its one entry is wrong, which is told itself."""
    return detail["type"] == "too_short" and bool(detail["input"])


def _broken_rule(error: Any, path: Path, found: Document) -> Mistake:
    """A rule's sentence begins with the field that it is about: that is where the reader looks."""
    sentence = str(error)
    about = sentence.split(maxsplit=1)[0].removesuffix(":").split(".")
    return Mistake(found.place((*path, *about)), path, sentence)


def _key_place(path: Path, found: Document) -> Place:
    return found.keys.get(path) or found.place(path)


def _unknown(path: Path) -> str:
    known = expectations.fields(path[:-1])
    close = get_close_matches(str(path[-1]), known, n=1)
    if close:
        return f"unknown field; did you mean '{close[0]}'?"
    return f"unknown field; expected one of {', '.join(known)}"


def _bad_name(path: Path, found: Document) -> Mistake:
    wanted = expectations.expected_name(path[:-1])
    return Mistake(_key_place(path, found), path, f"expected a name of {wanted}")


def _unexpected(detail: Any, path: Path, found: Document) -> str:
    wanted = expectations.expected(path)
    if detail["type"] == "missing":
        return f"missing; expected {wanted}"
    got = found.written.get(path, "something else")
    return f"expected {wanted}, got {got}{_advice(detail['input'], path, got)}"


def _advice(value: object, path: Path, got: str) -> str:
    if isinstance(value, bool | int | float) and expectations.is_text(path):
        return f'; in quotes it is text: "{got}"'
    if isinstance(value, str) and value.isdecimal() and expectations.is_number(path):
        return "; without quotes it is a number"
    return ""
