"""Migrations: run once, skipped only where the schema allows it, downgraded only if they ran."""

from collections import Counter

from cloud.simulation.prepared import FIRST
from cloud.simulation.watch import Violations, Watch, invariant
from cloud.twin.ecs.tasks import Task
from slipway.domain.deployment import Deployment
from slipway.domain.outcome import Outcome
from slipway.steps.schema_task import downgrade_started_by, migration_started_by


@invariant(6, "at most one migration task per deployment")
def one_migration(watch: Watch) -> Violations:
    tasks = [task for task in watch.cloud.ecs._tasks.tasks.values() if task.deployment is None]
    for name, count in Counter(task.started_by for task in tasks).items():
        if count > 1:
            yield f"{count} tasks for {name}"


@invariant(19, "a migration is skipped only where both releases have one schema, or it ran")
def migrations_are_not_skipped(watch: Watch) -> Violations:
    for one in watch.deployments():
        plan = one.plan
        if plan is None or plan.settings.migration is None:
            continue
        if not plan.needs_migration and not _may_be_skipped(watch, one):
            yield f"{one.deployment_id} was planned without a migration"
        ran = any(_has_ended_well(task) for task in _migration_tasks(watch, one))
        if plan.needs_migration and one.outcome is Outcome.SUCCEEDED and not ran:
            yield f"{one.deployment_id} succeeded without its migration"


def _may_be_skipped(watch: Watch, one: Deployment) -> bool:
    """By the labels as pushed, and by what had succeeded on the lane."""
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
    # What was live before the run: newer releases may declare that older code runs on their schema.
    known |= {first.schema for (name, _), first in FIRST.items() if name == one.application}
    return one.release.digest in earlier or (schema != "" and schema in known)


@invariant(20, "the schema is not downgraded after a migration that never ran")
def downgrades_are_needed(watch: Watch) -> Violations:
    if watch.run.plan.calls or watch.run.plan.transient_share:
        return
    for one in watch.deployments():
        downgraded = _has_downgraded(watch, one)
        if downgraded and not any(task.started_at for task in _migration_tasks(watch, one)):
            yield f"{one.deployment_id} downgraded after a migration that never ran"
        if not watch.run.plan.events:
            yield from _against_the_tool(watch, one, downgraded)


def _against_the_tool(watch: Watch, one: Deployment, downgraded: bool) -> Violations:
    """After a failed migration, only a clear answer of the schema tool skips the downgrade."""
    plan, tasks = one.plan, _migration_tasks(watch, one)
    migration = plan.settings.migration if plan else None
    if plan is None or migration is None or migration.current is None:
        return
    if one.outcome is not Outcome.ROLLED_BACK or not any(task.started_at for task in tasks):
        return
    before = plan.rollback_target.schema_revision if plan.rollback_target else None
    words = watch.cloud.engines.images[one.release.digest].at.split()
    stayed = before in words and plan.image.schema_revision not in words
    if not any(map(_has_ended_well, tasks)) and downgraded == stayed:
        yield f"{one.deployment_id}: the schema was {'' if downgraded else 'not '}downgraded"


def _migration_tasks(watch: Watch, one: Deployment) -> list[Task]:
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


def _has_downgraded(watch: Watch, one: Deployment) -> bool:
    wanted = downgrade_started_by(one.deployment_id)
    return any(
        effect.operation == "RunTask"
        and effect.error is None
        and effect.params["startedBy"] == wanted
        for effect in watch.cloud.trace.effects
    )
