"""More invariants, checked at the end of every run: of migrations, what is stored, and secrets."""

import json
from collections.abc import Iterator

from cloud.simulation.prepared import FIRST
from cloud.simulation.watch import Found, Watch, invariant
from cloud.simulation.world import CANARY
from cloud.twin.ecs.tasks import Task
from slipway.domain.deployment import Deployment
from slipway.domain.outcome import Outcome
from slipway.steps.schema_task import downgrade_started_by, migration_started_by

_LARGEST = 64 * 1024


@invariant(19, "a migration is left out only where both releases are of one schema, or it ran")
def migrations_are_not_forgotten(watch: Watch) -> Found:
    for one in watch.deployments():
        plan = one.plan
        if plan is None or plan.settings.migration is None:
            continue
        if not plan.needs_migration and not _may_be_left_out(watch, one):
            yield f"{one.deployment_id} was planned without a migration"
        ran = any(_has_ended_well(task) for task in _tasks(watch, one))
        if plan.needs_migration and one.outcome is Outcome.SUCCEEDED and not ran:
            yield f"{one.deployment_id} succeeded without its migration"


def _may_be_left_out(watch: Watch, one: Deployment) -> bool:
    """By the labels as they were pushed, and by what had succeeded on the lane."""
    images, plan = watch.cloud.engines.images, one.planned()
    schema = images[one.release.digest].schema.strip()
    before = plan.rollback_target
    earlier = {
        other.release.digest
        for other in watch.deployments()
        if other.lane_id == one.lane_id
        and other.outcome is Outcome.SUCCEEDED
        and (other.settled_at or plan.planned_at) < plan.planned_at
    }
    earlier |= {before.digest} if before else set()
    known = {images[digest].schema.strip() for digest in earlier}
    # What was live before the run: newer releases may say that older code runs on their schema.
    known |= {first.schema for (name, _), first in FIRST.items() if name == one.application}
    return one.release.digest in earlier or (schema != "" and schema in known)


@invariant(20, "what a migration that never ran has not moved is not taken back")
def nothing_is_taken_back_for_nothing(watch: Watch) -> Found:
    if watch.run.plan.calls or watch.run.plan.transient_share:
        return
    for one in watch.deployments():
        downgraded = _downgraded(watch, one)
        if downgraded and not any(task.started_at for task in _tasks(watch, one)):
            yield f"{one.deployment_id} took back a migration that never ran"
        if not watch.run.plan.events:
            yield from _as_the_tool_says(watch, one, downgraded)


def _as_the_tool_says(watch: Watch, one: Deployment, downgraded: bool) -> Found:
    """After a migration that failed, where the tool can tell: only a clear answer lets it stay."""
    plan, tasks = one.plan, _tasks(watch, one)
    migration = plan.settings.migration if plan else None
    if plan is None or migration is None or migration.current is None:
        return
    if one.outcome is not Outcome.ROLLED_BACK or not any(task.started_at for task in tasks):
        return
    before = plan.rollback_target.schema_revision if plan.rollback_target else None
    words = watch.cloud.engines.images[one.release.digest].at.split()
    stayed = before in words and plan.image.schema_revision not in words
    if not any(map(_has_ended_well, tasks)) and downgraded == stayed:
        yield f"{one.deployment_id}: the schema was {'' if downgraded else 'not '}taken back"


def _tasks(watch: Watch, one: Deployment) -> list[Task]:
    """The tasks of its migration."""
    wanted = migration_started_by(one.deployment_id)
    return [
        task
        for effect in watch.cloud.trace.effects
        if effect.operation == "RunTask" and effect.params["startedBy"] == wanted
        for task in watch.tasks(effect)
    ]


def _has_ended_well(task: Task) -> bool:
    return task.exit_codes.get("app") == 0


def _downgraded(watch: Watch, one: Deployment) -> bool:
    wanted = downgrade_started_by(one.deployment_id)
    return any(
        effect.operation == "RunTask"
        and effect.error is None
        and effect.params["startedBy"] == wanted
        for effect in watch.cloud.trace.effects
    )


@invariant(21, "no stored document is over 64 KB")
def documents_stay_small(watch: Watch) -> Found:
    for at, actor, change in watch.cloud.trace.writes:
        size = len(change.after.get("document", {}).get("S", "")) if change.after else 0
        if size > _LARGEST:
            yield f"{actor} wrote {size} characters to {change.key} at {at:.2f}"


@invariant(22, "no secret of a task's log is stored, told, logged or handed on")
def secrets_stay_secret(watch: Watch) -> Found:
    # Only the log of an image can hold it; where none has one, there is nothing to look through.
    if not any(image.log for image in watch.cloud.engines.images.values()):
        return
    for where, text in _said(watch):
        if CANARY in text:
            yield f"{where} holds it"


def _said(watch: Watch) -> Iterator[tuple[str, str]]:
    """Everything that leaves a function, with where it went."""
    trace = watch.cloud.trace
    for _, _, change in trace.writes:
        yield f"{change.key}", (change.after or {}).get("document", {}).get("S", "")
    for message in watch.cloud.slack.messages:
        yield "a message in Slack", json.dumps(message)
    for line in trace.lines:
        if line[1] == "ended":
            yield f"the answer of {line[2].function.name}", f"{line[3]} {line[4]}"
    for text in watch.cloud.logged:
        yield "a function's log", text
