"""Mistakes in a catalog file, with their positions."""

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
    """One thing to correct: position, path of the field (empty: the whole file), sentence."""

    place: Place
    path: Path
    sentence: str

    @property
    def field(self) -> str:
        """The path as people write it: `environments.staging.verification.checks[0].path`."""
        return "".join(_step(step) for step in self.path).removeprefix(".")

    def as_error(self, file: str) -> str:
        """`file:line:column: field: sentence`, a format that editors and terminals can follow."""
        what = f"{self.field}: {self.sentence}" if self.path else self.sentence
        return f"{self._where(file)}: {_escape(what)}"

    def as_warning(self, file: str) -> str:
        """The same as a warning."""
        return f"{self._where(file)}: warning: {_escape(f'{self.field}: {self.sentence}')}"

    def _where(self, file: str) -> str:
        return f"{file}:{self.place.line}:{self.place.column}"


def _step(step: str | int) -> str:
    return f"[{step}]" if isinstance(step, int) else f".{step}"


def _escape(text: str) -> str:
    """Escape line breaks and control characters, which a broken file may contain."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def in_order(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """The mistakes from the top of the file to its bottom."""
    return sorted(mistakes, key=lambda m: (m.place.line, m.place.column, m.field, m.sentence))


class CatalogMistakes(Exception):
    """The catalog has mistakes; one line each."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
