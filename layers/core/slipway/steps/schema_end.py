"""The end of a schema task: recorded first, then its leftovers are stopped and its log is read."""

from slipway.domain.commands import show_command
from slipway.domain.deployment import Deployment
from slipway.domain.effect import Effect
from slipway.domain.errors import Broken
from slipway.domain.evidence import Note
from slipway.domain.start import Start
from slipway.domain.what import TaskEvent, of_task
from slipway.journal import Journal
from slipway.ports.targets import OneOff, OneOffs
from slipway.steps.revision import revision_of
from slipway.steps.schema_task import SchemaTask


def record_end(
    task: SchemaTask, deployment: Deployment, seen: OneOff, journal: Journal, one_offs: OneOffs
) -> tuple[Deployment, tuple[str, ...]]:
    """Write how the task ended, once; then end what is left of it and read its last lines.

    In this order: neither a log that hangs nor another container decides or delays the end.
    """
    effect = task.effect(deployment) or Effect(requested_at=journal.now)
    is_news = effect.ended_at is None
    if is_news:
        deployment = _write_end(task, effect, deployment, seen, journal)
    if seen.leftover:
        deployment = _stop_leftover(task, deployment, seen, journal, one_offs)
    if not is_news or seen.never_ran:
        return deployment, ()
    target, revision = deployment.planned().settings.target, revision_of(deployment)
    lines = one_offs.log_tail(target, revision, seen.task_arn)
    if lines:
        note = Note(
            what=of_task(task.work, TaskEvent.LOG), message=lines[-1], data={"log": list(lines)}
        )
        deployment = journal.write(deployment, note)
    return deployment, lines


def _write_end(
    task: SchemaTask, effect: Effect, deployment: Deployment, seen: OneOff, journal: Journal
) -> Deployment:
    ended = effect.ended(journal.now, succeeded=seen.exit_code == 0)
    if seen.never_ran:
        ended = ended.starting((effect.start or Start()).given_up())
    data = {"exit_code": seen.exit_code, "reason": seen.reason, "leftover": seen.leftover}
    note = Note(what=of_task(task.work, TaskEvent.ENDED), message=end_description(seen), data=data)
    return journal.write(deployment.with_schema_task(task.work, ended), note)


def _stop_leftover(
    task: SchemaTask, deployment: Deployment, seen: OneOff, journal: Journal, one_offs: OneOffs
) -> Deployment:
    """The command is over, and what else runs in its task is of no use to anybody."""
    target = deployment.planned().settings.target
    note = Note(what=of_task(task.work, TaskEvent.STOPPED), message=seen.task_arn)
    why = f"The {task.work} of {deployment.deployment_id} has ended."
    try:
        deployment, _ = journal.act(
            deployment, note, lambda: one_offs.stop(target, seen.task_arn, why)
        )
    except Broken:
        # The refusal is on record. How the command ended does not hang on it.
        return journal.records.deployment(deployment.deployment_id)
    return journal.write(deployment.acted(journal.now))


def end_description(seen: OneOff) -> str:
    """How a task's command ended, with ECS's own reason."""
    reason = f" ({seen.reason})" if seen.reason else ""
    if seen.never_ran:
        return f"never ran{reason}"
    if seen.exit_code is None:
        return f"ended without an exit code, so it may have run{reason}"
    return f"ended with exit code {seen.exit_code}{reason}"


def log_hint(deployment: Deployment) -> str:
    """Where to read a task's last log lines. They are not quoted: not everybody may read them."""
    return f"See the end of its log: {show_command(deployment.deployment_id)}"
