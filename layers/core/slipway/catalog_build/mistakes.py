"""What is wrong in a catalog file, and where."""

from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """A position in a file; line and column count from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Mistake:
    """One thing to correct: the place, the field's path (empty: the whole file), the sentence."""

    place: Place
    path: Path
    sentence: str

    @property
    def field(self) -> str:
        """The path as people write it: `environments.staging.verification.checks[0].path`."""
        return "".join(_step(step) for step in self.path).removeprefix(".")

    def told(self, file: str) -> str:
        """`file:line:column: field: sentence`, as editors and terminals can follow it."""
        where = f"{file}:{self.place.line}:{self.place.column}"
        return (
            f"{where}: {self.field}: {self.sentence}" if self.path else f"{where}: {self.sentence}"
        )


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    # A name out of a broken file may hold anything, a line break as well.
    return f".{step if step.isprintable() else ascii(step)}"


def in_order(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """The mistakes from the top of the file to its bottom."""
    return sorted(mistakes, key=lambda m: (m.place.line, m.place.column, m.field, m.sentence))


class CatalogMistakes(Exception):
    """The catalog cannot be used; one line per mistake."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
