"""A small world for the steps: one application, an ECS service that behaves, time that is moved."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from slipway.adapters.databases import RestoresByKind
from slipway.domain.approval import Answer, Decision
from slipway.domain.catalog import Application, Catalog, Environment
from slipway.domain.deployment import Deployment
from slipway.domain.errors import Reason, Rejected
from slipway.domain.evidence import Evidence, chain_errors
from slipway.domain.gates import Scan
from slipway.domain.lane import Lane, Stable
from slipway.domain.plan import Plan
from slipway.domain.release import Image, Release
from slipway.domain.verdict import HttpAnswer
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
from tests.builders.crashes import Crashes
from tests.builders.documents import (
    DATABASE,
    NEW,
    OLD,
    REPOSITORY,
    SERVICE_ARN,
    START,
    URL,
    environment,
    healthy,
    image,
    stable,
    wish,
)
from tests.builders.fakes.control import InMemoryAnnouncements, InMemoryExecutions
from tests.builders.fakes.databases import InMemoryDatabases, StubDatabaseStates
from tests.builders.fakes.observation import StubAlarms, StubWebsite
from tests.builders.fakes.records import InMemoryRecords
from tests.builders.fakes.registry import StubRegistry
from tests.builders.fakes.targets import InMemoryOneOffs, InMemoryRevisions, StubLoadBalancers
from tests.builders.service import Service


@dataclass
class Registry(StubRegistry):
    """A registry that also remembers when something was pushed."""

    pushes: list[Release] = field(default_factory=list)

    def tagged(self, repository: str) -> list[Release]:
        return [push for push in self.pushes if push.repository == repository]


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
        self.executions = InMemoryExecutions()
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

    def planned(self) -> "World":
        """Admitted and planned."""
        self.admit()
        self.plan()
        return self

    def entered(self) -> "World":
        """Admitted, planned and in the lane."""
        self.planned()
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
