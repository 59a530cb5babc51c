"""Migrate: move the schema with a one-off task of the new image, before it is deployed."""

from datetime import datetime, timedelta

from slipway.domain.deployment import Deployment, Phase
from slipway.domain.errors import Reason, Unhealthy
from slipway.domain.evidence import Note
from slipway.ports import OneOff, OneOffs, Records, Revisions, Services
from slipway.steps.revision import revision_of, with_revision
from slipway.steps.schema_task import ended, migration_started_by, record_migration_end
from slipway.steps.step import StepRequest, StepResult, act, record


class MigrateRequest(StepRequest):
    """The deployment whose schema is to move."""


def keys(request: MigrateRequest) -> tuple[str, ...]:
    """What wakes a migration: its task's end, or news of the deployment."""
    started_by = migration_started_by(request.deployment_id)
    return f"task:{started_by}", f"deployment:{request.deployment_id}"


def migrate(
    request: MigrateRequest,
    *,
    records: Records,
    services: Services,
    revisions: Revisions,
    one_offs: OneOffs,
    now: datetime,
) -> StepResult:
    """Done when the command has ended with 0; Unhealthy when it failed or took too long."""
    deployment = records.deployment(request.deployment_id)
    deployment.refuse_to_go_forward()
    if deployment.progress.migrated_at is not None:
        return StepResult(done=True, reason=Reason.VERIFIED, message="migrated")
    if deployment.progress.migration_requested_at is None:
        # Cancelling is possible until the command starts: half a migration helps nobody.
        deployment.refuse_to_continue()
        deployment = with_revision(
            deployment.at(Phase.MIGRATING),
            records=records,
            services=services,
            revisions=revisions,
            now=now,
        )
    deployment = _started(deployment, records, one_offs, now)
    task = one_offs.look(
        deployment.planned().settings.target, deployment.progress.migration_task_arn or ""
    )
    return _judged(deployment, task, records, now)


def _command(deployment: Deployment) -> tuple[str, ...]:
    migration = deployment.planned().settings.migration
    return migration.command if migration else ()


def _started(
    deployment: Deployment, records: Records, one_offs: OneOffs, now: datetime
) -> Deployment:
    if deployment.progress.migration_task_arn is not None:
        return deployment
    target, revision = deployment.planned().settings.target, revision_of(deployment)
    command, name = _command(deployment), migration_started_by(deployment.deployment_id)
    requested = deployment.progress.migration_requested_at or now
    data = {"before": requested.isoformat()}
    deployment, arn = act(
        deployment,
        Note(what="migration requested", message=" ".join(command), data=data),
        lambda: one_offs.run(target, revision, command, name),
        records=records,
        now=now,
        migration_requested_at=requested,
    )
    note = Note(what="migration started", message=arn)
    return record(records, deployment.acted(now).knowing(migration_task_arn=arn), note, now=now)


def _judged(deployment: Deployment, task: OneOff, records: Records, now: datetime) -> StepResult:
    if not task.stopped:
        _refuse_late(deployment, now)
        return StepResult(done=False, reason=Reason.WAITING, message="the migration runs")
    record_migration_end(deployment, task, records, now)
    if task.exit_code != 0:
        raise Unhealthy(Reason.MIGRATION_FAILED, f"The migration {ended(task)}.")
    return StepResult(done=True, reason=Reason.VERIFIED, message="migrated")


def _refuse_late(deployment: Deployment, now: datetime) -> None:
    migration, requested = (
        deployment.planned().settings.migration,
        deployment.progress.migration_requested_at,
    )
    minutes = migration.timeout_minutes if migration else 0
    if requested is not None and now - requested > timedelta(minutes=minutes):
        raise Unhealthy(
            Reason.MIGRATION_TIMED_OUT, f"The migration still runs after {minutes} minutes."
        )
