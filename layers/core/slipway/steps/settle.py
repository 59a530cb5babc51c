"""Settle: write the outcome, free or hold the lane, and announce it to whoever waits.

The only place that ends a deployment. It trusts the record more than its caller, since it also
runs after an execution was stopped or timed out.
"""

from datetime import datetime

from slipway.domain.deployment import Deployment, Phase
from slipway.domain.errors import Broken, Reason, Transient
from slipway.domain.evidence import Note
from slipway.domain.failure import Failure, outcome_of
from slipway.domain.lane import Hold, Lane, Stable
from slipway.domain.model import Model, Versioned
from slipway.domain.outcome import Outcome
from slipway.domain.what import What
from slipway.journal import Journal
from slipway.ports.control import Announcements
from slipway.steps.revision import revision_of
from slipway.steps.step import Caught, StepRequest


class SettleRequest(StepRequest):
    """The deployment that ended: ``cause`` made it roll back, ``failure`` ended it."""

    cause: Caught | None = None
    failure: Caught | None = None


class SettleResult(Model):
    """How the deployment ended, for the state machine's last state."""

    outcome: Outcome
    reason: str
    message: str


def settle(
    request: SettleRequest,
    *,
    journal: Journal,
    announcements: Announcements,
) -> SettleResult:
    """Write the one outcome; called again it answers with the outcome that stands.

    Transient while a call that changes something may be on its way: the lane is not freed under it.
    """
    deployment = journal.records.deployment(request.deployment_id)
    if deployment.outcome is None:
        _refuse_while_acting(deployment, journal)
        failure = request.failure.failure() if request.failure else None
        cause = request.cause.failure() if request.cause else deployment.cause
        deployment = _settle(deployment, failure, cause, journal)
    announcements.publish("Deployment Settled", _event_detail(deployment))
    return _result(deployment)


def _refuse_while_acting(deployment: Deployment, journal: Journal) -> None:
    """Raise Transient while a call may be on its way; ``ending`` keeps new ones from starting."""
    try:
        deployment.refuse_while_acting(journal.now)
    except Transient as waiting:
        if deployment.progress.ending_since is None:
            note = Note(what=What.ENDING, message=waiting.message)
            journal.write(deployment.having(deployment.progress.ending(journal.now)), note)
        raise


def _settle(
    deployment: Deployment, failure: Failure | None, cause: Failure | None, journal: Journal
) -> Deployment:
    failure, cause = _failure_and_cause(deployment, failure, cause)
    outcome = outcome_of(failure, cause, changed=deployment.has_changed)
    end = {"outcome": outcome, "failure": failure, "cause": cause, "settled_at": journal.now}
    ended = deployment.at(Phase.SETTLED).model_copy(update=end)
    ended_by = failure or cause
    note = Note(
        what=What.SETTLED,
        reason=ended_by.reason if ended_by else "",
        message=ended_by.message if ended_by else "",
        data={"outcome": outcome},
    )
    return journal.write(ended, note, others=_documents_after(ended, outcome, journal))


def _failure_and_cause(
    deployment: Deployment, failure: Failure | None, cause: Failure | None
) -> tuple[Failure | None, Failure | None]:
    """Failure and cause as the record supports them; the caller may know less, or be wrong."""
    progress = deployment.progress
    # Verified is verified, whatever became of the execution afterwards.
    if progress.verified_at is not None and cause is None:
        return None, None
    if progress.rolled_back_at is not None:
        return None, cause or failure
    if not deployment.has_changed:
        # What failed before anything was changed is a plain end, not a rollback.
        failure, cause = failure or cause, None
    if failure is None:
        unproven = "The execution reported no failure, but nothing was verified."
        return Failure.parsed("Settle", Broken.__name__, unproven), cause
    return failure, cause


def _documents_after(deployment: Deployment, outcome: Outcome, journal: Journal) -> list[Versioned]:
    """The lane and the database slot to write with the outcome, as far as they change.

    A database stays taken while a migration may be at work in it: the sweep frees it at its end.
    """
    records = journal.records
    lane = records.lane(deployment.application, deployment.environment)
    left = _lane_after(lane, deployment, outcome, journal.now)
    changed: list[Versioned] = [] if left == lane else [left]
    database_id = deployment.migrates
    if deployment.fencing is None or database_id is None or deployment.may_be_migrating:
        return changed
    slot = records.database_slot(database_id)
    freed = slot.leave(deployment.deployment_id)
    return changed if freed == slot else [*changed, freed]


def _lane_after(lane: Lane, deployment: Deployment, outcome: Outcome, now: datetime) -> Lane:
    left = _with_way_back(lane, deployment).leave(deployment.deployment_id)
    if lane.holder != deployment.deployment_id:
        return left
    if outcome is Outcome.SUCCEEDED:
        return left.with_stable(_stable(deployment, now), explicit=deployment.explicit)
    if not outcome.holds_the_lane:
        return left
    ended_by = deployment.failure or deployment.cause
    hold = Hold(
        reason=outcome,
        message=ended_by.message if ended_by else "",
        by=deployment.deployment_id,
        since=now,
    )
    held = left.held(hold)
    cause = deployment.cause
    if cause is not None and cause.reason == Reason.CANCELLED:
        # A person changed their mind; that says nothing about the digest.
        return held
    return held.with_bad(deployment.release.digest, deployment.deployment_id)


def _with_way_back(lane: Lane, deployment: Deployment) -> Lane:
    """The lane whose last good release has the revision that was registered anew for it."""
    stable, known = lane.stable, deployment.goes_back_to
    if stable is None or known is None or stable.deployment_id != known.deployment_id:
        return lane
    return lane.model_copy(
        update={"stable": stable.model_copy(update={"revision_arn": known.revision_arn})}
    )


def _stable(deployment: Deployment, now: datetime) -> Stable:
    """The release as last good; a newer schema that it runs on stays what it is on record."""
    plan, before = deployment.planned(), deployment.rollback_target
    image, migrates = plan.image, plan.settings.migration is not None
    newer = plan.keeps_schema and plan.schema_before != image.schema_revision
    runs_older = bool(before and before.backward_compatible) if newer else image.backward_compatible
    return Stable(
        deployment_id=deployment.deployment_id,
        digest=image.digest,
        platform_digest=image.platform_digest,
        revision_arn=revision_of(deployment),
        image_uri=image.uri,
        version=image.version,
        schema_revision=plan.schema_before if plan.keeps_schema else image.schema_revision,
        backward_compatible=runs_older,
        verified_at=deployment.progress.verified_at or now,
        service_arn=plan.live.service_arn,
        database_id=plan.settings.database_id(plan.lane_id) if migrates else "",
    )


def _event_detail(deployment: Deployment) -> dict[str, str]:
    return {
        "deployment_id": deployment.deployment_id,
        "lane": deployment.lane_id,
        "outcome": deployment.outcome or "",
    }


def _result(deployment: Deployment) -> SettleResult:
    ended_by = deployment.failure or deployment.cause
    return SettleResult(
        outcome=deployment.outcome or Outcome.FAILED,
        reason=ended_by.reason if ended_by else "",
        message=ended_by.message if ended_by else "",
    )
