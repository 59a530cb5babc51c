"""Roll the schema back: wait for the migration to end, then downgrade or leave the schema alone."""

from datetime import timedelta

from slipway.domain.deployment import Deployment
from slipway.domain.effect import Effect
from slipway.domain.errors import Broken, Reason
from slipway.domain.evidence import Note
from slipway.domain.lane import Stable
from slipway.domain.progress import SchemaWork
from slipway.domain.what import What
from slipway.journal import Journal
from slipway.ports.targets import OneOff, OneOffs
from slipway.steps.schema_current import Pending, query_schema
from slipway.steps.schema_end import end_description, log_hint, record_end, stop_leftovers
from slipway.steps.schema_task import (
    SchemaTask,
    downgrade_started_by,
    ensure_task,
    find_task,
    is_late,
    migration_task,
    patience_minutes,
)
from slipway.steps.step import StepResult


def roll_back_schema(
    deployment: Deployment, target: Stable, journal: Journal, one_offs: OneOffs
) -> Pending:
    """What is still pending, None once the old code can run on the schema; and the deployment."""
    deployment = stop_leftovers(deployment, journal, one_offs)
    running, deployment = _wait_for_migration(deployment, journal, one_offs)
    if running is not None or _is_schema_fine(deployment, target):
        return running, deployment
    waiting, deployment = query_schema(deployment, target, journal, one_offs)
    if waiting is not None or deployment.progress.schema_unmoved_at is not None:
        return waiting, deployment
    command = _downgrade_command(deployment, target)
    if command is None:
        if deployment.planned().image.backward_compatible:
            return None, deployment
        raise Broken(
            Reason.SCHEMA_MOVED,
            "The schema was migrated, the release is not declared backward compatible, and there "
            "is no downgrade command.",
        )
    return _downgrade(deployment, command, journal, one_offs)


def _is_schema_fine(deployment: Deployment, target: Stable) -> bool:
    """Whether the schema can stay as it is: it has not moved, or the old code runs on it."""
    progress, image = deployment.progress, deployment.planned().image
    if not progress.migration_began:
        return True
    if image.schema_revision is not None and image.schema_revision == target.schema_revision:
        return True
    return image.backward_compatible and progress.has_migrated


def _wait_for_migration(deployment: Deployment, journal: Journal, one_offs: OneOffs) -> Pending:
    """A result while the migration is running: a downgrade beside it would race it."""
    task = migration_task(deployment)
    effect = task.effect(deployment)
    if effect is None or not effect.may_be_at_work:
        return None, deployment
    arn = find_task(effect, deployment, task.started_by, one_offs)
    if arn is None:
        return None, _record_never_placed(effect, deployment, journal)
    seen = one_offs.look(deployment.planned().settings.target, arn)
    if seen.ended:
        deployment, _ = record_end(task, deployment, seen, journal, one_offs)
        return None, deployment
    _refuse_endless(task, deployment, arn, journal)
    waiting = StepResult(
        done=False, reason=Reason.WAITING, message="the migration is still running"
    )
    return waiting, deployment


def _record_never_placed(effect: Effect, deployment: Deployment, journal: Journal) -> Deployment:
    """ECS shows a stopped task for an hour: one that it does not show then was never placed."""
    if effect.start is None or journal.now - effect.requested_at > timedelta(minutes=50):
        return deployment
    given_up = effect.starting(effect.start.given_up())
    note = Note(what=What.MIGRATION_NEVER_PLACED, message="ECS has no task for it.")
    return journal.write(deployment.with_schema_task(SchemaWork.UP, given_up), note)


def _refuse_endless(task: SchemaTask, deployment: Deployment, arn: str, journal: Journal) -> None:
    if is_late(task, deployment, journal.now, times=2):
        raise Broken(
            Reason.MIGRATION_TIMED_OUT,
            f"The migration task {arn} is still running; stop it and check the partly migrated "
            "schema. No other deployment migrates this database until the task has stopped.",
        )


def _downgrade_command(deployment: Deployment, target: Stable) -> tuple[str, ...] | None:
    migration = deployment.planned().settings.migration
    if migration is None or migration.downgrade is None or target.schema_revision is None:
        return None
    return tuple(word.replace("{schema}", target.schema_revision) for word in migration.downgrade)


def _downgrade(
    deployment: Deployment, command: tuple[str, ...], journal: Journal, one_offs: OneOffs
) -> Pending:
    if deployment.progress.has_downgraded:
        return None, deployment
    name = downgrade_started_by(deployment.deployment_id)
    task = SchemaTask(SchemaWork.DOWN, name, command)
    deployment, seen = ensure_task(task, deployment, journal, one_offs)
    if isinstance(seen, str):
        late = f"did not start within {patience_minutes(deployment)} minutes: {seen}"
        _refuse_late(task, deployment, late, journal)
        waiting = f"the downgrade is waiting: {seen}"
        return StepResult(done=False, reason=Reason.WAITING, message=waiting), deployment
    if not seen.ended:
        late = f"is still running after {patience_minutes(deployment)} minutes."
        _refuse_late(task, deployment, late, journal)
        message = "the downgrade is running"
        return StepResult(done=False, reason=Reason.WAITING, message=message), deployment
    deployment, _ = record_end(task, deployment, seen, journal, one_offs)
    _refuse_failed(deployment, seen)
    return None, deployment


def _refuse_late(task: SchemaTask, deployment: Deployment, how: str, journal: Journal) -> None:
    if is_late(task, deployment, journal.now):
        raise Broken(Reason.DOWNGRADE_FAILED, f"The downgrade {how}")


def _refuse_failed(deployment: Deployment, seen: OneOff) -> None:
    if seen.exit_code != 0:
        log = "" if seen.never_ran else f" {log_hint(deployment)}."
        raise Broken(Reason.DOWNGRADE_FAILED, f"The downgrade {end_description(seen)}.{log}")
