"""Rollback: bring the last good release back, the schema first and then the code.

The order matters: old code on a newer schema may break, while the new code that still runs during
a downgrade is being replaced anyway.
"""

from datetime import datetime, timedelta
from typing import Final

from slipway.domain.deployment import Deployment, Phase
from slipway.domain.effect import Effect
from slipway.domain.errors import Broken, Reason, Unhealthy
from slipway.domain.evidence import Note
from slipway.domain.lane import Stable
from slipway.domain.progress import Looks
from slipway.domain.recovery import recovery_point
from slipway.domain.verdict import Rollout, RolloutState
from slipway.domain.what import What
from slipway.journal import Journal, fence_of
from slipway.ports.databases import Restores
from slipway.ports.targets import OneOffs, Revisions, Rollouts, Services
from slipway.steps.revision import ensure_way_back
from slipway.steps.schema_back import roll_back_schema
from slipway.steps.schema_task import current_started_by, downgrade_started_by
from slipway.steps.step import Caught, StepRequest, StepResult, unchanged_result
from slipway.waits import Key, deployment_key, service_key, task_key

# Ends of a rollback after which an operator has to decide whether to restore the data.
_ABOUT_THE_DATA: Final = frozenset(
    {
        Reason.NOTHING_TO_ROLL_BACK_TO,
        Reason.SCHEMA_MOVED,
        Reason.MIGRATION_TIMED_OUT,
        Reason.DOWNGRADE_FAILED,
    }
)


class RollbackRequest(StepRequest):
    """The deployment to roll back; ``cause`` is the failure that made it, as the Catch has it."""

    service_arn: str
    cause: Caught | None = None


def keys(request: RollbackRequest) -> tuple[Key, ...]:
    """What wakes a rollback: ECS's news of the service or of the tasks about the schema's way back,
    or the sweep, of whatever has no event: room for a task, or one that was lost.

    The end of a migration that ran into its time limit is left to the sweep: an event for it would
    cost every deployment an invocation.
    """
    return (
        service_key(request.service_arn),
        task_key(current_started_by(request.deployment_id)),
        task_key(downgrade_started_by(request.deployment_id)),
        deployment_key(request.deployment_id),
    )


def rollback(
    request: RollbackRequest,
    *,
    journal: Journal,
    services: Services,
    revisions: Revisions,
    rollouts: Rollouts,
    one_offs: OneOffs,
    restores: Restores,
) -> StepResult:
    """Done when the last good release is live again; Broken when only an operator can decide.

    Transient while a call of this deployment may still be on its way.

    Data is never restored automatically: an operator restores a backup into a new database.
    """
    deployment = journal.records.deployment(request.deployment_id)
    deployment.refuse_when_ended()
    if deployment.has_changed:
        deployment = _begin(deployment, request.cause, journal)
    # Until a late UpdateService of the release arrives, the old one still live looks like success.
    deployment.refuse_while_acting(journal.now)
    if not deployment.has_changed:
        return unchanged_result()
    try:
        return _roll_back(deployment, journal, services, revisions, rollouts, one_offs)
    except Broken as error:
        # The record has moved on: how the migration ended stands in it.
        latest = journal.records.deployment(request.deployment_id)
        hint = _restore_hint(error.reason, latest, restores)
        raise Broken(error.reason, f"{error.message}{hint}") from error


def _roll_back(
    deployment: Deployment,
    journal: Journal,
    services: Services,
    revisions: Revisions,
    rollouts: Rollouts,
    one_offs: OneOffs,
) -> StepResult:
    target = deployment.rollback_target
    if target is None:
        raise Broken(Reason.NOTHING_TO_ROLL_BACK_TO, _why_no_way_back(deployment))
    waiting, deployment = roll_back_schema(deployment, target, journal, one_offs)
    if waiting is not None:
        return waiting
    return _roll_back_code(deployment, target, journal, services, revisions, rollouts)


def _why_no_way_back(deployment: Deployment) -> str:
    known = deployment.planned().no_way_back
    never = f"No release was ever verified on {deployment.lane_id}"
    why = f"Rollback is not possible: {known.why}" if known else never
    return f"{why}."


def _restore_hint(reason: Reason, deployment: Deployment, restores: Restores) -> str:
    """The exact commands for a person who decides to bring the data back; empty without any."""
    point = recovery_point(deployment)
    if point is None or reason not in _ABOUT_THE_DATA:
        return ""
    commands = " or: ".join(restores.commands(point))
    return f" To restore the data from before into a new database: {commands}"


def _begin(deployment: Deployment, caught: Caught | None, journal: Journal) -> Deployment:
    if deployment.phase is Phase.ROLLING_BACK:
        return deployment
    cause = caught.failure() if caught else None
    why = cause.message if cause else f"after {deployment.phase}"
    note = Note(what=What.ROLLING_BACK, reason=cause.reason if cause else "", message=why)
    # The looks at the release that failed say nothing about the one that comes back.
    begun = deployment.at(Phase.ROLLING_BACK).with_looks(Looks())
    begun = begun.model_copy(update={"cause": cause})
    return journal.write(begun, note, fence=fence_of(deployment))


def _roll_back_code(
    deployment: Deployment,
    target: Stable,
    journal: Journal,
    services: Services,
    revisions: Revisions,
    rollouts: Rollouts,
) -> StepResult:
    if deployment.service.rollout is None:
        return StepResult(done=True, reason=Reason.ROLLED_BACK, message="no code was deployed")
    settings = deployment.planned().settings
    target = deployment.goes_back_to or target
    rollout = services.rollout(settings.target, target.revision_arn)
    if rollout.primary_revision_arn != target.revision_arn:
        _refuse_given_up(deployment, rollout)
        deployment = ensure_way_back(
            deployment, target, journal=journal, services=services, revisions=revisions
        )
        target = deployment.goes_back_to or target
        deployment = _start_rollback(deployment, target, journal, rollouts)
        rollout = services.rollout(settings.target, target.revision_arn)
    is_theirs = rollout.primary_revision_arn == target.revision_arn
    if rollout.state is RolloutState.COMPLETED and is_theirs:
        return StepResult(
            done=True, reason=Reason.ROLLED_BACK, message=f"{target.deployment_id} is live again"
        )
    _refuse_late(deployment, journal.now)
    message = f"{rollout.running_count} of {rollout.desired_count} tasks running the old release"
    return StepResult(done=False, reason=Reason.WAITING, message=message)


def _refuse_given_up(deployment: Deployment, rollout: Rollout) -> None:
    """A rollback that ECS gave up is not retried: there is no rollback of a rollback."""
    given_up = rollout.state is RolloutState.GIVEN_UP
    if deployment.service.rollback is not None and given_up:
        raise Unhealthy(Reason.ROLLBACK_NOT_LIVE, f"ECS ended the rollback as {rollout.told}")


def _start_rollback(
    deployment: Deployment, target: Stable, journal: Journal, rollouts: Rollouts
) -> Deployment:
    settings = deployment.planned().settings
    effect = deployment.service.rollback or Effect(requested_at=journal.now)
    deployment, _ = journal.act(
        deployment.with_service(deployment.service.with_rollback(effect)),
        Note(what=What.ROLLBACK_REQUESTED, message=target.revision_arn),
        lambda: rollouts.update(settings.target, target.revision_arn, settings.strategy),
    )
    return journal.write(deployment.acted(journal.now), Note(what=What.ROLLBACK_STARTED))


def _refuse_late(deployment: Deployment, now: datetime) -> None:
    service = deployment.service
    since = service.rollback or service.rollout
    patience = timedelta(minutes=2 * deployment.planned().settings.strategy.timeout_minutes)
    if since is not None and now - since.requested_at > patience:
        raise Unhealthy(Reason.ROLLBACK_TIMED_OUT, "ECS did not finish the rollback in time.")
