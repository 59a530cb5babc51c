"""What the catalog's models expect at a path, in words for people."""

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from slipway.catalog_build.mistakes import Path
from slipway.domain.catalog import Application

Node = dict[str, Any]

PATTERNS: Final = {
    r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$": "lower-case letters, digits and single hyphens",
    r"^[a-z](-?[a-z0-9])*$": "lower-case letters, digits and single hyphens",
    r"^[A-Za-z0-9_-]+$": "letters, digits, hyphens and underscores",
    r"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$": (
        "lower-case letters and digits, with . _ - between them and / between names"
    ),
    r"\S": "text",
    r"^/": "a path that begins with /",
    r"^https?://[^/]+$": "an address such as https://api.example.com, without a path",
}


@cache
def schema() -> Node:
    """The JSON Schema of one catalog file."""
    document = Application.model_json_schema()
    names = document["properties"]["environments"]
    names["additionalProperties"] = False
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document}


def at(loc: Path) -> Node:
    """The schema of the value at pydantic's ``loc``; empty when there is none.

    For a value of several kinds, pydantic adds the kind to ``loc``, after the field.
    """
    node = schema()
    for step in loc:
        node = _child(node, step)
    return node


def in_file(loc: Path) -> Path:
    """Pydantic's ``loc`` as a path in the file: without the kinds."""
    return tuple(step for place, step in enumerate(loc) if not kinds_at(loc[:place]))


def kinds_at(loc: Path) -> dict[str, Node]:
    """The kinds of the value at ``loc`` with their schemas; empty for values without kinds."""
    return kinds(at(loc))


def kinds(node: Node) -> dict[str, Node]:
    """The kinds that a schema allows, with the schema of each; empty without kinds."""
    members = [essence(option) for option in essence(node).get("oneOf", ())]
    return {one["properties"]["kind"]["const"]: one for one in members}


def kinds_with(loc: Path) -> list[str]:
    """The other kinds that have the field at ``loc``, which its own kind does not have."""
    others = kinds_at(loc[:-2])
    return [kind for kind, one in others.items() if loc[-1] in one["properties"]]


def _child(node: Node, step: str | int) -> Node:
    if step in kinds(node):
        return kinds(node)[str(step)]
    node = essence(node)
    if isinstance(step, int):
        return dict(node.get("items", {}))
    named = node.get("properties", {}).get(step)
    return dict(named or next(iter(node.get("patternProperties", {}).values()), {}))


def essence(node: Node) -> Node:
    """The schema with its reference resolved and without the alternative null."""
    if "anyOf" in node:
        options = [option for option in node["anyOf"] if option.get("type") != "null"]
        return essence({**options[0], **{k: v for k, v in node.items() if k != "anyOf"}})
    if "$ref" in node:
        target = schema()["$defs"][node["$ref"].rpartition("/")[2]]
        return {**target, **{k: v for k, v in node.items() if k != "$ref"}}
    return node


def fields(loc: Path) -> list[str]:
    """The field names of a mapping at ``loc``; empty when its names are free."""
    return list(essence(at(loc)).get("properties", {}))


def is_text(loc: Path) -> bool:
    """Whether text is expected at ``loc``."""
    return essence(at(loc)).get("type") == "string"


def is_number(loc: Path) -> bool:
    """Whether a number is expected at ``loc``."""
    return essence(at(loc)).get("type") == "integer"


def expected(loc: Path) -> str:
    """What is expected at ``loc``, in words; of all kinds when ``loc`` ends with one."""
    return words(at(loc[:-1] if kinds_at(loc[:-1]) else loc))


def expected_name(loc: Path) -> str:
    """The form of the names in a mapping with free names, in words."""
    node = essence(at(loc))
    pattern = next(iter(node.get("patternProperties", {})), "")
    return words({"type": "string", "pattern": pattern, **node.get("propertyNames", {})})


def words(node: Node) -> str:
    """A schema in words: 'a whole number from 1 to 60', 'a list of text'."""
    if "anyOf" in node:
        return " or ".join(words(option) for option in node["anyOf"])
    node = essence(node)
    if "const" in node or "enum" in node:
        return choice(node.get("enum") or [node["const"]])
    match node.get("type"):
        case "string":
            return _text(node)
        case "integer":
            return f"a whole number from {node['minimum']} to {node['maximum']}"
        case "array":
            return _list(node)
        case kind:
            return {"boolean": "true or false", "null": "null"}.get(str(kind), "a mapping")


def choice(values: Iterable[str]) -> str:
    """'a', 'b' or 'c'."""
    *first, last = [f"'{value}'" for value in values]
    return f"{', '.join(first)} or {last}" if first else last


def _text(node: Node) -> str:
    shortest, longest = node.get("minLength", 1), node.get("maxLength")
    what = PATTERNS.get(node.get("pattern", ""), "text")
    return f"{what} ({shortest} to {longest} characters)" if longest else what


def _list(node: Node) -> str:
    items = words(node["items"]).replace("a mapping", "mappings")
    return f"a list of {items}" + (" with at least one entry" if node.get("minItems") else "")
