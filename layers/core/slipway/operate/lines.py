"""Lays out lines for a terminal."""

from collections.abc import Iterable, Sequence
from typing import Final

from slipway.domain.deployment import Deployment
from slipway.domain.redaction import redact_for_people
from slipway.domain.wording import short_digest

# Longer than any sentence of Slipway with its commands.
_LONGEST: Final = 4000


def columns(rows: Iterable[Sequence[str]], indent: str = "  ") -> list[str]:
    """Rows with aligned columns."""
    cells = [[redact_for_people(cell, _LONGEST) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        indent
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def release_of(deployment: Deployment) -> str:
    """The release's tag and short digest."""
    return f"{redact_for_people(deployment.release.tag)} {short_digest(deployment.release.digest)}"


def state_of(deployment: Deployment) -> str:
    """A deployment's outcome, or its phase while it runs."""
    return deployment.outcome or deployment.phase
