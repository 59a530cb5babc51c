"""`cancel`, `hold` and `lift`."""

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
    """Cancel a deployment, or have it rolled back."""
    deployment = desk.records.deployment(deployment_id)
    cancelling.cancel(
        deployment_id,
        by=by,
        journal=desk.journal(),
        announcements=desk.announcements,
    )
    changing = deployment.phase in CHANGING_PHASES
    effect = "its changes are rolled back" if changing else "it ends before it changes anything"
    yield f"Cancelling {deployment_id} in phase {deployment.phase}: {effect}."


def hold(desk: Desk, place: Place, *, by: str, message: str) -> Iterator[str]:
    """Stop automatic deployments on a lane; an existing hold stays in place."""
    before = desk.lane(place).hold
    lane = holding.hold(*place, by=by, message=message, records=desk.records, now=desk.now())
    if before is None:
        yield (
            f"{lane.lane_id} is on hold. Until the hold is lifted, only releases that somebody "
            "requests are deployed."
        )
        return
    yield f"{lane.lane_id} has been on hold {plain(before.told)}"
    yield f"  That hold stays; your message is in its history. Lift it: {lift_command(str(place))}"


def lift(desk: Desk, place: Place, *, by: str, start: bool) -> Iterator[str]:
    """Lift a hold and list what it stopped; digests that failed stay refused.

    With ``start`` the newest release that was stopped is requested.
    """
    before = desk.lane(place).hold
    lane = holding.lift(*place, by=by, records=desk.records, now=desk.now())
    yield f"{lane.lane_id} is no longer on hold."
    for digest, failed in lane.bad_digests.items():
        yield f"  {digest[:19]} failed in {failed} and is still deployed only on request"
    recent = desk.records.recent(lane, _LATEST)
    stopped = blocked_deployments(before, lane, recent) if before is not None else []
    for one in stopped:
        yield f"  The hold stopped {release_of(one)}, {_when(one)}. To start it:"
        yield f"    {deploy_command(lane.lane_id, one.release.digest)}"
    if start:
        yield from _start_newest(desk, place, by, before, stopped)


def _when(deployment: Deployment) -> str:
    settled = deployment.settled_at or deployment.requested_at
    return f"{deployment.deployment_id} on {moment(settled)}"


def _start_newest(
    desk: Desk, place: Place, by: str, before: Hold | None, stopped: list[Deployment]
) -> Iterator[str]:
    """Request the newest release that was stopped."""
    if not stopped or before is None:
        yield "  There is nothing to start: the hold stopped no release that is still current."
        return
    reason = plain(f"The hold by {before.by} was lifted: {before.message}")
    yield from deploy(desk, place, Order(stopped[0].release.digest, by, reason))
