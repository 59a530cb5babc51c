"""Read the schema's revision from the output of a migration tool."""

from collections.abc import Iterable, Iterator


def is_at_revision(lines: Iterable[str], revision: str, other: str | None) -> bool:
    """Whether the last line names this revision as a word of its own, and no line another one.

    A tool that lists the revisions that were applied, in whatever order, says one on each line.
    """
    said = list(lines)
    listed = {next(_words([line])) for line in said if _is_listed(line)}
    words = set(_words(said))
    return revision in set(_words(said[-1:])) and listed <= {revision} and other not in words


def _is_listed(line: str) -> bool:
    """Whether a line is a word by itself, such as ``0002`` or ``0002_author (head)``."""
    words = line.split()
    return bool(words) and all(word.startswith("(") for word in words[1:])


def _words(lines: Iterable[str]) -> Iterator[str]:
    """Alembic says ``0002_author (head)``, others put quotes, brackets or a colon around it."""
    for line in lines:
        for word in line.split():
            yield word.strip("()[]{}<>'\"`,;:.")
