"""What Slack accepts as Block Kit: the limits of its reference, checked as Slack checks them."""

from collections.abc import Callable, Iterator
from typing import Any

BLOCK_LIMIT = 50
ELEMENT_LIMIT = 25
FIELD_LIMIT = 10
CONTEXT_LIMIT = 10
TEXT_LIMITS = {"header": 150, "section": 3000, "field": 2000, "context": 3000, "button": 75}
URL_LIMIT = 3000
BUTTON_STYLES = (None, "primary", "danger")

Block = dict[str, Any]


def problems_of(blocks: Any) -> list[str]:
    """What is wrong with a list of blocks, one sentence each; nothing when Slack would take it."""
    if not isinstance(blocks, list):
        return ["blocks: must be a list"]
    problems = [f"/blocks/{n}: {text}" for n, block in enumerate(blocks) for text in _check(block)]
    if len(blocks) > BLOCK_LIMIT:
        problems.append(f"blocks: no more than {BLOCK_LIMIT} items allowed")
    return problems


def _check(block: Any) -> Iterator[str]:
    if not isinstance(block, dict):
        return iter(["must be an object"])
    check = CHECKS.get(str(block.get("type")))
    if check is None:
        return iter([f"unsupported type: {block.get('type')}"])
    return check(block)


def _header(block: Block) -> Iterator[str]:
    yield from _text(block.get("text"), "header", ("plain_text",))


def _section(block: Block) -> Iterator[str]:
    if "text" not in block and not block.get("fields"):
        yield "must have text or fields"
    if "text" in block:
        yield from _text(block["text"], "section")
    if len(block.get("fields", [])) > FIELD_LIMIT:
        yield f"no more than {FIELD_LIMIT} fields allowed"
    for field in block.get("fields", []):
        yield from _text(field, "field")
    if "accessory" in block:
        yield from _element(block["accessory"])


def _context(block: Block) -> Iterator[str]:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= CONTEXT_LIMIT:
        yield f"must have 1 to {CONTEXT_LIMIT} elements"
    for element in elements:
        if element.get("type") != "image":
            yield from _text(element, "context")


def _actions(block: Block) -> Iterator[str]:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= ELEMENT_LIMIT:
        yield f"must have 1 to {ELEMENT_LIMIT} elements"
    for element in elements:
        yield from _element(element)


def _element(element: Block) -> Iterator[str]:
    if element.get("type") != "button":
        yield f"unsupported element: {element.get('type')}"
        return
    yield from _text(element.get("text"), "button", ("plain_text",))
    if len(element.get("url", "")) > URL_LIMIT:
        yield f"url: no more than {URL_LIMIT} characters allowed"
    if element.get("style") not in BUTTON_STYLES:
        yield f"style: unknown value {element['style']}"


def _text(
    value: Any, kind: str, types: tuple[str, ...] = ("mrkdwn", "plain_text")
) -> Iterator[str]:
    limit = TEXT_LIMITS[kind]
    if not isinstance(value, dict) or value.get("type") not in types:
        yield f"{kind}: must have a text object of type {' or '.join(types)}"
    elif not 1 <= len(value.get("text", "")) <= limit:
        yield f"{kind}: text must have 1 to {limit} characters"


def _nothing(block: Block) -> Iterator[str]:
    return iter(())


CHECKS: dict[str, Callable[[Block], Iterator[str]]] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "divider": _nothing,
}
