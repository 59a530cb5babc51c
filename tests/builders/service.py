"""An ECS service that behaves: its rollouts are told, and end when a test says so."""

from dataclasses import dataclass, field
from typing import Any

from slipway.domain.errors import Broken, Reason
from slipway.domain.plan import LiveService
from slipway.domain.preflight import Revision, RevisionState
from slipway.domain.strategy import Strategy
from slipway.domain.target import EcsTarget
from slipway.domain.verdict import Rollout, RolloutState
from tests.builders.documents import FIRST_REVISION, OLD, REGISTRY, SERVICE_ARN, TARGET_GROUP


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
