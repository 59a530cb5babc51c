"""The schema's way back: wait for the migration, then take it back or find that it can stay."""

from datetime import datetime, timedelta

from slipway.domain.deployment import Deployment
from slipway.domain.errors import Broken, Reason
from slipway.domain.evidence import Note
from slipway.domain.guidance import restore_commands
from slipway.domain.lane import Stable
from slipway.ports import OneOffs, Records
from slipway.steps.revision import revision_of
from slipway.steps.schema_task import (
    downgrade_started_by,
    ended,
    migration_task,
    record_migration_end,
)
from slipway.steps.step import StepResult, act, record

Waited = tuple[StepResult | None, Deployment]


def schema_back(
    deployment: Deployment,
    target: Stable,
    records: Records,
    one_offs: OneOffs,
    now: datetime,
) -> Waited:
    """What is still waited for, None once the schema suits the old code; and the deployment."""
    if deployment.progress.migration_requested_at is None:
        return None, deployment
    running, deployment = _migration_ended(deployment, records, one_offs, now)
    if running is not None:
        return running, deployment
    failed_half_way = deployment.progress.migrated_at is None
    if deployment.planned().image.backward_compatible and not failed_half_way:
        return None, deployment
    command = _downgrade_command(deployment, target)
    if command is None:
        if deployment.planned().image.backward_compatible:
            return None, deployment
        raise Broken(
            Reason.SCHEMA_MOVED,
            "The schema has moved and the release does not declare that the old code can run "
            f"on it, and there is no downgrade command.{restore_hint(deployment)}",
        )
    return _downgraded(deployment, command, records, one_offs, now)


def _migration_ended(
    deployment: Deployment, records: Records, one_offs: OneOffs, now: datetime
) -> Waited:
    """A result while the migration has not ended; taking it back meanwhile would race it."""
    if not deployment.progress.migrating:
        return None, deployment
    arn = migration_task(deployment, one_offs)
    if arn is None:
        return None, deployment
    task = one_offs.look(deployment.planned().settings.target, arn)
    if task.stopped:
        return None, record_migration_end(deployment, task, records, now)
    _refuse_endless_migration(deployment, arn, now)
    waiting = StepResult(done=False, reason=Reason.WAITING, message="the migration still runs")
    return waiting, deployment


def _refuse_endless_migration(deployment: Deployment, arn: str, now: datetime) -> None:
    migration = deployment.planned().settings.migration
    requested = deployment.progress.migration_requested_at
    patience = timedelta(minutes=2 * migration.timeout_minutes) if migration else timedelta()
    if requested is not None and now - requested > patience:
        raise Broken(
            Reason.MIGRATION_TIMED_OUT,
            f"The migration task {arn} does not end; stop it and decide what its half-done work "
            "means. No other deployment migrates this database until the task has stopped."
            f"{restore_hint(deployment)}",
        )


def _downgrade_command(deployment: Deployment, target: Stable) -> tuple[str, ...] | None:
    migration = deployment.planned().settings.migration
    if migration is None or migration.downgrade is None or target.schema_revision is None:
        return None
    return tuple(word.replace("{schema}", target.schema_revision) for word in migration.downgrade)


def _downgraded(
    deployment: Deployment,
    command: tuple[str, ...],
    records: Records,
    one_offs: OneOffs,
    now: datetime,
) -> Waited:
    if deployment.progress.downgraded_at is not None:
        return None, deployment
    deployment = _downgrade_started(deployment, command, records, one_offs, now)
    target = deployment.planned().settings.target
    task = one_offs.look(target, deployment.progress.downgrade_task_arn or "")
    if not task.stopped:
        _refuse_late_downgrade(deployment, now)
        message = "the schema is going back"
        return StepResult(done=False, reason=Reason.WAITING, message=message), deployment
    note = Note(what="downgrade ended", message=ended(task), data={"log": list(task.log_tail)})
    facts = {"downgrade_ended_at": now} | ({"downgraded_at": now} if task.exit_code == 0 else {})
    deployment = record(records, deployment.knowing(**facts), note, now=now)
    if task.exit_code != 0:
        message = f"The downgrade {ended(task)}.{restore_hint(deployment)}"
        raise Broken(Reason.DOWNGRADE_FAILED, message)
    return None, deployment


def _refuse_late_downgrade(deployment: Deployment, now: datetime) -> None:
    migration = deployment.planned().settings.migration
    requested = deployment.progress.downgrade_requested_at
    minutes = migration.timeout_minutes if migration else 0
    if requested is not None and now - requested > timedelta(minutes=minutes):
        raise Broken(
            Reason.DOWNGRADE_FAILED,
            f"The downgrade still runs after {minutes} minutes.{restore_hint(deployment)}",
        )


def _downgrade_started(
    deployment: Deployment,
    command: tuple[str, ...],
    records: Records,
    one_offs: OneOffs,
    now: datetime,
) -> Deployment:
    if deployment.progress.downgrade_task_arn is not None:
        return deployment
    target, revision = deployment.planned().settings.target, revision_of(deployment)
    name = downgrade_started_by(deployment.deployment_id)
    deployment, arn = act(
        deployment,
        Note(what="downgrade requested", message=" ".join(command)),
        lambda: one_offs.run(target, revision, command, name),
        records=records,
        now=now,
        downgrade_requested_at=deployment.progress.downgrade_requested_at or now,
    )
    note = Note(what="downgrade started", message=arn)
    return record(records, deployment.acted(now).knowing(downgrade_task_arn=arn), note, now=now)


def restore_hint(deployment: Deployment) -> str:
    """The exact commands for a person who decides to bring the data back; empty without any."""
    commands = restore_commands(deployment)
    if not commands:
        return ""
    return f" The data as it was before, in a new database: {' or: '.join(commands)}"
