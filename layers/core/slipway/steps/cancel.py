"""Cancel: a person ends a waiting deployment, or has a running one taken back."""

from datetime import datetime

from slipway.domain.errors import Reason, Transient
from slipway.domain.evidence import Note
from slipway.ports import Announcements, Records
from slipway.steps.step import record

# The steps write the same record; whoever lost reads it again.
_ATTEMPTS = 6


def cancel(
    deployment_id: str,
    *,
    by: str,
    records: Records,
    announcements: Announcements,
    now: datetime,
) -> None:
    """Ask the deployment to stop; Rejected when it has ended or goes back already.

    Whatever waits looks again and finds the wish: before the migration the deployment just ends,
    afterwards it is rolled back. A migration that runs is not interrupted.
    """
    for _ in range(_ATTEMPTS):
        deployment = records.deployment(deployment_id)
        deployment.refuse_to_go_forward()
        if deployment.cancel_requested_by is not None:
            break
        asked = deployment.model_copy(update={"cancel_requested_by": by})
        try:
            record(records, asked, Note(what="cancel requested", message=f"by {by}"), now=now)
        except Transient as error:
            if error.reason is not Reason.RECORD_MOVED:
                raise
            continue
        break
    else:
        raise Transient(Reason.RECORD_MOVED, "The record is being written too often; try again.")
    detail = {"deployment_id": deployment_id, "lane": deployment.lane_id}
    announcements.publish("Cancel Requested", detail)
