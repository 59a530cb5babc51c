"""Requests: what may supersede a deployment, and that every request is answered."""

from cloud.simulation.faults import CallKind
from cloud.simulation.watch import Violations, Watch, invariant
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.lane import Lane
from slipway.domain.outcome import Outcome

# Before anything has changed a newer candidate supersedes a deployment.
_WAITING = frozenset({Phase.PLANNING, Phase.AWAITING_APPROVAL, Phase.AWAITING_LANE})


def check_candidate(watch: Watch, before: Lane, after: Lane) -> None:
    """A candidate is an image, and a request replaces a waiting one only if it says so."""
    newest = after.newest
    if newest is None or before.newest == newest:
        return
    # Where the registry refuses to be read, only Plan finds out.
    if newest.digest in watch.run.artifacts and not _is_registry_closed(watch):
        watch.report(17, f"{newest.deployment_id} is a candidate and no image")
    if not newest.explicit or before.newest is None:
        return
    waiting = watch.deployment(before.newest.deployment_id)
    taken = waiting is not None and newest.deployment_id != waiting.deployment_id
    if waiting is None or not taken or not _is_waiting(waiting):
        return
    if not _may_replace(watch, newest.digest):
        watch.report(18, f"{newest.deployment_id} takes the place of {waiting.deployment_id}")


def _is_registry_closed(watch: Watch) -> bool:
    """Whether the registry permanently refuses to be read."""
    refused = [site for site, kind in watch.run.plan.calls if kind is CallKind.PERMANENT]
    return any(site.service == "ecr" and site.function in ("admit", "sweep") for site in refused)


def _is_waiting(one: Deployment) -> bool:
    ending = one.outcome or one.progress.ending_since or one.cancel_requested_by
    return one.phase in _WAITING and ending is None


def _may_replace(watch: Watch, digest: str) -> bool:
    asked = [one for one in watch.run.requests if one["digest"] == digest]
    return any(one.get("replace") for one in asked)


@invariant(18, "what supersedes a deployment was admitted")
def superseded_by_a_candidate(watch: Watch) -> Violations:
    everyone = watch.deployments()
    for one in everyone:
        if one.outcome is not Outcome.SUPERSEDED:
            continue
        others = [each for each in everyone if each.lane_id == one.lane_id and each is not one]
        newer = [each for each in others if each.release.pushed_at >= one.release.pushed_at]
        if not newer and not any(each.explicit for each in others):
            yield f"{one.deployment_id} was superseded by nothing"


@invariant(18, "every request with an id has an answer on record")
def requests_are_answered(watch: Watch) -> Violations:
    for event, _, result in watch.admissions():
        asked = event.get("detail", {})
        named = asked.get("request_id") if isinstance(asked, dict) else None
        if event.get("account") != watch.cloud.twin.world.account or not isinstance(named, str):
            continue
        if watch.cloud.table.item(f"ADMISSION#request:{named}", "ADMISSION") is None:
            yield f"{named} was answered with {result} and has no record"
