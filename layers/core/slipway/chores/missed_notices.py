"""Notices that a destination still lacks although people have to know: request them again."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from slipway.chores.job import Job, JobResult, is_due
from slipway.chores.waiting import EVENT_PATIENCE
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.notice import Notice, reached_at, state_of
from slipway.domain.outcome import Outcome
from slipway.ports.control import Announcement, Announcements
from slipway.ports.records import Records

# A DynamoDB stream keeps its records for a day; older news is of no use to anybody.
_NEWS_LASTS: Final = timedelta(days=1)
_MUST_BE_TOLD: Final[frozenset[str | None]] = frozenset(
    {Phase.AWAITING_APPROVAL, *Outcome} - {Outcome.UNCHANGED}
)


def missed_notices(
    *, records: Records, announcements: Announcements, now: datetime, turn: int | None
) -> Iterator[Job]:
    """Request them again.

    What the stream still retries is left out: it arrives by itself, and in order.
    """
    notices = [one for one in records.untold(now - _NEWS_LASTS) if is_due(one.deployment_id, turn)]
    names = sorted({one.deployment_id for one in notices})
    found = {one.deployment_id: one for one in records.deployments(names)} if names else {}
    lacking = [
        one
        for one in notices
        if one.deployment_id in found and _is_missed(found[one.deployment_id], one, now)
    ]
    if lacking:
        yield partial(_request_again, lacking, announcements)


def _is_missed(deployment: Deployment, notice: Notice, now: datetime) -> bool:
    state = state_of(deployment)
    recent = EVENT_PATIENCE < now - reached_at(deployment) < _NEWS_LASTS
    return state in _MUST_BE_TOLD and recent and notice.lacks(state)


def _request_again(lacking: Sequence[Notice], announcements: Announcements) -> JobResult:
    announcements.publish_all(
        [
            Announcement(
                "Tell Again",
                {"deployment_id": one.deployment_id, "destination": one.destination},
            )
            for one in lacking
        ]
    )
    for name in sorted({one.deployment_id for one in lacking}):
        yield "unnotified", name
