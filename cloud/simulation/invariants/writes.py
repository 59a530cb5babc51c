"""Checked at every write to the table, at the moment it is made."""

from cloud.simulation.install import document_of
from cloud.simulation.invariants.requests import check_candidate
from cloud.simulation.table import Change, Item
from cloud.simulation.watch import Watch, registered_revision
from slipway.domain.approval import Approval
from slipway.domain.deployment import Deployment
from slipway.domain.lane import Lane
from slipway.domain.outcome import Outcome


def check_write(watch: Watch, change: Change) -> None:
    """Report what is wrong with a write."""
    before, after = change.before, change.after
    kind = (after or before or {})["kind"]["S"]
    if kind == "Parked":
        return
    if after is None:
        return watch.report(12, f"{change.key} was deleted")
    if kind in ("Evidence", "Admission", "Plan") and before is not None:
        watch.report(12, f"{change.key} was written over")
    if kind == "Lane" and before is not None:
        _check_lane(watch, before, after)
    if kind == "Deployment" and before is not None:
        _check_outcome(watch, document_of(before, Deployment), document_of(after, Deployment))
    if kind == "Approval" and before is not None:
        _check_decision(watch, document_of(before, Approval), document_of(after, Approval))
    if kind == "Deployment" and document_of(after, Deployment).outcome is Outcome.SUCCEEDED:
        _check_success(watch, document_of(after, Deployment))


def _check_lane(watch: Watch, before: Item, after: Item) -> None:
    """The fencing number grows with every holder, and nobody takes a lane from another."""
    old, new = int(before["fencing"]["N"]), int(after["fencing"]["N"])
    if new < old:
        watch.report(2, f"the fencing number went from {old} to {new}")
    was, now = before.get("holder", {}).get("S"), after.get("holder", {}).get("S")
    if now is not None and now != was and new <= old:
        watch.report(2, f"{now} took the lane without a new fencing number")
    if was is not None and now not in (None, was):
        watch.report(1, f"{now} took the lane from {was}")
    old_lane, lane = document_of(before, Lane), document_of(after, Lane)
    _check_newest(watch, old_lane, lane)
    check_candidate(watch, old_lane, lane)


def _check_newest(watch: Watch, before: Lane, after: Lane) -> None:
    """The newest candidate takes the lane, and only a newer one replaces it."""
    newest = after.newest
    taken = after.holder is not None and after.holder != before.holder
    if taken and newest is not None and newest.deployment_id != after.holder:
        watch.report(4, f"{after.holder} took the lane, {newest.deployment_id} is newer")
    if before.newest is None or newest is None or newest.explicit:
        return
    if newest.order < before.newest.order:
        watch.report(10, f"{newest.deployment_id} replaced a newer candidate")


def _check_outcome(watch: Watch, before: Deployment, after: Deployment) -> None:
    """A deployment has one outcome and one plan."""
    if before.outcome is not None and before.outcome is not after.outcome:
        watch.report(12, f"the outcome {before.outcome} became {after.outcome}")
    if before.plan_hash is not None and before.plan_hash != after.plan_hash:
        watch.report(3, f"{after.deployment_id} has another plan than it had")


def _check_decision(watch: Watch, was: Approval, now: Approval) -> None:
    """An approval is decided once, and what was asked stays as it was."""
    if was.decision is not None and was.decision != now.decision:
        watch.report(13, f"{was.deployment_id} was decided twice")
    fixed = ("deployment_id", "digest", "plan_hash", "expires_at", "approvers")
    if any(getattr(was, name) != getattr(now, name) for name in fixed):
        watch.report(13, f"the approval of {was.deployment_id} was changed")


def _check_success(watch: Watch, deployment: Deployment) -> None:
    """Succeeded is written only while this release is live, verified and serving."""
    primary = watch.primary(deployment.lane_id)
    name = deployment.deployment_id
    if primary.rollout_state != "COMPLETED":
        watch.report(7, f"{name} Succeeded, {primary.rollout_state}")
    live = watch.revision_arn(deployment.lane_id)
    if live != registered_revision(deployment):
        watch.report(7, f"{name} Succeeded while {live} is live")
    if deployment.progress.verified_at is None:
        watch.report(7, f"{name} Succeeded without verification")
    if deployment.release.digest not in primary.revision.images.values():
        watch.report(7, f"{name} Succeeded with other images")
    image = watch.cloud.engines.images.get(deployment.release.digest)
    if image is not None and image.site != 200:
        watch.report(7, f"{name} Succeeded with a broken site")
    if not any(task.healthy for task in primary.tasks.values()):
        watch.report(7, f"{name} Succeeded while nothing serves")
