"""Services, revisions, rollouts and one-off tasks in memory; load balancers as told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from slipway.domain.errors import Broken, Reason, Transient
from slipway.domain.plan import LiveService
from slipway.domain.preflight import Revision, RevisionState
from slipway.domain.routing import Front, Listener, Rule
from slipway.domain.strategy import Strategy
from slipway.domain.target import EcsTarget
from slipway.domain.verdict import RegisteredTarget, Rollout
from slipway.ports.targets import OneOff


@dataclass
class StubServices:
    """``service`` is what runs; ``rollouts`` are answered in turn, the last one for good."""

    service: LiveService | None = None
    rollouts: list[Rollout] = field(default_factory=list)

    def live(self, target: EcsTarget) -> LiveService:
        if self.service is None:
            raise Broken(Reason.SERVICE_UNAVAILABLE, f"The service '{target.service}' is missing.")
        return self.service

    def revision(self, revision_arn: str) -> Revision:
        return Revision(arn=revision_arn, state=RevisionState.REGISTERED)

    def rollout(self, target: EcsTarget, revision_arn: str) -> Rollout:
        return self.rollouts.pop(0) if len(self.rollouts) > 1 else self.rollouts[0]


@dataclass
class InMemoryRevisions:
    """Revisions by the deployment that registered them; ``images`` by revision ARN."""

    registered: dict[str, str] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)

    def find(self, base_arn: str, deployment_id: str) -> str | None:
        return self.registered.get(deployment_id)

    def register(
        self, base_arn: str, container: str, image_uri: str, deployment_id: str, fencing: int
    ) -> str:
        family, number = base_arn.rsplit(":", 1)
        arn = f"{family}:{int(number) + len(self.images) + 1}"
        self.registered[deployment_id], self.images[arn] = arn, image_uri
        return arn

    def register_again(self, revision_arn: str, name: str, fencing: int) -> str:
        return self.register(revision_arn, "", self.images[revision_arn], name, fencing)


@dataclass
class InMemoryRollouts:
    """The revision that the service was last pointed at; ``updates`` counts the changes."""

    primary: str = ""
    updates: list[tuple[str, Strategy]] = field(default_factory=list)

    def update(self, target: EcsTarget, revision_arn: str, strategy: Strategy) -> None:
        if self.primary != revision_arn:
            self.primary = revision_arn
            self.updates.append((revision_arn, strategy))


@dataclass
class InMemoryOneOffs:
    """Tasks by ``started_by``, started once each; ``seen`` and ``logs`` say how a task does.

    ``refusals`` are what ECS answers to the next tries, in turn; ``attempts`` are those made.
    """

    tasks: dict[str, str] = field(default_factory=dict)
    commands: dict[str, tuple[str, ...]] = field(default_factory=dict)
    seen: dict[str, OneOff] = field(default_factory=dict)
    logs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    refusals: list[Broken | Transient] = field(default_factory=list)
    attempts: list[tuple[str, int]] = field(default_factory=list)

    def run(
        self,
        target: EcsTarget,
        revision_arn: str,
        command: Sequence[str],
        started_by: str,
        attempt: int = 0,
    ) -> str:
        if started_by in self.tasks:
            return self.tasks[started_by]
        self.attempts.append((started_by, attempt))
        if self.refusals:
            raise self.refusals.pop(0)
        arn = f"arn:aws:ecs:us-east-1:000000000000:task/{target.cluster}/{started_by}"
        self.tasks[started_by], self.commands[started_by] = arn, tuple(command)
        return arn

    def find(self, target: EcsTarget, revision_arn: str, started_by: str) -> str | None:
        return self.tasks.get(started_by)

    def running(self, target: EcsTarget, task_arn: str) -> bool:
        return not self.look(target, task_arn).ended

    def look(self, target: EcsTarget, task_arn: str) -> OneOff:
        running = OneOff(task_arn=task_arn, stopped=False, exit_code=None, reason="RUNNING")
        return self.seen.get(task_arn, running)

    def log_tail(self, target: EcsTarget, revision_arn: str, task_arn: str) -> tuple[str, ...]:
        return self.logs.get(task_arn, ())

    def stop(self, target: EcsTarget, task_arn: str, why: str) -> None:
        self.stopped.append(task_arn)
        seen = self.look(target, task_arn)
        self.seen[task_arn] = seen.model_copy(update={"stopped": True, "leftover": False})


@dataclass
class StubLoadBalancers:
    """``url`` is where every target group is reached, ``in_front`` what is said in its place.

    ``groups`` holds the targets of single target groups, by ARN; all others have ``registered``.
    """

    url: str | None = None
    registered: tuple[RegisteredTarget, ...] = ()
    in_front: tuple[Front, ...] | None = None
    groups: dict[str, tuple[RegisteredTarget, ...]] = field(default_factory=dict)

    def fronts(self, target_group_arns: Sequence[str]) -> tuple[Front, ...]:
        if self.in_front is not None or self.url is None:
            return self.in_front or ()
        parts = urlsplit(self.url)
        rule = Rule(leads_to_us=True, does="forwards to notes")
        listener = Listener(protocol="HTTP", port=parts.port or 80, rules=(rule,))
        name = parts.hostname or ""
        front = Front(
            name=name, dns_name=name, kind="application", internal=False, listeners=(listener,)
        )
        return (front,)

    def targets(self, target_group_arn: str) -> tuple[RegisteredTarget, ...]:
        return self.groups.get(target_group_arn, self.registered)
