"""Deployments without an outcome: settle lost executions, wake steps that missed events."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from slipway.chores.job import Job, JobResult, is_due, rotation
from slipway.domain.deployment import Deployment
from slipway.journal import Journal
from slipway.ports.control import Announcement, Announcements, Executions
from slipway.ports.records import Records
from slipway.steps.execution_end import may_still_change, request_for_lost
from slipway.steps.settle import settle
from slipway.steps.step import StepRequest
from slipway.waits import waiting_in

# An event that is on its way needs no help yet.
EVENT_PATIENCE: Final = timedelta(seconds=30)
# A call of PutEvents takes ten.
_TOLD_AT_ONCE: Final = 10


def waiting_deployments(
    unsettled: Iterable[Deployment],
    *,
    records: Records,
    executions: Executions,
    announcements: Announcements,
    now: datetime,
    turn: int | None,
) -> Iterator[Job]:
    """Settle what died, start what never started, and wake whoever waits, a part each turn.

    One call lists what is running. The list lags behind, so what is missing in it is looked up.
    """
    old = [one for one in unsettled if now - one.requested_at >= EVENT_PATIENCE]
    if not old:
        return
    running = executions.all_running()
    unknown = [one for one in old if one.deployment_id not in running]
    for one in rotation(unknown, now):
        yield partial(_look_after, one, records, executions, announcements, now)
    runs = [one for one in old if one.deployment_id in running]
    due = [one for one in runs if waiting_in(one.phase) and is_due(one.deployment_id, turn)]
    for start in range(0, len(due), _TOLD_AT_ONCE):
        yield partial(_wake, due[start : start + _TOLD_AT_ONCE], announcements)


def _look_after(
    deployment: Deployment,
    records: Records,
    executions: Executions,
    announcements: Announcements,
    now: datetime,
) -> JobResult:
    """What a deployment needed that is not known to run."""
    deployment_id = deployment.deployment_id
    if executions.running(deployment_id):
        yield from _wake([deployment], announcements)
    elif may_still_change(deployment, executions):
        yield "left", deployment_id
    elif executions.known(deployment_id):
        settle(
            request_for_lost(deployment), journal=Journal(records, now), announcements=announcements
        )
        yield "settled", deployment_id
    else:
        request = StepRequest(deployment_id=deployment_id, lane=deployment.lane_id)
        executions.start(deployment_id, request.model_dump_json())
        yield "started", deployment_id


def _wake(deployments: Sequence[Deployment], announcements: Announcements) -> JobResult:
    announcements.publish_all([look for one in deployments for look in look_again_events(one)])
    for one in deployments:
        yield "woken", one.deployment_id


def look_again_events(deployment: Deployment) -> list[Announcement]:
    """What wakes the steps of a deployment that may be waiting."""
    about = {"deployment_id": deployment.deployment_id, "lane": deployment.lane_id}
    return [
        Announcement("Look Again", about | {"step": step}) for step in waiting_in(deployment.phase)
    ]
