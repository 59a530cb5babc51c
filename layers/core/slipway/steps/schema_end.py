"""The end of a schema task: recorded first, then its leftovers are stopped and its log is read."""

from slipway.domain.commands import show_command
from slipway.domain.deployment import Deployment
from slipway.domain.effect import Effect
from slipway.domain.errors import Broken
from slipway.domain.evidence import Note
from slipway.domain.progress import SchemaWork
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
    deployment = stop_leftovers(deployment, journal, one_offs)
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
    if seen.leftover:
        ended = ended.leaving(seen.task_arn)
    if seen.never_ran:
        ended = ended.starting((effect.start or Start()).given_up())
    data = {"exit_code": seen.exit_code, "reason": seen.reason, "leftover": seen.leftover}
    note = Note(what=of_task(task.work, TaskEvent.ENDED), message=end_description(seen), data=data)
    return journal.write(deployment.with_schema_task(task.work, ended), note)


def stop_leftovers(deployment: Deployment, journal: Journal, one_offs: OneOffs) -> Deployment:
    """Stop what still runs of a task whose command is over: it is of no use to anybody.

    Whoever looks next does it again until ECS has answered. Another look may have gone on with
    what the command achieved, so this must not hang on the look that saw it end.
    """
    for work, effect in deployment.progress.schema_tasks.items():
        if effect.leftover is not None:
            deployment = _stop_leftover(work, effect.leftover, deployment, journal, one_offs)
    return deployment


def _stop_leftover(
    work: SchemaWork, arn: str, deployment: Deployment, journal: Journal, one_offs: OneOffs
) -> Deployment:
    target = deployment.planned().settings.target
    note = Note(what=of_task(work, TaskEvent.STOPPED), message=arn)
    why = f"The {work} of {deployment.deployment_id} has ended."
    try:
        deployment, _ = journal.act(deployment, note, lambda: one_offs.stop(target, arn, why))
    except Broken:
        # The refusal is on record. How the command ended does not hang on it.
        deployment = journal.records.deployment(deployment.deployment_id)
    stopped = deployment.progress.schema_tasks[work].leaving(None)
    return journal.write(deployment.acted(journal.now).with_schema_task(work, stopped))


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
