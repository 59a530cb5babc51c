"""One attempt to put a release on a lane: where it stands, what is known of it, how it ended."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import Field, model_validator

from slipway.domain import older
from slipway.domain.effect import Effect
from slipway.domain.errors import Broken, Reason, Rejected, Transient
from slipway.domain.failure import Failure
from slipway.domain.lane import Stable
from slipway.domain.model import Versioned
from slipway.domain.outcome import Outcome
from slipway.domain.plan import Plan
from slipway.domain.progress import Looks, Progress, SchemaWork, ServiceProgress
from slipway.domain.release import Release


class Phase(StrEnum):
    """Where a deployment stands."""

    PLANNING = "Planning"
    AWAITING_APPROVAL = "AwaitingApproval"
    AWAITING_LANE = "AwaitingLane"
    BACKING_UP = "BackingUp"
    MIGRATING = "Migrating"
    DEPLOYING = "Deploying"
    VERIFYING = "Verifying"
    ROLLING_BACK = "RollingBack"
    SETTLED = "Settled"


# From here on the user's systems may have changed, and a failure has to be rolled back.
CHANGING_PHASES: Final = frozenset(
    {Phase.MIGRATING, Phase.DEPLOYING, Phase.VERIFYING, Phase.ROLLING_BACK}
)


class Origin(StrEnum):
    """What requested a deployment."""

    PUSH = "push"
    PROMOTION = "promotion"
    REQUEST = "request"
    SWEEP = "sweep"


class Deployment(Versioned):
    """The record of one attempt; ``evidence_hash`` is the head of its evidence chain.

    The plan is an item of its own, written once: it is there where the deployment was read with it.
    ``plan_hash`` is there as soon as it was made.
    """

    deployment_id: str
    application: str
    environment: str
    number: int
    origin: Origin
    requested_by: str
    requested_at: datetime
    explicit: bool = False
    schema_at: str | None = Field(
        default=None, description="where the database's schema is, as whoever asked for this says"
    )
    reason: str = Field(default="", description="what the person gave as the request's reason")
    release: Release
    phase: Phase = Phase.PLANNING
    progress: Progress = Progress()
    plan: Plan | None = Field(
        default=None, exclude=True, description="an item of its own; lists are read without"
    )
    plan_is_stored: bool = Field(default=False, exclude=True)
    plan_hash: str | None = None
    migrates: str | None = Field(
        default=None, description="the database that its migration keeps from others; set by Plan"
    )
    fencing: int | None = None
    rollback_target: Stable | None = None
    cancel_requested_by: str | None = None
    outcome: Outcome | None = None
    failure: Failure | None = None
    cause: Failure | None = None
    settled_at: datetime | None = None
    evidence_count: int = 0
    evidence_hash: str = ""
    is_news: bool = Field(
        default=False, exclude=True, description="this write is worth telling; never stored"
    )

    @model_validator(mode="before")
    @classmethod
    def _as_kept_now(cls, stored: Any) -> Any:
        """Slipway 0.1.0 stored other facts."""
        if isinstance(stored, dict) and isinstance(stored.get("release"), dict):
            return older.upgrade(stored) if older.is_older(stored) else stored
        return stored

    @property
    def lane_id(self) -> str:
        """The lane that this deployment wants to change."""
        return f"{self.application}/{self.environment}"

    def at(self, phase: Phase) -> "Deployment":
        """The deployment in this phase; reaching it is news."""
        if self.phase is phase:
            return self
        return self.model_copy(update={"phase": phase, "is_news": True})

    def planned_as(self, plan: Plan) -> "Deployment":
        """The deployment with its plan, sealed, but not yet stored."""
        database = plan.settings.database_id(self.lane_id) if plan.needs_migration else None
        planned = {"plan": plan, "plan_hash": plan.plan_hash, "migrates": database}
        return self.model_copy(update={**planned, "plan_is_stored": False})

    def read_with(self, plan: Plan | None) -> "Deployment":
        """The deployment with its plan as it was read from the record."""
        if plan is None:
            return self
        return self.model_copy(update={"plan": plan, "plan_is_stored": True})

    def stored(self) -> "Deployment":
        """The deployment just after it was written."""
        stored = {"version": self.version + 1, "is_news": False, "plan_is_stored": True}
        return self.model_copy(update=stored)

    def having(self, progress: Progress) -> "Deployment":
        """The deployment with this progress."""
        return self.model_copy(update={"progress": progress})

    def with_backup(self, database_id: str, backup: Effect) -> "Deployment":
        """The deployment with what is known of one database's snapshot."""
        return self.having(self.progress.with_backup(database_id, backup))

    def with_schema_task(self, work: SchemaWork, task: Effect) -> "Deployment":
        """The deployment with what is known of one task about the schema."""
        return self.having(self.progress.with_schema_task(work, task))

    def with_service(self, service: ServiceProgress) -> "Deployment":
        """The deployment with what is known of the service that runs it."""
        name = self.planned().settings.target.service
        return self.having(self.progress.with_service(name, service))

    def with_looks(self, looks: Looks) -> "Deployment":
        """The deployment after one more look of its verification."""
        return self.having(self.progress.with_looks(looks))

    @property
    def service(self) -> ServiceProgress:
        """What was done to the service that runs it."""
        return next(iter(self.progress.services.values()), ServiceProgress())

    @property
    def has_changed(self) -> bool:
        """Whether something of the user's may have changed: the intents are written before.

        A migration that provably never ran has changed nothing.
        """
        return self.progress.migration_began or self.progress.has_deployed

    def acting(self, now: datetime) -> "Deployment":
        """The deployment just before a call that changes something."""
        return self.having(self.progress.calling(now))

    def acted(self, began: datetime) -> "Deployment":
        """The deployment once AWS has answered the call that ``began`` then."""
        return self.having(self.progress.answered(began))

    def refuse_while_acting(self, now: datetime) -> None:
        """Raise Transient while a call that changes something may be on its way."""
        if self.progress.is_calling(now):
            message = f"A call of {self.deployment_id} may still be on its way."
            raise Transient(Reason.CALL_UNDER_WAY, message)

    @property
    def goes_back_to(self) -> Stable | None:
        """The rollback target, with the revision that was registered anew for it."""
        target = self.rollback_target
        again = self.service.return_revision
        arn = again.handle if again else None
        return target.model_copy(update={"revision_arn": arn}) if target and arn else target

    @property
    def may_be_migrating(self) -> bool:
        """Whether a task that changes the schema was requested and was not seen to end."""
        return self.progress.may_be_moving_the_schema

    def planned(self) -> Plan:
        """The plan; Broken when a step runs before Plan."""
        if self.plan is None:
            lacks = "has no plan yet" if self.plan_hash is None else "was read without its plan"
            raise Broken(Reason.INTERNAL_ERROR, f"{self.deployment_id} {lacks}.")
        return self.plan

    def refuse_when_ended(self) -> None:
        """Raise Rejected when the deployment has ended or is about to: nothing is done for it."""
        if self.outcome is not None:
            raise Rejected(
                Reason.DEPLOYMENT_ENDED, f"{self.deployment_id} has ended: {self.outcome}."
            )
        if self.progress.ending_since is not None:
            raise Rejected(Reason.DEPLOYMENT_ENDED, f"{self.deployment_id} is ending.")

    def refuse_to_go_forward(self) -> None:
        """Raise Rejected when the deployment has ended or is rolling back.

        A look that outlived its state must not put a release forward that is being taken away.
        """
        self.refuse_when_ended()
        if self.phase is Phase.ROLLING_BACK:
            raise Rejected(
                Reason.DEPLOYMENT_ENDED, f"{self.deployment_id} is already rolling back."
            )

    def refuse_to_continue(self) -> None:
        """Raise Rejected when the deployment may not go forward or a person cancelled it."""
        self.refuse_to_go_forward()
        if self.cancel_requested_by is not None:
            raise Rejected(Reason.CANCELLED, f"Cancelled by {self.cancel_requested_by}.")


def unstored_plans(documents: Iterable[Versioned]) -> list[Plan]:
    """The plans that have to be written with these documents, once."""
    deployments = [one for one in documents if isinstance(one, Deployment)]
    return [one.plan for one in deployments if one.plan and not one.plan_is_stored]
