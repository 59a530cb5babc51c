"""How a deployment ends: what is live then, what is kept, and that everything ends at all."""

from cloud.simulation.trace import Effect, actor_of
from cloud.simulation.watch import Violations, Watch, invariant
from cloud.simulation.world import DATABASES
from slipway.domain.deployment import Deployment
from slipway.domain.lane import Lane
from slipway.domain.outcome import Outcome

_PAGES = (Outcome.NEEDS_OPERATOR, Outcome.ROLLBACK_FAILED)
_NEVER_CHANGED = frozenset(
    {Outcome.REJECTED, Outcome.EXPIRED, Outcome.SUPERSEDED, Outcome.BLOCKED, Outcome.UNCHANGED}
)


@invariant(4, "no side effect of a deployment that was rejected, expired or superseded")
def nothing_unwanted(watch: Watch) -> Violations:
    unwanted = {
        one.deployment_id: one.outcome
        for one in watch.deployments()
        if one.outcome in _NEVER_CHANGED
    }
    for effect in watch.cloud.trace.effects:
        if effect.error is None and actor_of(effect) in unwanted:
            yield f"{effect.operation} by {actor_of(effect)} ({unwanted[actor_of(effect)]})"


@invariant(4, "a cancelled deployment does not succeed")
def cancelled_is_cancelled(watch: Watch) -> Violations:
    for one in watch.deployments():
        if one.cancel_requested_by is not None and one.outcome is Outcome.SUCCEEDED:
            yield f"{one.deployment_id} succeeded although {one.cancel_requested_by} cancelled it"


@invariant(7, "at rest the last good release is live, unless an operator was paged")
def live_is_stable(watch: Watch) -> Violations:
    for lane in watch.lanes():
        live = watch.revision_arn(lane.lane_id)
        paged = lane.hold is not None and lane.hold.reason in _PAGES
        if lane.stable is None or paged:
            continue
        if live != lane.stable.revision_arn:
            yield f"{lane.lane_id} runs {live}, not {lane.stable.revision_arn}"


@invariant(8, "after a failure the last good release runs, or an operator was paged")
def failures_are_undone(watch: Watch) -> Violations:
    for one in watch.deployments():
        if one.outcome is Outcome.SUCCEEDED or one.outcome is None:
            continue
        if not one.outcome.holds_the_lane and _has_changed(watch, one):
            yield f"{one.deployment_id} changed the service and ended as {one.outcome}"


def _has_changed(watch: Watch, one: Deployment) -> bool:
    return any(
        effect.error is None
        and (effect.operation == "UpdateService" or _may_have_run(watch, effect))
        and actor_of(effect) == one.deployment_id
        for effect in watch.cloud.trace.effects
    )


def _may_have_run(watch: Watch, effect: Effect) -> bool:
    """Whether this started a one-off task, and its containers may have begun."""
    if effect.operation != "RunTask":
        return False
    return any(task.stop_code != "TaskFailedToStart" for task in watch.tasks(effect))


@invariant(9, "the last good revision, image and snapshot are never deleted")
def last_good_is_kept(watch: Watch) -> Violations:
    for lane in watch.lanes():
        if lane.stable is None:
            continue
        if not _may_be_gone(watch, lane):
            definition = watch.cloud.ecs._definitions.find(lane.stable.revision_arn)
            if definition is None or definition["status"] != "ACTIVE":
                yield f"{lane.stable.revision_arn} can no longer be run"
        repository = watch.cloud.ecr.repositories[lane.application]
        gone = repository.find({"imageDigest": lane.stable.digest}) is None
        if gone and lane.stable.digest not in watch.run.deleted:
            yield f"{lane.stable.digest} is gone"
    for one in watch.deployments():
        for backup in one.progress.backups.values():
            if backup.succeeded and watch.cloud.rds.taken(backup.handle or "") is None:
                yield f"{backup.handle} is gone"


def _may_be_gone(watch: Watch, lane: Lane) -> bool:
    """Whether somebody else deregistered the last good revision, and no rollback needed it.

    ECS keeps running a revision after it was deregistered.
    """
    if lane.stable is None or lane.stable.revision_arn not in watch.run.deregistered:
        return False
    live = watch.revision_arn(lane.lane_id)
    ends = [one.outcome for one in watch.deployments() if one.lane_id == lane.lane_id]
    return live == lane.stable.revision_arn or Outcome.ROLLED_BACK not in ends


@invariant(11, "every execution ends within its bound and frees its lane")
def all_ends(watch: Watch) -> Violations:
    if not watch.run.quiet:
        yield "the run did not come to rest"
    for one in watch.cloud.machine.executions.values():
        if one.status == "RUNNING":
            yield f"{one.name} is still running in {one.state}"
    for lane in watch.lanes():
        if lane.holder is not None:
            yield f"{lane.lane_id} is held by {lane.holder}"
    for database_id in DATABASES:
        slot = watch.slot(database_id)
        if slot is not None and slot.holder is not None:
            yield f"{database_id} is held by {slot.holder}"
    for deployment in watch.deployments():
        if deployment.outcome is None:
            yield f"{deployment.deployment_id} has no outcome ({deployment.phase})"
