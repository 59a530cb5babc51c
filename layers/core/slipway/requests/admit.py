"""Admit: turn a wish into the lane's newest candidate, or refuse it with a reason.

The admission is written together with the lane and the deployment, put if absent: two deliveries
of one event meet at the same key, and the second finds what the first became.
"""

from datetime import datetime
from typing import Final

from slipway.domain import door
from slipway.domain.catalog import Catalog
from slipway.domain.deployment import Deployment, Origin
from slipway.domain.errors import Reason, Rejected, Transient
from slipway.domain.evidence import Note
from slipway.domain.lane import Candidate, Lane
from slipway.domain.model import Model
from slipway.domain.redaction import redact_for_record
from slipway.domain.text import plain
from slipway.domain.what import What
from slipway.domain.wording import short_digest
from slipway.journal import Journal, retry_when_moved
from slipway.ports.control import Announcements, Executions
from slipway.ports.records import Admission, Records
from slipway.ports.registry import ImageRegistry
from slipway.requests.image_check import check_image
from slipway.requests.wish import Wish
from slipway.steps.step import StepRequest

# Fifty pushes to one lane at once each have to win one write of the lane.
_ATTEMPTS: Final = 60
# A repository's name, a tag and the words around them.
_NAME_KEPT: Final = 600
_MESSAGE_KEPT: Final = 1000


class AdmitResult(Model):
    """The deployment that serves the wish, and whether it is a new one.

    ``reason`` is WaitsAlready where the deployment was requested before and still goes on.
    """

    deployment_id: str
    lane: str
    new: bool
    reason: str = ""


class _Answer(Model):
    """The answer to a wish; ``replaced`` is the candidate that may have to give way."""

    deployment_id: str
    new: bool = False
    reason: str = ""
    replaced: str | None = None


def admit(
    wish: Wish,
    *,
    journal: Journal,
    registry: ImageRegistry,
    executions: Executions,
    announcements: Announcements,
    catalog: Catalog,
) -> AdmitResult:
    """Give the wish a number, make it the lane's candidate and start its execution.

    The same wish again finds its deployment: the execution is started once by its name, so an
    attempt that died between the record and the start is completed. Rejected, with what to do
    instead, when the wish starts nothing; the refusal is kept for the requester.
    """
    try:
        _refuse_unknown(wish, catalog)
        answer = _find_or_admit(check_image(wish, registry), journal)
    except Rejected as refusal:
        remember_refusal(wish, refusal, journal.records)
        raise
    request = StepRequest(deployment_id=answer.deployment_id, lane=wish.lane_id)
    executions.start(answer.deployment_id, request.model_dump_json())
    woken = answer.replaced if answer.new else answer.deployment_id
    if woken is not None:
        detail = {"lane": wish.lane_id, "deployment_id": woken, "newer": answer.deployment_id}
        announcements.publish("Candidate Admitted", detail)
    return AdmitResult(
        deployment_id=answer.deployment_id,
        lane=wish.lane_id,
        new=answer.new,
        reason=answer.reason,
    )


def remember_refusal(wish: Wish, refusal: Rejected, records: Records) -> None:
    """Keep a refusal under the wish, so that whoever asked can read it and a retry gets the same.

    That the catalog knows no such lane is forgotten where no person asked: the next catalog may.
    """
    if wish.origin is Origin.PROMOTION or (
        refusal.reason is Reason.LANE_UNKNOWN and wish.origin is not Origin.REQUEST
    ):
        return
    repeated = wish.event_id and records.admission(wish.wish_id) is not None
    _write_refusal(wish.repeated_id if repeated else wish.wish_id, wish.event_id, refusal, records)


def remember_unread_refusal(wish_id: str | None, refusal: Rejected, records: Records) -> None:
    """Keep the refusal of a request that could not be read, if it names itself."""
    if wish_id is not None:
        _write_refusal(wish_id, "", refusal, records)


def _write_refusal(wish_id: str, event_id: str, refusal: Rejected, records: Records) -> None:
    answer = Admission(
        admission_id=wish_id,
        deployment_id="",
        event_id=event_id,
        reason=refusal.reason,
        message=plain(refusal.message, _MESSAGE_KEPT),
    )
    try:
        records.write([], admission=answer)
    except Transient as error:
        # Another delivery of the same wish was answered first; its answer stands.
        if error.reason is not Reason.RECORD_MOVED:
            raise


def _refuse_unknown(wish: Wish, catalog: Catalog) -> None:
    """A person chooses the release, the catalog whose releases an environment runs."""
    repository = catalog.repository(wish.application, wish.environment)
    if repository is None:
        known = ", ".join(f"{one}/{name}" for one, name, _ in catalog.environments())
        raise Rejected(
            Reason.LANE_UNKNOWN,
            f"The catalog has no {wish.lane_id} (known: {plain(known, 300)}).",
        )
    if wish.explicit and wish.release.repository != repository:
        raise Rejected(
            Reason.WRONG_REPOSITORY,
            f"{wish.lane_id} runs images of {repository}, not of {wish.release.repository}. "
            f"Request an image of {repository}.",
        )


def _find_or_admit(wish: Wish, journal: Journal) -> _Answer:
    message = f"{wish.wish_id}: too many concurrent writes to the lane."
    return retry_when_moved(
        lambda: _attempt_once(wish, journal), attempts=_ATTEMPTS, otherwise=message
    )


def _attempt_once(wish: Wish, journal: Journal) -> _Answer:
    """The answer that this very wish has already, or a new one."""
    records = journal.records
    first = known = records.admission(wish.wish_id)
    if first is not None and _may_be_another_push(wish, first):
        known = records.admission(wish.repeated_id)
    if known is None:
        return _judge(wish, first, journal)
    if known.deployment_id:
        _refuse_reused(wish, known, records)
        return _Answer(deployment_id=known.deployment_id, reason=known.reason)
    reason = known.reason if known.reason in set(Reason) else Reason.NOT_MEANT_FOR_US
    raise Rejected(Reason(reason), known.message)


def _refuse_reused(wish: Wish, known: Admission, records: Records) -> None:
    """A request's id is a person's to choose: one that was used before serves no other wish."""
    if wish.origin is not Origin.REQUEST:
        return
    before = records.deployment(known.deployment_id)
    if (before.lane_id, before.release.digest) != (wish.lane_id, wish.release.digest):
        raise Rejected(
            Reason.REQUEST_REUSED,
            f"The request id of {wish.wish_id} was already used for {before.deployment_id}. Send "
            "the request again with a new request_id.",
        )


def _may_be_another_push(wish: Wish, first: Admission) -> bool:
    """Whether a digest that was pushed before may have been pushed once more."""
    return wish.event_id not in ("", first.event_id) and first.deployment_id != ""


def _judge(wish: Wish, first: Admission | None, journal: Journal) -> _Answer:
    """The wish as the lane stands: new, served already, or Rejected.

    ``first`` is the admission of the digest's first push, if this is another one.
    """
    records, digest = journal.records, wish.release.digest
    lane = records.lane(wish.application, wish.environment)
    newest = records.deployment(lane.newest.deployment_id) if lane.newest else None
    if first is not None:
        of_digest = newest is not None and newest.release.digest == digest
        before = newest if newest and of_digest else records.deployment(first.deployment_id)
        if door.is_same_push(wish.release.pushed_at, before, lane):
            return _Answer(deployment_id=before.deployment_id)
        wish = wish.model_copy(update={"wish_id": wish.repeated_id})
    if newest is not None and door.is_serving(newest, digest, wish.schema_at):
        return _join(wish, newest, lane, journal)
    if first is not None:
        door.refuse_repeated(digest, lane)
    if wish.explicit and not wish.replace:
        door.refuse_to_replace(newest, digest, wish.schema_at)
    return _admit_new(wish, lane, journal)


def _join(wish: Wish, newest: Deployment, lane: Lane, journal: Journal) -> _Answer:
    """The deployment that brings the digest anyway; a person's wish makes it explicit."""
    deployment = newest.model_copy(
        update={
            "explicit": newest.explicit or wish.explicit,
            "reason": newest.reason or redact_for_record(wish.reason),
        }
    )
    asked_at = journal.now if wish.explicit else wish.release.pushed_at
    note = Note(
        what=What.REQUESTED_AGAIN,
        reason=Reason.WAITS_ALREADY,
        message=_requester(wish),
        data={"origin": wish.origin, "wish_id": wish.wish_id},
    )
    admission = _admission(wish, newest.deployment_id, Reason.WAITS_ALREADY)
    others = [lane.wanted_again(asked_at, explicit=wish.explicit)]
    journal.write(deployment, note, others=others, admission=admission)
    return _Answer(deployment_id=newest.deployment_id, reason=Reason.WAITS_ALREADY)


def _admit_new(wish: Wish, lane: Lane, journal: Journal) -> _Answer:
    back = door.move_back_note(wish.release, lane)
    if back is not None and wish.origin in (Origin.PUSH, Origin.SWEEP):
        wish = wish.model_copy(update={"requested_by": f"{wish.requested_by}, {back}"})
    deployment = _new_deployment(wish, lane, journal.now)
    candidate = Candidate(
        deployment_id=deployment.deployment_id,
        order=journal.now if wish.explicit else wish.release.pushed_at,
        digest=wish.release.digest,
        explicit=wish.explicit,
    )
    note = Note(
        what=What.ADMITTED,
        message=f"{wish.release.tag} ({short_digest(wish.release.digest)}) {_requester(wish)}",
        data={"origin": wish.origin, "wish_id": wish.wish_id},
    )
    admission = _admission(wish, deployment.deployment_id)
    others = [lane.with_candidate(candidate)]
    journal.write(deployment, note, others=others, admission=admission)
    return _Answer(
        deployment_id=deployment.deployment_id, new=True, replaced=_waiting_candidate(lane)
    )


def _requester(wish: Wish) -> str:
    because = f": {wish.reason}" if wish.reason else ""
    if wish.schema_at is not None:
        because += f"; says that the schema is at {wish.schema_at}"
    return f"by {wish.requested_by}{because}"


def _admission(wish: Wish, deployment_id: str, reason: str = "") -> Admission:
    return Admission(
        admission_id=wish.wish_id,
        deployment_id=deployment_id,
        event_id=wish.event_id,
        reason=reason,
    )


def _waiting_candidate(lane: Lane) -> str | None:
    """The newest candidate so far, if it may still be waiting."""
    if lane.newest is None:
        return None
    settled = lane.stable is not None and lane.stable.deployment_id == lane.newest.deployment_id
    return None if settled else lane.newest.deployment_id


def _new_deployment(wish: Wish, lane: Lane, now: datetime) -> Deployment:
    return Deployment(
        deployment_id=lane.next_deployment_id(),
        application=wish.application,
        environment=wish.environment,
        number=lane.next_number,
        origin=wish.origin,
        requested_by=plain(wish.requested_by, _NAME_KEPT),
        requested_at=now,
        explicit=wish.explicit,
        schema_at=wish.schema_at,
        reason=redact_for_record(wish.reason),
        release=wish.release,
        is_news=True,
    )
