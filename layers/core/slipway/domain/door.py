"""What a push or a request means for a lane as it stands: new, served already, or refused."""

from datetime import datetime
from typing import Final

from slipway.domain.commands import cancel_command, deploy_command
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.errors import Reason, Rejected
from slipway.domain.lane import Lane
from slipway.domain.release import Release
from slipway.domain.text import plain
from slipway.domain.wording import short_digest

# Until it starts to change something, a newer candidate takes a deployment's place.
_REPLACEABLE: Final = frozenset({Phase.PLANNING, Phase.AWAITING_APPROVAL, Phase.AWAITING_LANE})


def is_serving(newest: Deployment | None, digest: str, schema_at: str | None = None) -> bool:
    """Whether the lane's newest candidate is about to bring this digest anyway.

    Not where the wish states another schema: the plan was made without it.
    """
    return (
        newest is not None
        and newest.release.digest == digest
        and schema_at in (None, newest.schema_at)
        and newest.phase is not Phase.ROLLING_BACK
        and _is_under_way(newest)
    )


def is_waiting(deployment: Deployment) -> bool:
    """Whether a newer candidate would take the deployment's place."""
    return deployment.phase in _REPLACEABLE and _is_under_way(deployment)


def _is_under_way(deployment: Deployment) -> bool:
    ending = deployment.outcome or deployment.progress.ending_since
    return ending is None and deployment.cancel_requested_by is None


def is_same_push(pushed_at: datetime, before: Deployment, lane: Lane) -> bool:
    """Whether an event at this time is about a push that ``before`` serves already.

    ``before`` is the latest deployment of the digest that is known. A redelivery is as old as the
    push that started it; the late event of a push that the sweep found, and that of a second tag
    of the same push, come from the time before the deployment was requested. What came after a
    newer push of another digest is a wish of its own.
    """
    if pushed_at <= before.release.pushed_at:
        return True
    newest = lane.newest
    overtaken = (
        newest is not None and newest.digest != before.release.digest and newest.order < pushed_at
    )
    return pushed_at <= before.requested_at and not overtaken


def refuse_repeated(digest: str, lane: Lane) -> None:
    """Raise Rejected when a digest that is pushed again has nothing to start.

    While another deployment holds the lane, what is live is about to change.
    """
    stable = lane.stable
    if stable is not None and stable.digest == digest and lane.holder is None:
        raise Rejected(
            Reason.UNCHANGED,
            f"{short_digest(digest)} is already live on {lane.lane_id}, since "
            f"{stable.deployment_id}. To deploy it again, request it: "
            f"{deploy_command(lane.lane_id, digest)}",
        )
    if digest in lane.bad_digests:
        raise Rejected(Reason.DIGEST_BAD, lane.told_bad(digest))


def refuse_to_replace(newest: Deployment | None, digest: str, schema_at: str | None = None) -> None:
    """Raise Rejected when a request would take the place of a deployment that waits.

    One that brings the same digest anyway is not asked about.
    """
    if newest is None or is_serving(newest, digest, schema_at) or not is_waiting(newest):
        return
    said = ("--schema-at", schema_at) if schema_at is not None else ()
    raise Rejected(
        Reason.WOULD_REPLACE,
        f"{candidate_name(newest)} is waiting on {newest.lane_id} in phase {newest.phase} and "
        "would be replaced by this request. To replace it: "
        f"{deploy_command(newest.lane_id, digest, '--replace', *said)}. To end it first: "
        f"{cancel_command(newest.deployment_id)}",
    )


def candidate_name(newest: Deployment) -> str:
    """A deployment that waits, with its release."""
    release = newest.release
    return f"{newest.deployment_id} ({plain(release.tag, 300)}, {short_digest(release.digest)})"


def move_back_note(release: Release, lane: Lane) -> str | None:
    """What a pushed tag moved back from and to, where it names a release that was live before."""
    stable = lane.stable
    if stable is None or stable.digest == release.digest or release.digest not in lane.proven:
        return None
    return f"moved back from {short_digest(stable.digest)} to {short_digest(release.digest)}"
