"""`deploy`: request a release on a lane, despite holds and newer pushes."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from slipway.domain import door
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.errors import Reason, Rejected
from slipway.domain.outcome import Outcome
from slipway.domain.release import Image
from slipway.domain.text import plain
from slipway.domain.wording import moment, short_digest
from slipway.operate.desk import Desk, Place, Refusal
from slipway.ports.records import Admission
from slipway.requests.wishes import request_wish_id

_LOOK_SECONDS: Final = 0.5
_LOOKS: Final = 60
# Long enough for Plan and the gates, unless they wait for something.
_PLAN_LOOKS: Final = 20
_LATEST: Final = 100


class Order(NamedTuple):
    """A request: digest or tag, by whom, why, and whether it may supersede another release.

    ``schema_at`` is the database's current schema, after it was changed by hand.
    """

    reference: str
    by: str
    reason: str
    replace: bool = False
    schema_at: str | None = None


def deploy(desk: Desk, place: Place, order: Order) -> Iterator[str]:
    """Request the image of a digest or tag, and wait until it is under way or has ended.

    Refusal with the reason when nothing starts.
    """
    image, repository = _image(desk, place, order.reference)
    tag = _tag(desk, place, order.reference)
    yield from _effects(desk, place, image.digest, order)
    request_id = desk.new_id()
    detail = {
        "application": place.application,
        "environment": place.environment,
        "repository": repository,
        "digest": image.digest,
        "tag": tag,
        "requested_by": order.by,
        "reason": order.reason,
        "request_id": request_id,
    }
    if order.schema_at is not None:
        detail["schema_at"] = order.schema_at
    if order.replace:
        detail["replace"] = "true"
    desk.announcements.publish("Deployment Requested", detail)
    admission = _wait_for_answer(desk, request_id)
    if admission.reason == Reason.WAITS_ALREADY:
        yield f"{admission.deployment_id} is already under way with this release."
    else:
        release = f"{tag} ({short_digest(image.digest)})"
        yield f"{admission.deployment_id} is deploying {release} to {place}."
    _refuse_ended(_wait_for_plan(desk, admission.deployment_id))


def _image(desk: Desk, place: Place, reference: str) -> tuple[Image, str]:
    """The image of the reference, and its repository."""
    desk.refuse_unknown(*place)
    repository = desk.catalog().applications[place.application].repository(place.environment)
    image = desk.registry.status(repository, reference)
    if image is None:
        raise Refusal(
            f"The ECR repository '{repository}' has no image {reference}. `aws ecr describe-images "
            f"--repository-name {repository}` lists its images."
        )
    return image, repository


def _tag(desk: Desk, place: Place, reference: str) -> str:
    """What people call the release: its tag, also when it is asked for by digest."""
    if not reference.startswith("sha256:"):
        return reference
    recent = desk.records.recent(desk.lane(place), _LATEST)
    known = (plain(one.release.tag, 300) for one in recent if one.release.digest == reference)
    return next(known, short_digest(reference))


def _effects(desk: Desk, place: Place, digest: str, order: Order) -> Iterator[str]:
    """What the request does to the lane; Refusal when it needs --replace for that."""
    lane = desk.records.lane(*place)
    newest = desk.records.deployment(lane.newest.deployment_id) if lane.newest else None
    if lane.stable is not None and lane.stable.digest == digest:
        since = f"since {moment(lane.stable.verified_at)}"
        yield f"{short_digest(digest)} is already live on {place}, {since}; it is deployed again."
    try:
        door.refuse_to_replace(newest, digest, order.schema_at)
    except Rejected as refusal:
        if newest is None or not order.replace:
            raise Refusal(f"Nothing was started. {refusal.message}") from refusal
        yield f"This replaces {plain(door.candidate_name(newest))}, in phase {newest.phase}."


def _wait_for_answer(desk: Desk, request_id: str) -> Admission:
    """Slipway's answer to the request; Refusal when it was refused or takes too long."""
    for _ in range(_LOOKS):
        admission = desk.records.admission(request_wish_id(request_id))
        if admission is not None and not admission.deployment_id:
            raise Refusal(f"Nothing was started. {plain(admission.message, 1000)}")
        if admission is not None:
            return admission
        desk.sleep(_LOOK_SECONDS)
    raise Refusal(
        f"The request {request_id} was sent, but not admitted within "
        f"{_LOOKS * _LOOK_SECONDS:.0f} s. Check the log of Slipway's admit function."
    )


def _wait_for_plan(desk: Desk, deployment_id: str) -> Deployment:
    """The deployment after Plan and the gates, or after ten seconds."""
    for _ in range(_PLAN_LOOKS):
        deployment = desk.records.deployment(deployment_id)
        if deployment.phase is not Phase.PLANNING:
            return deployment
        desk.sleep(_LOOK_SECONDS)
    return desk.records.deployment(deployment_id)


def _refuse_ended(deployment: Deployment) -> None:
    if deployment.outcome in (None, Outcome.SUCCEEDED):
        return
    failure = deployment.failure or deployment.cause
    why = f": {plain(failure.message, 1000)}" if failure else "."
    raise Refusal(f"{deployment.deployment_id} ended as {deployment.outcome}{why}")
