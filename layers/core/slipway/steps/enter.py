"""Enter: take the lane, and the database with it, or wait for the deployment that holds them.

Taking the lane raises its fencing number. Every later write that precedes a change carries that
number, so a deployment that was paused and lost the lane meanwhile can change nothing any more.
"""

from slipway.domain.deployment import Deployment, Phase
from slipway.domain.errors import Reason
from slipway.domain.evidence import Note
from slipway.domain.lane import DatabaseSlot, EnterResult, Lane, Stable
from slipway.domain.what import What
from slipway.journal import Journal
from slipway.ports.control import Announcements, Executions
from slipway.ports.records import Records
from slipway.steps.step import StepRequest, StepResult
from slipway.waits import Key, databases_key, deployment_key, lane_key


class EnterRequest(StepRequest):
    """The deployment that wants its lane."""


def keys(request: EnterRequest) -> tuple[Key, ...]:
    """What wakes a wait for the lane: any settled deployment, since a database may be shared."""
    return lane_key(request.lane), deployment_key(request.deployment_id), databases_key()


def enter(
    request: EnterRequest,
    *,
    journal: Journal,
    executions: Executions,
    announcements: Announcements,
) -> StepResult:
    """Done once both are ours; Rejected when the candidate is superseded or on hold."""
    records = journal.records
    deployment = records.deployment(request.deployment_id)
    deployment.refuse_to_continue()
    lane = records.lane(deployment.application, deployment.environment)
    lane.refuse(deployment.deployment_id, deployment.release.digest, explicit=deployment.explicit)
    slot = _slot(deployment, records)
    busy_with = _blocker(deployment, lane, slot)
    if busy_with is None:
        _take(deployment, lane, slot, journal)
        return StepResult(done=True, reason=Reason.LANE_TAKEN, message=f"{lane.lane_id} taken")
    message = _check_on_holder(busy_with, records, executions, announcements)
    _record_wait(deployment, message, journal)
    return StepResult(done=False, reason=Reason.LANE_BUSY, message=message)


def _check_on_holder(
    holder: str, records: Records, executions: Executions, announcements: Announcements
) -> str:
    """What is waited for; settles nothing itself.

    Events about ended executions are best effort, so whoever waits for the lane checks on its
    holder and announces one that is gone. A holder that has ended keeps its database until the
    migration's task stops; the sweep frees it.
    """
    if executions.running(holder):
        return f"waiting for {holder}"
    if records.deployment(holder).outcome is not None:
        return f"waiting for the migration of {holder} to end"
    announcements.publish("Holder Lost", {"deployment_id": holder})
    return f"waiting for {holder}"


def _slot(deployment: Deployment, records: Records) -> DatabaseSlot | None:
    database_id = deployment.migrates
    return records.database_slot(database_id) if database_id is not None else None


def _blocker(deployment: Deployment, lane: Lane, slot: DatabaseSlot | None) -> str | None:
    for place in (lane, slot):
        if place is None:
            continue
        entry, _ = place.enter(deployment.deployment_id)
        if entry is EnterResult.BUSY:
            return place.holder
    return None


def _take(deployment: Deployment, lane: Lane, slot: DatabaseSlot | None, journal: Journal) -> None:
    if lane.holder == deployment.deployment_id:
        return
    _, taken = lane.enter(deployment.deployment_id)
    others = [taken] if slot is None else [taken, slot.enter(deployment.deployment_id)[1]]
    entered = deployment.at(Phase.AWAITING_LANE).model_copy(
        update={"fencing": taken.fencing, "rollback_target": _way_back(deployment, lane)}
    )
    back = entered.rollback_target
    target = back.deployment_id if back else "none"
    note = Note(
        what=What.LANE_TAKEN,
        message=f"fencing number {taken.fencing}, rollback target {target}",
        data={"fencing": taken.fencing},
    )
    journal.write(entered, note, others=others)


def _way_back(deployment: Deployment, lane: Lane) -> Stable | None:
    """The last good release, unless the plan has found that it could not be brought back."""
    plan = deployment.planned()
    if lane.stable is None or plan.why_no_way_back_to(lane.stable) is not None:
        return None
    return lane.stable.on(plan.settings.database_id(plan.lane_id))


def _record_wait(deployment: Deployment, message: str, journal: Journal) -> None:
    """Record what the wait is for, once for each."""
    if deployment.progress.awaited == message:
        return
    waiting = deployment.at(Phase.AWAITING_LANE).having(deployment.progress.awaiting(message))
    journal.write(waiting, Note(what=What.LANE_BUSY, message=message))
