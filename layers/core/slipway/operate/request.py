"""`deploy`: a person asks for a release on a lane, over holds and newer pushes."""

from collections.abc import Iterator
from typing import Final

from slipway.domain.release import Image
from slipway.domain.wording import short_digest
from slipway.operate.desk import Desk, Place, Refusal
from slipway.steps.wishes import request_wish_id

_LOOK_SECONDS: Final = 0.5
_LOOKS: Final = 60
_LATEST: Final = 100


def deploy(
    desk: Desk,
    place: Place,
    reference: str,
    *,
    by: str,
    reason: str,
    schema_at: str | None = None,
) -> Iterator[str]:
    """Ask for the image behind a digest or tag, and wait until the request is admitted.

    ``schema_at`` says where the database's schema is, when it was moved by hand.
    """
    image, repository = _image(desk, place, reference)
    tag = _tag(desk, place, reference)
    request_id = desk.new_id()
    detail = {
        "application": place.application,
        "environment": place.environment,
        "repository": repository,
        "digest": image.digest,
        "tag": tag,
        "requested_by": by,
        "reason": reason,
        "request_id": request_id,
    }
    if schema_at is not None:
        detail["schema_at"] = schema_at
    desk.announcements.publish("Deployment Requested", detail)
    deployment_id = _admitted(desk, request_id)
    yield f"{deployment_id} puts {tag} ({short_digest(image.digest)}) on {place}."


def _image(desk: Desk, place: Place, reference: str) -> tuple[Image, str]:
    """What ECR has behind the reference, and in which repository."""
    desk.refuse_unknown(*place)
    repository = desk.catalog().applications[place.application].repository(place.environment)
    image = desk.registry.status(repository, reference)
    if image is None:
        raise Refusal(f"The ECR repository '{repository}' has no image {reference}.")
    return image, repository


def _tag(desk: Desk, place: Place, reference: str) -> str:
    """What people call the release: its tag, also when it is asked for by digest."""
    if not reference.startswith("sha256:"):
        return reference
    recent = desk.records.recent(*place, _LATEST)
    known = (one.release.tag for one in recent if one.release.digest == reference)
    return next(known, short_digest(reference))


def _admitted(desk: Desk, request_id: str) -> str:
    for _ in range(_LOOKS):
        admission = desk.records.admission(request_wish_id(request_id))
        if admission is not None:
            return admission.deployment_id
        desk.sleep(_LOOK_SECONDS)
    raise Refusal(
        f"The request {request_id} was sent, but not admitted within "
        f"{_LOOKS * _LOOK_SECONDS:.0f} s; the log of Slipway's admit function says why."
    )
