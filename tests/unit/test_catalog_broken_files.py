"""Whatever a catalog file holds, it is read or told with a line of the file; nothing escapes."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slipway.catalog_build.entries import read_entry

quickly = settings(
    max_examples=300,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)

ENTRY: dict[str, Any] = {
    "application": "shop",
    "environments": {
        "staging": {
            "push": {"repository": "shop", "tags": ["v*"]},
            "target": {"cluster": "shop", "service": "web", "container": "web"},
            "verification": {"checks": [{"path": "/health", "status": 200}]},
            "migration": {"command": ["migrate"], "timeout_minutes": 5},
            "backup": {"policy": "off"},
        }
    },
}
TEXT = """\
application: shop
environments:
  staging:
    push: {repository: shop, tags: ["v*"]}
    target:
      cluster: shop  # by name
      service: web
      container: 'web'
    verification:
      checks:
        - path: /health
"""
# Everything that means something to a YAML parser, and a few bytes that nobody types.
PIECES = st.sampled_from(
    [
        *"!&*?|>%@`,:#~<=-{}[]\"'\\ \t\n\r\0",
        *("&a ", "*a", "- ", "? ", ": ", "<<: ", "---\n", "...\n", "|9\n", ">-\n", "\r\n"),
        *("%YAML 1.1\n---\n", "%TAG ! x\n", "!!int ", "!!python/object:os ", "!<x> "),
        *("\\ud800", "\\UFFFFFFFF", "\\x", "\x85", "\u2028", "\ufeff", "\ufffe", "é", "\U0001f680"),
        *(".inf", "1e999", "0o8", "0x", "-_", "1_0", "9" * 5000, "[" * 40, "? " * 40),
        *("yes", "null", "true", "2026-01-31", "environments", "staging: ", "[key]"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)


def assert_read_or_told(raw: bytes) -> None:
    entry, mistakes = read_entry(raw, "shop")

    lines = len(raw.decode("utf-8", "replace").splitlines()) + 1
    assert (entry is None) == bool(mistakes)
    for mistake in mistakes:
        assert 1 <= mistake.place.line <= lines
        assert mistake.place.column >= 1
        assert mistake.as_error("shop.yaml").splitlines() == [mistake.as_error("shop.yaml")]
    assert [m.place.line for m in mistakes] == sorted(m.place.line for m in mistakes)


def paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield above
    pairs = value.items() if isinstance(value, dict) else ()
    for step, inner in enumerate(value) if isinstance(value, list) else pairs:
        yield from paths(inner, (*above, step))


def replaced(value: Any, path: tuple[Any, ...], make: Callable[[Any], Any]) -> Any:
    if not path:
        return make(value)
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], make)
    return copy


def test_the_entries_that_are_broken_below_are_good() -> None:
    assert read_entry(TEXT.encode(), "shop")[1] == []
    assert read_entry(json.dumps(ENTRY).encode(), "shop")[1] == []


@quickly
@given(st.binary(max_size=80))
def test_any_bytes(raw: bytes) -> None:
    assert_read_or_told(raw)


@quickly
@given(st.lists(PIECES | st.text(max_size=3), max_size=12))
def test_any_text(pieces: list[str]) -> None:
    assert_read_or_told("".join(pieces).encode())


@quickly
@given(st.lists(st.tuples(st.integers(0, len(TEXT)), st.integers(0, 9), PIECES), max_size=3))
def test_an_entry_with_slips_of_the_hand(slips: list[tuple[int, int, str]]) -> None:
    text = TEXT
    for at, length, piece in slips:
        text = text[:at] + piece + text[at + length :]

    assert_read_or_told(text.encode())


@quickly
@given(st.sampled_from(list(paths(ENTRY))), VALUES)
def test_an_entry_with_any_value_in_any_place(path: tuple[Any, ...], value: Any) -> None:
    assert_read_or_told(json.dumps(replaced(ENTRY, path, lambda _: value)).encode())


@quickly
@given(st.sampled_from(list(paths(ENTRY))), st.text(max_size=8), VALUES)
def test_an_entry_with_any_field_too_many(path: tuple[Any, ...], name: str, value: Any) -> None:
    def grown(mapping: Any) -> Any:
        return {**mapping, name: value} if isinstance(mapping, dict) else {name: value}

    assert_read_or_told(json.dumps(replaced(ENTRY, path, grown)).encode())


@quickly
@given(st.integers(0, TEXT.count("\n") - 1))
def test_an_entry_with_a_line_missing_or_twice(number: int) -> None:
    lines = TEXT.splitlines(keepends=True)

    assert_read_or_told("".join(lines[:number] + lines[number + 1 :]).encode())
    assert_read_or_told("".join(lines[: number + 1] + lines[number:]).encode())
