"""`cancel`, `hold` and `lift`: a person steps in."""

from collections.abc import Iterator
from typing import Final

from slipway.domain.blocked import blocked_deployments
from slipway.domain.commands import deploy_command, lift_command
from slipway.domain.deployment import CHANGING_PHASES, Deployment
from slipway.domain.lane import Hold
from slipway.domain.text import plain
from slipway.domain.wording import moment
from slipway.operate.desk import Desk, Place
from slipway.operate.lines import release_of
from slipway.operate.request import Order, deploy
from slipway.requests import cancel as cancelling
from slipway.requests import lift as holding

_LATEST: Final = 100


def cancel(desk: Desk, deployment_id: str, *, by: str) -> Iterator[str]:
    """Ask a deployment to stop, or to be taken back."""
    deployment = desk.records.deployment(deployment_id)
    cancelling.cancel(
        deployment_id,
        by=by,
        journal=desk.journal(),
        announcements=desk.announcements,
    )
    changing = deployment.phase in CHANGING_PHASES
    happens = "what it changed is taken back" if changing else "it ends before it changes anything"
    yield f"{deployment_id} was asked to stop in phase {deployment.phase}: {happens}."


def hold(desk: Desk, place: Place, *, by: str, message: str) -> Iterator[str]:
    """Stop automation on a lane; a hold that is there already is kept."""
    before = desk.lane(place).hold
    lane = holding.hold(*place, by=by, message=message, records=desk.records, now=desk.now())
    if before is None:
        yield (
            f"{lane.lane_id} is on hold: until it is lifted, only what a person asks for is "
            "deployed."
        )
        return
    yield f"{lane.lane_id} has been on hold {plain(before.told)}"
    yield f"  that hold stays; your words are in its history. To end it: {lift_command(str(place))}"


def lift(desk: Desk, place: Place, *, by: str, start: bool) -> Iterator[str]:
    """Let automation go on, and name what the hold has stopped; digests that failed stay refused.

    With ``start`` the newest release that was stopped is requested.
    """
    before = desk.lane(place).hold
    lane = holding.lift(*place, by=by, records=desk.records, now=desk.now())
    yield f"{lane.lane_id} is no longer on hold."
    for digest, failed in lane.bad_digests.items():
        yield f"  {digest[:19]} failed in {failed} and is still deployed on request only"
    recent = desk.records.recent(lane, _LATEST)
    stopped = blocked_deployments(before, lane, recent) if before is not None else []
    for one in stopped:
        yield f"  {release_of(one)} was stopped by the hold, {_when(one)}; to start it:"
        yield f"    {deploy_command(lane.lane_id, one.release.digest)}"
    if start:
        yield from _started(desk, place, by, before, stopped)


def _when(deployment: Deployment) -> str:
    settled = deployment.settled_at or deployment.requested_at
    return f"{deployment.deployment_id} on {moment(settled)}"


def _started(
    desk: Desk, place: Place, by: str, before: Hold | None, stopped: list[Deployment]
) -> Iterator[str]:
    """The newest of what was stopped, requested as a person does."""
    if not stopped or before is None:
        yield "  the hold has stopped nothing that is still to be started"
        return
    reason = plain(f"The hold by {before.by} was lifted: {before.message}")
    yield from deploy(desk, place, Order(stopped[0].release.digest, by, reason))
