"""The sizes that keep the code readable. What exceeds them is in budget.toml, and may only shrink.

A function is counted from its `def` to its last line, with the docstring and without decorators; a
function within it is part of it and counts for itself as well. Parameters are all but `self`,
`cls`, `*rest` and `**named`, as ruff's PLR0913 counts them. That rule alone would not do: it allows
a function that carries a `noqa` any number, and no rule of ruff counts lines.
"""

import ast
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("layers/core/slipway", "functions", "packing", "cloud", "demo", "tests")
LIMITS = {"lines of a file": 400, "lines of a function": 33, "parameters of a function": 6}

EXCEPTIONS: dict[str, dict[str, int]] = tomllib.loads(
    (Path(__file__).parent / "budget.toml").read_text()
)

Function = ast.FunctionDef | ast.AsyncFunctionDef
Sizes = dict[str, dict[str, int]]


def sizes(place: str, source: str) -> Sizes:
    """The figures of one file: of itself by its place, of its functions by `place::name`."""
    found: Sizes = {limit: {} for limit in LIMITS}
    found["lines of a file"][place] = len(source.splitlines())
    for name, node in functions(ast.parse(source)):
        # A property and its setter have one name; the larger one counts.
        for limit, size in (
            ("lines of a function", lines(node)),
            ("parameters of a function", parameters(node)),
        ):
            known = found[limit].get(f"{place}::{name}", 0)
            found[limit][f"{place}::{name}"] = max(known, size)
    return found


def functions(node: ast.AST, within: str = "") -> Iterator[tuple[str, Function]]:
    """Every function, method and nested function with its dotted name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield f"{within}{child.name}", child
        if isinstance(child, Function | ast.ClassDef):
            yield from functions(child, f"{within}{child.name}.")
        else:
            yield from functions(child, within)


def lines(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def parameters(function: Function) -> int:
    taken = function.args
    names = [each.arg for each in (*taken.posonlyargs, *taken.args, *taken.kwonlyargs)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


@cache
def measured() -> Sizes:
    found: Sizes = {limit: {} for limit in LIMITS}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for limit, figures in sizes(str(path.relative_to(ROOT)), path.read_text()).items():
                found[limit] |= figures
    return found


def over(limit: str, figures: Mapping[str, int]) -> dict[str, int]:
    return {name: size for name, size in figures.items() if size > LIMITS[limit]}


def advice(found: Mapping[str, int], allowed: Mapping[str, int]) -> str:
    """What to make smaller, and what to change in budget.toml, as lines to paste."""
    grown = {name: size for name, size in found.items() if size > allowed.get(name, 0)}
    shrunk = {name: size for name, size in found.items() if size < allowed.get(name, 0)}
    gone = {name: size for name, size in allowed.items() if name not in found}
    parts = (
        ("Too large. Make it smaller:", grown),
        ("Smaller than the list says. Put these lines in place of the old ones:", shrunk),
        ("No longer too large, or no longer there. Remove these lines:", gone),
    )
    return "\n".join(
        "\n".join([title, *(f'"{name}" = {size}' for name, size in sorted(part.items()))])
        for title, part in parts
        if part
    )


@pytest.mark.parametrize("limit", LIMITS)
def test_nothing_exceeds_the_budget_but_what_is_listed_with_its_figure(limit: str) -> None:
    found, allowed = over(limit, measured()[limit]), EXCEPTIONS[limit]

    if found != allowed:
        pytest.fail(f"[{limit}]: at most {LIMITS[limit]}\n{advice(found, allowed)}", pytrace=False)


def test_the_list_of_exceptions_is_in_order_and_has_only_what_exceeds_the_limit() -> None:
    assert EXCEPTIONS.keys() == LIMITS.keys()
    for limit, allowed in EXCEPTIONS.items():
        assert list(allowed) == sorted(allowed)
        assert over(limit, allowed) == allowed


SAMPLE = '''
class Lane:
    @property
    @cached
    def holder(self):
        """Who has it."""
        return self._holder

    @holder.setter
    def holder(self, value): ...

    async def take(self, by, /, *rest, now, **named):
        def inner(a, b):
            return a

        return inner
'''


def test_a_function_is_counted_with_its_docstring_and_without_its_decorators() -> None:
    assert sizes("lane.py", SAMPLE) == {
        "lines of a file": {"lane.py": 16},
        "lines of a function": {
            "lane.py::Lane.holder": 3,
            "lane.py::Lane.take": 5,
            "lane.py::Lane.take.inner": 2,
        },
        "parameters of a function": {
            "lane.py::Lane.holder": 1,
            "lane.py::Lane.take": 2,
            "lane.py::Lane.take.inner": 2,
        },
    }


def test_whoever_breaks_the_budget_is_told_the_lines_to_paste() -> None:
    found = {"new.py": 401, "grown.py": 450, "shrunk.py": 410, "same.py": 420}
    allowed = {"grown.py": 449, "shrunk.py": 411, "same.py": 420, "gone.py": 500}

    assert advice(found, allowed).splitlines() == [
        "Too large. Make it smaller:",
        '"grown.py" = 450',
        '"new.py" = 401',
        "Smaller than the list says. Put these lines in place of the old ones:",
        '"shrunk.py" = 410',
        "No longer too large, or no longer there. Remove these lines:",
        '"gone.py" = 500',
    ]
