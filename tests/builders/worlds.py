"""A small world for the steps: one application, an ECS service that behaves, time that is moved."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from slipway.adapters.databases import RestoresByKind
from slipway.domain.approval import Answer, Decision
from slipway.domain.catalog import Application, Catalog, Environment
from slipway.domain.deployment import Deployment, Origin
from slipway.domain.errors import Broken, Reason, Rejected
from slipway.domain.evidence import Evidence, chain_errors
from slipway.domain.gates import Scan
from slipway.domain.lane import Lane, Stable
from slipway.domain.plan import LiveService, Plan
from slipway.domain.preflight import Revision, RevisionState
from slipway.domain.release import (
    COMPATIBLE_LABEL,
    SCHEMA_LABEL,
    VERSION_LABEL,
    Image,
    Release,
)
from slipway.domain.strategy import Strategy
from slipway.domain.target import EcsTarget
from slipway.domain.verdict import HttpAnswer, RegisteredTarget, Rollout, RolloutState, TargetHealth
from slipway.journal import Journal
from slipway.ports.databases import SnapshotState
from slipway.ports.targets import OneOff
from slipway.requests import admit as admitting
from slipway.requests import wish as wishing
from slipway.steps import approve as approving
from slipway.steps import backup as backing_up
from slipway.steps import check as checking
from slipway.steps import deploy as deploying
from slipway.steps import enter as entering
from slipway.steps import migrate as migrating
from slipway.steps import plan as planning
from slipway.steps import rollback as rolling_back
from slipway.steps import settle as settling
from slipway.steps import verify as verifying
from slipway.steps.step import Caught, StepResult
from tests.builders.fakes import (
    InMemoryAnnouncements,
    InMemoryDatabases,
    InMemoryExecutions,
    InMemoryOneOffs,
    InMemoryRecords,
    InMemoryRevisions,
    StubAlarms,
    StubDatabaseStates,
    StubLoadBalancers,
    StubRegistry,
    StubWebsite,
)

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
REPOSITORY = "notes"
REGISTRY = "000000000000.dkr.ecr.us-east-1.amazonaws.com/notes"
OLD, NEW, OTHER = (f"sha256:{pair * 32}" for pair in ("a1", "b2", "c3"))
FAMILY = "arn:aws:ecs:us-east-1:000000000000:task-definition/notes"
SERVICE_ARN = "arn:aws:ecs:us-east-1:000000000000:service/staging/notes"
TARGET_GROUP = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/notes/1"
URL = "http://notes.example.com"
FIRST_REVISION = f"{FAMILY}:7"
DATABASE = "notes-staging"

SETTINGS: dict[str, Any] = {
    "push": {"repository": REPOSITORY, "tags": ["v*"]},
    "target": {"cluster": "staging", "service": "notes", "container": "app"},
    "database": {"identifier": DATABASE},
    "migration": {
        "command": ["alembic", "upgrade", "head"],
        "downgrade": ["alembic", "downgrade", "{schema}"],
    },
    "verification": {
        "checks": [{"path": "/health", "version_field": "version"}],
        "alarms": ["notes-5xx"],
    },
}


def environment(**changes: Any) -> Environment:
    """The environment of SETTINGS with these top-level settings replaced."""
    return Environment.model_validate({**SETTINGS, **changes})


def image(digest: str = NEW, **labels: str) -> Image:
    """A release's image: version 2 with schema 0002 unless the labels say otherwise."""
    known = {VERSION_LABEL: "2.0.0", SCHEMA_LABEL: "0002", **labels}
    return Image(
        repository_uri=REGISTRY,
        digest=digest,
        platform_digest=digest,
        architecture="ARM64",
        status="ACTIVE",
        labels={name: text for name, text in known.items() if text},
    )


def compatible(digest: str = NEW) -> Image:
    """The image of a release that says that the old code runs on its schema."""
    return image(digest, **{COMPATIBLE_LABEL: "true"})


def stable(**changes: Any) -> Stable:
    """The last good release: version 1 with schema 0001."""
    usual: dict[str, Any] = {
        "deployment_id": "notes-staging-0",
        "digest": OLD,
        "platform_digest": OLD,
        "revision_arn": FIRST_REVISION,
        "image_uri": f"{REGISTRY}@{OLD}",
        "version": "1.0.0",
        "schema_revision": "0001",
        "verified_at": START - timedelta(days=1),
    }
    return Stable(**{**usual, **changes})


def release(digest: str = NEW, tag: str = "v2", pushed_at: datetime = START) -> Release:
    """What was pushed."""
    return Release(repository=REPOSITORY, digest=digest, tag=tag, pushed_at=pushed_at)


def wish(wish_id: str = "push:1", **changes: Any) -> wishing.Wish:
    """The wish of one push."""
    usual: dict[str, Any] = {
        "wish_id": wish_id,
        "application": "notes",
        "environment": "staging",
        "release": release(),
        "origin": Origin.PUSH,
        "requested_by": "push of notes:v2",
    }
    return wishing.Wish(**{**usual, **changes})


@dataclass
class Attempt:
    """One ECS service deployment."""

    ecs_id: str
    revision_arn: str
    state: RolloutState
    told: str = ""
    reason: Reason | None = None


@dataclass
class Service:
    """An ECS service with its service deployments: read and pointed at revisions."""

    images: dict[str, str] = field(default_factory=lambda: {FIRST_REVISION: f"{REGISTRY}@{OLD}"})
    attempts: list[Attempt] = field(
        default_factory=lambda: [Attempt("ecs-svc/1", FIRST_REVISION, RolloutState.COMPLETED)]
    )
    primary: Attempt = field(init=False)
    updates: list[tuple[str, Strategy]] = field(default_factory=list)
    digests: tuple[str, ...] | None = None
    revisions: dict[str, RevisionState] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.primary = self.attempts[0]

    def live(self, target: EcsTarget) -> LiveService:
        return LiveService(
            service_arn=SERVICE_ARN,
            revision_arn=self.primary.revision_arn,
            image_uri=self.images[self.primary.revision_arn],
            architecture="ARM64",
            desired_count=2,
            target_group_arn=TARGET_GROUP,
            base_url=None,
            is_registered=self._is_registered(self.primary.revision_arn),
        ).model_copy(update=self.changes)

    def revision(self, revision_arn: str) -> Revision:
        state = self.revisions.get(revision_arn, RevisionState.REGISTERED)
        return Revision(arn=revision_arn, state=state)

    def _is_registered(self, revision_arn: str) -> bool:
        return self.revision(revision_arn).state is RevisionState.REGISTERED

    def rollout(self, target: EcsTarget, revision_arn: str) -> Rollout:
        mine = [one for one in self.attempts if one.revision_arn == revision_arn]
        image = self.images.get(revision_arn, "")
        newest = mine[0] if mine else Attempt("", revision_arn, RolloutState.ABSENT)
        live = (self.primary.revision_arn, self.primary.state)
        known = (image.rpartition("@")[2],) if newest.state is RolloutState.COMPLETED else ()
        return Rollout(
            primary_deployment_id=self.primary.ecs_id,
            primary_revision_arn=self.primary.revision_arn,
            state=newest.state,
            told=newest.told,
            reason=newest.reason,
            digests=known if self.digests is None else self.digests,
            desired_count=2,
            running_count=2 if live == (revision_arn, RolloutState.COMPLETED) else 1,
            events=("(service notes) has begun draining",),
        )

    def update(self, target: EcsTarget, revision_arn: str, strategy: Strategy) -> None:
        if self.primary.revision_arn == revision_arn:
            return
        if not self._is_registered(revision_arn):
            raise Broken(Reason.AWS_REFUSED, "UpdateService: TaskDefinition is inactive")
        attempt = Attempt(f"ecs-svc/{len(self.attempts) + 1}", revision_arn, RolloutState.UNDERWAY)
        self.attempts.insert(0, attempt)
        self.primary = attempt
        self.updates.append((revision_arn, strategy))

    def complete(self) -> None:
        """ECS ends the newest rollout well."""
        if self.primary.state is RolloutState.UNDERWAY:
            self.primary.state = RolloutState.COMPLETED

    def give_up(self, told: str, reason: Reason = Reason.CIRCUIT_BREAKER_TRIPPED) -> None:
        """ECS ends the newest rollout by itself and goes back to the last that was completed."""
        lost = self.primary
        lost.state, lost.told, lost.reason = RolloutState.GIVEN_UP, told, reason
        before = next(one for one in self.attempts if one.state is RolloutState.COMPLETED)
        self.primary = Attempt(f"{lost.ecs_id}-back", before.revision_arn, RolloutState.COMPLETED)


@dataclass
class Registry(StubRegistry):
    """A registry that also remembers when something was pushed."""

    pushes: list[Release] = field(default_factory=list)

    def tagged(self, repository: str) -> list[Release]:
        return [push for push in self.pushes if push.repository == repository]


@dataclass
class Executions(InMemoryExecutions):
    """Executions, running or not."""

    def known(self, deployment_id: str) -> bool:
        return deployment_id in self.started


class Crash(Exception):
    """The function died: what it had done stays done, its answer is lost."""


class Crashes:
    """Counts the calls to the outside; dies once, just before or just after one of them.

    ``at`` is the call's number or its name, such as "Service.update".
    """

    def __init__(self, at: int | str | None = None, *, after: bool = False) -> None:
        self.calls: list[str] = []
        self._at, self._after = at, after

    def around(self, port: object) -> Any:
        """The port with every call counted."""
        return _Watched(port, self)

    def call(self, name: str, call: Callable[[], Any]) -> Any:
        """One call to the outside."""
        self.calls.append(name)
        fatal = self._at in (len(self.calls) - 1, name)
        if fatal and not self._after:
            raise Crash(f"just before {name}")
        answer = call()
        if fatal:
            raise Crash(f"just after {name}")
        return answer


class _Watched:
    def __init__(self, port: object, crashes: Crashes) -> None:
        self._port, self._crashes = port, crashes

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        label = f"{type(self._port).__name__}.{name}"
        return lambda *args, **named: self._crashes.call(label, lambda: method(*args, **named))


class World:
    """Everything that a step is called with. ``version 1`` serves, version 2 is pushed."""

    def __init__(
        self,
        settings: Environment | None = None,
        *,
        pushed: Image | None = None,
        last_good: Stable | None = None,
    ) -> None:
        self.now = START
        self.settings = settings or environment()
        self.records = InMemoryRecords()
        self.service = Service()
        self.revisions = InMemoryRevisions(images=self.service.images)
        self.one_offs = InMemoryOneOffs()
        self.databases = InMemoryDatabases(known=frozenset({DATABASE}))
        self.database_states = StubDatabaseStates()
        self.restores = RestoresByKind()
        self.alarms = StubAlarms()
        self.executions = Executions()
        self.announcements = InMemoryAnnouncements()
        self.balancers = StubLoadBalancers(url=URL, registered=(healthy(1), healthy(2)))
        self.website = StubWebsite()
        self.answer_as("2.0.0")
        self.pushed = pushed or image()
        new, old = self.pushed, image(OLD)
        self.registry = Registry(
            images={(REPOSITORY, ref): new for ref in ("v2", new.digest)}
            | {(REPOSITORY, OLD): old},
            scans={NEW: Scan(status="COMPLETE", findings={})},
        )
        self.catalog = _catalog(self.settings)
        self.crashes = Crashes()
        self.deployment_id = "notes-staging-1"
        lane = Lane(application="notes", environment="staging", stable=last_good or stable())
        self.records.write([lane])

    def port(self, name: str) -> Any:
        """One of the ports as a step gets it."""
        return self.crashes.around(getattr(self, name))

    def ports(self, *names: str) -> dict[str, Any]:
        """Keyword arguments for a step."""
        journal = Journal(self.port("records"), self.now)
        return {name: self.port(name) for name in names} | {"journal": journal}

    # What is in the record.

    @property
    def deployment(self) -> Deployment:
        return self.records.deployment(self.deployment_id)

    @property
    def lane(self) -> Lane:
        return self.records.lane("notes", "staging")

    @property
    def evidence(self) -> list[Evidence]:
        return self.records.evidence(self.deployment_id)

    @property
    def told(self) -> list[str]:
        """What the record says, by the name of each entry."""
        return [entry.what for entry in self.evidence]

    def chain_errors(self) -> list[str]:
        return chain_errors(self.deployment, self.evidence)

    def rewrite(self, **changes: Any) -> None:
        """Write the deployment's record as a test needs it."""
        self.records.write([self.deployment.model_copy(update=changes)])

    def rewrite_plan(self, plan: Plan) -> None:
        """Put another plan in the place of the one that is written once."""
        self.records._stored["plan", self.deployment_id] = plan.sealed().text

    def rewrite_lane(self, **changes: Any) -> None:
        """Write the lane as a test needs it."""
        self.records.write([self.lane.model_copy(update=changes)])

    # What the world does in its own time.

    def wait(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    def answer_as(self, version: str, status: int = 200) -> None:
        """The service answers /health like this."""
        url, body = f"{URL}/health", f'{{"version": "{version}"}}'
        self.website.answers[url] = HttpAnswer(url=url, status=status, body=body)

    def task_ends(
        self,
        what: str,
        exit_code: int | None = 0,
        *log: str,
        reason: str = "",
        began: bool | None = None,
        leftover: bool = False,
    ) -> None:
        """A one-off task (``migrate``, ``current``, ``downgrade``) ends.

        Without an exit code its command has never begun, unless ``began`` says that it may have.
        With ``leftover`` another container of the task runs on.
        """
        arn = self.one_offs.tasks[f"slipway/{what}/{self.deployment_id}"]
        self.one_offs.logs[arn] = log
        self.one_offs.seen[arn] = OneOff(
            task_arn=arn,
            stopped=not leftover,
            exit_code=exit_code,
            reason=reason,
            leftover=leftover,
            never_ran=exit_code is None and not began,
        )

    def snapshot_ends(self) -> None:
        self.databases.finish(f"slipway-{self.deployment_id}", self.now)

    def everything_ends_well(self) -> None:
        """What was started comes to its good end."""
        self.service.complete()
        for name, snapshot in self.databases.snapshots.items():
            if snapshot.state is SnapshotState.UNDERWAY:
                self.databases.finish(name, self.now)
        for arn in self.one_offs.tasks.values():
            self.one_offs.seen.setdefault(
                arn, OneOff(task_arn=arn, stopped=True, exit_code=0, reason="")
            )

    # The steps.

    def admit(self, wanted: wishing.Wish | None = None) -> admitting.AdmitResult:
        ports = self.ports("registry", "executions", "announcements")
        return admitting.admit(wanted or wish(), catalog=self.catalog, **ports)

    def plan(self) -> planning.PlanResult:
        ports = self.ports("registry", "services", "balancers", "database_states")
        return planning.plan(self._request(planning.PlanRequest), catalog=self.catalog, **ports)

    def check(self) -> StepResult:
        request = self._request(checking.CheckRequest, scanned_image=f"{REPOSITORY}@{NEW}")
        return checking.check(request, **self.ports("registry", "alarms", "website"))

    def approve(self) -> StepResult:
        return approving.approve(self._request(approving.ApproveRequest), **self.ports())

    def enter(self) -> StepResult:
        ports = self.ports("executions", "announcements")
        return entering.enter(self._request(entering.EnterRequest), **ports)

    def backup(self) -> StepResult:
        ports = self.ports("databases")
        return backing_up.backup(self._request(backing_up.BackupRequest), **ports)

    def migrate(self) -> StepResult:
        ports = self.ports("services", "revisions", "one_offs")
        return migrating.migrate(self._request(migrating.MigrateRequest), **ports)

    def deploy(self) -> StepResult:
        ports = self.ports("services", "revisions", "rollouts")
        request = self._request(deploying.DeployRequest, service_arn=SERVICE_ARN)
        return deploying.deploy(request, **ports)

    def verify(self, of: str = "release") -> StepResult:
        request = self._request(verifying.VerifyRequest, of=verifying.Subject(of))
        ports = self.ports("services", "balancers", "alarms", "website")
        return verifying.verify(request, **ports)

    def rollback(self) -> StepResult:
        request = self._request(rolling_back.RollbackRequest, service_arn=SERVICE_ARN)
        ports = self.ports("services", "revisions", "rollouts", "one_offs")
        return rolling_back.rollback(request, restores=self.restores, **ports)

    def settle(
        self, *, cause: Caught | None = None, failure: Caught | None = None
    ) -> settling.SettleResult:
        request = self._request(settling.SettleRequest, cause=cause, failure=failure)
        return settling.settle(request, **self.ports("announcements"))

    def decide(self, answer: Answer, by: str = "ada", comment: str = "") -> None:
        """A person decides, as the approval page would write it."""
        approval = self.records.approval(self.deployment_id)
        assert approval is not None
        decision = Decision(answer=answer, by=by, at=self.now, comment=comment)
        self.records.write([approval.decided(decision)])

    # ECS is read and changed through one object here.

    @property
    def services(self) -> Service:
        return self.service

    @property
    def rollouts(self) -> Service:
        return self.service

    def _request(self, kind: type[Any], **more: Any) -> Any:
        return kind(deployment_id=self.deployment_id, lane="notes/staging", **more)

    # How far a story has come.

    def entered(self) -> "World":
        """Admitted, planned and in the lane."""
        self.admit()
        self.plan()
        assert self.enter().done
        return self

    def backed_up(self) -> "World":
        self.entered()
        self.backup()
        self.snapshot_ends()
        assert self.backup().done
        return self

    def migrated(self) -> "World":
        self.backed_up()
        self.migrate()
        self.task_ends("migrate")
        assert self.migrate().done
        return self

    def deployed(self) -> "World":
        self.migrated()
        self.deploy()
        self.service.complete()
        assert self.deploy().done
        return self

    def entered_and_deployed(self) -> "World":
        """As deployed(), for an environment without migration."""
        self.entered()
        self.deploy()
        self.service.complete()
        assert self.deploy().done
        return self

    def verified(self) -> "World":
        self.deployed()
        assert self.verify().done
        return self


def healthy(number: int) -> RegisteredTarget:
    """A target that the load balancer likes."""
    address = f"10.0.0.{number}:8000"
    return RegisteredTarget(address=address, health=TargetHealth.HEALTHY, told="healthy", reason="")


def _catalog(settings: Environment) -> Catalog:
    elsewhere = settings.target.model_copy(update={"cluster": "production"})
    production = settings.model_copy(update={"after": "staging", "target": elsewhere})
    environments = {"staging": settings, "production": production}
    notes = Application(application="notes", environments=environments)
    return Catalog(applications={"notes": notes})


def admitted(world: World | None = None) -> World:
    """The world once its release was asked for."""
    world = world or World()
    world.admit()
    return world


def rejected(step: Callable[[], object]) -> tuple[Reason, str]:
    """With what the step refuses."""
    with pytest.raises(Rejected) as refused:
        step()
    return refused.value.reason, refused.value.message


def caught(state: str, error: str, cause: str) -> Caught:
    """What a Catch of the state machine hands on."""
    return Caught(state=state, error=error, cause=cause)
