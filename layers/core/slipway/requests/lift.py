"""Hold and lift: stop automatic deployments on a lane, or allow them again."""

from collections.abc import Callable
from datetime import datetime

from slipway.domain.errors import Reason, Rejected
from slipway.domain.lane import BY_HAND, Hold, Lane
from slipway.journal import retry_when_moved
from slipway.ports.records import Records

_ATTEMPTS = 6


def hold(
    application: str, environment: str, *, by: str, message: str, records: Records, now: datetime
) -> Lane:
    """The lane on hold by hand; a hold that is there already stays, the words are remembered."""
    wanted = Hold(reason=BY_HAND, message=message, by=by, since=now)
    return _change(application, environment, records, lambda lane: lane.held(wanted))


def lift(application: str, environment: str, *, by: str, records: Records, now: datetime) -> Lane:
    """The lane without its hold; Rejected when there is none. Bad digests stay bad."""

    def without_hold(lane: Lane) -> Lane:
        if lane.hold is None:
            message = f"{lane.lane_id} is not on hold: there is nothing to lift."
            raise Rejected(Reason.NOT_HELD, message)
        return lane.lifted(by, now)

    return _change(application, environment, records, without_hold)


def _change(
    application: str, environment: str, records: Records, change: Callable[[Lane], Lane]
) -> Lane:
    def write_change() -> Lane:
        changed = change(records.lane(application, environment))
        records.write([changed])
        return changed

    message = "Too many concurrent writes to the lane; try again."
    return retry_when_moved(write_change, attempts=_ATTEMPTS, otherwise=message)
