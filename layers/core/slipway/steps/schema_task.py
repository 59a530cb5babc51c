"""The one-off tasks about a schema, all of one kind: asked for, placed, looked at."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slipway.domain.deployment import LONGEST_FUNCTION, Deployment
from slipway.domain.errors import Broken, ControlPlaneError, Reason, Transient
from slipway.domain.evidence import Note
from slipway.domain.start import Start
from slipway.journal import act, record
from slipway.ports.records import Records
from slipway.ports.targets import OneOff, OneOffs
from slipway.steps.revision import revision_of


@dataclass(frozen=True)
class SchemaTask:
    """One of them: ``name`` is its word in the record and the prefix of its facts in Progress.

    ``success`` is the fact that its exit code 0 proves, if it proves one.
    """

    name: str
    started_by: str
    command: tuple[str, ...]
    success: str | None = None

    def fact(self, deployment: Deployment, what: str) -> Any:
        """What the deployment knows of it."""
        return getattr(deployment.progress, f"{self.name}_{what}")

    def facts(self, **facts: Any) -> dict[str, Any]:
        """The same, to be written."""
        return {f"{self.name}_{what}": value for what, value in facts.items()}


# The task as ECS reports it, or ECS's words while it is not placed.
Seen = tuple[Deployment, OneOff | str]


def migration_started_by(deployment_id: str) -> str:
    """How ECS knows the migration's task: it makes the start idempotent and names its events."""
    return f"slipway/migrate/{deployment_id}"


def downgrade_started_by(deployment_id: str) -> str:
    """How ECS knows the downgrade's task."""
    return f"slipway/downgrade/{deployment_id}"


def current_started_by(deployment_id: str) -> str:
    """How ECS knows the task that tells the schema's revision."""
    return f"slipway/current/{deployment_id}"


def the_migration(deployment: Deployment) -> SchemaTask:
    """The task that moves the schema of this deployment."""
    settings = deployment.planned().settings.migration
    command = settings.command if settings else ()
    name = migration_started_by(deployment.deployment_id)
    return SchemaTask("migration", name, command, "migrated_at")


def looked_at(
    task: SchemaTask, deployment: Deployment, records: Records, one_offs: OneOffs, now: datetime
) -> Seen:
    """How the task does; it is started if it was not.

    Broken when ECS refuses it. ECS's words while it has no room, or when nobody starts it any more.
    """
    start: Start | None = task.fact(deployment, "start")
    if task.fact(deployment, "task_arn") is None:
        if start is not None and start.never:
            return deployment, _never(start)
        deployment, put_off = _started(task, deployment, records, one_offs, now)
        if put_off:
            return deployment, put_off
    arn = task.fact(deployment, "task_arn")
    return deployment, one_offs.look(deployment.planned().settings.target, arn)


def _never(start: Start) -> str:
    """What ECS said last of a task that nobody starts any more; a refusal is a refusal again."""
    if start.refused_as is not None:
        raise Broken(start.refused_as, start.put_off_by)
    return start.put_off_by


def _started(
    task: SchemaTask, deployment: Deployment, records: Records, one_offs: OneOffs, now: datetime
) -> tuple[Deployment, str]:
    """The deployment with the task's ARN, or ECS's words while there is no room for it."""
    deployment, answer = _asked(task, deployment, records, one_offs, now)
    start: Start | None = task.fact(deployment, "start")
    deployment = deployment.acted(now)
    if isinstance(answer, ControlPlaneError):
        return _refused(task, deployment, answer, records, now), answer.message
    facts = task.facts(task_arn=answer, start=start.placed(now) if start else None)
    note = Note(what=f"{task.name} started", message=answer)
    return record(records, deployment.knowing(**facts), note, now=now), ""


def _asked(
    task: SchemaTask, deployment: Deployment, records: Records, one_offs: OneOffs, now: datetime
) -> tuple[Deployment, str | Broken | Transient]:
    """What ECS answers to one try: the task's ARN, or why there is none."""
    target, revision = deployment.planned().settings.target, revision_of(deployment)
    requested: datetime = task.fact(deployment, "requested_at") or now
    # An older Slipway counted no tries; nothing is known of those that it made.
    first = task.fact(deployment, "requested_at") is None
    start: Start | None = Start() if first else task.fact(deployment, "start")
    note = Note(
        what=f"{task.name} requested",
        message=" ".join(task.command),
        data={"before": requested.isoformat()},
    )

    def run() -> str | Broken | Transient:
        attempt = start.refusals if start else 0
        try:
            return one_offs.run(target, revision, task.command, task.started_by, attempt)
        except Broken as refused:
            return refused
        except Transient as put_off:
            if put_off.reason is not Reason.CAPACITY_UNAVAILABLE:
                raise
            return put_off

    facts = task.facts(requested_at=requested, start=start.tried() if start else None)
    told = start is not None and start.put_off_by != ""
    return act(deployment, None if told else note, run, records=records, now=now, **facts)


def _refused(
    task: SchemaTask,
    deployment: Deployment,
    error: Broken | Transient,
    records: Records,
    now: datetime,
) -> Deployment:
    """The deployment with the answer on record: nothing was started for this try."""
    start: Start | None = task.fact(deployment, "start")
    for_good_as = error.reason if isinstance(error, Broken) else None
    what = "call refused" if for_good_as else f"{task.name} put off"
    note = Note(what=what, reason=error.reason, message=error.message)
    news = () if start is not None and start.put_off_by == error.message else (note,)
    refused = start.refused(error.message, for_good_as) if start else None
    deployment = record(records, deployment.knowing(**task.facts(start=refused)), *news, now=now)
    if for_good_as:
        raise error
    return deployment


def is_late(task: SchemaTask, deployment: Deployment, now: datetime, times: int = 1) -> bool:
    """Whether patience is over: with the run of a task that was placed, else with its placing."""
    start: Start | None = task.fact(deployment, "start")
    since = (start.at if start else None) or task.fact(deployment, "requested_at")
    return since is not None and now - since > timedelta(minutes=times * patience(deployment))


def patience(deployment: Deployment) -> int:
    """For how many minutes each of these tasks is waited for."""
    settings = deployment.planned().settings.migration
    return settings.timeout_minutes if settings else 0


def migration_task(deployment: Deployment, one_offs: OneOffs) -> str | None:
    """The migration's task; a try that died after starting it has not written its ARN."""
    known = deployment.progress.migration_task_arn
    return known or _found(deployment, migration_started_by(deployment.deployment_id), one_offs)


def _found(deployment: Deployment, started_by: str, one_offs: OneOffs) -> str | None:
    target = deployment.planned().settings.target
    return one_offs.find(target, revision_of(deployment), started_by)


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
