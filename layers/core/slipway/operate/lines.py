"""How an answer reads in a terminal."""

from collections.abc import Iterable, Sequence

from slipway.domain.deployment import Deployment
from slipway.domain.wording import short_digest


def plain(text: str) -> str:
    """Text of others in one printable line: a log may hold line breaks and escape sequences."""
    one_line = " ".join(text.split())
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in one_line)


def columns(rows: Iterable[Sequence[str]], indent: str = "  ") -> list[str]:
    """Rows with their cells under each other."""
    cells = [[plain(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        indent
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def release_of(deployment: Deployment) -> str:
    """The release's tag and enough of its digest to recognise it."""
    return f"{deployment.release.tag} {short_digest(deployment.release.digest)}"


def state_of(deployment: Deployment) -> str:
    """How a deployment ended, or where it stands."""
    return deployment.outcome or deployment.phase
