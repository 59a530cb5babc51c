"""Admit: an event becomes a candidate with a deployment, or a reasoned refusal."""

from datetime import datetime

from slipway.domain.catalog import Catalog
from slipway.domain.deployment import Deployment, Origin
from slipway.domain.errors import Reason, Rejected, Transient
from slipway.domain.evidence import Note
from slipway.domain.lane import Candidate, Lane
from slipway.domain.model import Model
from slipway.domain.redaction import kept
from slipway.domain.release import Release
from slipway.ports import Admission, Announcements, Executions, Records
from slipway.steps.step import StepRequest, record

# Fifty pushes to one lane at once each have to win one write of the lane.
_ATTEMPTS = 60


class Wish(Model):
    """A release that somebody or something wants on a lane.

    ``wish_id`` is the same for every delivery of the same wish, ``reason`` what a person gave
    for it.
    """

    wish_id: str
    application: str
    environment: str
    release: Release
    origin: Origin
    requested_by: str
    reason: str = ""
    explicit: bool = False
    schema_at: str | None = None


class AdmitResult(Model):
    """The deployment that serves the wish, and whether it is a new one."""

    deployment_id: str
    lane: str
    new: bool


def admit(
    wish: Wish,
    *,
    records: Records,
    executions: Executions,
    announcements: Announcements,
    catalog: Catalog,
    now: datetime,
) -> AdmitResult:
    """Number the wish, make it the lane's candidate and start its execution.

    The same wish again finds its deployment: the execution is started once by its name, so a
    try that died between the record and the start is made good.
    """
    if catalog.environment(wish.application, wish.environment) is None:
        raise Rejected(
            Reason.NOT_MEANT_FOR_US,
            f"The catalog has no {wish.application}/{wish.environment}.",
        )
    deployment_id, replaced = _admitted(wish, records, now)
    lane = f"{wish.application}/{wish.environment}"
    request = StepRequest(deployment_id=deployment_id, lane=lane)
    executions.start(deployment_id, request.model_dump_json())
    if replaced is not None:
        detail = {"lane": lane, "deployment_id": replaced, "newer": deployment_id}
        announcements.publish("Candidate Admitted", detail)
    return AdmitResult(deployment_id=deployment_id, lane=lane, new=replaced != deployment_id)


def _admitted(wish: Wish, records: Records, now: datetime) -> tuple[str, str | None]:
    """The wish's deployment id, and the candidate that it may have replaced."""
    for _ in range(_ATTEMPTS):
        known = records.admission(wish.wish_id)
        if known is not None:
            return known.deployment_id, known.deployment_id
        lane = records.lane(wish.application, wish.environment)
        try:
            return _written(wish, lane, records, now), _waiting(lane)
        except Transient:
            continue
    raise Transient(Reason.RECORD_MOVED, f"{wish.wish_id}: the lane is being written too often.")


def _waiting(lane: Lane) -> str | None:
    """The newest candidate so far, if it may still be waiting."""
    if lane.newest is None:
        return None
    settled = lane.stable is not None and lane.stable.deployment_id == lane.newest.deployment_id
    return None if settled else lane.newest.deployment_id


def _written(wish: Wish, lane: Lane, records: Records, now: datetime) -> str:
    deployment = _deployment(wish, lane, now)
    candidate = Candidate(
        deployment_id=deployment.deployment_id,
        order=now if wish.explicit else wish.release.pushed_at,
        digest=wish.release.digest,
        explicit=wish.explicit,
    )
    because = f": {wish.reason}" if wish.reason else ""
    if wish.schema_at is not None:
        because += f"; says that the schema is at {wish.schema_at}"
    note = Note(
        what="admitted",
        message=f"{wish.release.tag} ({wish.release.digest[:19]}) by {wish.requested_by}{because}",
        data={"origin": wish.origin, "wish_id": wish.wish_id},
    )
    admission = Admission(admission_id=wish.wish_id, deployment_id=deployment.deployment_id)
    others = [lane.with_candidate(candidate)]
    record(records, deployment, note, now=now, others=others, admission=admission)
    return deployment.deployment_id


def _deployment(wish: Wish, lane: Lane, now: datetime) -> Deployment:
    return Deployment(
        deployment_id=lane.next_deployment_id(),
        application=wish.application,
        environment=wish.environment,
        number=lane.next_number,
        origin=wish.origin,
        requested_by=wish.requested_by,
        requested_at=now,
        explicit=wish.explicit,
        schema_at=wish.schema_at,
        reason=kept(wish.reason),
        release=wish.release,
        is_news=True,
    )
