"""The task definition revisions of a deployment: its own, and the one that it goes back to."""

from datetime import datetime

from slipway.domain.deployment import Deployment
from slipway.domain.errors import Broken, Reason
from slipway.domain.evidence import Note
from slipway.domain.lane import Stable
from slipway.domain.preflight import RevisionState, refuse_all, service_refusals
from slipway.journal import act, fence_of, record
from slipway.ports.records import Records
from slipway.ports.targets import Revisions, Services


def with_revision(
    deployment: Deployment,
    *,
    records: Records,
    services: Services,
    revisions: Revisions,
    now: datetime,
) -> Deployment:
    """The deployment with its revision registered, derived from what is live now.

    RegisterTaskDefinition has no client token: when an earlier try may have registered it, the
    revision is looked for by its tag first.
    """
    if deployment.progress.revision_arn is not None:
        return deployment
    settings = deployment.planned().settings
    tried_before = deployment.progress.revision_requested_at is not None
    live = services.live(settings.target)
    # The service may be another since it was planned: an approval takes days.
    refuse_all(service_refusals(live, settings.strategy))
    base = live.revision_arn
    arn = revisions.find(base, deployment.deployment_id) if tried_before else None
    if arn is None:
        deployment, arn = _registered(deployment, base, records, revisions, now)
    note = Note(what="revision registered", message=arn)
    return record(records, deployment.acted(now).knowing(revision_arn=arn), note, now=now)


def _registered(
    deployment: Deployment, base: str, records: Records, revisions: Revisions, now: datetime
) -> tuple[Deployment, str]:
    plan, fencing = deployment.planned(), fence_of(deployment).fencing
    uri, container = plan.image.uri, plan.settings.target.container
    return act(
        deployment,
        Note(what="revision requested", message=uri),
        lambda: revisions.register(base, container, uri, deployment.deployment_id, fencing),
        records=records,
        now=now,
        revision_requested_at=deployment.progress.revision_requested_at or now,
    )


def with_way_back(
    deployment: Deployment,
    target: Stable,
    *,
    records: Records,
    services: Services,
    revisions: Revisions,
    now: datetime,
) -> Deployment:
    """The deployment with a revision to go back to that ECS takes.

    Somebody may have deregistered the last good release's own since; it is registered anew then,
    once, and found by its name when an earlier try may have done so. Broken when it is deleted.
    """
    progress = deployment.progress
    if progress.way_back_arn is not None:
        return deployment
    tried_before = progress.way_back_requested_at is not None
    if not tried_before and _is_registered(target, services):
        return deployment
    name = f"{deployment.deployment_id}/rollback"
    arn = revisions.find(target.revision_arn, name) if tried_before else None
    if arn is None:
        fencing = fence_of(deployment).fencing
        deployment, arn = act(
            deployment,
            Note(what="way back requested", message=target.revision_arn),
            lambda: revisions.register_again(target.revision_arn, name, fencing),
            records=records,
            now=now,
            way_back_requested_at=progress.way_back_requested_at or now,
        )
    note = Note(what="way back registered", message=arn)
    return record(records, deployment.acted(now).knowing(way_back_arn=arn), note, now=now)


def _is_registered(target: Stable, services: Services) -> bool:
    return services.revision(target.revision_arn).state is RevisionState.REGISTERED


def revision_of(deployment: Deployment) -> str:
    """The deployment's revision; Broken before it was registered."""
    if deployment.progress.revision_arn is None:
        message = f"{deployment.deployment_id} has no task definition revision."
        raise Broken(Reason.INTERNAL_ERROR, message)
    return deployment.progress.revision_arn
