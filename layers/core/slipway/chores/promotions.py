"""Promotions of an environment's last success whose event was lost."""

from collections.abc import Iterator
from functools import partial

from slipway.chores.job import Admit, Job, JobResult
from slipway.domain.catalog import Catalog
from slipway.domain.deployment import Deployment
from slipway.ports.records import Records
from slipway.requests.wishes import promotion_wish_id, promotions


def lost_promotions(catalog: Catalog, *, records: Records, admit: Admit) -> Iterator[Job]:
    """Admit them; a success is read only where one of its promotions is missing."""
    promoted = _expected_promotions(catalog, records)
    known = records.admitted(sorted(promoted)) if promoted else frozenset()
    missing = {wish_id: by for wish_id, by in promoted.items() if wish_id not in known}
    if missing:
        for deployment in records.deployments(sorted(set(missing.values()))):
            yield partial(_admit_missing, deployment, frozenset(missing), catalog, admit)


def _expected_promotions(catalog: Catalog, records: Records) -> dict[str, str]:
    """The wishes that follow from each lane's last success, by their ids."""
    followers = {
        f"{application}/{name}": catalog.applications[application].followers(name)
        for application, name, _ in catalog.environments()
    }
    leading = sorted(lane_id for lane_id, names in followers.items() if names)
    return {
        promotion_wish_id(lane.stable.deployment_id, name): lane.stable.deployment_id
        for lane in (records.lanes(leading) if leading else [])
        if lane.stable is not None
        for name in followers[lane.lane_id]
    }


def _admit_missing(
    deployment: Deployment, missing: frozenset[str], catalog: Catalog, admit: Admit
) -> JobResult:
    for wish in promotions(deployment, catalog):
        if wish.wish_id in missing:
            yield "admitted", admit(wish).deployment_id
