"""Where the schema stands after a migration, by its own tool: what stayed is not taken back."""

from collections.abc import Sequence
from datetime import datetime

from slipway.domain.deployment import Deployment
from slipway.domain.errors import Broken, Reason
from slipway.domain.evidence import Note
from slipway.domain.lane import Stable
from slipway.domain.schema import tells
from slipway.journal import record
from slipway.ports.records import Records
from slipway.ports.targets import OneOff, OneOffs
from slipway.steps.schema_end import record_end
from slipway.steps.schema_task import SchemaTask, current_started_by, is_late, looked_at
from slipway.steps.step import StepResult

Waited = tuple[StepResult | None, Deployment]


def unmoved(
    deployment: Deployment,
    target: Stable,
    records: Records,
    one_offs: OneOffs,
    now: datetime,
) -> Waited:
    """What is still waited for; after it ``schema_unmoved_at`` tells whether the schema has stayed.

    Only a clear answer counts. Whatever fails on the way leaves the schema to the downgrade.
    """
    task = _task(deployment)
    if task is None or not _is_in_question(deployment, target):
        return None, deployment
    try:
        deployment, seen = looked_at(task, deployment, records, one_offs, now)
    except Broken:
        return None, _unknown(records.deployment(deployment.deployment_id), records, now)
    if isinstance(seen, OneOff) and seen.ended:
        deployment, lines = record_end(task, deployment, seen, records, one_offs, now)
        said = lines if seen.exit_code == 0 else ()
        return None, _answered(deployment, target, said, records, now)
    if is_late(task, deployment, now):
        return None, _unknown(deployment, records, now)
    message = "the schema's revision is being asked for"
    return StepResult(done=False, reason=Reason.WAITING, message=message), deployment


def _task(deployment: Deployment) -> SchemaTask | None:
    settings = deployment.planned().settings.migration
    if settings is None or settings.current is None:
        return None
    return SchemaTask("current", current_started_by(deployment.deployment_id), settings.current)


def _is_in_question(deployment: Deployment, target: Stable) -> bool:
    """A migration that succeeded has brought the schema to where its release says that it is."""
    progress = deployment.progress
    if target.schema_revision is None or progress.current_ended_at is not None:
        return False
    return progress.migrated_at is None or deployment.planned().image.schema_revision is None


def _answered(
    deployment: Deployment, target: Stable, said: Sequence[str], records: Records, now: datetime
) -> Deployment:
    before, other = target.schema_revision or "", deployment.planned().image.schema_revision
    if not tells(said, before, other):
        return deployment
    message = f"The schema is at {before}, as before: nothing is taken back."
    note = Note(what="schema unmoved", message=message)
    return record(records, deployment.knowing(schema_unmoved_at=now), note, now=now)


def _unknown(deployment: Deployment, records: Records, now: datetime) -> Deployment:
    """The schema's revision could not be learnt, so it counts as moved."""
    note = Note(what="schema not known", message="It counts as moved.")
    return record(records, deployment.knowing(current_ended_at=now), note, now=now)
