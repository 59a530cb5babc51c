"""Cancel: end a deployment that waits, or roll back one that is under way."""

from slipway.domain.commands import deploy_command
from slipway.domain.deployment import Deployment
from slipway.domain.errors import Reason, Rejected
from slipway.domain.evidence import Note
from slipway.domain.outcome import Outcome
from slipway.domain.text import plain
from slipway.domain.what import What
from slipway.domain.wording import short_digest
from slipway.journal import Journal, retry_when_moved
from slipway.ports.control import Announcements

# The steps write the same record; whoever loses the race reads it again.
_ATTEMPTS = 6
_NAME_KEPT = 300


def cancel(
    deployment_id: str,
    *,
    by: str,
    journal: Journal,
    announcements: Announcements,
) -> None:
    """Request the end; Rejected when it has ended, is rolling back, or is verified.

    Whatever step waits is woken and finds the request: before the migration the deployment just
    ends, afterwards it is rolled back. A migration that runs is not interrupted.
    """
    deployment = retry_when_moved(
        lambda: _request_cancel(journal.records.deployment(deployment_id), by, journal),
        attempts=_ATTEMPTS,
        otherwise="Too many concurrent writes to the record; try again.",
    )
    detail = {"deployment_id": deployment_id, "lane": deployment.lane_id}
    announcements.publish("Cancel Requested", detail)


def _request_cancel(deployment: Deployment, by: str, journal: Journal) -> Deployment:
    ended, verified = deployment.outcome, deployment.progress.verified_at
    if ended is not None or verified is not None:
        state = f"has ended: {ended}" if ended else "is live and verified: it is too late to cancel"
        message = f"{deployment.deployment_id} {state}. {_instead(deployment)}"
        raise Rejected(Reason.DEPLOYMENT_ENDED, message)
    deployment.refuse_to_go_forward()
    if deployment.cancel_requested_by is not None:
        return deployment
    asked = deployment.model_copy(update={"cancel_requested_by": plain(by, _NAME_KEPT)})
    return journal.write(asked, Note(what=What.CANCEL_REQUESTED, message=f"by {by}"))


def _instead(deployment: Deployment) -> str:
    """What a person can do once there is nothing left to cancel."""
    before = deployment.rollback_target
    if deployment.outcome not in (None, Outcome.SUCCEEDED) or before is None:
        return "There is nothing left to cancel; to replace this release, deploy another one."
    return (
        f"To go back to {short_digest(before.digest)}, request it: "
        f"{deploy_command(deployment.lane_id, before.digest)}"
    )
