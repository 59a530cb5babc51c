"""What can go wrong at the boundary, and where: a plan of faults with a text form."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class CallKind(StrEnum):
    """What becomes of one call to AWS, Slack or a web site, after the SDK's own retries.

    A repeated call took effect twice: its first answer was lost and the SDK asked again.
    """

    PERMANENT = "permanent"
    THROTTLE = "throttle"
    SERVER_ERROR = "server-error"
    TIMEOUT = "timeout"
    LOST = "lost"
    SLOW = "slow"
    CRASH_BEFORE = "crash-before"
    CRASH_AFTER = "crash-after"
    REPEATED = "repeated"


class EventKind(StrEnum):
    """What becomes of one event on its way to the rules."""

    DROP = "drop"
    DUPLICATE = "duplicate"
    LATE = "late"
    REORDER = "reorder"
    BEFORE_PARKING = "before-parking"
    STALE = "stale"
    FOREIGN = "foreign"
    MALFORMED = "malformed"


class Site(NamedTuple):
    """The n-th call of an operation by a function, counted from 1."""

    function: str
    service: str
    operation: str
    number: int

    def __str__(self) -> str:
        return f"{self.function}/{self.service}/{self.operation}/{self.number}"


class EventSite(NamedTuple):
    """The n-th event of a detail-type, counted from 1."""

    detail_type: str
    number: int

    def __str__(self) -> str:
        return f"event/{self.detail_type}/{self.number}"


@dataclass(frozen=True)
class Plan:
    """The faults of one run, and the share of calls that fail transiently besides."""

    calls: tuple[tuple[Site, CallKind], ...] = ()
    events: tuple[tuple[EventSite, EventKind], ...] = ()
    transient_share: float = 0.0

    def __str__(self) -> str:
        parts = [f"{site}={kind}" for site, kind in (*self.calls, *self.events)]
        if self.transient_share:
            parts.append(f"transient={self.transient_share}")
        return ";".join(parts)


def parsed(text: str) -> Plan:
    """The plan behind its text form; ValueError says what was expected."""
    calls: list[tuple[Site, CallKind]] = []
    events: list[tuple[EventSite, EventKind]] = []
    share = 0.0
    for part in filter(None, text.split(";")):
        where, equals, kind = part.partition("=")
        if where == "transient":
            share = float(kind)
        elif where.startswith("event/"):
            detail_type, number = where.removeprefix("event/").rsplit("/", 1)
            events.append((EventSite(detail_type, int(number)), EventKind(kind)))
        elif equals and where.count("/") == 3:
            function, service, operation, number = where.split("/")
            site = Site(function, service, operation, int(number))
            calls.append((site, CallKind(kind)))
        else:
            expected = "function/service/Operation/number=kind or event/detail-type/number=kind"
            raise ValueError(f"'{part}' is no fault; expected {expected}")
    return Plan(tuple(calls), tuple(events), share)


def plan_of(faults: Iterable[tuple[Site, CallKind] | tuple[EventSite, EventKind]]) -> Plan:
    """A plan of faults of both sorts."""
    found = list(faults)
    return Plan(
        tuple((s, CallKind(k)) for s, k in found if isinstance(s, Site)),
        tuple((s, EventKind(k)) for s, k in found if isinstance(s, EventSite)),
    )
