"""The task definition revision that carries a release: one per deployment, never by tag."""

from datetime import datetime

from slipway.domain.deployment import Deployment
from slipway.domain.errors import Broken, Reason
from slipway.domain.evidence import Note
from slipway.ports import Records, Revisions, Services
from slipway.steps.step import fence_of, record


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
    plan = deployment.planned()
    target = plan.settings.target
    tried_before = deployment.progress.revision_requested_at is not None
    if not tried_before:
        intended = deployment.knowing(revision_requested_at=now)
        note = Note(what="revision requested", message=plan.image.uri)
        deployment = record(records, intended, note, now=now, fence=fence_of(deployment))
    base = services.live(target).revision_arn
    found = revisions.find(base, deployment.deployment_id) if tried_before else None
    arn = found or revisions.register(
        base,
        target.container,
        plan.image.uri,
        deployment.deployment_id,
        fence_of(deployment).fencing,
    )
    note = Note(what="revision registered", message=arn)
    return record(records, deployment.knowing(revision_arn=arn), note, now=now)


def revision_of(deployment: Deployment) -> str:
    """The deployment's revision; Broken before it was registered."""
    if deployment.progress.revision_arn is None:
        message = f"{deployment.deployment_id} has no task definition revision."
        raise Broken(Reason.INTERNAL_ERROR, message)
    return deployment.progress.revision_arn
