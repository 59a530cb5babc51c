"""The one-off tasks that change a schema: what ECS knows them by, and whether they still run."""

from datetime import datetime
from typing import Any

from slipway.domain.deployment import LONGEST_FUNCTION, Deployment
from slipway.domain.evidence import Note
from slipway.ports import OneOff, OneOffs, Records
from slipway.steps.revision import revision_of
from slipway.steps.step import record


def migration_started_by(deployment_id: str) -> str:
    """How ECS knows the migration's task: it makes the start idempotent and names its events."""
    return f"slipway/migrate/{deployment_id}"


def downgrade_started_by(deployment_id: str) -> str:
    """How ECS knows the downgrade's task."""
    return f"slipway/downgrade/{deployment_id}"


def migration_task(deployment: Deployment, one_offs: OneOffs) -> str | None:
    """The migration's task; a try that died after starting it has not written its ARN."""
    known = deployment.progress.migration_task_arn
    return known or _found(deployment, migration_started_by(deployment.deployment_id), one_offs)


def _found(deployment: Deployment, started_by: str, one_offs: OneOffs) -> str | None:
    target = deployment.planned().settings.target
    return one_offs.find(target, revision_of(deployment), started_by)


def ended(task: OneOff) -> str:
    """How a task ended, with the last line it said."""
    code = f"ended with exit code {task.exit_code}"
    how = code if task.exit_code is not None else f"never ran ({task.reason})"
    return f"{how}: {task.log_tail[-1]}" if task.log_tail and task.exit_code else how


def record_migration_end(
    deployment: Deployment, task: OneOff, records: Records, now: datetime
) -> Deployment:
    """Write how the migration ended; the schema has moved when it ended with 0."""
    note = Note(
        what="migration ended",
        message=ended(task),
        data={"exit_code": task.exit_code, "log": list(task.log_tail)},
    )
    facts: dict[str, Any] = {"migration_ended_at": now}
    if task.exit_code == 0:
        facts["migrated_at"] = now
    return record(records, deployment.knowing(**facts), note, now=now)


def may_change_schema(deployment: Deployment, one_offs: OneOffs, now: datetime) -> bool:
    """Whether a task of this deployment changes the schema, or may be about to be started."""
    name, progress = deployment.deployment_id, deployment.progress
    up = migration_started_by(name), progress.migration_requested_at, progress.migration_task_arn
    down = downgrade_started_by(name), progress.downgrade_requested_at, progress.downgrade_task_arn
    return (progress.migrating and _at_work(deployment, *up, one_offs, now)) or (
        progress.downgrading and _at_work(deployment, *down, one_offs, now)
    )


def _at_work(
    deployment: Deployment,
    name: str,
    requested: datetime | None,
    arn: str | None,
    one_offs: OneOffs,
    now: datetime,
) -> bool:
    if requested is None:
        return False
    # ECS shows a task a moment after it was started, and its start may still be on its way.
    if now - requested < LONGEST_FUNCTION:
        return True
    arn = arn or _found(deployment, name, one_offs)
    return arn is not None and one_offs.running(deployment.planned().settings.target, arn)
