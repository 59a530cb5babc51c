"""How a one-off task about a schema ended: on record before anything else is done about it."""

from datetime import datetime

from slipway.domain.commands import show_command
from slipway.domain.deployment import Deployment
from slipway.domain.errors import Broken
from slipway.domain.evidence import Note
from slipway.domain.start import Start
from slipway.journal import act, record
from slipway.ports.records import Records
from slipway.ports.targets import OneOff, OneOffs
from slipway.steps.revision import revision_of
from slipway.steps.schema_task import SchemaTask


def record_end(
    task: SchemaTask,
    deployment: Deployment,
    seen: OneOff,
    records: Records,
    one_offs: OneOffs,
    now: datetime,
) -> tuple[Deployment, tuple[str, ...]]:
    """Write how the task ended, once; then end what is left of it and read its last lines.

    In this order: neither a log that hangs nor another container decides or delays the end.
    """
    is_news = task.fact(deployment, "ended_at") is None
    if is_news:
        deployment = _ended(task, deployment, seen, records, now)
    if seen.leftover:
        deployment = _without_leftover(task, deployment, seen, records, one_offs, now)
    if not is_news or seen.never_ran:
        return deployment, ()
    target, revision = deployment.planned().settings.target, revision_of(deployment)
    lines = one_offs.log_tail(target, revision, seen.task_arn)
    if lines:
        note = Note(what=f"{task.name} log", message=lines[-1], data={"log": list(lines)})
        deployment = record(records, deployment, note, now=now)
    return deployment, lines


def _ended(
    task: SchemaTask, deployment: Deployment, seen: OneOff, records: Records, now: datetime
) -> Deployment:
    facts = task.facts(ended_at=now)
    if seen.never_ran:
        start: Start | None = task.fact(deployment, "start")
        facts |= task.facts(start=(start or Start()).given_up())
    if seen.exit_code == 0 and task.success is not None:
        facts[task.success] = now
    data = {"exit_code": seen.exit_code, "reason": seen.reason, "leftover": seen.leftover}
    note = Note(what=f"{task.name} ended", message=how_it_ended(seen), data=data)
    return record(records, deployment.knowing(**facts), note, now=now)


def _without_leftover(
    task: SchemaTask,
    deployment: Deployment,
    seen: OneOff,
    records: Records,
    one_offs: OneOffs,
    now: datetime,
) -> Deployment:
    """The command is over, and what else runs in its task is of no use to anybody."""
    target = deployment.planned().settings.target
    note = Note(what=f"rest of the {task.name}'s task stopped", message=seen.task_arn)
    why = f"The {task.name} of {deployment.deployment_id} has ended."
    try:
        deployment, _ = act(
            deployment,
            note,
            lambda: one_offs.stop(target, seen.task_arn, why),
            records=records,
            now=now,
        )
    except Broken:
        # The refusal is on record. How the command ended does not hang on it.
        return records.deployment(deployment.deployment_id)
    return record(records, deployment.acted(now), now=now)


def how_it_ended(seen: OneOff) -> str:
    """How a task's command ended, with ECS's own reason."""
    reason = f" ({seen.reason})" if seen.reason else ""
    if seen.never_ran:
        return f"never ran{reason}"
    if seen.exit_code is None:
        return f"ended without an exit code, so it may have run{reason}"
    return f"ended with exit code {seen.exit_code}{reason}"


def where_its_log_is(deployment: Deployment) -> str:
    """The sentence that leads to a task's last lines; they may hold what not everybody may read."""
    return f"The end of its log: {show_command(deployment.deployment_id)}"
