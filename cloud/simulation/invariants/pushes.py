"""Pushes: the newest is deployed or refused with a reason, and none is lost or deployed twice."""

import itertools
from datetime import datetime
from typing import Any

from cloud.simulation.watch import Violations, Watch, invariant
from cloud.simulation.world import catalog
from slipway.domain.deployment import Deployment
from slipway.domain.outcome import Outcome

_FOUND_WITHIN = 300.0


@invariant(10, "the newest push is deployed or explicitly ended")
def newest_push_is_served(watch: Watch) -> Violations:
    newest: dict[tuple[str, str], str] = {}
    for repository, tag, digest in watch.run.pushes:
        for lane in catalog().fed_by_push(repository, tag):
            newest[lane] = digest
    for (application, environment), digest in newest.items():
        found = [
            one
            for one in watch.deployments()
            if (one.application, one.environment) == (application, environment)
            and one.release.digest == digest
        ]
        if not found:
            yield f"{application}/{environment} never heard of {digest[:19]}"
    for one in watch.deployments():
        if one.outcome is Outcome.SUCCEEDED:
            yield from _missing_promotions(watch, one)


def _missing_promotions(watch: Watch, one: Deployment) -> Violations:
    application = catalog().applications[one.application]
    stable = watch.lane(one.lane_id).stable
    if stable is None or stable.deployment_id != one.deployment_id:
        return
    for follower in application.followers(one.environment):
        lane = watch.lane(f"{one.application}/{follower}")
        if lane.newest is None or lane.newest.digest != one.release.digest:
            yield f"{one.deployment_id} was not promoted to {follower}"


@invariant(10, "a missed push is found within five minutes")
def found_in_time(watch: Watch) -> Violations:
    plan = watch.run.plan
    if plan.calls or plan.transient_share:
        return
    for one in watch.deployments():
        since = max(
            one.release.pushed_at,
            watch.run.pushed_at.get(one.release.digest, one.release.pushed_at),
        )
        waited = one.requested_at - since
        if one.origin == "sweep" and waited.total_seconds() > _FOUND_WITHIN:
            yield f"{one.deployment_id} after {waited.total_seconds():.0f} seconds"


@invariant(10, "one push becomes one deployment of a lane")
def pushes_are_admitted_once(watch: Watch) -> Violations:
    """A digest that is pushed again may start again once its first deployment has ended, or once
    another push has superseded it.
    """
    made: dict[tuple[str, str], list[Deployment]] = {}
    for one in watch.deployments():
        if one.origin in ("push", "sweep"):
            made.setdefault((one.lane_id, one.release.digest), []).append(one)
    for (lane_id, digest), found in made.items():
        pushes = watch.cloud.bus.pushes[digest]
        if len(found) > pushes:
            yield f"{len(found)} deployments of {digest[:19]} on {lane_id} for {pushes} pushes"
        for before, after in itertools.pairwise(sorted(found, key=lambda one: one.number)):
            ended = before.settled_at
            over = ended is not None and ended <= after.requested_at
            over = over or _is_superseded_between(watch, before, after)
            live = before.outcome is Outcome.SUCCEEDED and not _is_replaced(watch, before)
            if not over or live:
                yield f"{after.deployment_id} beside {before.deployment_id}, with the same digest"


def _is_superseded_between(watch: Watch, before: Deployment, after: Deployment) -> bool:
    """Whether another digest was requested between the two, which ends the first."""
    return before.outcome is Outcome.SUPERSEDED and any(
        one.lane_id == before.lane_id
        and before.number < one.number < after.number
        and one.release.digest != before.release.digest
        for one in watch.deployments()
    )


def _is_replaced(watch: Watch, before: Deployment) -> bool:
    """Whether another digest went live on the lane since."""
    return any(
        one.lane_id == before.lane_id
        and one.number > before.number
        and one.release.digest != before.release.digest
        and one.outcome is Outcome.SUCCEEDED
        for one in watch.deployments()
    )


@invariant(17, "the newest push by the registry's time is the lane's newest candidate")
def newest_by_the_registry(watch: Watch) -> Violations:
    plan = watch.run.plan
    if plan.calls or plan.transient_share or watch.run.requests:
        return
    pushed: dict[str, set[str]] = {}
    for repository, tag, digest in watch.run.pushes:
        for application, environment in catalog().fed_by_push(repository, tag):
            pushed.setdefault(f"{application}/{environment}", set()).add(digest)
    times = watch.run.pushed_at
    for lane_id, digests in pushed.items():
        last = max(times[digest] for digest in digests)
        candidate = watch.lane(lane_id).newest
        # Of two pushes at the very same moment either may be the newest.
        if candidate is not None and times.get(candidate.digest) != last:
            yield f"{lane_id} wants {candidate.digest[:19]}, another one was pushed last"


@invariant(17, "every push is answered: by a deployment that ships it, or by a reason")
def pushes_are_answered(watch: Watch) -> Violations:
    heard: set[str] = set()
    for event, at, result in watch.admissions():
        if event.get("source") != "aws.ecr" or event["id"] in heard:
            continue
        heard.add(event["id"])
        if not result:
            yield f"the event {event['id']} was answered with nothing"
        for answer in result:
            yield from _unserved(watch, datetime.fromisoformat(event["time"]), at, answer)


def _unserved(
    watch: Watch, pushed_at: datetime, at: datetime, answer: dict[str, Any]
) -> Violations:
    """A push answered with a deployment that had ended before it was made."""
    deployment = watch.deployment(answer.get("deployment_id", ""))
    if deployment is None:
        if not answer.get("message"):
            yield f"a push was answered with {answer}"
        return
    settled = deployment.settled_at
    if settled is not None and settled < pushed_at and not _was_live(watch, deployment, at):
        yield f"a push at {pushed_at} is answered with the earlier {deployment.deployment_id}"


def _was_live(watch: Watch, deployment: Deployment, at: datetime) -> bool:
    """Whether the deployment's digest was live: its lane's latest success has the same one."""
    known = [one for one in watch.deployments() if one.lane_id == deployment.lane_id]
    ended = {one.settled_at: one for one in (*known, deployment) if _had_succeeded(one, at)}
    latest = max((moment for moment in ended if moment is not None), default=None)
    return latest is not None and ended[latest].release.digest == deployment.release.digest


def _had_succeeded(one: Deployment, at: datetime) -> bool:
    over = one.settled_at is not None and one.settled_at <= at
    return over and one.outcome in (Outcome.SUCCEEDED, Outcome.UNCHANGED)
