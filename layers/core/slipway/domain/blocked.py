"""What a hold has stopped: releases that nobody would start again by themselves."""

from collections.abc import Iterable

from slipway.domain.deployment import Deployment
from slipway.domain.errors import Reason
from slipway.domain.lane import Hold, Lane
from slipway.domain.outcome import Outcome


def blocked_deployments(hold: Hold, lane: Lane, recent: Iterable[Deployment]) -> list[Deployment]:
    """The deployments that ended at this hold and are still worth starting, newest push first.

    ``recent`` are the lane's deployments, newest first; of each digest the newest counts. A digest
    that failed meanwhile, the live one, and what is older than that are left out.
    """
    known = list(recent)
    live = lane.stable
    live_since = next(
        (
            one.release.pushed_at
            for one in known
            if live and one.deployment_id == live.deployment_id
        ),
        None,
    )
    latest = list({one.release.digest: one for one in reversed(known)}.values())
    found = [
        one
        for one in latest
        if _was_blocked(one, hold)
        and one.release.digest not in lane.bad_digests
        and not (live and one.release.digest == live.digest)
        and (live_since is None or one.release.pushed_at >= live_since)
    ]
    return sorted(found, key=lambda one: (one.release.pushed_at, one.number), reverse=True)


def _was_blocked(deployment: Deployment, hold: Hold) -> bool:
    return (
        deployment.outcome is Outcome.BLOCKED
        and deployment.failure is not None
        and deployment.failure.reason == Reason.HELD
        and deployment.settled_at is not None
        and deployment.settled_at >= hold.began
    )
