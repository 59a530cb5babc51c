"""Sweep: what an event should have told and did not, found by looking at the world.

ECR, RDS and Step Functions events are best effort, and a function can die between its record and
its event. Everything here may be called at any time and does nothing where nothing is missing.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from slipway.domain.catalog import Catalog, Push
from slipway.domain.deployment import Deployment, Origin, Outcome, Phase
from slipway.domain.model import Model
from slipway.domain.notice import state_of
from slipway.domain.release import Release
from slipway.ports import Announcements, Executions, ImageRegistry, Records
from slipway.steps.admit import AdmitResult, Wish
from slipway.steps.ended import lost, may_still_change
from slipway.steps.settle import settle
from slipway.steps.step import StepRequest
from slipway.steps.wishes import promotions, push_wish

# An event that is on its way needs no help yet.
_EVENT_PATIENCE: Final = timedelta(minutes=1)
# A lane that was never used takes up no image that was there before Slipway was.
_NEW_LANE_LOOKS_BACK: Final = timedelta(days=1)

# The stream keeps its news for a day; what is older interests nobody any more.
_NEWS_LASTS: Final = timedelta(days=1)
_LOOKED_THROUGH: Final = 5
_MUST_BE_TOLD: Final[frozenset[str | None]] = frozenset(
    {Phase.AWAITING_APPROVAL, *Outcome} - {Outcome.UNCHANGED}
)

_WAITING_STEP: Final = {
    Phase.PLANNING: "check",
    Phase.AWAITING_APPROVAL: "approve",
    Phase.AWAITING_LANE: "enter",
    Phase.BACKING_UP: "backup",
    Phase.MIGRATING: "migrate",
    Phase.DEPLOYING: "deploy",
    Phase.VERIFYING: "verify",
    Phase.ROLLING_BACK: "rollback",
}


class SweepResult(Model):
    """What was found and set going again: ids of deployments."""

    admitted: tuple[str, ...] = ()
    started: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()
    woken: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()


def sweep(
    *,
    records: Records,
    catalog: Catalog,
    registry: ImageRegistry,
    executions: Executions,
    announcements: Announcements,
    admit: Callable[[Wish], AdmitResult],
    now: datetime,
) -> SweepResult:
    """Find lost pushes and promotions, dead or unstarted executions, and who waits unwoken."""
    wishes = [*_lost_pushes(catalog, registry, records, now), *_lost_promotions(catalog, records)]
    admitted = tuple(admit(wish).deployment_id for wish in wishes)
    found: dict[str, list[str]] = {"started": [], "settled": [], "woken": [], "left": []}
    for deployment in records.unsettled():
        if now - deployment.requested_at >= _EVENT_PATIENCE:
            done = _look_after(deployment, records, executions, announcements, now)
            found[done].append(deployment.deployment_id)
    untold = tuple(_untold(catalog, records, now))
    for deployment_id in untold:
        announcements.publish("Tell Again", {"deployment_id": deployment_id})
    return SweepResult(admitted=admitted, untold=untold, **{k: tuple(v) for k, v in found.items()})


def _untold(catalog: Catalog, records: Records, now: datetime) -> Iterable[str]:
    """The deployments of which something that a person has to know was never told."""
    for application, name, _ in catalog.environments():
        for deployment in records.recent(application, name, _LOOKED_THROUGH):
            state = state_of(deployment)
            reached = deployment.settled_at or deployment.requested_at
            if state not in _MUST_BE_TOLD or not _EVENT_PATIENCE < now - reached < _NEWS_LASTS:
                continue
            if state not in records.notice(deployment.deployment_id).told:
                yield deployment.deployment_id


def _lost_pushes(
    catalog: Catalog, registry: ImageRegistry, records: Records, now: datetime
) -> Iterable[Wish]:
    """The newest eligible push of every fed environment, if nobody has admitted it."""
    for application, name, environment in catalog.environments():
        if environment.fed_by is None:
            continue
        release = _newest(application, name, environment.fed_by, registry, records, now)
        if release is None:
            continue
        wish = push_wish(application, name, release, Origin.SWEEP)
        if records.admission(wish.wish_id) is None:
            yield wish


def _newest(
    application: str,
    name: str,
    push: Push,
    registry: ImageRegistry,
    records: Records,
    now: datetime,
) -> Release | None:
    lane = records.lane(application, name)
    since = lane.newest.order if lane.newest else now - _NEW_LANE_LOOKS_BACK
    eligible = [
        release
        for release in registry.pushed_since(push.repository, since)
        if push.means(release.repository, release.tag)
        and release.pushed_at <= now - _EVENT_PATIENCE
    ]
    return max(eligible, key=lambda release: release.pushed_at, default=None)


def _lost_promotions(catalog: Catalog, records: Records) -> Iterable[Wish]:
    """The promotions of every environment's last success that nobody has admitted."""
    for application in catalog.applications.values():
        for name in application.environments:
            if not application.followers(name):
                continue
            stable = records.lane(application.application, name).stable
            if stable is None:
                continue
            deployment = records.deployment(stable.deployment_id)
            for wish in promotions(deployment, catalog):
                if records.admission(wish.wish_id) is None:
                    yield wish


def _look_after(
    deployment: Deployment,
    records: Records,
    executions: Executions,
    announcements: Announcements,
    now: datetime,
) -> str:
    """What was done for an unsettled deployment.

    "woken", "left" (for the next sweep), "settled" or "started".
    """
    deployment_id, lane = deployment.deployment_id, deployment.lane_id
    if executions.running(deployment_id):
        detail = {
            "deployment_id": deployment_id,
            "lane": lane,
            "step": _WAITING_STEP.get(deployment.phase, ""),
        }
        announcements.publish("Look Again", detail)
        return "woken"
    if may_still_change(deployment, executions):
        return "left"
    if executions.known(deployment_id):
        settle(lost(deployment), records=records, announcements=announcements, now=now)
        return "settled"
    request = StepRequest(deployment_id=deployment_id, lane=lane)
    executions.start(deployment_id, request.model_dump_json())
    return "started"
