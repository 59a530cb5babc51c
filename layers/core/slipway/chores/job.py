"""What a chore is made of, and which share of the work each sweep does."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, TypeVar
from zlib import crc32

from slipway.requests.admit import AdmitResult
from slipway.requests.wish import Wish

T = TypeVar("T")

# A field of SweepResult, and an id.
JobResult = Iterable[tuple[str, str]]
# One piece of work: what fails in it stops no other.
Job = Callable[[], JobResult]
# What a chore reads for all of its jobs at once, and the jobs that follow from it.
Chore = Callable[[], Iterable[Job]]
Admit = Callable[[Wish], AdmitResult]

# Each waiting deployment is woken in every fourth scheduled sweep.
TURNS: Final = 4


def share_of_turn(things: Sequence[T], turn: int | None, turns: int) -> Sequence[T]:
    """Those of the things that come up in this turn; without a turn all of them."""
    return things if turn is None else things[turn % turns :: turns]


def rotation(things: Sequence[T], now: datetime) -> Sequence[T]:
    """The things, starting elsewhere each minute: a cut-off does not always hit the same ones."""
    first = crc32(f"{now:%d%H%M}".encode()) % len(things) if things else 0
    return [*things[first:], *things[:first]]


def is_due(name: str, turn: int | None) -> bool:
    """Whether the deployment of this name is due in this turn."""
    return turn is None or crc32(name.encode()) % TURNS == turn % TURNS
