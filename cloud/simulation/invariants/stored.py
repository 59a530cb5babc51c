"""What is stored: the record is complete, agrees with the cloud and stays small."""

from cloud.simulation.trace import RETURN_SUFFIX, SNAPSHOTS, Effect, actor_of
from cloud.simulation.watch import (
    Violations,
    Watch,
    invariant,
    registered_revision,
    service_progress,
)
from slipway.domain.deployment import Deployment
from slipway.domain.evidence import chain_errors
from slipway.domain.outcome import Outcome
from slipway.domain.progress import SchemaWork

_LARGEST = 64 * 1024


@invariant(12, "the record is complete and agrees with the cloud")
def record_is_true(watch: Watch) -> Violations:
    for one in watch.deployments():
        entries = watch.evidence(one.deployment_id)
        yield from (f"{one.deployment_id}: {wrong}" for wrong in chain_errors(one, entries))
        if sum(entry.what == "settled" for entry in entries) > 1:
            yield f"{one.deployment_id} was settled more than once"
        yield from _disagreements(watch, one)


def _disagreements(watch: Watch, one: Deployment) -> Violations:
    name, revision = one.deployment_id, registered_revision(one)
    if revision is not None and watch.cloud.ecs._definitions.find(revision) is None:
        yield f"{name} names {revision}, which does not exist"
    yield from _extra_revisions(watch, one)
    for effect in watch.cloud.trace.effects:
        if effect.error is not None or actor_of(effect) != name:
            continue
        if not _has_intent(one, effect):
            yield f"{name} made {effect.operation} without recording the intent"
    execution = watch.cloud.machine.executions.get(name)
    if execution is None:
        if one.outcome is not None:
            yield f"{name} has an outcome and never ran"
        return
    end = execution.error if execution.status == "FAILED" else "Succeeded"
    own_end = execution.status in ("SUCCEEDED", "FAILED") and end in set(Outcome)
    if own_end and one.outcome is not None and end != one.outcome:
        yield f"{name} is recorded as {one.outcome}, its execution ended as {end}"


def _extra_revisions(watch: Watch, one: Deployment) -> Violations:
    """A deployment runs one revision and one to return to, and registers none that it could find.

    RegisterTaskDefinition takes no client token, so two invocations at once, or the SDK's own
    retry, may each register one. A spare is harmless while no task and no service runs it.
    """
    name, again = one.deployment_id, service_progress(one).return_revision
    yield from _spare_revisions(watch, name, registered_revision(one))
    yield from _spare_revisions(watch, f"{name}{RETURN_SUFFIX}", again.handle if again else None)


def _spare_revisions(watch: Watch, name: str, known: str | None) -> Violations:
    marked = {"key": "slipway:deployment", "value": name}
    own = {arn for arn, tags in watch.cloud.ecs._definitions.tags.items() if marked in tags}
    spare = own & _revisions_run(watch) - {known}
    if spare:
        yield f"{name} ran {sorted(spare)} beside {known}"
    registered = [
        effect
        for effect in watch.cloud.trace.effects
        if effect.operation == "RegisterTaskDefinition"
        and effect.error is None
        and marked in effect.params.get("tags", [])
    ]
    if any(effect.began >= registered[0].at for effect in registered[1:]):
        yield f"{name} has {len(own)} revisions"


def _revisions_run(watch: Watch) -> set[str | None]:
    """Every revision that a task or a service was asked to run, by its ARN."""
    asked = [
        effect.params["taskDefinition"]
        for effect in watch.cloud.trace.effects
        if effect.error is None and "taskDefinition" in effect.params
    ]
    found = [watch.cloud.ecs._definitions.find(revision) for revision in asked]
    return {definition["taskDefinitionArn"] for definition in found if definition}


def _has_intent(one: Deployment, effect: Effect) -> bool:
    service = service_progress(one)
    if effect.operation == "UpdateService":
        both = (service.rollout, service.rollback)
        return both[effect.function == "rollback"] is not None
    if effect.operation == "RunTask":
        name = effect.params["startedBy"].split("/")[1]
        return SchemaWork("migration" if name == "migrate" else name) in one.progress.schema_tasks
    if effect.operation in SNAPSHOTS:
        return one.progress.backups != {}
    both = (service.revision, service.return_revision)
    return both[effect.function == "rollback"] is not None


@invariant(13, "an approval is used at most once, by its own deployment")
def approvals_are_single(watch: Watch) -> Violations:
    for one in watch.deployments():
        entries = watch.evidence(one.deployment_id)
        if sum(entry.what == "approval decided" for entry in entries) > 1:
            yield f"{one.deployment_id} was decided more than once"


@invariant(21, "no stored document is over 64 KB")
def documents_stay_small(watch: Watch) -> Violations:
    for at, actor, change in watch.cloud.trace.writes:
        size = len(change.after.get("document", {}).get("S", "")) if change.after else 0
        if size > _LARGEST:
            yield f"{actor} wrote {size} characters to {change.key} at {at:.2f}"
