"""Migrate: run the migration as a one-off task of the new image, before it is deployed."""

from datetime import datetime

from slipway.domain.deployment import Deployment, Phase
from slipway.domain.effect import Effect
from slipway.domain.errors import Broken, Reason, Unhealthy
from slipway.domain.evidence import Note
from slipway.domain.progress import SchemaWork
from slipway.domain.what import What
from slipway.journal import Journal
from slipway.ports.targets import OneOff, OneOffs, Revisions, Services
from slipway.steps.revision import ensure_revision
from slipway.steps.schema_end import end_description, log_hint, record_end, stop_leftovers
from slipway.steps.schema_task import (
    ensure_task,
    is_late,
    migration_started_by,
    migration_task,
    patience_minutes,
)
from slipway.steps.step import StepRequest, StepResult
from slipway.waits import Key, deployment_key, task_key


class MigrateRequest(StepRequest):
    """The deployment whose schema is to move."""


def keys(request: MigrateRequest) -> tuple[Key, ...]:
    """What wakes a migration: its task's end, or news of the deployment."""
    started_by = migration_started_by(request.deployment_id)
    return task_key(started_by), deployment_key(request.deployment_id)


def migrate(
    request: MigrateRequest,
    *,
    journal: Journal,
    services: Services,
    revisions: Revisions,
    one_offs: OneOffs,
) -> StepResult:
    """Done when the command has ended with 0; Unhealthy when it failed or took too long.

    Broken when it provably never ran: then nothing has changed.
    """
    deployment = journal.records.deployment(request.deployment_id)
    deployment.refuse_to_go_forward()
    deployment = stop_leftovers(deployment, journal, one_offs)
    if deployment.progress.has_migrated:
        return StepResult(done=True, reason=Reason.MIGRATED, message="migrated")
    migration = migration_task(deployment).effect(deployment)
    if migration is None or migration.handle is None:
        # Cancelling is possible until the command starts: half a migration helps nobody.
        deployment.refuse_to_continue()
    deployment = ensure_revision(
        deployment.at(Phase.MIGRATING), journal=journal, services=services, revisions=revisions
    )
    deployment, seen = ensure_task(migration_task(deployment), deployment, journal, one_offs)
    if isinstance(seen, str):
        return _wait_for_room(deployment, seen, journal)
    return _judge(deployment, seen, journal, one_offs)


def _wait_for_room(deployment: Deployment, words: str, journal: Journal) -> StepResult:
    """ECS has no capacity for the task: nothing has begun, so waiting is safe."""
    task = migration_task(deployment)
    effect = task.effect(deployment)
    start = effect.start if effect else None
    given_up = start is not None and start.never
    if not given_up and not is_late(task, deployment, journal.now):
        return StepResult(
            done=False, reason=Reason.WAITING, message=f"the migration is waiting: {words}"
        )
    if effect and start is not None and not given_up and start.nothing_began:
        _give_up(deployment, effect.starting(start.given_up()), journal)
    raise Broken(
        Reason.CAPACITY_UNAVAILABLE,
        f"The migration did not start within {patience_minutes(deployment)} minutes: {words}",
    )


def _give_up(deployment: Deployment, given_up: Effect, journal: Journal) -> None:
    """Record that no later look may start it."""
    note = Note(what=What.MIGRATION_ABANDONED, reason=Reason.CAPACITY_UNAVAILABLE)
    journal.write(deployment.with_schema_task(SchemaWork.UP, given_up), note)


def _judge(deployment: Deployment, seen: OneOff, journal: Journal, one_offs: OneOffs) -> StepResult:
    task = migration_task(deployment)
    if not seen.ended:
        _refuse_late(deployment, journal.now)
        return StepResult(done=False, reason=Reason.WAITING, message="the migration is running")
    deployment, _ = record_end(task, deployment, seen, journal, one_offs)
    message = f"The migration {end_description(seen)}."
    if seen.never_ran:
        raise Broken(Reason.MIGRATION_NEVER_RAN, f"{message} The schema is unchanged.")
    if seen.exit_code != 0:
        raise Unhealthy(Reason.MIGRATION_FAILED, f"{message} {log_hint(deployment)}")
    return StepResult(done=True, reason=Reason.MIGRATED, message="migrated")


def _refuse_late(deployment: Deployment, now: datetime) -> None:
    if is_late(migration_task(deployment), deployment, now):
        minutes = patience_minutes(deployment)
        raise Unhealthy(
            Reason.MIGRATION_TIMED_OUT, f"The migration is still running after {minutes} minutes."
        )
