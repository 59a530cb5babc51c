"""Ask the migration tool for the schema's revision: one that did not move needs no downgrade."""

from collections.abc import Sequence

from slipway.domain.deployment import Deployment
from slipway.domain.effect import Effect
from slipway.domain.errors import Broken, Reason
from slipway.domain.evidence import Note
from slipway.domain.lane import Stable
from slipway.domain.progress import SchemaWork
from slipway.domain.schema import is_at_revision
from slipway.domain.what import What
from slipway.journal import Journal
from slipway.ports.targets import OneOff, OneOffs
from slipway.steps.schema_end import record_end
from slipway.steps.schema_task import SchemaTask, current_started_by, ensure_task, is_late
from slipway.steps.step import StepResult

Pending = tuple[StepResult | None, Deployment]


def query_schema(
    deployment: Deployment, target: Stable, journal: Journal, one_offs: OneOffs
) -> Pending:
    """What is still pending; once it is None, ``schema_unmoved_at`` says whether the schema stayed.

    Only a clear answer counts: a wrong "it stayed" would leave old code on a new schema, while a
    needless downgrade does nothing. Whatever fails on the way leaves the schema to the downgrade.
    """
    task = _query_task(deployment)
    if task is None or not _is_schema_in_question(task, deployment, target):
        return None, deployment
    try:
        deployment, seen = ensure_task(task, deployment, journal, one_offs)
    except Broken:
        deployment = journal.records.deployment(deployment.deployment_id)
        return None, _give_up(task, deployment, journal)
    if isinstance(seen, OneOff) and seen.ended:
        deployment, lines = record_end(task, deployment, seen, journal, one_offs)
        said = lines if seen.exit_code == 0 else ()
        return None, _judge_answer(deployment, target, said, journal)
    if is_late(task, deployment, journal.now):
        return None, _give_up(task, deployment, journal)
    message = "reading the schema's revision"
    return StepResult(done=False, reason=Reason.WAITING, message=message), deployment


def _query_task(deployment: Deployment) -> SchemaTask | None:
    settings = deployment.planned().settings.migration
    if settings is None or settings.current is None:
        return None
    started_by = current_started_by(deployment.deployment_id)
    return SchemaTask(SchemaWork.CURRENT, started_by, settings.current)


def _is_schema_in_question(task: SchemaTask, deployment: Deployment, target: Stable) -> bool:
    """A migration that succeeded has brought the schema to where its release says that it is."""
    asked = task.effect(deployment)
    if target.schema_revision is None or (asked is not None and asked.ended_at is not None):
        return False
    has_migrated = deployment.progress.has_migrated
    return not has_migrated or deployment.planned().image.schema_revision is None


def _judge_answer(
    deployment: Deployment, target: Stable, said: Sequence[str], journal: Journal
) -> Deployment:
    before, other = target.schema_revision or "", deployment.planned().image.schema_revision
    if not is_at_revision(said, before, other):
        return deployment
    message = f"The schema is at {before}, as before: nothing to downgrade."
    note = Note(what=What.SCHEMA_UNCHANGED, message=message)
    progress = deployment.progress.schema_found_unmoved(journal.now)
    return journal.write(deployment.having(progress), note)


def _give_up(task: SchemaTask, deployment: Deployment, journal: Journal) -> Deployment:
    """The revision could not be read, so the schema is treated as migrated."""
    note = Note(what=What.SCHEMA_UNKNOWN, message="The schema is treated as migrated.")
    asked = task.effect(deployment) or Effect(requested_at=journal.now)
    given_up = asked.ended(journal.now, succeeded=False)
    return journal.write(deployment.with_schema_task(task.work, given_up), note)
