"""One attempt to put a release on a lane: where it stands, what is known of it, how it ended."""

import json
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

from pydantic import Field

from slipway.domain.errors import Broken, Reason, Rejected, Transient
from slipway.domain.lane import Stable
from slipway.domain.model import Model, Versioned
from slipway.domain.plan import Plan
from slipway.domain.redaction import kept
from slipway.domain.release import Release
from slipway.domain.start import Start
from slipway.domain.text import cut, storable


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


class Outcome(StrEnum):
    """How a deployment ended."""

    SUCCEEDED = "Succeeded"
    ROLLED_BACK = "RolledBack"
    ROLLBACK_FAILED = "RollbackFailed"
    NEEDS_OPERATOR = "NeedsOperator"
    FAILED = "Failed"
    REJECTED = "Rejected"
    EXPIRED = "Expired"
    SUPERSEDED = "Superseded"
    BLOCKED = "Blocked"
    CANCELLED = "Cancelled"
    UNCHANGED = "Unchanged"

    @property
    def holds_the_lane(self) -> bool:
        """Whether automation stops on the lane after this end."""
        return self in _HOLDING


# How long a function may run: Globals.Function.Timeout of template.yaml. Stopping an execution does
# not stop the function that it has just invoked.
LONGEST_FUNCTION: Final = timedelta(seconds=60)

# How Step Functions reports a function that ran into its time limit or was killed for its memory.
LOOK_DIED: Final = frozenset(
    {"Lambda.Unknown", "Runtime.ExitError", "Runtime.OutOfMemory", "Sandbox.Timedout"}
)

_HOLDING: Final = frozenset({Outcome.ROLLED_BACK, Outcome.ROLLBACK_FAILED, Outcome.NEEDS_OPERATOR})

# Step Functions hands on 32 KB of a cause; what fails often quotes a log.
_CAUSE_READ: Final = 40_000
# Long enough for our own sentences with the commands in them, short for what others write.
_MESSAGE_KEPT: Final = 2000
_WORD_KEPT: Final = 100

# From here on the user's systems may have changed, and a failure has to be taken back.
CHANGING_PHASES: Final = frozenset(
    {Phase.MIGRATING, Phase.DEPLOYING, Phase.VERIFYING, Phase.ROLLING_BACK}
)

_REJECTIONS: Final = {
    Reason.SUPERSEDED: Outcome.SUPERSEDED,
    Reason.APPROVAL_REJECTED: Outcome.REJECTED,
    Reason.APPROVAL_EXPIRED: Outcome.EXPIRED,
    Reason.CANCELLED: Outcome.CANCELLED,
    Reason.UNCHANGED: Outcome.UNCHANGED,
}


class Origin(StrEnum):
    """What asked for a deployment."""

    PUSH = "push"
    PROMOTION = "promotion"
    REQUEST = "request"
    SWEEP = "sweep"


class Progress(Model):
    """What is known to have been started or finished.

    Recovery reads it to find what an earlier try started, then looks at the cloud. Each field is
    written once, but for those of one verification's looks (``was_emptied``: the service wanted no
    task, and has not been judged since) or a task's tries, ``awaited``:
    what a wait for the lane is for, ``snapshot_put_off_by``: why RDS takes no snapshot for now, and
    ``acting``: since when calls that change something are under way.

    A ``..._start`` is None where an older Slipway has asked for the task: then it may have run.
    """

    acting: tuple[datetime, ...] = ()
    ending_since: datetime | None = None
    awaited: str | None = None
    snapshot_id: str | None = None
    snapshot_requested_at: datetime | None = None
    snapshot_put_off_by: str | None = None
    snapshot_available_at: datetime | None = None
    revision_requested_at: datetime | None = None
    revision_arn: str | None = None
    migration_requested_at: datetime | None = None
    migration_start: Start | None = None
    migration_task_arn: str | None = None
    migration_ended_at: datetime | None = None
    migrated_at: datetime | None = None
    deploy_requested_at: datetime | None = None
    ecs_deployment_id: str | None = None
    failed_looks: int = 0
    found_wanting: str | None = None
    healthy_since: datetime | None = None
    moving_since: datetime | None = None
    was_emptied: bool = False
    verified_at: datetime | None = None
    current_requested_at: datetime | None = None
    current_start: Start | None = None
    current_task_arn: str | None = None
    current_ended_at: datetime | None = None
    schema_unmoved_at: datetime | None = None
    downgrade_requested_at: datetime | None = None
    downgrade_start: Start | None = None
    downgrade_task_arn: str | None = None
    downgrade_ended_at: datetime | None = None
    downgraded_at: datetime | None = None
    way_back_requested_at: datetime | None = None
    way_back_arn: str | None = None
    rollback_requested_at: datetime | None = None
    rolled_back_at: datetime | None = None

    @property
    def migration_began(self) -> bool:
        """Whether the migration may have run: it was asked for, and nothing proves the contrary."""
        return _may_have_begun(self.migration_requested_at, self.migration_start)

    @property
    def migrating(self) -> bool:
        """Whether a migration may be at work: it may have begun and was not seen to end.

        An older Slipway recorded the end of a success only.
        """
        ended = self.migration_ended_at or self.migrated_at
        return self.migration_began and ended is None

    @property
    def downgrading(self) -> bool:
        """Whether a downgrade may be at work; as with ``migrating``."""
        ended = self.downgrade_ended_at or self.downgraded_at
        began = _may_have_begun(self.downgrade_requested_at, self.downgrade_start)
        return began and ended is None


def _may_have_begun(requested_at: datetime | None, start: Start | None) -> bool:
    return requested_at is not None and (start is None or not start.nothing_began)


class Failure(Model):
    """What a state ended with: its name, the error class and the sentence behind it."""

    state: str
    error: str
    reason: str
    message: str

    @classmethod
    def parsed(cls, state: str, error: str, cause: str) -> Self:
        """A failure as Step Functions hands it on.

        ``cause`` is "Reason: message" when a step refused by token, and the Lambda runtime's JSON
        with the same words in ``errorMessage`` when it raised. A function that died says no reason:
        the state machine hands it on when three looks have ended so.
        """
        # Settle must read any text: ValueError covers broken JSON and numbers of absurd length.
        cause = cause[:_CAUSE_READ]
        with suppress(ValueError, RecursionError, AttributeError):
            cause = str(json.loads(cause).get("errorMessage", cause))
        cause = storable(cause)
        reason, colon, message = cause.partition(": ")
        if error in LOOK_DIED:
            reason = Reason.LOOK_ENDLESS
            message = f"Three looks of {state} did not finish: {cause or error}"
        elif not colon or reason not in set(Reason):
            reason, message = Reason.INTERNAL_ERROR, cause
        return cls(
            state=cut(storable(state), _WORD_KEPT),
            error=cut(storable(error), _WORD_KEPT),
            reason=reason,
            message=kept(message, _MESSAGE_KEPT),
        )


class Deployment(Versioned):
    """The record of one attempt; ``evidence_hash`` is the head of its evidence chain."""

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
    plan: Plan | None = None
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

    @property
    def lane_id(self) -> str:
        """The lane that this deployment wants to change."""
        return f"{self.application}/{self.environment}"

    def at(self, phase: Phase) -> "Deployment":
        """The deployment in this phase; reaching it is news."""
        if self.phase is phase:
            return self
        return self.model_copy(update={"phase": phase, "is_news": True})

    def knowing(self, **facts: Any) -> "Deployment":
        """The deployment with these fields of its progress set; texts are bounded."""
        kept = {
            name: cut(storable(fact), _MESSAGE_KEPT) if isinstance(fact, str) else fact
            for name, fact in facts.items()
        }
        progress = self.progress.model_copy(update=kept)
        return self.model_copy(update={"progress": progress})

    @property
    def has_changed(self) -> bool:
        """Whether something of the user's may have changed: the intents are written before.

        A migration that provably never ran has changed nothing.
        """
        return self.progress.migration_began or self.progress.deploy_requested_at is not None

    def acting(self, now: datetime) -> "Deployment":
        """The deployment just before a call that changes something."""
        recent = [since for since in self.progress.acting if now - since < LONGEST_FUNCTION]
        return self.knowing(acting=(*recent, now))

    def acted(self, began: datetime) -> "Deployment":
        """The deployment once AWS has answered the call that ``began`` then."""
        others = list(self.progress.acting)
        if began in others:
            others.remove(began)
        return self.knowing(acting=tuple(others))

    def refuse_while_acting(self, now: datetime) -> None:
        """Raise Transient while a call that changes something may be on its way.

        A call whose function has died or hangs is not answered on record; only time tells that it
        can come no more.
        """
        if any(now - since < LONGEST_FUNCTION for since in self.progress.acting):
            message = f"A call of {self.deployment_id} may still be on its way."
            raise Transient(Reason.WAITING, message)

    @property
    def goes_back_to(self) -> Stable | None:
        """The rollback target, with the revision that was registered anew for it."""
        target, arn = self.rollback_target, self.progress.way_back_arn
        return target.model_copy(update={"revision_arn": arn}) if target and arn else target

    @property
    def may_be_migrating(self) -> bool:
        """Whether a task that changes the schema was asked for and was not seen to end."""
        return self.progress.migrating or self.progress.downgrading

    @property
    def migrated_database(self) -> str | None:
        """The name under which its migration excludes others; None when it migrates nothing."""
        if self.plan is None or not self.plan.needs_migration:
            return None
        return self.plan.settings.database_id(self.lane_id)

    def planned(self) -> Plan:
        """The plan; Broken when a step runs before Plan."""
        if self.plan is None:
            raise Broken(Reason.INTERNAL_ERROR, f"{self.deployment_id} has no plan yet.")
        return self.plan

    def refuse_when_ended(self) -> None:
        """Raise Rejected when the deployment has ended or is about to: nothing is done for it."""
        if self.outcome is not None:
            raise Rejected(
                Reason.DEPLOYMENT_STOPPED, f"{self.deployment_id} has ended: {self.outcome}."
            )
        if self.progress.ending_since is not None:
            raise Rejected(Reason.DEPLOYMENT_STOPPED, f"{self.deployment_id} is ending.")

    def refuse_to_go_forward(self) -> None:
        """Raise Rejected when the deployment has ended or goes back.

        A look that outlived its state must not put a release forward that is being taken away.
        """
        self.refuse_when_ended()
        if self.phase is Phase.ROLLING_BACK:
            raise Rejected(
                Reason.DEPLOYMENT_STOPPED, f"{self.deployment_id} is already rolling back."
            )

    def refuse_to_continue(self) -> None:
        """Raise Rejected when the deployment may not go forward or a person cancelled it."""
        self.refuse_to_go_forward()
        if self.cancel_requested_by is not None:
            raise Rejected(Reason.CANCELLED, f"Cancelled by {self.cancel_requested_by}.")


def outcome_of(failure: Failure | None, cause: Failure | None, *, changed: bool) -> Outcome:
    """How the deployment ended.

    ``failure`` is what ended it and ``cause`` what made it roll back; ``changed`` tells whether
    something of the user's may have changed.
    """
    if failure is None:
        return Outcome.ROLLED_BACK if cause is not None else Outcome.SUCCEEDED
    if failure.error == Rejected.__name__ and not changed:
        return _rejection(failure.reason)
    if not changed:
        return Outcome.FAILED
    if failure.error == Broken.__name__ or cause is None:
        return Outcome.NEEDS_OPERATOR
    return Outcome.ROLLBACK_FAILED


def _rejection(reason: str) -> Outcome:
    known = {str(key): outcome for key, outcome in _REJECTIONS.items()}
    return known.get(reason, Outcome.BLOCKED)
