"""Databases that an ended deployment kept for its migration: free them once it has ended."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial

from slipway.chores.job import Job, JobResult
from slipway.chores.waiting import look_again_events
from slipway.domain.catalog import Catalog
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.lane import DatabaseSlot
from slipway.ports.control import Announcement, Announcements
from slipway.ports.records import Records
from slipway.ports.targets import OneOffs
from slipway.steps.schema_task import may_change_schema


def abandoned_databases(
    catalog: Catalog,
    unsettled: Sequence[Deployment],
    *,
    records: Records,
    one_offs: OneOffs,
    announcements: Announcements,
    now: datetime,
) -> Iterator[Job]:
    """Free them, and wake whoever waits for one."""
    under_way = {one.deployment_id for one in unsettled}
    slots = records.database_slots(sorted(_databases(catalog, unsettled)))
    left = {slot.holder: slot for slot in slots if slot.holder and slot.holder not in under_way}
    for holder in records.deployments(sorted(left)) if left else []:
        slot = left[holder.deployment_id]
        wakes = [
            look
            for one in unsettled
            if _is_waiting_for(slot, one)
            for look in look_again_events(one)
        ]
        at_work = partial(_is_at_work, holder, one_offs, now)
        yield partial(_free, slot, at_work, wakes, records, announcements)


def _databases(catalog: Catalog, unsettled: Iterable[Deployment]) -> set[str]:
    """The databases that are migrated by the catalog's lanes, and by whoever may wait for one."""
    lanes = {
        environment.database_id(f"{application}/{name}")
        for application, name, environment in catalog.environments()
        if environment.migration is not None
    }
    return lanes | {one.migrates for one in unsettled if one.migrates is not None}


def _is_waiting_for(slot: DatabaseSlot, one: Deployment) -> bool:
    return one.phase is Phase.AWAITING_LANE and one.migrates == slot.database_id


def _is_at_work(holder: Deployment, one_offs: OneOffs, now: datetime) -> bool:
    return holder.outcome is None or may_change_schema(holder, one_offs, now)


def _free(
    slot: DatabaseSlot,
    at_work: Callable[[], bool],
    wakes: Sequence[Announcement],
    records: Records,
    announcements: Announcements,
) -> JobResult:
    if slot.holder is None or at_work():
        return
    records.write([slot.leave(slot.holder)])
    yield "freed", slot.database_id
    announcements.publish_all(wakes)
