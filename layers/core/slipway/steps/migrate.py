"""Migrate: move the schema with a one-off task of the new image, before it is deployed."""

from datetime import datetime

from slipway.domain.deployment import Deployment, Phase
from slipway.domain.errors import Broken, Reason, Unhealthy
from slipway.domain.evidence import Note
from slipway.domain.start import Start
from slipway.journal import record
from slipway.ports.records import Records
from slipway.ports.targets import OneOff, OneOffs, Revisions, Services
from slipway.steps.revision import with_revision
from slipway.steps.schema_end import how_it_ended, record_end, where_its_log_is
from slipway.steps.schema_task import (
    is_late,
    looked_at,
    migration_started_by,
    patience,
    the_migration,
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
    records: Records,
    services: Services,
    revisions: Revisions,
    one_offs: OneOffs,
    now: datetime,
) -> StepResult:
    """Done when the command has ended with 0; Unhealthy when it failed or took too long.

    Broken when it provably never ran: then nothing has changed.
    """
    deployment = records.deployment(request.deployment_id)
    deployment.refuse_to_go_forward()
    if deployment.progress.migrated_at is not None:
        return StepResult(done=True, reason=Reason.VERIFIED, message="migrated")
    if deployment.progress.migration_task_arn is None:
        # Cancelling is possible until the command starts: half a migration helps nobody.
        deployment.refuse_to_continue()
    deployment = with_revision(
        deployment.at(Phase.MIGRATING),
        records=records,
        services=services,
        revisions=revisions,
        now=now,
    )
    deployment, seen = looked_at(the_migration(deployment), deployment, records, one_offs, now)
    if isinstance(seen, str):
        return _put_off(deployment, seen, records, now)
    return _judged(deployment, seen, records, one_offs, now)


def _put_off(deployment: Deployment, words: str, records: Records, now: datetime) -> StepResult:
    """ECS has no room for the task: nothing has begun, and nothing is lost by waiting."""
    start = deployment.progress.migration_start
    given_up = start is not None and start.never
    if not given_up and not is_late(the_migration(deployment), deployment, now):
        return StepResult(
            done=False, reason=Reason.WAITING, message=f"the migration waits: {words}"
        )
    if start is not None and not given_up and start.nothing_began:
        _give_up(deployment, start, records, now)
    raise Broken(
        Reason.CAPACITY_UNAVAILABLE,
        f"The migration could not be started within {patience(deployment)} minutes: {words}",
    )


def _give_up(deployment: Deployment, start: Start, records: Records, now: datetime) -> None:
    """From here on no look starts it any more."""
    note = Note(what="migration given up", reason=Reason.CAPACITY_UNAVAILABLE)
    given_up = deployment.knowing(migration_start=start.given_up())
    record(records, given_up, note, now=now)


def _judged(
    deployment: Deployment, seen: OneOff, records: Records, one_offs: OneOffs, now: datetime
) -> StepResult:
    task = the_migration(deployment)
    if not seen.ended:
        _refuse_late(deployment, now)
        return StepResult(done=False, reason=Reason.WAITING, message="the migration runs")
    deployment, _ = record_end(task, deployment, seen, records, one_offs, now)
    told = f"The migration {how_it_ended(seen)}."
    if seen.never_ran:
        raise Broken(Reason.MIGRATION_NEVER_RAN, f"{told} The schema is as it was.")
    if seen.exit_code != 0:
        raise Unhealthy(Reason.MIGRATION_FAILED, f"{told} {where_its_log_is(deployment)}")
    return StepResult(done=True, reason=Reason.VERIFIED, message="migrated")


def _refuse_late(deployment: Deployment, now: datetime) -> None:
    if is_late(the_migration(deployment), deployment, now):
        minutes = patience(deployment)
        raise Unhealthy(
            Reason.MIGRATION_TIMED_OUT, f"The migration still runs after {minutes} minutes."
        )
