"""The invariants of a run: what must hold whatever goes wrong, each with its number."""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from cloud.simulation.install import document_of as document
from cloud.simulation.table import Change, Item
from cloud.simulation.trace import SNAPSHOTS, Effect
from cloud.simulation.world import DATABASES, catalog
from cloud.twin.ecs.tasks import Task
from slipway.domain.approval import Answer, Approval
from slipway.domain.database import Database
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.evidence import Evidence, chain_errors
from slipway.domain.lane import DatabaseSlot, Lane
from slipway.domain.news import HEADLINES
from slipway.domain.outcome import Outcome
from slipway.domain.plan import Plan
from slipway.domain.progress import SchemaWork, ServiceProgress

if TYPE_CHECKING:
    from cloud.simulation.run import Run

Found = Iterator[str]
Check = Callable[["Watch"], Found]
AT_THE_END: list[tuple[int, str, Check]] = []
# What must hold at every write of a lane.
AT_A_LANE: list[Callable[["Watch", Lane, Lane], None]] = []

_PAGES = (Outcome.NEEDS_OPERATOR, Outcome.ROLLBACK_FAILED)
_WOKEN_WITHIN = 30.0
_UNDERWAY_SECONDS = 10.0
_FOUND_WITHIN = 300.0
_HARMLESS = ("duplicate", "before-parking", "foreign", "malformed")
# How the revision that a rollback registers again is told from the release's own.
_WAY_BACK = "/rollback"
_NEVER_CHANGED = frozenset(
    {Outcome.REJECTED, Outcome.EXPIRED, Outcome.SUPERSEDED, Outcome.BLOCKED, Outcome.UNCHANGED}
)


def invariant(number: int, sentence: str) -> Callable[[Check], Check]:
    """Register a check that is made at the end of every run."""

    def registered(check: Check) -> Check:
        AT_THE_END.append((number, sentence, check))
        return check

    return registered


class Watch:
    """Sees every effect and every write of a run as they happen, and judges at the end."""

    def __init__(self, run: "Run") -> None:
        self.run = run
        self.cloud = run.cloud
        self.found: list[str] = []
        self.known = set(self.cloud.table.partitions)
        trace = self.cloud.trace
        trace.on_effect, trace.on_write = self._effect, self._wrote
        self._migrating: dict[str, str] = {}

    # During the run

    def violated(self, number: int, sentence: str) -> None:
        """Remember a violation, with its time."""
        self.found.append(f"({number}) at {self.cloud.clock.elapsed:.2f}: {sentence}")

    def _effect(self, effect: Effect) -> None:
        deployment_id = actor_of(effect)
        deployment = self.deployment(deployment_id)
        if deployment is None:
            return self.violated(12, f"{effect.operation} for the unknown {deployment_id}")
        self._one_changes_a_lane(effect, deployment)
        self._nothing_after_the_end(effect, deployment)
        self._no_automation_on_hold(effect, deployment)
        if effect.operation == "UpdateService" and effect.function == "deploy":
            self._approved_digest(effect, deployment)
            self._one_rollout(effect, deployment)
        if effect.operation == "RunTask" and "/migrate" in effect.params["startedBy"]:
            self._backed_up(deployment)
        if effect.operation == "RunTask":
            self._database_is_ours(effect, deployment)

    def _one_changes_a_lane(self, effect: Effect, deployment: Deployment) -> None:
        lane = self.lane(deployment.lane_id)
        if lane.holder != deployment.deployment_id:
            self.violated(
                1,
                f"{effect.operation} by {deployment.deployment_id} while {lane.holder} holds "
                f"{lane.lane_id}",
            )
        elif lane.fencing != deployment.fencing:
            self.violated(2, f"{effect.operation} with {deployment.fencing}, not {lane.fencing}")
        cluster = effect.params.get("cluster")
        if cluster is not None and cluster != deployment.lane_id.replace("/", "-"):
            self.violated(1, f"{effect.operation} in {cluster} for {deployment.lane_id}")

    def _nothing_after_the_end(self, effect: Effect, deployment: Deployment) -> None:
        if deployment.outcome is not None:
            what = f"{effect.operation} by {deployment.deployment_id}"
            self.violated(4, f"{what} after it ended as {deployment.outcome}")

    def _no_automation_on_hold(self, effect: Effect, deployment: Deployment) -> None:
        hold = self.lane(deployment.lane_id).hold
        if hold is not None and not deployment.explicit:
            self.violated(4, f"{effect.operation} on a lane that {hold.by} has put on hold")

    def _one_rollout(self, effect: Effect, deployment: Deployment) -> None:
        """A revision that ECS has given up must not be started again."""
        services = {one.cluster_arn.rsplit("/", 1)[-1]: one for one in self.cloud.services()}
        history = services[effect.params["cluster"]].history
        wanted = effect.params["taskDefinition"]
        targets = [one.target.definition["taskDefinitionArn"] for one in history]
        if targets.count(wanted) > 1:
            self.violated(6, f"{deployment.deployment_id} was rolled out more than once")

    def _approved_digest(self, effect: Effect, deployment: Deployment) -> None:
        plan = deployment.planned()
        image = self._image_of(effect.params["taskDefinition"])
        if image.partition("@")[2] != plan.release.digest:
            self.violated(3, f"{image} is deployed, not {plan.release.digest}")
        if not plan.needs_approval:
            return
        approval = self.approval(deployment.deployment_id)
        decision = approval.decision if approval else None
        if approval is None or decision is None or decision.answer is not Answer.APPROVE:
            return self.violated(3, f"{deployment.deployment_id} is deployed without approval")
        if image.partition("@")[2] != approval.digest or approval.plan_hash != plan.plan_hash:
            self.violated(3, f"{image} is deployed, {approval.digest} was approved")

    def _backed_up(self, deployment: Deployment) -> None:
        settings = deployment.planned().settings
        if settings.backup.policy != "required":
            return
        name = f"slipway-{deployment.deployment_id}"
        snapshot = self.cloud.rds.taken(name)
        if snapshot is None or snapshot.status != "available":
            status = snapshot.status if snapshot else "missing"
            self.violated(5, f"{deployment.deployment_id} migrates while {name} is {status}")

    def _database_is_ours(self, effect: Effect, deployment: Deployment) -> None:
        database = deployment.planned().settings.database
        slot = self.slot(database.database_id) if database else None
        if slot is not None and slot.holder != deployment.deployment_id:
            self.violated(1, f"{deployment.deployment_id} changes {slot.holder}'s database")
        ours = effect.params["startedBy"]
        others = {
            self._started_by(task.arn)
            for task in self.cloud.engines.running()
            if task.service is None and task.task_id not in self.cloud.engines.beside
        }
        beside = [one for one in others - {ours, None} if self._database_of(one) == database]
        if beside and database is not None:
            self.violated(1, f"{ours} runs beside another one-off task")

    def _database_of(self, started_by: str | None) -> Database | None:
        """The database that a one-off task is about; its name ends with its deployment's."""
        found = self.deployment((started_by or "").rpartition("/")[2])
        return found.planned().settings.database if found else None

    def _wrote(self, at: float, change: Change) -> None:
        before, after = change.before, change.after
        kind = (after or before or {})["kind"]["S"]
        if kind == "Parked":
            return
        if after is None:
            return self.violated(12, f"{change.key} was deleted")
        if kind in ("Evidence", "Admission", "Plan") and before is not None:
            self.violated(12, f"{change.key} was written over")
        if kind == "Lane" and before is not None:
            self._fencing_grows(before, after)
        if kind == "Deployment" and before is not None:
            self._one_outcome(document(before, Deployment), document(after, Deployment))
        if kind == "Approval" and before is not None:
            self._decided_once(before, after)
        if kind == "Deployment" and document(after, Deployment).outcome is Outcome.SUCCEEDED:
            self._succeeded(document(after, Deployment))

    def _fencing_grows(self, before: Item, after: Item) -> None:
        old, new = int(before["fencing"]["N"]), int(after["fencing"]["N"])
        if new < old:
            self.violated(2, f"the fencing number went from {old} to {new}")
        was, now = before.get("holder", {}).get("S"), after.get("holder", {}).get("S")
        if now is not None and now != was and new <= old:
            self.violated(2, f"{now} took the lane without a new fencing number")
        if was is not None and now not in (None, was):
            self.violated(1, f"{now} took the lane from {was}")
        was_lane, lane = document(before, Lane), document(after, Lane)
        self._newest_first(was_lane, lane)
        for check in AT_A_LANE:
            check(self, was_lane, lane)

    def _newest_first(self, before: Lane, after: Lane) -> None:
        newest = after.newest
        taken = after.holder is not None and after.holder != before.holder
        if taken and newest is not None and newest.deployment_id != after.holder:
            self.violated(4, f"{after.holder} took the lane, {newest.deployment_id} is newer")
        if before.newest is None or newest is None or newest.explicit:
            return
        if newest.order < before.newest.order:
            self.violated(10, f"{newest.deployment_id} replaced a newer candidate")

    def _one_outcome(self, before: Deployment, after: Deployment) -> None:
        if before.outcome is not None and before.outcome is not after.outcome:
            self.violated(12, f"the outcome {before.outcome} became {after.outcome}")
        if before.plan_hash is not None and before.plan_hash != after.plan_hash:
            self.violated(3, f"{after.deployment_id} has another plan than it had")

    def _decided_once(self, before: Item, after: Item) -> None:
        was = document(before, Approval)
        now = document(after, Approval)
        if was.decision is not None and was.decision != now.decision:
            self.violated(13, f"{was.deployment_id} was decided twice")
        fixed = ("deployment_id", "digest", "plan_hash", "expires_at", "approvers")
        if any(getattr(was, name) != getattr(now, name) for name in fixed):
            self.violated(13, f"the approval of {was.deployment_id} was changed")

    def _succeeded(self, deployment: Deployment) -> None:
        primary = self._primary(deployment.lane_id)
        if primary.rollout_state != "COMPLETED":
            self.violated(7, f"{deployment.deployment_id} Succeeded, {primary.rollout_state}")
        live = primary.revision.definition["taskDefinitionArn"]
        if live != _revision_of(deployment):
            self.violated(7, f"{deployment.deployment_id} Succeeded while {live} is live")
        if deployment.progress.verified_at is None:
            self.violated(7, f"{deployment.deployment_id} Succeeded without verification")
        if deployment.release.digest not in primary.revision.images.values():
            self.violated(7, f"{deployment.deployment_id} Succeeded with other images")
        image = self.cloud.engines.images.get(deployment.release.digest)
        if image is not None and image.site != 200:
            self.violated(7, f"{deployment.deployment_id} Succeeded with a broken site")
        if not any(task.healthy for task in primary.tasks.values()):
            self.violated(7, f"{deployment.deployment_id} Succeeded while nothing serves")

    # At the end

    def judged(self) -> list[str]:
        """Every violation of the run."""
        for number, sentence, check in AT_THE_END:
            self.found += [f"({number}) {sentence}: {what}" for what in check(self)]
        return self.found

    # Looking

    def item(self, pk: str, sk: str, kind: type[Any]) -> Any:
        found = self.cloud.table.item(pk, sk)
        return document(found, kind) if found is not None else None

    def deployment(self, deployment_id: str) -> Deployment | None:
        pk = f"DEPLOYMENT#{deployment_id}"
        found: Deployment | None = self.item(pk, "DEPLOYMENT", Deployment)
        plan: Plan | None = self.item(pk, "PLAN", Plan)
        return found.read_with(plan) if found is not None else None

    def approval(self, deployment_id: str) -> Approval | None:
        found: Approval | None = self.item(f"DEPLOYMENT#{deployment_id}", "APPROVAL", Approval)
        return found

    def lane(self, lane_id: str) -> Lane:
        found: Lane = self.item(f"LANE#{lane_id}", "LANE", Lane)
        return found

    def slot(self, database_id: str) -> DatabaseSlot | None:
        found: DatabaseSlot | None = self.item(f"DATABASE#{database_id}", "SLOT", DatabaseSlot)
        return found

    def lanes(self) -> list[Lane]:
        """Every lane of the catalog."""
        return [
            self.lane(f"{name}/{environment}")
            for name, application in catalog().applications.items()
            for environment in application.environments
        ]

    def deployments(self) -> list[Deployment]:
        """The deployments that this run began."""
        new = self.cloud.table.partitions.keys() - self.known
        found = [
            self.deployment(pk.removeprefix("DEPLOYMENT#"))
            for pk in sorted(new)
            if pk.startswith("DEPLOYMENT#")
        ]
        return [one for one in found if one is not None]

    def tasks(self, effect: Effect) -> list[Task]:
        """The tasks of a RunTask, also those that ECS does not show any more."""
        known = self.cloud.ecs._tasks._tokens.values()
        started_by = effect.params["startedBy"]
        return [task for _, tasks in known for task in tasks if task.started_by == started_by]

    def told(self, deployment_id: str, state: str) -> int:
        """How many messages of their own told this state of this deployment."""
        wanted = {"deployment_id": deployment_id, "state": state}
        return sum(
            message.get("metadata", {}).get("event_payload") == wanted
            for message in self.cloud.slack.messages
        )

    def _primary(self, lane_id: str) -> Any:
        cluster = lane_id.replace("/", "-")
        services = {one.cluster_arn.rsplit("/", 1)[-1]: one for one in self.cloud.services()}
        return services[cluster].primary

    def _image_of(self, revision_arn: str) -> str:
        definition = self.cloud.ecs._definitions.find(revision_arn)
        return str(definition["containerDefinitions"][0]["image"]) if definition else "nothing"

    def _started_by(self, task_arn: str) -> str | None:
        task = self.cloud.ecs._tasks.tasks.get(task_arn)
        return task.started_by if task else None


def actor_of(effect: Effect) -> str:
    """The deployment on whose behalf a call was made."""
    params = effect.params
    if effect.operation == "RunTask":
        return (
            str(params["startedBy"])
            .removeprefix("slipway/")
            .strip("/")
            .replace("migrate/", "")
            .replace("downgrade/", "")
            .replace("current/", "")
            .replace("/migrate", "")
            .replace("/downgrade", "")
        )
    if effect.operation in SNAPSHOTS:
        return str(params[SNAPSHOTS[effect.operation]]).removeprefix("slipway-")
    if effect.operation == "RegisterTaskDefinition":
        tags = {tag["key"]: tag["value"] for tag in params.get("tags", [])}
        return str(tags.get("slipway:deployment", "")).removesuffix(_WAY_BACK)
    return effect.subject


@invariant(6, "at most one migration task per deployment")
def one_migration(watch: Watch) -> Found:
    tasks = [task for task in watch.cloud.ecs._tasks.tasks.values() if task.deployment is None]
    for name, count in Counter(task.started_by for task in tasks).items():
        if count > 1:
            yield f"{count} tasks for {name}"


@invariant(4, "no side effect of a deployment that was rejected, expired or superseded")
def nothing_unwanted(watch: Watch) -> Found:
    unwanted = {
        one.deployment_id: one.outcome
        for one in watch.deployments()
        if one.outcome in _NEVER_CHANGED
    }
    for effect in watch.cloud.trace.effects:
        if effect.error is None and actor_of(effect) in unwanted:
            yield f"{effect.operation} by {actor_of(effect)} ({unwanted[actor_of(effect)]})"


@invariant(4, "what a person has cancelled does not succeed")
def cancelled_is_cancelled(watch: Watch) -> Found:
    for one in watch.deployments():
        if one.cancel_requested_by is not None and one.outcome is Outcome.SUCCEEDED:
            yield f"{one.deployment_id} succeeded, {one.cancel_requested_by} had cancelled it"


@invariant(7, "what is live at rest is the last good release, unless a person was asked")
def live_is_stable(watch: Watch) -> Found:
    for lane in watch.lanes():
        primary = watch._primary(lane.lane_id)
        live = primary.revision.definition["taskDefinitionArn"]
        asked = lane.hold is not None and lane.hold.reason in _PAGES
        if lane.stable is None or asked:
            continue
        if live != lane.stable.revision_arn:
            yield f"{lane.lane_id} runs {live}, not {lane.stable.revision_arn}"


@invariant(8, "after a failure the last good release runs, or a person was paged")
def failure_ends_well(watch: Watch) -> Found:
    for one in watch.deployments():
        if one.outcome is Outcome.SUCCEEDED or one.outcome is None:
            continue
        if not one.outcome.holds_the_lane and _changed(watch, one):
            yield f"{one.deployment_id} changed the service and ended as {one.outcome}"


def _changed(watch: Watch, one: Deployment) -> bool:
    return any(
        effect.error is None
        and (effect.operation == "UpdateService" or _may_have_run(watch, effect))
        and actor_of(effect) == one.deployment_id
        for effect in watch.cloud.trace.effects
    )


def _may_have_run(watch: Watch, effect: Effect) -> bool:
    """Whether this started a one-off task, and not one whose containers have never begun."""
    if effect.operation != "RunTask":
        return False
    return any(task.stop_code != "TaskFailedToStart" for task in watch.tasks(effect))


@invariant(9, "the last good revision, image and snapshot are never deleted")
def last_good_is_kept(watch: Watch) -> Found:
    for lane in watch.lanes():
        if lane.stable is None:
            continue
        if not _may_be_gone(watch, lane):
            definition = watch.cloud.ecs._definitions.find(lane.stable.revision_arn)
            if definition is None or definition["status"] != "ACTIVE":
                yield f"{lane.stable.revision_arn} cannot be run any more"
        repository = watch.cloud.ecr.repositories[lane.application]
        gone = repository.find({"imageDigest": lane.stable.digest}) is None
        if gone and lane.stable.digest not in watch.run.deleted:
            yield f"{lane.stable.digest} is gone"
    for one in watch.deployments():
        for backup in one.progress.backups.values():
            if backup.succeeded and watch.cloud.rds.taken(backup.handle or "") is None:
                yield f"{backup.handle} is gone"


def _may_be_gone(watch: Watch, lane: Lane) -> bool:
    """Whether somebody else has deregistered the last good revision, and nothing went back to it.

    ECS runs a deregistered revision on.
    """
    if lane.stable is None or lane.stable.revision_arn not in watch.run.deregistered:
        return False
    live = watch._primary(lane.lane_id).revision.definition["taskDefinitionArn"]
    ends = [one.outcome for one in watch.deployments() if one.lane_id == lane.lane_id]
    return live == lane.stable.revision_arn or Outcome.ROLLED_BACK not in ends


@invariant(10, "the newest push is deployed or explicitly ended")
def newest_push_is_served(watch: Watch) -> Found:
    newest: dict[tuple[str, str], str] = {}
    for repository, tag, digest in watch.run.pushes:
        for lane in catalog().fed_by_push(repository, tag):
            newest[lane] = digest
    for (application, environment), digest in newest.items():
        found = [
            one
            for one in watch.deployments()
            if (one.application, one.environment) == (application, environment)
            and one.release.digest == digest
        ]
        if not found:
            yield f"{application}/{environment} never heard of {digest[:19]}"
    for one in watch.deployments():
        if one.outcome is Outcome.SUCCEEDED:
            yield from _promoted(watch, one)


def _promoted(watch: Watch, one: Deployment) -> Found:
    application = catalog().applications[one.application]
    stable = watch.lane(one.lane_id).stable
    if stable is None or stable.deployment_id != one.deployment_id:
        return
    for follower in application.followers(one.environment):
        lane = watch.lane(f"{one.application}/{follower}")
        if lane.newest is None or lane.newest.digest != one.release.digest:
            yield f"{one.deployment_id} was not promoted to {follower}"


@invariant(10, "a lost push is found within five minutes")
def found_in_time(watch: Watch) -> Found:
    plan = watch.run.plan
    if plan.calls or plan.transient_share:
        return
    for one in watch.deployments():
        since = max(
            one.release.pushed_at,
            watch.run.pushed_at.get(one.release.digest, one.release.pushed_at),
        )
        waited = one.requested_at - since
        if one.origin == "sweep" and waited.total_seconds() > _FOUND_WITHIN:
            yield f"{one.deployment_id} after {waited.total_seconds():.0f} seconds"


@invariant(10, "one push becomes one deployment of a lane")
def pushes_are_admitted_once(watch: Watch) -> Found:
    """A digest that is pushed again, in a later event, may start again once its first is over, or
    once another push has taken the first one's place.
    """
    made: dict[tuple[str, str], list[Deployment]] = {}
    for one in watch.deployments():
        if one.origin in ("push", "sweep"):
            made.setdefault((one.lane_id, one.release.digest), []).append(one)
    for (lane_id, digest), found in made.items():
        pushes = watch.cloud.pushed[digest]
        if len(found) > pushes:
            yield f"{len(found)} deployments of {digest[:19]} on {lane_id} for {pushes} pushes"
        for before, after in itertools.pairwise(sorted(found, key=lambda one: one.number)):
            ended = before.settled_at
            over = ended is not None and ended <= after.requested_at
            over = over or _taken_over(watch, before, after)
            if not over or (before.outcome is Outcome.SUCCEEDED and not _replaced(watch, before)):
                yield f"{after.deployment_id} beside {before.deployment_id}, of the same digest"


def _taken_over(watch: Watch, before: Deployment, after: Deployment) -> bool:
    """Whether another digest was asked for between the two, which ends the first."""
    return before.outcome is Outcome.SUPERSEDED and any(
        one.lane_id == before.lane_id
        and before.number < one.number < after.number
        and one.release.digest != before.release.digest
        for one in watch.deployments()
    )


def _replaced(watch: Watch, before: Deployment) -> bool:
    """Whether another digest went live on the lane since."""
    return any(
        one.lane_id == before.lane_id
        and one.number > before.number
        and one.release.digest != before.release.digest
        and one.outcome is Outcome.SUCCEEDED
        for one in watch.deployments()
    )


@invariant(16, "no wake-up is lost between looking and parking")
def no_lost_wake_up(watch: Watch) -> Found:
    """A sweep that finds a step done shows that its event had come and gone unheard.

    Unless the step was at work itself, its event was only just on its way, or the sweep itself was
    the event: it frees databases, and what waits for them goes on.
    """
    plan = watch.run.plan
    if plan.calls or plan.transient_share or any(kind not in _HARMLESS for _, kind in plan.events):
        return
    heard, freed = _heard(watch), _freed(watch)
    for line in watch.cloud.trace.lines:
        if line[1] != "ended" or line[2].event.get("detail-type") != "Look Again":
            continue
        name = line[2].function.name
        underway = any(abs(line[0] - at) < _UNDERWAY_SECONDS for at in heard.get(name, ()))
        if underway or any(began <= line[0] < until for began, until in freed):
            continue
        for found in line[3] or []:
            if found["done"] and found["reason"] in ("Verified", "GatesPassed", "LaneTaken"):
                yield f"{name} was done before the sweep asked at {line[0]:.2f}"


def _freed(watch: Watch) -> list[tuple[float, float]]:
    """When what waited for a database that a sweep freed may have gone on."""
    began: dict[int, float] = {}
    found = []
    for line in watch.cloud.trace.lines:
        if line[1] == "invoked":
            began[line[2].number] = line[0]
        sweep = line[1] == "ended" and line[2].function.name == "sweep"
        if sweep and (line[3] or {}).get("freed"):
            found.append((began[line[2].number], line[0] + _WOKEN_WITHIN))
    return found


def _heard(watch: Watch) -> dict[str, list[float]]:
    """When each function was invoked or done otherwise than for the sweep's question."""
    heard: dict[str, list[float]] = {}
    for line in watch.cloud.trace.lines:
        invocation = line[1] in ("invoked", "ended")
        if invocation and line[2].event.get("detail-type") != "Look Again":
            heard.setdefault(line[2].function.name, []).append(line[0])
    return heard


@invariant(11, "every execution ends within its bound and frees its lane")
def all_ends(watch: Watch) -> Found:
    if not watch.run.quiet:
        yield "the run did not come to rest"
    for one in watch.cloud.machine.executions.values():
        if one.status == "RUNNING":
            yield f"{one.name} still runs in {one.state}"
    for lane in watch.lanes():
        if lane.holder is not None:
            yield f"{lane.lane_id} is held by {lane.holder}"
    for database_id in DATABASES:
        slot = watch.slot(database_id)
        if slot is not None and slot.holder is not None:
            yield f"{database_id} is held by {slot.holder}"
    for deployment in watch.deployments():
        if deployment.outcome is None:
            yield f"{deployment.deployment_id} has no outcome ({deployment.phase})"


@invariant(12, "the record is whole and agrees with the cloud")
def record_is_true(watch: Watch) -> Found:
    for one in watch.deployments():
        entries = _evidence(watch, one.deployment_id)
        yield from (f"{one.deployment_id}: {wrong}" for wrong in chain_errors(one, entries))
        if sum(entry.what == "settled" for entry in entries) > 1:
            yield f"{one.deployment_id} was settled more than once"
        yield from _agrees(watch, one)


def _evidence(watch: Watch, deployment_id: str) -> list[Evidence]:
    items = watch.cloud.table.partitions[f"DEPLOYMENT#{deployment_id}"]
    return [document(items[sk], Evidence) for sk in sorted(items) if sk.startswith("EVIDENCE#")]


def _agrees(watch: Watch, one: Deployment) -> Found:
    name, revision = one.deployment_id, _revision_of(one)
    if revision is not None and watch.cloud.ecs._definitions.find(revision) is None:
        yield f"{name} names {revision}, which does not exist"
    yield from _one_revision(watch, one)
    for effect in watch.cloud.trace.effects:
        if effect.error is not None or actor_of(effect) != name:
            continue
        if not _intended(one, effect):
            yield f"{name} made {effect.operation} without recording the intent"
    execution = watch.cloud.machine.executions.get(name)
    if execution is None:
        if one.outcome is not None:
            yield f"{name} has an outcome and never ran"
        return
    told = execution.error if execution.status == "FAILED" else "Succeeded"
    own_end = execution.status in ("SUCCEEDED", "FAILED") and told in set(Outcome)
    if own_end and one.outcome is not None and told != one.outcome:
        yield f"{name} is recorded as {one.outcome}, its execution ended as {told}"


def _one_revision(watch: Watch, one: Deployment) -> Found:
    """A deployment runs one revision, and one to go back to; it registers none that it could find.

    AWS takes no token for registering: of two invocations at once, or of the SDK's own retry,
    each may register one. A spare one harms nobody as long as no task and no service runs it.
    """
    name, again = one.deployment_id, _service_of(one).return_revision
    yield from _one_of_its_name(watch, name, _revision_of(one))
    yield from _one_of_its_name(watch, f"{name}{_WAY_BACK}", again.handle if again else None)


def _one_of_its_name(watch: Watch, name: str, known: str | None) -> Found:
    marked = {"key": "slipway:deployment", "value": name}
    own = {arn for arn, tags in watch.cloud.ecs._definitions.tags.items() if marked in tags}
    spare = own & _ever_run(watch) - {known}
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


def _ever_run(watch: Watch) -> set[str | None]:
    """Every revision that a task or a service was asked to run, by its ARN."""
    asked = [
        effect.params["taskDefinition"]
        for effect in watch.cloud.trace.effects
        if effect.error is None and "taskDefinition" in effect.params
    ]
    found = [watch.cloud.ecs._definitions.find(revision) for revision in asked]
    return {definition["taskDefinitionArn"] for definition in found if definition}


def _intended(one: Deployment, effect: Effect) -> bool:
    service = _service_of(one)
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


def _service_of(one: Deployment) -> ServiceProgress:
    """What was done to the service, by the deployment's document alone."""
    return next(iter(one.progress.services.values()), ServiceProgress())


def _revision_of(one: Deployment) -> str | None:
    revision = _service_of(one).revision
    return revision.handle if revision else None


@invariant(13, "an approval is used at most once, by its own deployment")
def approvals_are_single(watch: Watch) -> Found:
    for one in watch.deployments():
        entries = _evidence(watch, one.deployment_id)
        if sum(entry.what == "approval decided" for entry in entries) > 1:
            yield f"{one.deployment_id} was decided more than once"


@invariant(14, "at most one message per deployment and state")
def told_once(watch: Watch) -> Found:
    told = Counter(
        (payload["deployment_id"], payload["state"])
        for message in watch.cloud.slack.messages
        if (payload := message.get("metadata", {}).get("event_payload"))
    )
    for (deployment_id, state), count in told.items():
        if count > 1:
            yield f"{count} messages about {deployment_id} {state}"


@invariant(14, "no end is lost on the way to Slack")
def ends_are_told(watch: Watch) -> Found:
    for one in watch.deployments():
        if one.outcome in (None, Outcome.UNCHANGED) or watch.cloud.secrets.webhook:
            continue
        if not watch.told(one.deployment_id, one.outcome):
            yield f"{one.deployment_id} ended as {one.outcome}, and nobody was told"


@invariant(14, "a deployment's message shows its end")
def messages_are_up_to_date(watch: Watch) -> Found:
    for one in watch.deployments():
        shown = [message["text"] for message in _opened(watch, one.deployment_id)]
        # Where Slack takes no blocks, the text goes on after its first line.
        lines = shown[-1].splitlines() if shown else []
        if lines and one.outcome and not _ends_with(lines, HEADLINES[one.outcome]):
            yield f"{one.deployment_id} is {one.outcome}, its message: {shown[-1]}"


def _ends_with(lines: list[str], headline: str) -> bool:
    return any(line.endswith(headline) for line in lines)


def _opened(watch: Watch, deployment_id: str) -> Iterator[dict[str, Any]]:
    """The deployment's own messages: those that are no line in a thread."""
    for message in watch.cloud.slack.messages:
        payload = message.get("metadata", {}).get("event_payload", {})
        if payload.get("deployment_id") == deployment_id and "thread_ts" not in message:
            yield message


@invariant(15, "a handler fails by one of the four errors, never by a mistake of its own")
def no_bug(watch: Watch) -> Found:
    for at, function, error in watch.cloud.trace.bugs:
        text = str(error).replace("\n", " ")[:300]
        yield f"{function} at {at:.2f}: {type(error).__name__}: {text}"


def digest_of_run(watch: Watch) -> str:
    """The outcomes of a run, for telling runs apart."""
    return json.dumps({one.deployment_id: one.outcome for one in watch.deployments()})


__all__ = ["AT_THE_END", "Phase", "Watch", "invariant"]
