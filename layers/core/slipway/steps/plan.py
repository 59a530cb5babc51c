"""Plan: look up what will change, and fix and hash it before anything changes.

Approval and execution both refer to the hash, so what was approved is what is done.
"""

from collections.abc import Iterator
from datetime import datetime

from slipway.domain.catalog import BackupPolicy, Catalog, Environment, Verification
from slipway.domain.deployment import Deployment
from slipway.domain.errors import Reason, Rejected
from slipway.domain.evidence import Note
from slipway.domain.lane import Lane, Stable
from slipway.domain.model import Model
from slipway.domain.plan import LiveService, NoWayBack, Plan, differences, pending_migration
from slipway.domain.preflight import (
    Refusal,
    Revision,
    RevisionState,
    database_refusal,
    no_way_back,
    older_schema,
    refuse_all,
    service_refusals,
)
from slipway.domain.release import Image
from slipway.domain.what import What
from slipway.journal import Journal
from slipway.ports.databases import DatabaseStates
from slipway.ports.observation import LoadBalancers
from slipway.ports.registry import ImageRegistry
from slipway.ports.targets import Services
from slipway.steps.address import with_address
from slipway.steps.step import StepRequest


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
    journal: Journal,
    catalog: Catalog,
    registry: ImageRegistry,
    services: Services,
    balancers: LoadBalancers,
    database_states: DatabaseStates,
) -> PlanResult:
    """Make the plan, once; Rejected when there is nothing to do, or with every problem that is
    known now and would otherwise come up later.

    Called again, it returns the plan that was made.
    """
    records = journal.records
    deployment = records.deployment(request.deployment_id)
    deployment.refuse_to_continue()
    if deployment.plan is not None:
        return _result(deployment.plan)
    settings = _settings(deployment, catalog)
    lane = records.lane(deployment.application, deployment.environment)
    live = services.live(settings.target)
    _refuse_unchanged(deployment, lane, live)
    live = with_address(live, settings, balancers)
    image = _image(deployment, live, registry)
    made = _unsealed_plan(deployment, settings, lane, live, image, journal.now)
    refuse_all(_refusals(made, lane, deployment.schema_at, database_states))
    made = _sealed_plan(made, lane.stable, deployment.schema_at, registry, services)
    note = Note(what=What.PLANNED, data={"plan_hash": made.plan_hash})
    journal.write(deployment.planned_as(made), note)
    return _result(made)


def _settings(deployment: Deployment, catalog: Catalog) -> Environment:
    settings = catalog.environment(deployment.application, deployment.environment)
    if settings is None:
        raise Rejected(Reason.LANE_UNKNOWN, f"The catalog has no {deployment.lane_id}.")
    return settings


def _image(deployment: Deployment, live: LiveService, registry: ImageRegistry) -> Image:
    release = deployment.release
    image = registry.image(
        release.repository, release.digest, live.architecture, live.operating_system
    )
    if image is None:
        raise Rejected(
            Reason.IMAGE_MISSING,
            f"{release.repository} has no image {release.digest[:19]} for {live.architecture}.",
        )
    return image


def _refusals(
    made: Plan, lane: Lane, schema_at: str | None, database_states: DatabaseStates
) -> Iterator[Refusal]:
    """Everything that stands against the plan; the database is asked only if a backup needs it."""
    settings = made.settings
    yield from service_refusals(made.live, settings.strategy)
    older = older_schema(made.image, lane, settings, schema_at)
    if older is not None:
        yield older
    database, policy = settings.database, settings.backup.policy
    if made.needs_migration and database is not None and policy is not BackupPolicy.OFF:
        unfit = database_refusal(database, database_states.state(database), policy)
        if unfit is not None:
            yield unfit


def _refuse_unchanged(deployment: Deployment, lane: Lane, live: LiveService) -> None:
    stable = lane.stable
    if deployment.explicit or stable is None or stable.digest != deployment.release.digest:
        return
    if live.image_uri == stable.image_uri:
        raise Rejected(
            Reason.UNCHANGED,
            f"{stable.digest[:19]} is already live, since {stable.deployment_id}.",
        )


def _unsealed_plan(
    deployment: Deployment,
    settings: Environment,
    lane: Lane,
    live: LiveService,
    image: Image,
    now: datetime,
) -> Plan:
    """The plan, not yet sealed: whether there is a way back is looked up once it is sound."""
    schema_at, database_id = deployment.schema_at, settings.database_id(lane.lane_id)
    return Plan(
        deployment_id=deployment.deployment_id,
        application=deployment.application,
        environment=deployment.environment,
        release=deployment.release,
        image=image,
        settings=settings,
        live=live,
        rollback_target=lane.stable.on(database_id) if lane.stable else None,
        needs_migration=pending_migration(settings, image, lane, schema_at),
        needs_approval=settings.approval is not None,
        differences=differences(image, live, lane.stable, schema_at),
        planned_at=now,
        schema_before=lane.schema_now(schema_at, database_id),
    )


def _sealed_plan(
    made: Plan,
    stable: Stable | None,
    schema_at: str | None,
    registry: ImageRegistry,
    services: Services,
) -> Plan:
    """The sealed plan, with its rollback target or the reason why there is none."""
    if stable is None:
        return made.sealed()
    image = registry.status(stable.repository, stable.digest)
    live = made.live
    state = RevisionState.REGISTERED if live.is_registered else RevisionState.DEREGISTERED
    revision = Revision(arn=live.revision_arn, state=state)
    if stable.revision_arn != live.revision_arn:
        revision = services.revision(stable.revision_arn)
    why = no_way_back(stable, live, revision, image, schema_at)
    if why is None:
        anew = revision.state is RevisionState.DEREGISTERED
        return made.model_copy(update={"way_back_is_deregistered": anew}).sealed()
    known = NoWayBack(deployment_id=stable.deployment_id, why=why)
    return made.model_copy(update={"rollback_target": None, "no_way_back": known}).sealed()


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
    """About ten looks per bake: a retry interval of seconds would write hundreds of entries."""
    return max(verification.interval_seconds, verification.bake_seconds // 10)
