"""What runs a release: looking, registering, changing and running once are four rights."""

from collections.abc import Sequence
from typing import Protocol

from slipway.domain.model import Model
from slipway.domain.plan import LiveService
from slipway.domain.preflight import Revision
from slipway.domain.strategy import Strategy
from slipway.domain.target import DeployTarget
from slipway.domain.verdict import Rollout


class OneOff(Model):
    """A one-off task as ECS reports it.

    ``stopped`` says that the whole task is over, ``leftover`` that its command is while the rest is
    meant to run on. ``exit_code`` is None as long as ECS knows none, ``reason`` is in ECS's own
    words. ``never_ran`` is ECS's word for it that the command has not begun; without it a command
    without an exit code may have run.
    """

    task_arn: str
    stopped: bool
    exit_code: int | None
    reason: str
    leftover: bool = False
    never_ran: bool = False

    @property
    def ended(self) -> bool:
        """Whether the command is over, whatever else of the task is still running."""
        return self.stopped or self.leftover


class Services(Protocol):
    """ECS services, read only."""

    def live(self, target: DeployTarget) -> LiveService:
        """The service as it runs, without its address; Broken when it is missing or not ACTIVE."""
        ...

    def revision(self, revision_arn: str) -> Revision:
        """Whether a task definition revision can still be used, or registered again."""
        ...

    def rollout(self, target: DeployTarget, revision_arn: str) -> Rollout:
        """How the service's PRIMARY deployment does, and what became of this revision.

        One call while a rollout is in progress; three, with digests, when it has ended.
        """
        ...


class Revisions(Protocol):
    """ECS task definition revisions."""

    def find(self, base_arn: str, deployment_id: str) -> str | None:
        """The revision that an earlier try registered for this deployment, by its tag."""
        ...

    def register(
        self, base_arn: str, container: str, image_uri: str, deployment_id: str, fencing: int
    ) -> str:
        """A new revision like the base with another image in one container; its ARN.

        RegisterTaskDefinition has no client token: after a lost response use find().
        """
        ...

    def register_again(self, revision_arn: str, name: str, fencing: int) -> str:
        """A new revision like a deregistered one, to be found by this name; its ARN.

        Broken(NothingToRollBackTo) when it is deleted.
        """
        ...


class Rollouts(Protocol):
    """The one right to change what an ECS service runs."""

    def update(self, target: DeployTarget, revision_arn: str, strategy: Strategy) -> None:
        """Point the service at a revision, unless its PRIMARY deployment already has it."""
        ...


class OneOffs(Protocol):
    """One-off ECS tasks."""

    def run(
        self,
        target: DeployTarget,
        revision_arn: str,
        command: Sequence[str],
        started_by: str,
        attempt: int = 0,
    ) -> str:
        """Start a task as the service's own tasks are, once per ``started_by``; its ARN.

        After any answer but the ARN, nothing was started: Transient(CapacityUnavailable) when ECS
        has no room for now, Broken when it refuses. Every other Transient leaves that open. A new
        ``attempt`` may be counted once every earlier one was answered.
        """
        ...

    def find(self, target: DeployTarget, revision_arn: str, started_by: str) -> str | None:
        """The ARN of the task that an earlier try started, running or just stopped."""
        ...

    def running(self, target: DeployTarget, task_arn: str) -> bool:
        """Whether the command may be at work; False for a task that ECS no longer knows."""
        ...

    def look(self, target: DeployTarget, task_arn: str) -> OneOff:
        """How the task does."""
        ...

    def log_tail(self, target: DeployTarget, revision_arn: str, task_arn: str) -> tuple[str, ...]:
        """The last lines of the command, oldest first: 20 at most, plain, without secrets.

        Never an error: a log that cannot be read is one line that says so.
        """
        ...

    def stop(self, target: DeployTarget, task_arn: str, why: str) -> None:
        """End what still runs of a task; asking again is harmless."""
        ...
