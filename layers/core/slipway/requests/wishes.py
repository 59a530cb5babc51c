"""Read the wishes in an event: the edge where untrusted input becomes the domain's terms."""

import re
from typing import Any, Final, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from slipway.domain.catalog import Catalog, Name
from slipway.domain.deployment import Deployment, Origin
from slipway.domain.errors import Reason, Rejected
from slipway.domain.media_types import CONFIGURATION_TYPES, INDEX_TYPES
from slipway.domain.outcome import Outcome
from slipway.domain.release import SCHEMA, Digest, Release
from slipway.domain.text import plain
from slipway.ports.records import Records
from slipway.requests.wish import Wish

T = TypeVar("T", bound=BaseModel)

# What `artifact-media-type` names for an image; an index has none. The last says nothing.
_IMAGES: Final = (*CONFIGURATION_TYPES, *INDEX_TYPES, "application/octet-stream", "")
_REQUEST_ID: Final = r"^[A-Za-z0-9-]{1,64}$"


class _Lenient(BaseModel):
    """AWS adds fields to its events; those that matter here are checked."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class _Push(_Lenient):
    result: Literal["SUCCESS"]
    action_type: Literal["PUSH"] = Field(alias="action-type")
    repository_name: str = Field(alias="repository-name", min_length=1, max_length=256)
    image_digest: Digest = Field(alias="image-digest")
    # The images of an index come without a tag, or with an empty one.
    image_tag: str = Field(default="", alias="image-tag", max_length=300)
    # A hint only: whatever it is, it makes no push malformed.
    media_type: object = Field(default="", alias="artifact-media-type")

    @property
    def artifact(self) -> str | None:
        """What was pushed, where the event says that it is no container image."""
        if not isinstance(self.media_type, str) or self.media_type in _IMAGES:
            return None
        return f"an artifact of type {plain(self.media_type, 100)}"


class _Request(_Lenient):
    application: Name
    environment: Name
    repository: str = Field(min_length=1, max_length=256)
    digest: Digest
    tag: str = Field(min_length=1, max_length=300)
    requested_by: str = Field(min_length=1, max_length=300)
    reason: str = Field(default="", max_length=500)
    # The caller may name the request: sent twice, it is still one request.
    request_id: str | None = Field(default=None, pattern=_REQUEST_ID)
    # Whether it may take the place of another release that waits.
    replace: bool = False
    schema_at: str | None = Field(default=None, pattern=SCHEMA)


class _Settled(_Lenient):
    deployment_id: str = Field(min_length=1, max_length=80)


class _Envelope(_Lenient):
    id: str = Field(min_length=1, max_length=128)
    source: str
    detail_type: str = Field(alias="detail-type")
    account: str
    region: str
    # Candidates are ordered by it, which a time without a zone would not allow.
    time: AwareDatetime
    detail: dict[str, Any]


def wishes(
    event: dict[str, Any], *, account: str, region: str, catalog: Catalog, records: Records
) -> list[Wish]:
    """Every wish in one event; Rejected with the reason when there is none."""
    envelope = _parse(_Envelope, event)
    if (envelope.account, envelope.region) != (account, region):
        raise Rejected(
            Reason.EVENT_FOREIGN,
            f"The event comes from {envelope.account}/{envelope.region}, not {account}/{region}.",
        )
    readers = {
        ("aws.ecr", "ECR Image Action"): _push_wishes,
        ("slipway", "Deployment Requested"): _request_wishes,
        ("slipway", "Deployment Settled"): _promotion_wishes,
    }
    reader = readers.get((envelope.source, envelope.detail_type))
    if reader is None:
        kind = f"{envelope.source} '{envelope.detail_type}'"
        raise Rejected(Reason.NOT_MEANT_FOR_US, f"No deployment starts on {kind}.")
    return reader(envelope, catalog, records)


def _parse(model: type[T], content: object) -> T:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "event"
        raise Rejected(Reason.EVENT_MALFORMED, f"{field}: {first['msg']}") from None


def _push_wishes(envelope: _Envelope, catalog: Catalog, records: Records) -> list[Wish]:
    push = _parse(_Push, envelope.detail)
    if not push.image_tag:
        message = (
            f"A push to {push.repository_name} without a tag starts no deployment; push a tag."
        )
        raise Rejected(Reason.NOT_MEANT_FOR_US, message)
    fed = catalog.fed_by_push(push.repository_name, push.image_tag)
    if not fed:
        raise Rejected(
            Reason.NOT_MEANT_FOR_US,
            f"No environment matches {push.repository_name}:{push.image_tag}; push.repository "
            "and push.tags in the catalog select the pushes that start deployments.",
        )
    release = Release(
        repository=push.repository_name,
        digest=push.image_digest,
        tag=push.image_tag,
        pushed_at=envelope.time,
    )
    details = {"event_id": envelope.id, "artifact": push.artifact}
    return [
        push_wish(application, environment, release, Origin.PUSH).model_copy(update=details)
        for application, environment in fed
    ]


def push_wish(application: str, environment: str, release: Release, origin: Origin) -> Wish:
    """The wish behind a push, the same one whether its event came or the sweep found it.

    A later event for the same digest is told apart by its ``event_id``.
    """
    return Wish(
        wish_id=f"push:{application}/{environment}:{release.repository}@{release.digest}",
        application=application,
        environment=environment,
        release=release,
        origin=origin,
        requested_by=f"push of {release.repository}:{release.tag}",
    )


def _request_wishes(envelope: _Envelope, catalog: Catalog, records: Records) -> list[Wish]:
    request = _parse(_Request, envelope.detail)
    release = Release(
        repository=request.repository,
        digest=request.digest,
        tag=plain(request.tag, 300),
        pushed_at=envelope.time,
    )
    return [
        Wish(
            wish_id=request_wish_id(request.request_id or envelope.id),
            application=request.application,
            environment=request.environment,
            release=release,
            origin=Origin.REQUEST,
            requested_by=plain(request.requested_by, 300),
            reason=plain(request.reason),
            explicit=True,
            schema_at=request.schema_at,
            replace=request.replace,
        )
    ]


def request_wish_id(request_id: str) -> str:
    """The wish behind a person's request, by which its admission is found."""
    return f"request:{request_id}"


def refused_request_id(event: object) -> str | None:
    """The wish behind a request that could not even be read, if it names itself."""
    if not isinstance(event, dict):
        return None
    if (event.get("source"), event.get("detail-type")) != ("slipway", "Deployment Requested"):
        return None
    detail = event.get("detail")
    named = detail.get("request_id") if isinstance(detail, dict) else None
    if not isinstance(named, str) or re.fullmatch(_REQUEST_ID, named) is None:
        return None
    return request_wish_id(named)


def _promotion_wishes(envelope: _Envelope, catalog: Catalog, records: Records) -> list[Wish]:
    settled = _parse(_Settled, envelope.detail)
    # The event is only a hint; what succeeded is read from the record.
    return promotions(records.deployment(settled.deployment_id), catalog)


def promotions(deployment: Deployment, catalog: Catalog) -> list[Wish]:
    """The wishes that follow from a success: the same digest in the next environments."""
    if deployment.outcome is not Outcome.SUCCEEDED:
        raise Rejected(
            Reason.NOT_MEANT_FOR_US,
            f"{deployment.deployment_id} did not succeed, so nothing is promoted.",
        )
    application = catalog.applications.get(deployment.application)
    followers = application.followers(deployment.environment) if application else []
    return [
        Wish(
            wish_id=promotion_wish_id(deployment.deployment_id, environment),
            application=deployment.application,
            environment=environment,
            release=_release_by_push(deployment),
            origin=Origin.PROMOTION,
            requested_by=f"success of {deployment.deployment_id}",
        )
        for environment in followers
    ]


def promotion_wish_id(deployment_id: str, environment: str) -> str:
    """The wish that follows from a success, by which its admission is found."""
    return f"promotion:{deployment_id}:{environment}"


def _release_by_push(deployment: Deployment) -> Release:
    """The release, ordered by its push.

    A person may ask for an old image in one environment; that makes it no newer in the next one,
    where nobody asked for it. A push stays one when a person asks for it as well.
    """
    pushed_at = deployment.plan.image.pushed_at if deployment.plan else None
    if deployment.origin is not Origin.REQUEST or pushed_at is None:
        return deployment.release
    return deployment.release.model_copy(update={"pushed_at": pushed_at})
