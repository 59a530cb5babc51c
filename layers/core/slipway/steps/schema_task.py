"""The one-off ECS tasks that work on a schema: migrate it, downgrade it, print its revision.

Each is started at most once. RunTask's client token covers a retry of the same try; a refused try
needs a new token, which may only be used once it is certain that no earlier one started the task.
So every try is counted before the call, and only an answer settles it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from slipway.domain.deployment import Deployment
from slipway.domain.effect import Effect
from slipway.domain.errors import Broken, ControlPlaneError, Reason, Transient
from slipway.domain.evidence import Note
from slipway.domain.progress import LONGEST_FUNCTION, SchemaWork
from slipway.domain.start import Start
from slipway.domain.what import TaskEvent, What, of_task
from slipway.journal import Journal
from slipway.ports.targets import OneOff, OneOffs
from slipway.steps.revision import revision_of

# The result of one try to start a task: its ARN, or why nothing was started.
Answer = str | Broken | Transient


@dataclass(frozen=True)
class SchemaTask:
    """One of them: what it does, how ECS knows it, and the command that does it."""

    work: SchemaWork
    started_by: str
    command: tuple[str, ...]

    def effect(self, deployment: Deployment) -> Effect | None:
        """What the deployment knows of it; None when it was never requested."""
        return deployment.progress.schema_tasks.get(self.work)


# The task as ECS reports it, or ECS's words while it is not placed.
TaskLook = tuple[Deployment, OneOff | str]


def migration_started_by(deployment_id: str) -> str:
    """How ECS knows the migration's task: it makes the start idempotent and names its events."""
    return f"slipway/migrate/{deployment_id}"


def downgrade_started_by(deployment_id: str) -> str:
    """How ECS knows the downgrade's task."""
    return f"slipway/downgrade/{deployment_id}"


def current_started_by(deployment_id: str) -> str:
    """How ECS knows the task that prints the schema's revision."""
    return f"slipway/current/{deployment_id}"


def migration_task(deployment: Deployment) -> SchemaTask:
    """The task that moves the schema of this deployment."""
    settings = deployment.planned().settings.migration
    command = settings.command if settings else ()
    return SchemaTask(SchemaWork.UP, migration_started_by(deployment.deployment_id), command)


def ensure_task(
    task: SchemaTask, deployment: Deployment, journal: Journal, one_offs: OneOffs
) -> TaskLook:
    """The task as ECS reports it; it is started first if that has not happened yet.

    Broken when ECS refuses it. ECS's words while it has no capacity, or once starting was given up.
    """
    effect = task.effect(deployment)
    if effect is None or effect.handle is None:
        if effect is not None and effect.start is not None and effect.start.never:
            return deployment, _last_answer(effect.start)
        deployment, arn, put_off = _start(task, deployment, journal, one_offs)
        if arn is None:
            return deployment, put_off
    else:
        arn = effect.handle
    return deployment, one_offs.look(deployment.planned().settings.target, arn)


def _last_answer(start: Start) -> str:
    """ECS's last words about a task whose start was given up; a refusal is raised again."""
    if start.refused_as is not None:
        raise Broken(start.refused_as, start.put_off_by)
    return start.put_off_by


def _start(
    task: SchemaTask, deployment: Deployment, journal: Journal, one_offs: OneOffs
) -> tuple[Deployment, str | None, str]:
    """The deployment with the task's ARN, or with ECS's words while there is no room for it."""
    # An older Slipway counted no tries; nothing is known of those that it made.
    asked = Effect(requested_at=journal.now, start=Start())
    effect = task.effect(deployment) or asked
    deployment, effect, answer = _request_start(task, effect, deployment, journal, one_offs)
    deployment = deployment.acted(journal.now)
    if isinstance(answer, ControlPlaneError):
        deployment = _record_refusal(task, effect, deployment, answer, journal)
        return deployment, None, answer.message
    start = effect.start.placed(journal.now) if effect.start else None
    placed = effect.known_as(answer).starting(start)
    note = Note(what=of_task(task.work, TaskEvent.STARTED), message=answer)
    deployment = journal.write(deployment.with_schema_task(task.work, placed), note)
    return deployment, answer, ""


def _request_start(
    task: SchemaTask, effect: Effect, deployment: Deployment, journal: Journal, one_offs: OneOffs
) -> tuple[Deployment, Effect, Answer]:
    """What ECS answers to one try: the task's ARN, or why there is none."""
    start = effect.start
    is_recorded = start is not None and start.put_off_by != ""
    note = Note(
        what=of_task(task.work, TaskEvent.REQUESTED),
        message=" ".join(task.command),
        data={"before": effect.requested_at.isoformat()},
    )
    trying = effect.starting(start.tried() if start else None)
    deployment, answer = journal.act(
        deployment.with_schema_task(task.work, trying),
        None if is_recorded else note,
        _attempt(task, deployment, one_offs, start.refusals if start else 0),
    )
    return deployment, trying, answer


def _attempt(
    task: SchemaTask, deployment: Deployment, one_offs: OneOffs, attempt: int
) -> Callable[[], Answer]:
    target, revision = deployment.planned().settings.target, revision_of(deployment)

    def run() -> Answer:
        try:
            return one_offs.run(target, revision, task.command, task.started_by, attempt)
        except Broken as refused:
            return refused
        except Transient as put_off:
            if put_off.reason is not Reason.CAPACITY_UNAVAILABLE:
                raise
            return put_off

    return run


def _record_refusal(
    task: SchemaTask,
    effect: Effect,
    deployment: Deployment,
    error: Broken | Transient,
    journal: Journal,
) -> Deployment:
    """The deployment with the answer on record: nothing was started for this try."""
    start = effect.start
    for_good_as = error.reason if isinstance(error, Broken) else None
    delayed = of_task(task.work, TaskEvent.DELAYED)
    what = What.CALL_REFUSED if for_good_as else delayed
    note = Note(what=what, reason=error.reason, message=error.message)
    news = () if start is not None and start.put_off_by == error.message else (note,)
    refused = effect.starting(start.refused(error.message, for_good_as) if start else None)
    deployment = journal.write(deployment.with_schema_task(task.work, refused), *news)
    if for_good_as:
        raise error
    return deployment


def is_late(task: SchemaTask, deployment: Deployment, now: datetime, times: int = 1) -> bool:
    """Whether the task took too long: to run once it was placed, or else to be placed."""
    effect = task.effect(deployment)
    if effect is None:
        return False
    since = (effect.start.at if effect.start else None) or effect.requested_at
    return now - since > timedelta(minutes=times * patience_minutes(deployment))


def patience_minutes(deployment: Deployment) -> int:
    """How many minutes each of these tasks may take."""
    settings = deployment.planned().settings.migration
    return settings.timeout_minutes if settings else 0


def find_task(
    effect: Effect, deployment: Deployment, started_by: str, one_offs: OneOffs
) -> str | None:
    """The ARN of the task; a try that died after starting it has not written it down."""
    if effect.handle is not None:
        return effect.handle
    target = deployment.planned().settings.target
    return one_offs.find(target, revision_of(deployment), started_by)


def may_change_schema(deployment: Deployment, one_offs: OneOffs, now: datetime) -> bool:
    """Whether a task of this deployment changes the schema, or may be about to be started."""
    name, tasks = deployment.deployment_id, deployment.progress.schema_tasks
    up, down = tasks.get(SchemaWork.UP), tasks.get(SchemaWork.DOWN)
    return _is_at_work(deployment, up, migration_started_by(name), one_offs, now) or _is_at_work(
        deployment, down, downgrade_started_by(name), one_offs, now
    )


def _is_at_work(
    deployment: Deployment, effect: Effect | None, name: str, one_offs: OneOffs, now: datetime
) -> bool:
    if effect is None or not effect.may_be_at_work:
        return False
    # ECS shows a task a moment after it was started, and its start may still be on its way.
    if now - effect.requested_at < LONGEST_FUNCTION:
        return True
    arn = find_task(effect, deployment, name, one_offs)
    return arn is not None and one_offs.running(deployment.planned().settings.target, arn)
