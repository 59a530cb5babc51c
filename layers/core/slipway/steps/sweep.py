"""Sweep: what an event should have told and did not, found by looking at the world.

ECR, RDS and Step Functions events are best effort, and a function can die between its record and
its event. Everything here may be called at any time and does nothing where nothing is missing.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from slipway.domain.catalog import Catalog, Environment, Push
from slipway.domain.deployment import Deployment, Origin, Outcome, Phase
from slipway.domain.errors import ControlPlaneError
from slipway.domain.model import Model
from slipway.domain.notice import state_of
from slipway.domain.release import Release
from slipway.ports import Announcements, Executions, ImageRegistry, OneOffs, Records
from slipway.steps.admit import AdmitResult
from slipway.steps.ended import lost, may_still_change
from slipway.steps.schema_task import may_change_schema
from slipway.steps.settle import settle
from slipway.steps.step import StepRequest
from slipway.steps.wish import Wish
from slipway.steps.wishes import promotions, push_wish

# An event that is on its way needs no help yet. With the schedule's four minutes everything is
# found within five.
_EVENT_PATIENCE: Final = timedelta(seconds=30)
# A lane that was never used takes up no image that was there before Slipway was.
_NEW_LANE_LOOKS_BACK: Final = timedelta(days=1)

# ECR's events tell whole seconds, its images fractions.
_CLOCKS_DIFFER: Final = timedelta(seconds=1)

# The stream keeps its news for a day; what is older interests nobody any more.
_NEWS_LASTS: Final = timedelta(days=1)
_LOOKED_THROUGH: Final = 5
_MUST_BE_TOLD: Final[frozenset[str | None]] = frozenset(
    {Phase.AWAITING_APPROVAL, *Outcome} - {Outcome.UNCHANGED}
)

# A phase begins when the state before it ends, so two steps may be the one that waits.
_WAITING_STEPS: Final[dict[Phase, tuple[str, ...]]] = {
    Phase.PLANNING: ("check",),
    Phase.AWAITING_APPROVAL: ("approve",),
    Phase.AWAITING_LANE: ("enter", "check"),
    Phase.BACKING_UP: ("backup",),
    Phase.MIGRATING: ("migrate",),
    Phase.DEPLOYING: ("deploy", "verify"),
    Phase.VERIFYING: ("verify",),
    Phase.ROLLING_BACK: ("rollback", "verify"),
}


Place = tuple[str, str, Environment]
Admit = Callable[[Wish], AdmitResult]
# Fields of SweepResult, and ids.
Finding = Iterable[tuple[str, str]]


class SweepResult(Model):
    """What was found and set going again: ids of deployments; of databases where ``freed``."""

    admitted: tuple[str, ...] = ()
    started: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()
    freed: tuple[str, ...] = ()
    woken: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


class _Finds:
    """What was found so far; a chore that fails is told and stops no other."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}

    def add(self, chore: Callable[[], Finding]) -> None:
        try:
            for kind, what in chore():
                self.found.setdefault(kind, []).append(what)
        except ControlPlaneError as error:
            self.found.setdefault("problems", []).append(str(error))

    def result(self) -> SweepResult:
        return SweepResult(**{kind: tuple(whats) for kind, whats in self.found.items()})


def sweep(
    *,
    records: Records,
    catalog: Catalog,
    registry: ImageRegistry,
    executions: Executions,
    one_offs: OneOffs,
    announcements: Announcements,
    admit: Admit,
    now: datetime,
) -> SweepResult:
    """Find lost pushes and promotions, untold news, dead executions, and who waits unwoken.

    Databases are freed before waiting deployments are woken, so that these take them.
    """
    finds = _Finds()
    for lane in catalog.environments():
        finds.add(partial(_lost_push, lane, registry, records, admit, now))
        finds.add(partial(_lost_promotions, lane, catalog, records, admit))
        finds.add(partial(_untold, lane, records, announcements, now))
    unsettled = records.unsettled()
    for database_id in sorted(_databases(catalog, unsettled)):
        finds.add(partial(_left_database, database_id, records, one_offs, now))
    for deployment in unsettled:
        if now - deployment.requested_at >= _EVENT_PATIENCE:
            finds.add(partial(_looked_after, deployment, records, executions, announcements, now))
    return finds.result()


def _untold(lane: Place, records: Records, announcements: Announcements, now: datetime) -> Finding:
    """The deployments of which something that a person has to know was refused by Slack.

    What could not be told for now is not asked for: the stream brings it again, in its order.
    """
    application, name, _ = lane
    for deployment in records.recent(application, name, _LOOKED_THROUGH):
        state = state_of(deployment)
        reached = deployment.settled_at or deployment.requested_at
        if state not in _MUST_BE_TOLD or not _EVENT_PATIENCE < now - reached < _NEWS_LASTS:
            continue
        if records.notice(deployment.deployment_id).lacks(state):
            announcements.publish("Tell Again", {"deployment_id": deployment.deployment_id})
            yield "untold", deployment.deployment_id


def _lost_push(
    lane: Place, registry: ImageRegistry, records: Records, admit: Admit, now: datetime
) -> Finding:
    """The newest eligible push of a fed environment, if nobody has admitted it.

    Of pushes at the same moment any may be the one whose event was lost.
    """
    application, name, environment = lane
    if environment.fed_by is None:
        return
    for release in _newest(application, name, environment.fed_by, registry, records, now):
        wish = push_wish(application, name, release, Origin.SWEEP)
        if records.admission(wish.wish_id) is None:
            yield "admitted", admit(wish).deployment_id


def _newest(
    application: str,
    name: str,
    push: Push,
    registry: ImageRegistry,
    records: Records,
    now: datetime,
) -> list[Release]:
    lane = records.lane(application, name)
    since = lane.newest.order - _CLOCKS_DIFFER if lane.newest else now - _NEW_LANE_LOOKS_BACK
    eligible = [
        release
        for release in registry.pushed_since(push.repository, since)
        if push.means(release.repository, release.tag)
        and release.pushed_at <= now - _EVENT_PATIENCE
    ]
    latest = max((release.pushed_at for release in eligible), default=None)
    return [release for release in eligible if release.pushed_at == latest]


def _databases(catalog: Catalog, unsettled: Iterable[Deployment]) -> set[str]:
    """The databases that are migrated by the catalog's lanes, and by whoever may wait for one."""
    lanes = {
        environment.database_id(f"{application}/{name}")
        for application, name, environment in catalog.environments()
        if environment.migration is not None
    }
    return lanes | {one.migrated_database for one in unsettled if one.migrated_database is not None}


def _left_database(database_id: str, records: Records, one_offs: OneOffs, now: datetime) -> Finding:
    """The database that an ended deployment kept for its migration, now that this has ended."""
    slot = records.database_slot(database_id)
    if slot.holder is None:
        return
    holder = records.deployment(slot.holder)
    if holder.outcome is not None and not may_change_schema(holder, one_offs, now):
        records.write([slot.leave(holder.deployment_id)])
        yield "freed", slot.database_id


def _lost_promotions(lane: Place, catalog: Catalog, records: Records, admit: Admit) -> Finding:
    """The promotions of an environment's last success that nobody has admitted."""
    application, name, _ = lane
    stable = records.lane(application, name).stable
    if stable is None or not catalog.applications[application].followers(name):
        return
    for wish in promotions(records.deployment(stable.deployment_id), catalog):
        if records.admission(wish.wish_id) is None:
            yield "admitted", admit(wish).deployment_id


def _looked_after(
    deployment: Deployment,
    records: Records,
    executions: Executions,
    announcements: Announcements,
    now: datetime,
) -> Finding:
    """What an unsettled deployment needed."""
    deployment_id = deployment.deployment_id
    if executions.running(deployment_id):
        _wake(deployment, announcements)
        yield "woken", deployment_id
    elif may_still_change(deployment, executions):
        yield "left", deployment_id
    elif executions.known(deployment_id):
        settle(lost(deployment), records=records, announcements=announcements, now=now)
        yield "settled", deployment_id
    else:
        request = StepRequest(deployment_id=deployment_id, lane=deployment.lane_id)
        executions.start(deployment_id, request.model_dump_json())
        yield "started", deployment_id


def _wake(deployment: Deployment, announcements: Announcements) -> None:
    for step in _WAITING_STEPS.get(deployment.phase, ()):
        detail = {
            "deployment_id": deployment.deployment_id,
            "lane": deployment.lane_id,
            "step": step,
        }
        announcements.publish("Look Again", detail)
