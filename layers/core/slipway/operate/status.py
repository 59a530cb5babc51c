"""`status`: what is live on every lane, who holds it, and its latest deployments."""

from collections.abc import Iterator
from datetime import datetime
from textwrap import shorten
from typing import Final

from slipway.domain.deployment import Deployment
from slipway.domain.lane import Hold, HoldChange, Lane
from slipway.domain.outcome import Outcome
from slipway.domain.wording import moment, short_digest, spoken
from slipway.operate.desk import Desk, Place
from slipway.operate.lines import columns, release_of, state_of

_LATEST: Final = 10
# `show` of the deployment that placed the hold has the full message.
_MESSAGE: Final = 160
# After these outcomes it is unknown what runs until an operator has checked.
_UNCLEAR: Final = frozenset({str(Outcome.ROLLBACK_FAILED), str(Outcome.NEEDS_OPERATOR)})


def status(desk: Desk, application: str | None, environment: str | None) -> Iterator[str]:
    """All lanes, those of one application, or one lane."""
    for number, place in enumerate(_lanes(desk, application, environment)):
        if number:
            yield ""
        lane = desk.lane(place)
        yield from _lane_lines(lane, desk.records.recent(lane, _LATEST), desk.now())


def _lanes(desk: Desk, application: str | None, environment: str | None) -> Iterator[Place]:
    if application is not None and environment is not None:
        yield Place(application, environment)
        return
    if application is not None:
        desk.refuse_unknown(application, None)
    for owner, name, _ in desk.catalog().environments():
        if application in (None, owner):
            yield Place(owner, name)


def _lane_lines(lane: Lane, recent: list[Deployment], now: datetime) -> Iterator[str]:
    yield lane.lane_id
    yield from columns(
        [
            (_live_label(lane), _live(lane)),
            ("holder", lane.holder or "none"),
            ("newest", lane.newest.deployment_id if lane.newest else "none yet"),
            ("hold", _hold(lane)),
            *(("", _change(change)) for change in lane.hold_history[:1] if lane.hold is None),
        ]
    )
    yield from columns([_row(deployment, now) for deployment in recent], indent="    ")


def _live_label(lane: Lane) -> str:
    unclear = lane.hold is not None and lane.hold.reason in _UNCLEAR
    return "last good" if unclear else "live"


def _live(lane: Lane) -> str:
    stable = lane.stable
    if stable is None:
        return "nothing deployed by Slipway yet"
    version = stable.version or "unknown version"
    since = moment(stable.verified_at)
    return f"{version} {short_digest(stable.digest)} by {stable.deployment_id}, verified {since}"


def _hold(lane: Lane) -> str:
    hold = lane.hold
    if hold is None:
        return "none"
    earlier = f"; before that {_hold_text(hold.earlier)}" if hold.earlier else ""
    return f"{_hold_text(hold)}{earlier}"


def _hold_text(hold: Hold) -> str:
    message = shorten(hold.message, _MESSAGE, placeholder=" ...")
    return f"{hold.reason} since {moment(hold.since)} by {hold.by}: {message}"


def _change(change: HoldChange) -> str:
    why = f": {change.message}" if change.message else ""
    return f"last {change.what} {moment(change.at)} by {change.by}{why}"


def _row(deployment: Deployment, now: datetime) -> tuple[str, ...]:
    took = spoken((deployment.settled_at or now) - deployment.requested_at)
    return (
        deployment.deployment_id,
        state_of(deployment),
        release_of(deployment),
        moment(deployment.requested_at),
        took,
        deployment.requested_by,
    )
