"""The schema's way back: wait for the migration, then take it back or find that it can stay."""

from datetime import datetime, timedelta

from slipway.domain.deployment import Deployment
from slipway.domain.errors import Broken, Reason
from slipway.domain.evidence import Note
from slipway.domain.lane import Stable
from slipway.journal import record
from slipway.ports.records import Records
from slipway.ports.targets import OneOff, OneOffs
from slipway.steps.schema_current import Waited, unmoved
from slipway.steps.schema_end import how_it_ended, record_end, where_its_log_is
from slipway.steps.schema_task import (
    SchemaTask,
    downgrade_started_by,
    is_late,
    looked_at,
    migration_task,
    patience,
    the_migration,
)
from slipway.steps.step import StepResult


def schema_back(
    deployment: Deployment,
    target: Stable,
    records: Records,
    one_offs: OneOffs,
    now: datetime,
) -> Waited:
    """What is still waited for, None once the schema suits the old code; and the deployment."""
    running, deployment = _migration_ended(deployment, records, one_offs, now)
    if running is not None or _stays(deployment, target):
        return running, deployment
    waiting, deployment = unmoved(deployment, target, records, one_offs, now)
    if waiting is not None or deployment.progress.schema_unmoved_at is not None:
        return waiting, deployment
    command = _downgrade_command(deployment, target)
    if command is None:
        if deployment.planned().image.backward_compatible:
            return None, deployment
        raise Broken(
            Reason.SCHEMA_MOVED,
            "The schema has moved and the release does not declare that the old code can run "
            "on it, and there is no downgrade command.",
        )
    return _downgraded(deployment, command, records, one_offs, now)


def _stays(deployment: Deployment, target: Stable) -> bool:
    """Whether the schema needs no way back: it has not moved, or the old code runs on it."""
    progress, image = deployment.progress, deployment.planned().image
    if not progress.migration_began:
        return True
    if image.schema_revision is not None and image.schema_revision == target.schema_revision:
        return True
    return image.backward_compatible and progress.migrated_at is not None


def _migration_ended(
    deployment: Deployment, records: Records, one_offs: OneOffs, now: datetime
) -> Waited:
    """A result while the migration has not ended; taking it back meanwhile would race it."""
    if not deployment.progress.migrating:
        return None, deployment
    arn = migration_task(deployment, one_offs)
    if arn is None:
        return None, _never_placed(deployment, records, now)
    seen = one_offs.look(deployment.planned().settings.target, arn)
    if seen.ended:
        task = the_migration(deployment)
        deployment, _ = record_end(task, deployment, seen, records, one_offs, now)
        return None, deployment
    _refuse_endless_migration(deployment, arn, now)
    waiting = StepResult(done=False, reason=Reason.WAITING, message="the migration still runs")
    return waiting, deployment


def _never_placed(deployment: Deployment, records: Records, now: datetime) -> Deployment:
    """ECS shows a stopped task for an hour: one that it does not show then was never placed."""
    start, asked = deployment.progress.migration_start, deployment.progress.migration_requested_at
    if start is None or asked is None or now - asked > timedelta(minutes=50):
        return deployment
    known = deployment.knowing(migration_start=start.given_up())
    note = Note(what="migration never placed", message="ECS knows no task of it.")
    return record(records, known, note, now=now)


def _refuse_endless_migration(deployment: Deployment, arn: str, now: datetime) -> None:
    if is_late(the_migration(deployment), deployment, now, times=2):
        raise Broken(
            Reason.MIGRATION_TIMED_OUT,
            f"The migration task {arn} does not end; stop it and decide what its half-done work "
            "means. No other deployment migrates this database until the task has stopped.",
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
    name = downgrade_started_by(deployment.deployment_id)
    task = SchemaTask("downgrade", name, command, "downgraded_at")
    deployment, seen = looked_at(task, deployment, records, one_offs, now)
    if isinstance(seen, str):
        _refuse_late(task, deployment, "could not be started within {} minutes", now, f": {seen}")
        waiting = f"the downgrade waits: {seen}"
        return StepResult(done=False, reason=Reason.WAITING, message=waiting), deployment
    if not seen.ended:
        _refuse_late(task, deployment, "still runs after {} minutes.", now)
        message = "the schema is going back"
        return StepResult(done=False, reason=Reason.WAITING, message=message), deployment
    deployment, _ = record_end(task, deployment, seen, records, one_offs, now)
    _refuse_failed(deployment, seen)
    return None, deployment


def _refuse_late(
    task: SchemaTask, deployment: Deployment, how: str, now: datetime, why: str = ""
) -> None:
    if is_late(task, deployment, now):
        told = how.format(patience(deployment)) + why
        raise Broken(Reason.DOWNGRADE_FAILED, f"The downgrade {told}")


def _refuse_failed(deployment: Deployment, seen: OneOff) -> None:
    if seen.exit_code != 0:
        log = "" if seen.never_ran else f" {where_its_log_is(deployment)}."
        raise Broken(Reason.DOWNGRADE_FAILED, f"The downgrade {how_it_ended(seen)}.{log}")
