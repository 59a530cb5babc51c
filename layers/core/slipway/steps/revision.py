"""The task definition revisions of a deployment: its own, and the one it rolls back to."""

from collections.abc import Callable

from slipway.domain.deployment import Deployment
from slipway.domain.effect import Effect
from slipway.domain.errors import Broken, Reason
from slipway.domain.evidence import Note
from slipway.domain.lane import Stable
from slipway.domain.preflight import RevisionState, refuse_all, service_refusals
from slipway.domain.what import What
from slipway.journal import Journal, fence_of
from slipway.ports.targets import Revisions, Services


def ensure_revision(
    deployment: Deployment, *, journal: Journal, services: Services, revisions: Revisions
) -> Deployment:
    """The deployment with its revision registered, derived from what is live now.

    RegisterTaskDefinition has no client token: when an earlier try may have registered it, the
    revision is looked for by its tag first.
    """
    known = deployment.service.revision
    if known is not None and known.handle is not None:
        return deployment
    plan = deployment.planned()
    live = services.live(plan.settings.target)
    # The service may be another since it was planned: an approval takes days.
    refuse_all(service_refusals(live, plan.settings.strategy))
    base = live.revision_arn
    found = revisions.find(base, deployment.deployment_id) if known is not None else None
    effect = known or Effect(requested_at=journal.now)
    if found is None:
        asked = deployment.with_service(deployment.service.with_revision(effect))
        note = Note(what=What.REVISION_REQUESTED, message=plan.image.uri)
        deployment, arn = journal.act(asked, note, _registration(deployment, base, revisions))
    else:
        arn = found
    note = Note(what=What.REVISION_REGISTERED, message=arn)
    service = deployment.service.with_revision(effect.known_as(arn))
    return journal.write(deployment.acted(journal.now).with_service(service), note)


def _registration(deployment: Deployment, base: str, revisions: Revisions) -> Callable[[], str]:
    plan, fencing = deployment.planned(), fence_of(deployment).fencing
    container, uri = plan.settings.target.container, plan.image.uri
    return lambda: revisions.register(base, container, uri, deployment.deployment_id, fencing)


def ensure_way_back(
    deployment: Deployment,
    target: Stable,
    *,
    journal: Journal,
    services: Services,
    revisions: Revisions,
) -> Deployment:
    """The deployment with a revision to roll back to that ECS accepts.

    Somebody may have deregistered the last good release's revision. It is registered again then,
    once: an earlier try's is found by its name. Broken when it was deleted.
    """
    known = deployment.service.return_revision
    if known is not None and known.handle is not None:
        return deployment
    if known is None and _is_registered(target, services):
        return deployment
    name = f"{deployment.deployment_id}/rollback"
    found = revisions.find(target.revision_arn, name) if known is not None else None
    effect = known or Effect(requested_at=journal.now)
    if found is None:
        fencing = fence_of(deployment).fencing
        deployment, arn = journal.act(
            deployment.with_service(deployment.service.with_return_revision(effect)),
            Note(what=What.RETURN_REVISION_REQUESTED, message=target.revision_arn),
            lambda: revisions.register_again(target.revision_arn, name, fencing),
        )
    else:
        arn = found
    note = Note(what=What.RETURN_REVISION_REGISTERED, message=arn)
    service = deployment.service.with_return_revision(effect.known_as(arn))
    return journal.write(deployment.acted(journal.now).with_service(service), note)


def _is_registered(target: Stable, services: Services) -> bool:
    return services.revision(target.revision_arn).state is RevisionState.REGISTERED


def revision_of(deployment: Deployment) -> str:
    """The deployment's revision; Broken before it was registered."""
    revision = deployment.service.revision
    if revision is None or revision.handle is None:
        message = f"{deployment.deployment_id} has no task definition revision."
        raise Broken(Reason.INTERNAL_ERROR, message)
    return revision.handle
