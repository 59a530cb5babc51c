"""Rules for catalog files beyond what the models check.

Stored plans contain parts of older catalogs, so the models must keep accepting what they accepted.
These rules run only when a catalog is compiled.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from slipway.catalog_build.document import Document
from slipway.catalog_build.lookalikes import outline, scripts
from slipway.catalog_build.mistakes import Mistake, Path
from slipway.catalog_build.suggestions import last_of_arn, names_a_registry, suggestion
from slipway.domain.catalog import Environment

# Of one environment; every deployment's record contains a copy.
MOST_BYTES: Final = 16_384
MOST_ENTRIES: Final = 50
MOST_CHARACTERS: Final = 300
# Fields with limits of their own.
ENTRIES: Final = {"checks": 20, "environments": 50}
CHARACTERS: Final = {
    "alarms": 255,
    "approvers": 100,
    "command": 1_000,
    "contains": 1_000,
    "downgrade": 1_000,
    "path": 1_000,
    "slack_channel": 80,
}
# Kinds that the models describe but that cannot be deployed yet, with the reason.
UNSUPPORTED: Final = {
    ("strategy", "blue_green"): "Slipway does not track traffic shifts between target groups yet"
}
_WITHOUT_DUPLICATES: Final = ("tags", "alarms", "checks", "approvers")


def mistakes_in(found: Document) -> list[Mistake]:
    """Every violation of these rules in the file."""
    mistakes: list[Mistake] = []
    for path, value in _values(found.value, ()):
        sentences = [*_too_long(path, value), *_misnamed(path, value), *_unsupported(path, value)]
        if isinstance(value, list):
            sentences += [*_duplicates(path, value, found), *_contradictions(path, value, found)]
        mistakes += [Mistake(found.place(at), at, sentence) for at, sentence in sentences]
    return mistakes


def too_large(name: str, environment: Environment) -> str | None:
    """The sentence for an environment that is too large, or None."""
    taken = len(environment.model_dump_json().encode())
    if taken <= MOST_BYTES:
        return None
    return (
        f"takes {taken} bytes, and the record of every deployment keeps a copy; expected at most "
        f"{MOST_BYTES}: shorten the commands or lists of '{name}'"
    )


def _values(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every value of a file with its path."""
    yield path, value
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for step, inner in pairs:
            yield from _values(inner, (*path, step))


def field_of(path: Path) -> str:
    """The last name of a path: 'tags' for `push.tags[0]`."""
    return next((str(step) for step in reversed(path) if isinstance(step, str)), "")


def _too_long(path: Path, value: Any) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        most = CHARACTERS.get(field_of(path), MOST_CHARACTERS)
        if len(value) > most:
            yield path, f"expected at most {most} characters, got {len(value)}"
    elif isinstance(value, list | dict):
        most = ENTRIES.get(field_of(path), MOST_ENTRIES)
        if len(value) > most:
            yield path, f"expected at most {most} entries, got {len(value)}"


def _misnamed(path: Path, value: Any) -> Iterator[tuple[Path, str]]:
    if not isinstance(value, str):
        return
    field = field_of(path)
    if field == "repository" and names_a_registry(value):
        yield path, _without_the_registry(value)
    if field == "alarms" and value.startswith("arn:"):
        yield (
            path,
            f"expected an alarm's name, got its ARN; did you mean '{last_of_arn(value)}'?",
        )
    if field == "approvers" and len(value) <= CHARACTERS["approvers"]:
        yield from ((path, sentence) for sentence in _unfit_name(value))


def _unsupported(path: Path, value: Any) -> Iterator[tuple[Path, str]]:
    if path[-1:] == ("kind",) and isinstance(value, str):
        missing = UNSUPPORTED.get((field_of(path[:-1]), value))
        if missing:
            yield path, f"'{value}' is not supported yet: {missing}"


def _without_the_registry(value: str) -> str:
    name = suggestion("repository", value)
    hint = f"; did you mean '{name}'?" if name else ""
    return f"expected the repository's name without its registry, got '{value}'{hint}"


def _unfit_name(name: str) -> Iterator[str]:
    """What is wrong with a name that people choose on the approval page."""
    plain = " ".join(name.split())
    if not name.isprintable():
        yield "expected printable characters, got an invisible one"
    elif name != plain:
        yield (f"expected a name without extra spaces; did you mean '{plain}'?")
    for word in name.split():
        if len(found := scripts(word)) > 1:
            yield (
                f"mixes {' and '.join(found)} letters in '{word}', which look alike; write the "
                "name in one script"
            )


def _duplicates(path: Path, value: list[Any], found: Document) -> Iterator[tuple[Path, str]]:
    """Entries of a list that appear in it twice."""
    field = field_of(path)
    if field not in _WITHOUT_DUPLICATES or path[-1] != field:
        return
    first: dict[str, int] = {}
    for index, one in enumerate(value):
        earlier_one = first.setdefault(_comparable(field, one), index)
        if earlier_one != index:
            line = found.place((*path, earlier_one)).line
            yield (*path, index), _duplicate(one, value[earlier_one], line)


def _contradictions(path: Path, value: list[Any], found: Document) -> Iterator[tuple[Path, str]]:
    """Checks that no answer can satisfy together."""
    first: dict[Any, int] = {}
    for index, one in enumerate(value if field_of(path) == "checks" else ()):
        if not isinstance(one, dict) or not isinstance(one.get("path"), str):
            continue
        earlier = first.setdefault(one["path"], index)
        wanted, other = (value[at].get("status", 200) for at in (index, earlier))
        if wanted != other:
            line = found.place((*path, earlier)).line
            sentence = (
                f"expects status {wanted} of '{one['path']}', but the check on line {line} expects "
                f"{other}; no answer is both"
            )
            yield (*path, index), sentence


def _comparable(field: str, one: Any) -> str:
    """Equal texts for entries that count as equal."""
    if field == "approvers" and isinstance(one, str):
        return outline(one)
    return json.dumps(one, sort_keys=True)


def _duplicate(one: Any, first: Any, line: int) -> str:
    if one == first:
        return f"given twice; first on line {line}"
    return f"looks like '{first}' on line {line}; nobody could tell the two apart"
