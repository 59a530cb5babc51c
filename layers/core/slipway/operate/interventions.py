"""`cancel`, `hold` and `lift`: a person steps in."""

from collections.abc import Iterator

from slipway.domain.deployment import CHANGING_PHASES
from slipway.operate.desk import Desk, Place
from slipway.steps import cancel as cancelling
from slipway.steps import lift as holding


def cancel(desk: Desk, deployment_id: str, *, by: str) -> Iterator[str]:
    """Ask a deployment to stop, or to be taken back."""
    deployment = desk.records.deployment(deployment_id)
    cancelling.cancel(
        deployment_id,
        by=by,
        records=desk.records,
        announcements=desk.announcements,
        now=desk.now(),
    )
    changing = deployment.phase in CHANGING_PHASES
    happens = "what it changed is taken back" if changing else "it ends before it changes anything"
    yield f"{deployment_id} was asked to stop in phase {deployment.phase}: {happens}."


def hold(desk: Desk, place: Place, *, by: str, message: str) -> Iterator[str]:
    """Stop automation on a lane."""
    desk.lane(place)
    lane = holding.hold(*place, by=by, message=message, records=desk.records, now=desk.now())
    yield f"{lane.lane_id} is on hold: until it is lifted, only what a person asks for is deployed."


def lift(desk: Desk, place: Place, *, by: str) -> Iterator[str]:
    """Let automation go on; digests that failed stay refused."""
    desk.lane(place)
    lane = holding.lift(*place, by=by, records=desk.records, now=desk.now())
    yield f"{lane.lane_id} is no longer on hold."
    for digest, failed in lane.bad_digests.items():
        yield f"  {digest[:19]} failed in {failed} and is still deployed on request only"
