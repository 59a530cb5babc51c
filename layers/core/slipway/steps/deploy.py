"""Deploy: point the service at the release and follow ECS's own rollout to its end."""

from datetime import datetime, timedelta

from slipway.domain.deployment import Deployment, Phase
from slipway.domain.effect import Effect
from slipway.domain.errors import Reason, Unhealthy
from slipway.domain.evidence import Note
from slipway.domain.verdict import Rollout, RolloutState
from slipway.domain.what import What
from slipway.journal import Journal
from slipway.ports.targets import Revisions, Rollouts, Services
from slipway.steps.revision import ensure_revision, revision_of
from slipway.steps.step import StepRequest, StepResult
from slipway.waits import Key, deployment_key, service_key


class DeployRequest(StepRequest):
    """The deployment to roll out; the service's ARN names its events."""

    service_arn: str


def keys(request: DeployRequest) -> tuple[Key, ...]:
    """What wakes a rollout: ECS's news of the service, or news of the deployment."""
    return service_key(request.service_arn), deployment_key(request.deployment_id)


def deploy(
    request: DeployRequest,
    *,
    journal: Journal,
    services: Services,
    revisions: Revisions,
    rollouts: Rollouts,
) -> StepResult:
    """Done when ECS has completed the rollout of our revision.

    Unhealthy when ECS gave it up or it took too long. "Stable" proves nothing, since a service that
    ECS rolled back is stable too.
    """
    deployment = journal.records.deployment(request.deployment_id)
    deployment.refuse_to_continue()
    known = deployment.service.rollout
    if known is not None and known.handle is not None:
        return _done(known.handle)
    deployment = ensure_revision(
        deployment.at(Phase.DEPLOYING), journal=journal, services=services, revisions=revisions
    )
    deployment, rollout = _ensure_rollout(deployment, known, journal, services, rollouts)
    return _judge(deployment, rollout, journal)


def _ensure_rollout(
    deployment: Deployment,
    known: Effect | None,
    journal: Journal,
    services: Services,
    rollouts: Rollouts,
) -> tuple[Deployment, Rollout]:
    """The rollout of our revision, started at most once.

    A revision that ECS has given up must not be started again, so a later look starts it only
    when no service deployment has ever targeted it.
    """
    settings, arn = deployment.planned().settings, revision_of(deployment)
    if known is not None:
        rollout = services.rollout(settings.target, arn)
        if rollout.state is not RolloutState.ABSENT:
            return deployment, rollout
    effect = known or Effect(requested_at=journal.now)
    deployment, _ = journal.act(
        deployment.with_service(deployment.service.with_rollout(effect)),
        Note(what=What.ROLLOUT_REQUESTED, message=arn),
        lambda: rollouts.update(settings.target, arn, settings.strategy),
    )
    deployment = journal.write(deployment.acted(journal.now), Note(what=What.ROLLOUT_STARTED))
    return deployment, services.rollout(settings.target, arn)


def _judge(deployment: Deployment, rollout: Rollout, journal: Journal) -> StepResult:
    is_ours = rollout.primary_revision_arn == revision_of(deployment)
    if rollout.state is RolloutState.COMPLETED and is_ours:
        return _record_completion(deployment, rollout, journal)
    if rollout.state is RolloutState.GIVEN_UP:
        _record_loss(deployment, rollout, journal)
    _refuse_late(deployment, journal.now)
    message = f"{rollout.running_count} of {rollout.desired_count} tasks running"
    return StepResult(done=False, reason=Reason.WAITING, message=message)


def _record_completion(deployment: Deployment, rollout: Rollout, journal: Journal) -> StepResult:
    service = deployment.service
    effect = service.rollout or Effect(requested_at=journal.now)
    completed = effect.known_as(rollout.primary_deployment_id).ended(journal.now, succeeded=True)
    note = Note(what=What.ROLLOUT_COMPLETED, message=rollout.primary_deployment_id)
    journal.write(deployment.with_service(service.with_rollout(completed)), note)
    return _done(rollout.primary_deployment_id)


def _done(ecs_deployment_id: str) -> StepResult:
    message = f"{ecs_deployment_id} is complete"
    return StepResult(done=True, reason=Reason.DEPLOYED, message=message)


def _record_loss(deployment: Deployment, rollout: Rollout, journal: Journal) -> None:
    """Record what ECS said and raise Unhealthy."""
    message = f"ECS ended the rollout as {rollout.told}"
    data = {"events": list(rollout.events)}
    journal.write(deployment, Note(what=What.ROLLOUT_FAILED, message=message, data=data))
    raise Unhealthy(rollout.reason or Reason.ROLLOUT_STOPPED, message)


def _refuse_late(deployment: Deployment, now: datetime) -> None:
    rollout = deployment.service.rollout
    minutes = deployment.planned().settings.strategy.timeout_minutes
    if rollout is not None and now - rollout.requested_at > timedelta(minutes=minutes):
        raise Unhealthy(
            Reason.DEPLOYMENT_TIMED_OUT, f"ECS did not finish the rollout within {minutes} minutes."
        )
