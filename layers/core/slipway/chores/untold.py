"""Deployments of which a destination lacks something that a person has to know."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from slipway.chores.job import Finding, Job, is_due
from slipway.chores.waiting import EVENT_PATIENCE
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.notice import Notice, reached, state_of
from slipway.domain.outcome import Outcome
from slipway.ports.control import Announcement, Announcements
from slipway.ports.records import Records

# The stream keeps its news for a day; what is older interests nobody any more.
_NEWS_LASTS: Final = timedelta(days=1)
_MUST_BE_TOLD: Final[frozenset[str | None]] = frozenset(
    {Phase.AWAITING_APPROVAL, *Outcome} - {Outcome.UNCHANGED}
)


def untold(
    *, records: Records, announcements: Announcements, now: datetime, turn: int | None
) -> Iterator[Job]:
    """Ask for it again.

    What nobody could be told for now is not asked for: the stream brings it again, in its order.
    """
    notices = [one for one in records.untold(now - _NEWS_LASTS) if is_due(one.deployment_id, turn)]
    names = sorted({one.deployment_id for one in notices})
    found = {one.deployment_id: one for one in records.deployments(names)} if names else {}
    lacking = [
        one
        for one in notices
        if one.deployment_id in found and _lacks(found[one.deployment_id], one, now)
    ]
    if lacking:
        yield partial(_asked_for, lacking, announcements)


def _lacks(deployment: Deployment, notice: Notice, now: datetime) -> bool:
    state = state_of(deployment)
    recent = EVENT_PATIENCE < now - reached(deployment) < _NEWS_LASTS
    return state in _MUST_BE_TOLD and recent and notice.lacks(state)


def _asked_for(lacking: Sequence[Notice], announcements: Announcements) -> Finding:
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
        yield "untold", name
