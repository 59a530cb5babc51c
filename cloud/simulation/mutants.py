"""Seeded design bugs: small changes of Slipway, one at a time, that the campaign has to notice."""

import importlib
import inspect
import itertools
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from cloud.simulation import campaign, template

Patch = Callable[[], Callable[[], None]]


@dataclass(frozen=True)
class Mutant:
    """One design bug: what it does away with, its patches, and where to look for it first."""

    name: str
    patches: tuple[Patch, ...]
    stories: tuple[str, ...]
    # More where chance has to bring two writers together.
    seeds: int = 8


class DoesNotApply(Exception):
    """The code that a mutant changes is not there any more: the mutant must be written anew."""


def edit(place: str, *texts: str) -> Patch:
    """Change one function's own text: old, new, old, new; ``place`` is module:qualified.name."""

    def apply() -> Callable[[], None]:
        function = _function(place)
        source = textwrap.dedent(inspect.getsource(function))
        for old, new in zip(texts[::2], texts[1::2], strict=True):
            if source.count(old) != 1:
                raise DoesNotApply(f"{place} has {source.count(old)} times: {old}")
            source = source.replace(old, new)
        before = function.__code__
        function.__code__ = _compiled(function, source).__code__

        def undo() -> None:
            function.__code__ = before

        return undo

    return apply


def rewire(state: str, **changes: Any) -> Patch:
    """Change a state of the state machine; ``catch`` is where its Catch leads."""

    def apply() -> Callable[[], None]:
        found = template.template().definition["States"][state]
        before = {"Next": found.get("Next"), "Catch": found.get("Catch")}
        if "catch" in changes:
            found["Catch"] = [{**one, "Next": changes["catch"]} for one in before["Catch"] or []]
        if "next" in changes:
            found["Next"] = changes["next"]

        def undo() -> None:
            found.update({name: value for name, value in before.items() if value is not None})

        return undo

    return apply


def _function(place: str) -> FunctionType:
    module, _, name = place.partition(":")
    found: Any = importlib.import_module(f"slipway.{module}")
    for part in name.split("."):
        if part not in vars(found):
            raise DoesNotApply(f"there is no {place}")
        found = vars(found)[part]
    if isinstance(found, property):
        found = found.fget
    found = inspect.unwrap(found)
    if not isinstance(found, FunctionType):
        raise DoesNotApply(f"{place} is no function")
    return found


def _compiled(function: FunctionType, source: str) -> FunctionType:
    lines = source.splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith("def "))
    scope: dict[str, Any] = {}
    exec(  # The text is this project's own, with a change that is written below.
        compile("\n".join(lines[first:]), function.__code__.co_filename, "exec"),
        function.__globals__,
        scope,
    )
    made = scope[function.__name__]
    assert isinstance(made, FunctionType)
    return made


@contextmanager
def in_force(mutant: Mutant) -> Iterator[None]:
    """The mutant's changes, for as long as the block lasts."""
    with ExitStack() as stack:
        for patch in mutant.patches:
            stack.callback(patch())
        yield


def caught_by(mutant: Mutant, most: int = 600) -> tuple[campaign.Job, list[str]] | None:
    """The first run of the campaign that notices the mutant."""
    jobs = [job for job in _jobs(mutant)]
    with in_force(mutant):
        for job in itertools.islice(jobs, most):
            found = campaign.violations_of(job)
            if found:
                return job, found
    return None


def _jobs(mutant: Mutant) -> Iterator[campaign.Job]:
    """The stories that should tell, with and without faults; then random seeds."""
    for name in mutant.stories:
        scenario, _, plan = name.partition("|")
        yield from (campaign.Job(scenario, plan, seed) for seed in range(mutant.seeds))
    yield from campaign.random_jobs(600)


_READ = "condition, values = _as_read(document)"
_ANY_VERSION = (
    _READ,
    f"{_READ}\n    condition = 'attribute_not_exists(nothing)' if values else condition",
)

MUTANTS = (
    Mutant(
        "a step looks first and parks then",
        (
            edit(
                "runtime.waiting:Waiting.serve",
                "return [self._answer(step, request, self._park(step, request, call.task_token))]",
                "parked = _parked(step, request, call.task_token, self.now() + _KEPT)\n"
                "    found = self._answer(step, request, parked)\n"
                "    if not found.done:\n"
                "        self.parking.park(parked)\n"
                "    return [found]",
            ),
        ),
        (
            "success|event/RDS DB Snapshot Event/2=before-parking",
            "success|event/ECR Image Scan/1=before-parking",
            "success|event/ECS Task State Change/1=before-parking",
        ),
    ),
    Mutant(
        "documents are written over whatever was read",
        (edit("adapters.records:DynamoDBRecords._put_versioned", *_ANY_VERSION),),
        ("double-click", "twice-pushed"),
        seeds=30,
    ),
    Mutant(
        "the fencing number stays when the lane is taken",
        (edit("domain.lane:Lane.enter", "self.fencing + 1", "self.fencing"),),
        ("success",),
    ),
    Mutant(
        "the image is deployed by its tag",
        (
            edit(
                "steps.revision:_registration",
                "container, uri = plan.settings.target.container, plan.image.uri",
                "container = plan.settings.target.container\n"
                "    uri = f'{plan.image.repository_uri}:{plan.release.tag}'",
            ),
        ),
        ("success",),
    ),
    Mutant(
        "a stable service counts as deployed",
        (
            edit(
                "steps.deploy:_judge",
                "rollout.state is RolloutState.COMPLETED and is_ours",
                "rollout.running_count >= rollout.desired_count",
            ),
            edit(
                "domain.binding:judge_rollout",
                "rollout.primary_revision_arn !=",
                "None ==",
                "if rollout.state is RolloutState.UNDERWAY:",
                "if rollout.running_count >= rollout.desired_count:\n"
                "        return _finding('binding', Verdict.SUCCESSFUL, 'stable')\n"
                "    if rollout.state is RolloutState.UNDERWAY:",
            ),
            # Where the site reports a version, that would tell.
            edit("domain.reported:wrong_version", "if reported != version:", "if False:"),
        ),
        ("deploy-failure", "success"),
    ),
    Mutant(
        "the revision that served before is deregistered",
        (
            edit(
                "adapters.ecs.revisions:EcsRevisions.register",
                'return answer["taskDefinition"]["taskDefinitionArn"]',
                "self._client.deregister_task_definition(taskDefinition=base_arn)\n"
                '    return answer["taskDefinition"]["taskDefinitionArn"]',
            ),
        ),
        ("verify-failure", "migration-failure"),
    ),
    Mutant(
        "a hold stops nobody",
        (edit("domain.lane:Lane.refuse", "if self.hold is not None:", "if False:"),),
        ("push-after-rollback",),
    ),
    Mutant(
        "a rollout is started again whatever became of it",
        (edit("steps.deploy:_ensure_rollout", "if known is not None:", "if False:"),),
        ("deploy-failure",),
    ),
    Mutant(
        "a cancelled deployment goes on",
        (
            edit(
                "domain.deployment:Deployment.refuse_to_continue",
                "if self.cancel_requested_by is not None:",
                "if False:",
            ),
        ),
        ("cancel@Approve", "cancel@Verify"),
    ),
    Mutant(
        "an approval never expires",
        (edit("domain.approval:Approval.approved", "if now < self.expires_at:", "if True:"),),
        ("expiry",),
    ),
    Mutant(
        "an approval can be decided again",
        (
            edit("domain.approval:Approval.decided", "if self.decision is not None:", "if False:"),
            edit(
                "requests.decide:_write_decision", "if approval.decision is not None:", "if False:"
            ),
        ),
        ("double-click",),
    ),
    Mutant(
        "a rejection lets the deployment through",
        (
            edit(
                "domain.approval:Approval.approved",
                "if self.decision.answer is Answer.REJECT:",
                "if False:",
            ),
        ),
        ("reject",),
    ),
    Mutant(
        "a superseded candidate goes on",
        (edit("domain.lane:Lane.refuse", "if newer is not None:", "if False:"),),
        ("newer-push", "newer-push@Check", "newer-push@Plan", "twice-pushed"),
    ),
    Mutant(
        "the last event wins, not the newest push",
        (
            edit(
                "domain.lane:Lane.with_candidate",
                "newest is None or candidate.explicit or candidate.order >= newest.order",
                "True",
            ),
        ),
        ("twice-pushed|event/ECR Image Action/1=late",),
    ),
    Mutant(
        "a required backup is left out when it fails",
        (edit("steps.backup:backup", "if policy is BackupPolicy.REQUIRED:", "if False:"),),
        ("snapshot-failure",),
    ),
    Mutant(
        "a snapshot counts as soon as it exists",
        (
            edit("steps.backup:_judge", "snapshot.state is SnapshotState.UNDERWAY", "False"),
            edit(
                "steps.backup:_fault",
                "if snapshot.state is not SnapshotState.AVAILABLE:",
                "if False:",
                "if snapshot.created_at is None or snapshot.created_at < earliest:",
                "if False:",
            ),
        ),
        ("success",),
    ),
    Mutant(
        "the migration's task is started without a client token",
        (
            edit(
                "adapters.ecs.one_offs:EcsOneOffs.run",
                '"clientToken": _token(started_by, attempt),',
                "",
            ),
        ),
        ("success|migrate/ecs/RunTask/1=lost", "success|migrate/ecs/RunTask/1=crash-after"),
    ),
    Mutant(
        "a registered revision is not looked for after a lost answer",
        (
            edit(
                "steps.revision:ensure_revision",
                "if known is not None else None",
                "if False else None",
            ),
        ),
        ("success|migrate/ecs/RegisterTaskDefinition/1=lost",),
    ),
    Mutant(
        "a way back is registered again without a look for it",
        (
            edit(
                "steps.revision:ensure_way_back",
                "if known is not None else None",
                "if False else None",
            ),
        ),
        ("way-back-deregistered|rollback/ecs/RegisterTaskDefinition/1=lost",),
    ),
    Mutant(
        "a deregistered way back is used as it is",
        (
            edit(
                "steps.revision:_is_registered",
                "is RevisionState.REGISTERED",
                "is not RevisionState.DELETED",
            ),
        ),
        ("way-back-deregistered",),
    ),
    Mutant(
        "the lane keeps the revision that was deregistered",
        (edit("steps.settle:_lane_after", "_with_way_back(lane, deployment)", "lane"),),
        ("way-back-deregistered",),
    ),
    Mutant(
        "every step registers a revision of its own",
        (
            edit(
                "steps.revision:ensure_revision",
                "if known is not None and known.handle is not None:",
                "if deployment.progress.has_deployed:",
                "if known is not None else None",
                "if False else None",
            ),
        ),
        ("success",),
    ),
    Mutant(
        "a stopped execution is settled by nobody",
        (
            edit(
                "steps.execution_end:settle_request", 'if "detail-type" not in event:', "if True:"
            ),
            edit("chores.waiting:_look_after", "executions.known(deployment_id):", "False:"),
        ),
        ("abort", "abort@Verify"),
    ),
    Mutant(
        "a stopped execution is settled while its function still runs",
        (
            edit("steps.execution_end:may_still_change", "return changing and", "return False and"),
            edit("domain.progress:Progress.is_calling", "return any(", "return False and any("),
        ),
        ("abort|deploy/ecs/UpdateService/1=lost", "abort"),
    ),
    Mutant(
        "a lane is freed while a call may be on its way",
        (edit("domain.progress:Progress.is_calling", "return any(", "return False and any("),),
        (
            "cancel@Deploy|deploy/ecs/UpdateService/1=lost",
            "cancel@Deploy|deploy/ecs/UpdateService/1=lost;"
            "rollback/ecs/DescribeServices/1=permanent",
        ),
    ),
    Mutant(
        "lost pushes are not looked for",
        (edit("chores.pushes:lost_pushes", "if not repositories:", "if True:"),),
        ("lost-push",),
    ),
    Mutant(
        "lost promotions are not looked for",
        (edit("chores.promotions:lost_promotions", "if missing:", "if False:"),),
        ("promotion|event/Deployment Settled/1=drop",),
    ),
    Mutant(
        "what Slack refused is never told again",
        (edit("chores.missed_notices:missed_notices", "if lacking:", "if False:"),),
        ("rollback-failure|notify/slack/chat.postMessage/8=permanent",),
    ),
    Mutant(
        "the sweep tells what the stream still has to tell",
        (
            edit(
                "chores.missed_notices:missed_notices",
                "for one in records.untold(now - _NEWS_LASTS)",
                "for one in [records.notice(one.deployment_id, 'slack') for application, name in "
                "(('ledger', 'staging'), ('ledger', 'production')) for one in "
                "records.recent(application, name, 5)]",
            ),
            edit(
                "chores.missed_notices:_is_missed",
                "notice.lacks(state)",
                "state not in notice.told",
            ),
            edit("runtime.stream:told_again", "if not records", "if False and not records"),
        ),
        ("slack-busy",),
    ),
    Mutant(
        "an event is believed without looking",
        (
            edit(
                "runtime.waiting:Waiting._resume",
                "return self._answer(step, request, everywhere)",
                "self.tokens.success(parked.token, '{}')\n"
                "    return Found(deployment_id=request.deployment_id, done=True,\n"
                "                 reason=Reason.WAITING, message='')",
            ),
        ),
        ("success", "deploy-failure"),
    ),
    Mutant(
        "a rollback goes to the revision before, not to the last good one",
        (
            edit(
                "steps.enter:_take",
                '"rollback_target": _way_back(deployment, lane)}',
                '"rollback_target": lane.stable and lane.stable.model_copy(update={'
                '"revision_arn": deployment.planned().live.revision_arn.rsplit(":", 1)[0] + ":" + '
                'str(int(deployment.planned().live.revision_arn.rsplit(":", 1)[1]) - 1)})}',
            ),
        ),
        ("verify-failure", "second-failure"),
    ),
    Mutant(
        "a verification does not ask what is live",
        (
            edit(
                "domain.binding:judge_rollout",
                "    if rollout.primary_revision_arn != expected.revision_arn:",
                "    return _finding('binding', Verdict.SUCCESSFUL, '')\n"
                "    if rollout.primary_revision_arn != expected.revision_arn:",
            ),
            edit("domain.reported:wrong_version", "if reported != version:", "if False:"),
        ),
        ("foreign-change",),
    ),
    Mutant(
        "a failed rollout is settled without a rollback",
        (rewire("Verify", catch="Settle"),),
        ("verify-failure",),
    ),
    Mutant(
        "a rollout is not verified",
        (rewire("Deploy", next="Settle"),),
        ("success", "verify-failure"),
    ),
    Mutant(
        "a message leaves before it is claimed",
        (
            edit(
                "notices.outbox:_send",
                "claim = _write(notice.claimed(news.state), records)",
                "claim = notice",
            ),
        ),
        (
            "success|notify/slack/chat.postMessage/1=crash-after",
            "success|notify/slack/chat.postMessage/3=lost",
        ),
    ),
    Mutant(
        "two applications migrate one database at once",
        (edit("steps.enter:_slot", "if database_id is not None", "if False"),),
        ("shared-database",),
    ),
    Mutant(
        "a database is freed while a migration runs in it",
        (edit("steps.settle:_documents_after", "or deployment.may_be_migrating", ""),),
        ("stopped-migration", "endless-migration"),
    ),
    Mutant(
        "a kept database is freed without looking at the migration",
        (
            edit(
                "chores.databases:_is_at_work",
                "or may_change_schema(holder, one_offs, now)",
                "",
            ),
        ),
        ("stopped-migration", "endless-migration"),
    ),
    Mutant(
        "a kept database is never freed",
        (edit("chores.databases:_free", "if slot.holder is None or", "if True or"),),
        ("stopped-migration",),
    ),
    Mutant(
        "another tag on a pushed image is a new deployment",
        (
            edit(
                "requests.wishes:push_wish",
                "{release.repository}@{release.digest}",
                "{release.repository}:{release.tag}",
            ),
        ),
        ("retagged-live",),
    ),
    Mutant(
        "a migration that failed does not count as a change",
        (edit("steps.settle:_settle", "changed=deployment.has_changed", "changed=False"),),
        ("abort@Deploy", "abort@Verify", "abort@Migrate"),
    ),
    Mutant(
        "a gate that fails stops nobody",
        (edit("steps.check:check", "if failed is not None:", "if False:"),),
        ("gate-failure",),
    ),
)
