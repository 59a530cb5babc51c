"""Sweep: find by looking what an event should have reported and did not.

ECR, RDS and Step Functions events are best effort, and a function can die between its write and
its event. Every chore may run at any time, and does nothing where nothing is missing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from slipway.chores.databases import abandoned_databases
from slipway.chores.job import Admit, Chore, Job
from slipway.chores.missed_notices import missed_notices
from slipway.chores.promotions import lost_promotions
from slipway.chores.pushes import lost_pushes
from slipway.chores.waiting import waiting_deployments
from slipway.domain.catalog import Catalog
from slipway.domain.deployment import Deployment
from slipway.domain.errors import ControlPlaneError
from slipway.domain.model import Model
from slipway.ports.control import Announcements, Executions
from slipway.ports.records import Records
from slipway.ports.registry import ImageRegistry
from slipway.ports.targets import OneOffs

# The function has sixty seconds. What is left is done by the next sweep.
_LASTS: Final = timedelta(seconds=45)
# Lambda tries a scheduled event again for some minutes.
_SCHEDULED_WITHIN: Final = timedelta(minutes=10)


class SweepResult(Model):
    """What the sweep did: ids of deployments, and of databases in ``freed``.

    ``left`` were left alone for now, since a function of theirs may still be running;
    ``unnotified`` are deployments whose missed notices were requested again.
    """

    admitted: tuple[str, ...] = ()
    started: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()
    freed: tuple[str, ...] = ()
    woken: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    unnotified: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass
class _Report:
    """What the sweep has done so far; a job that fails is reported and stops no other."""

    clock: Callable[[], datetime]
    ends_at: datetime
    found: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, chore: Chore) -> None:
        """Do a chore's jobs while there is time."""
        jobs: list[Job] = []
        if self._in_time(name):
            self.attempt(lambda: jobs.extend(chore()))
        for job in jobs:
            if not self._in_time(name):
                return
            self.attempt(partial(self._do, job))

    def _do(self, job: Job) -> None:
        for kind, what in job():
            self.found.setdefault(kind, []).append(what)

    def attempt(self, work: Callable[[], None]) -> None:
        """Do it; a failure is reported, not raised."""
        try:
            work()
        except ControlPlaneError as error:
            self.found.setdefault("problems", []).append(str(error))

    def _in_time(self, name: str) -> bool:
        if self.clock() < self.ends_at:
            return True
        message = f"{name}: cut off after {_LASTS.seconds} seconds; the next sweep continues."
        self.found.setdefault("problems", []).append(message)
        return False

    def result(self) -> SweepResult:
        return SweepResult(**{kind: tuple(whats) for kind, whats in self.found.items()})


def turn_of(event: dict[str, Any], now: datetime) -> int | None:
    """Which part of the work a scheduled sweep does, by the minute it was scheduled for.

    None, which is everything, for a person's call and for an event that is old.
    """
    try:
        since = now - datetime.fromisoformat(event["time"])
    except (KeyError, TypeError, ValueError):
        return None
    return int((now - since).timestamp()) // 60 if abs(since) < _SCHEDULED_WITHIN else None


def sweep(
    *,
    records: Records,
    catalog: Catalog,
    registry: ImageRegistry,
    executions: Executions,
    one_offs: OneOffs,
    announcements: Announcements,
    admit: Admit,
    clock: Callable[[], datetime],
    turn: int | None = None,
) -> SweepResult:
    """Run every chore: waiting deployments, dead executions, kept databases, missed notices, lost
    promotions, lost pushes. Whoever waits comes first, and what takes long comes last.
    """
    now = clock()
    report = _Report(clock, now + _LASTS)
    unsettled: list[Deployment] = []
    report.attempt(lambda: unsettled.extend(records.unsettled()))
    looking = partial(
        waiting_deployments, records=records, executions=executions, announcements=announcements
    )
    report.add("waiting", partial(looking, unsettled, now=now, turn=turn))
    freed = partial(
        abandoned_databases, records=records, one_offs=one_offs, announcements=announcements
    )
    report.add("databases", partial(freed, catalog, unsettled, now=now))
    notices = partial(missed_notices, records=records, announcements=announcements)
    report.add("notices", partial(notices, now=now, turn=turn))
    report.add("promotions", partial(lost_promotions, catalog, records=records, admit=admit))
    pushes = partial(lost_pushes, catalog, registry=registry, records=records, admit=admit)
    report.add("pushes", partial(pushes, now=now, turn=turn))
    return report.result()
