"""Plan: what will change is looked up, fixed and hashed before anything changes."""

from datetime import datetime

from slipway.domain.catalog import Catalog, Environment, Verification
from slipway.domain.deployment import Deployment
from slipway.domain.errors import Reason, Rejected
from slipway.domain.evidence import Note
from slipway.domain.lane import Lane
from slipway.domain.model import Model
from slipway.domain.plan import LiveService, Plan, differences, needs_migration
from slipway.domain.release import Image
from slipway.ports import ImageRegistry, LoadBalancers, Records, Services
from slipway.steps.address import addressed
from slipway.steps.step import StepRequest, record


class PlanRequest(StepRequest):
    """The deployment to plan."""


class PlanResult(Model):
    """What the state machine has to know of the plan; the plan itself is in the record."""

    needs_approval: bool
    needs_migration: bool
    plan_hash: str
    service_arn: str
    scanned_image: str
    approval_seconds: int
    backup_seconds: int
    migrate_seconds: int
    deploy_seconds: int
    verify_interval_seconds: int


def plan(
    request: PlanRequest,
    *,
    records: Records,
    catalog: Catalog,
    registry: ImageRegistry,
    services: Services,
    balancers: LoadBalancers,
    now: datetime,
) -> PlanResult:
    """Make the plan, once; Rejected when there is nothing to do or the catalog knows no such lane.

    Called again it answers with the plan that was made.
    """
    deployment = records.deployment(request.deployment_id)
    deployment.refuse_to_continue()
    if deployment.plan is not None:
        return _result(deployment.plan)
    settings = catalog.environment(deployment.application, deployment.environment)
    if settings is None:
        raise Rejected(Reason.NOT_MEANT_FOR_US, f"The catalog has no {deployment.lane_id}.")
    lane = records.lane(deployment.application, deployment.environment)
    live = addressed(services.live(settings.target), settings, balancers)
    image = _image(deployment, live, registry)
    _refuse_idle(live)
    _refuse_without_way_back(lane, live)
    _refuse_stranded(lane, image)
    made = _plan(deployment, settings, lane, live, image, now)
    _refuse_unchanged(deployment, lane, live)
    note = Note(what="planned", data={"plan_hash": made.plan_hash})
    record(records, deployment.model_copy(update={"plan": made}), note, now=now)
    return _result(made)


def _image(deployment: Deployment, live: LiveService, registry: ImageRegistry) -> Image:
    release = deployment.release
    image = registry.image(release.repository, release.digest, live.architecture)
    if image is None:
        raise Rejected(
            Reason.IMAGE_MISSING,
            f"{release.repository} has no image {release.digest[:19]} for {live.architecture}.",
        )
    return image


def _refuse_idle(live: LiveService) -> None:
    if live.desired_count == 0:
        raise Rejected(
            Reason.SERVICE_UNAVAILABLE,
            f"{live.service_arn} wants 0 tasks, so nothing could be verified; raise its desired "
            "count first.",
        )


def _refuse_without_way_back(lane: Lane, live: LiveService) -> None:
    """ECS runs a deregistered revision on, but goes back to none."""
    stable = lane.stable
    if stable and stable.revision_arn == live.revision_arn and not live.is_registered:
        raise Rejected(
            Reason.NOTHING_TO_ROLL_BACK_TO,
            f"{stable.revision_arn} was deregistered, so nothing could go back to it; register "
            "it again and deploy that first.",
        )


def _refuse_stranded(lane: Lane, image: Image) -> None:
    """An older release does not know the schema that came after it, and cannot take it back."""
    stable = lane.stable
    if stable is None or not lane.knows(image) or stable.backward_compatible:
        return
    if image.schema_revision != stable.schema_revision:
        raise Rejected(
            Reason.SCHEMA_MOVED,
            f"{image.digest[:19]} ran here on schema {image.schema_revision}; since then "
            f"{stable.deployment_id} has moved it to {stable.schema_revision} and does not say "
            "that older code runs on it. Take the schema back first.",
        )


def _refuse_unchanged(deployment: Deployment, lane: Lane, live: LiveService) -> None:
    stable = lane.stable
    if deployment.explicit or stable is None or stable.digest != deployment.release.digest:
        return
    if live.image_uri == stable.image_uri:
        raise Rejected(
            Reason.UNCHANGED,
            f"{stable.digest[:19]} is live already, since {stable.deployment_id}.",
        )


def _plan(
    deployment: Deployment,
    settings: Environment,
    lane: Lane,
    live: LiveService,
    image: Image,
    now: datetime,
) -> Plan:
    return Plan(
        deployment_id=deployment.deployment_id,
        application=deployment.application,
        environment=deployment.environment,
        release=deployment.release,
        image=image,
        settings=settings,
        live=live,
        rollback_target=lane.stable,
        needs_migration=needs_migration(settings, image, lane.stable) and not lane.knows(image),
        needs_approval=settings.approval is not None,
        differences=differences(image, live, lane.stable),
        planned_at=now,
    ).sealed()


def _result(made: Plan) -> PlanResult:
    settings = made.settings
    approval, migration = settings.approval, settings.migration
    return PlanResult(
        needs_approval=made.needs_approval,
        needs_migration=made.needs_migration,
        plan_hash=made.plan_hash,
        service_arn=made.live.service_arn,
        scanned_image=f"{made.release.repository}@{made.image.platform_digest}",
        approval_seconds=approval.expires_after_minutes * 60 if approval else 0,
        backup_seconds=settings.backup.timeout_minutes * 60,
        migrate_seconds=migration.timeout_minutes * 60 if migration else 0,
        deploy_seconds=settings.strategy.timeout_minutes * 60,
        verify_interval_seconds=_verify_interval_seconds(settings.verification),
    )


def _verify_interval_seconds(verification: Verification) -> int:
    """A long bake is looked at about ten times, however short the interval of a failed look."""
    return max(verification.interval_seconds, verification.bake_seconds // 10)
