"""Deploy: point the service at the release and see ECS's own rollout through."""

from datetime import datetime, timedelta

from slipway.domain.deployment import Deployment, Phase
from slipway.domain.errors import Reason, Unhealthy
from slipway.domain.evidence import Note
from slipway.domain.verdict import Rollout, RolloutState
from slipway.journal import act, record
from slipway.ports.records import Records
from slipway.ports.targets import Revisions, Rollouts, Services
from slipway.steps.revision import revision_of, with_revision
from slipway.steps.step import StepRequest, StepResult


class DeployRequest(StepRequest):
    """The deployment to roll out; the service's ARN names its events."""

    service_arn: str


def keys(request: DeployRequest) -> tuple[str, ...]:
    """What wakes a rollout: ECS's news of the service, or news of the deployment."""
    return f"service:{request.service_arn}", f"deployment:{request.deployment_id}"


def deploy(
    request: DeployRequest,
    *,
    records: Records,
    services: Services,
    revisions: Revisions,
    rollouts: Rollouts,
    now: datetime,
) -> StepResult:
    """Done when ECS has completed the rollout of our revision.

    Unhealthy when ECS gave it up or it took too long: "stable" would not tell, since a service
    that ECS rolled back is stable too.
    """
    deployment = records.deployment(request.deployment_id)
    deployment.refuse_to_continue()
    if deployment.progress.ecs_deployment_id is not None:
        return _done(deployment.progress.ecs_deployment_id)
    first = deployment.progress.deploy_requested_at is None
    deployment = with_revision(
        deployment.at(Phase.DEPLOYING),
        records=records,
        services=services,
        revisions=revisions,
        now=now,
    )
    deployment, rollout = _ensured(deployment, first, records, services, rollouts, now)
    return _judged(deployment, rollout, records, now)


def _ensured(
    deployment: Deployment,
    first: bool,
    records: Records,
    services: Services,
    rollouts: Rollouts,
    now: datetime,
) -> tuple[Deployment, Rollout]:
    """The rollout of our revision, started at most once.

    A revision that ECS has given up must not be started again, so a later look starts it only
    when no service deployment has ever targeted it.
    """
    settings, arn = deployment.planned().settings, revision_of(deployment)
    if not first:
        rollout = services.rollout(settings.target, arn)
        if rollout.state is not RolloutState.ABSENT:
            return deployment, rollout
    deployment, _ = act(
        deployment,
        Note(what="rollout requested", message=arn),
        lambda: rollouts.update(settings.target, arn, settings.strategy),
        records=records,
        now=now,
        deploy_requested_at=deployment.progress.deploy_requested_at or now,
    )
    deployment = record(records, deployment.acted(now), Note(what="rollout started"), now=now)
    return deployment, services.rollout(settings.target, arn)


def _judged(
    deployment: Deployment, rollout: Rollout, records: Records, now: datetime
) -> StepResult:
    is_ours = rollout.primary_revision_arn == revision_of(deployment)
    if rollout.state is RolloutState.COMPLETED and is_ours:
        note = Note(what="rollout completed", message=rollout.primary_deployment_id)
        known = deployment.knowing(ecs_deployment_id=rollout.primary_deployment_id)
        record(records, known, note, now=now)
        return _done(rollout.primary_deployment_id)
    if rollout.state is RolloutState.GIVEN_UP:
        _tell_lost(deployment, rollout, records, now)
    _refuse_late(deployment, now)
    message = f"{rollout.running_count} of {rollout.desired_count} tasks run"
    return StepResult(done=False, reason=Reason.WAITING, message=message)


def _done(ecs_deployment_id: str) -> StepResult:
    message = f"{ecs_deployment_id} is complete"
    return StepResult(done=True, reason=Reason.VERIFIED, message=message)


def _tell_lost(deployment: Deployment, rollout: Rollout, records: Records, now: datetime) -> None:
    """Record what ECS said and raise Unhealthy."""
    message = f"ECS ended the rollout as {rollout.told}"
    data = {"events": list(rollout.events)}
    record(records, deployment, Note(what="rollout lost", message=message, data=data), now=now)
    raise Unhealthy(rollout.reason or Reason.DEPLOYMENT_STOPPED, message)


def _refuse_late(deployment: Deployment, now: datetime) -> None:
    requested = deployment.progress.deploy_requested_at
    minutes = deployment.planned().settings.strategy.timeout_minutes
    if requested is not None and now - requested > timedelta(minutes=minutes):
        raise Unhealthy(
            Reason.DEPLOYMENT_TIMED_OUT, f"ECS has not finished after {minutes} minutes."
        )
