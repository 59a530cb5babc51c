"""Generated from the catalog's models: the JSON Schema for editors, and the table of fields.

The models are the only description of a field; tests compare the committed pages with them.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Final

from slipway.catalog_build.expectations import Node, choice, essence, kinds, schema, words
from slipway.catalog_build.rules import CHARACTERS, ENTRIES, MOST_CHARACTERS, MOST_ENTRIES

BEGIN: Final = "<!-- fields: written by `python -m slipway.catalog_build --docs`; do not edit -->"
END: Final = "<!-- end of fields -->"
# A field, what is expected there, its default, its meaning.
_Row = tuple[str, str, str, str]
_HEAD: Final = "| field | expected | default | meaning |\n|---|---|---|---|\n"


def schema_page() -> str:
    """The JSON Schema of a catalog file, with the limits of its texts and lists."""
    return json.dumps(_with_limits(schema(), ""), indent=2, ensure_ascii=False) + "\n"


def _with_limits(node: Node, field: str) -> Node:
    """The node and everything below it with the limits of their fields."""
    bounds: Node = {}
    if node.get("type") == "string" and "enum" not in node and "const" not in node:
        bounds = {"maxLength": CHARACTERS.get(field, MOST_CHARACTERS)}
    elif node.get("type") == "array":
        bounds = {"maxItems": ENTRIES.get(field, MOST_ENTRIES)}
    inner: Node = {}
    for name in {"properties", "$defs"} & node.keys():
        inner[name] = {key: _with_limits(one, key) for key, one in node[name].items()}
    if "items" in node:
        inner["items"] = _with_limits(node["items"], field)
    for name in {"anyOf", "oneOf"} & node.keys():
        inner[name] = [_with_limits(one, field) for one in node[name]]
    return {**node, **inner, **{name: one for name, one in bounds.items() if name not in node}}


def with_fields(page: str) -> str:
    """The page with its table of fields replaced; ValueError without the two markers."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"expected a line {BEGIN} and below it a line {END}")
    return f"{head}{BEGIN}\n\n{fields_table()}\n{END}{tail}"


def fields_table() -> str:
    """Every field of a catalog file as Markdown: those of the file, then an environment's."""
    entry = schema()
    environment = schema()["$defs"]["Environment"]
    top = (_row(name, node, entry) for name, node in entry["properties"].items())
    rest = _rows(environment, "")
    return f"{_HEAD}{_lines(top)}\nIn each environment:\n\n{_HEAD}{_lines(rest)}"


def _lines(rows: Iterable[_Row]) -> str:
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows
    )


def _rows(mapping: Node, prefix: str) -> Iterator[_Row]:
    for name, node in mapping["properties"].items():
        field = f"{prefix}{name}"
        inner = essence(node)
        yield _row(field, node, mapping)
        if kinds(node):
            yield from _rows_by_kind(kinds(node), field)
        elif "properties" in inner:
            yield from _rows(inner, f"{field}.")
        elif "properties" in (item := essence(inner.get("items", {}))):
            yield from _rows(item, f"{field}[].")


def _rows_by_kind(members: dict[str, Node], field: str) -> Iterator[_Row]:
    """The kinds themselves, then each field once, with the kinds that have it where not all do."""
    default = next(iter(members.values()))["properties"]["kind"]
    yield f"`{field}.kind`", choice(members), _default(default["default"]), default["description"]
    having: dict[_Row, list[str]] = {}
    for kind, member in members.items():
        for row in _rows(member, f"{field}."):
            having.setdefault(row, []).append(kind)
    for (name, *cells), of_kinds in having.items():
        if name != f"`{field}.kind`":
            which = "" if len(of_kinds) == len(members) else f" ({', '.join(of_kinds)})"
            yield f"{name}{which}", cells[0], cells[1], cells[2]


def _row(field: str, node: Node, mapping: Node) -> _Row:
    name = field.rpartition(".")[2]
    default = "**required**" if name in mapping.get("required", []) else _default(node["default"])
    return f"`{field}`", words(node), default, essence(node).get("description", "")


def _default(value: object) -> str:
    if value is None or value == []:
        return "none"
    if isinstance(value, dict):
        return "as below"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"
