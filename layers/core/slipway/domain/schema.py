"""What a tool's own words tell of the schema's revision."""

from collections.abc import Iterable, Iterator


def tells(lines: Iterable[str], revision: str, other: str | None) -> bool:
    """Whether the lines name this revision as a word of its own, and not the other one too."""
    words = set(_words(lines))
    return revision in words and (other is None or other not in words)


def _words(lines: Iterable[str]) -> Iterator[str]:
    """Alembic says ``0002_author (head)``, others put quotes, brackets or a colon around it."""
    for line in lines:
        for word in line.split():
            yield word.strip("()[]{}<>'\"`,;:.")
