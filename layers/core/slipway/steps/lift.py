"""Hold and lift: a person stops automation on a lane, or lets it go on."""

from collections.abc import Callable
from datetime import datetime

from slipway.domain.errors import Reason, Rejected, Transient
from slipway.domain.lane import Hold, Lane
from slipway.ports import Records

_ATTEMPTS = 6


def hold(
    application: str, environment: str, *, by: str, message: str, records: Records, now: datetime
) -> Lane:
    """The lane on hold by hand; holding it again replaces the words."""
    wanted = Hold(reason="ByHand", message=message, by=by, since=now)
    return _change(application, environment, records, lambda lane: lane.held(wanted))


def lift(application: str, environment: str, *, by: str, records: Records, now: datetime) -> Lane:
    """The lane without its hold; Rejected when there is none. Bad digests stay bad."""

    def lifted(lane: Lane) -> Lane:
        if lane.hold is None:
            raise Rejected(Reason.HELD, f"{lane.lane_id} is not on hold.")
        return lane.lifted(by, now)

    return _change(application, environment, records, lifted)


def _change(
    application: str, environment: str, records: Records, change: Callable[[Lane], Lane]
) -> Lane:
    for _ in range(_ATTEMPTS):
        changed = change(records.lane(application, environment))
        try:
            records.write([changed])
        except Transient as error:
            if error.reason is not Reason.RECORD_MOVED:
                raise
            continue
        return changed
    raise Transient(Reason.RECORD_MOVED, "The lane is being written too often; try again.")
