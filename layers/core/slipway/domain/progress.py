"""What a deployment has started and finished so far: one effect for each call.

After a crash the next look reads it to find out what an earlier try may have started, and then
looks at the cloud for the rest.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from pydantic import Field

from slipway.domain.effect import Effect, bounded_words
from slipway.domain.model import Model

# How long a function may run: Globals.Function.Timeout of template.yaml. Stopping an execution does
# not stop the function that it has just invoked.
LONGEST_FUNCTION: Final = timedelta(seconds=60)


class SchemaWork(StrEnum):
    """What a one-off task does about the schema; the value is its word in the record."""

    UP = "migration"
    DOWN = "downgrade"
    CURRENT = "current"


class ServiceProgress(Model):
    """What was done to one service, forward and back.

    ``revision`` is the release's task definition revision and ``rollout`` its way into the service;
    ``return_revision`` is there where the last good one had to be registered again.
    """

    revision: Effect | None = None
    rollout: Effect | None = None
    return_revision: Effect | None = None
    rollback: Effect | None = None

    def with_revision(self, revision: Effect) -> Self:
        """The same with what is known of the release's revision."""
        return self.model_copy(update={"revision": revision})

    def with_rollout(self, rollout: Effect) -> Self:
        """The same with what is known of the rollout."""
        return self.model_copy(update={"rollout": rollout})

    def with_return_revision(self, revision: Effect) -> Self:
        """The same with what is known of the revision that was registered again to go back to."""
        return self.model_copy(update={"return_revision": revision})

    def with_rollback(self, rollback: Effect) -> Self:
        """The same with what is known of the way back."""
        return self.model_copy(update={"rollback": rollback})


class Looks(Model):
    """What the looks of one verification have seen; a rollback's begins with new ones.

    ``verdict`` is the sentence of the look that decided against it. ``was_emptied`` says that the
    service wanted no task, and has not been judged since.
    """

    failed: int = 0
    verdict: str | None = None
    healthy_since: datetime | None = None
    moving_since: datetime | None = None
    was_emptied: bool = False

    def wanting(self, verdict: str | None) -> Self:
        """After one more look that failed; ``verdict`` when it was the last one."""
        kept = verdict if verdict is None else bounded_words(verdict)
        return type(self)(failed=self.failed + 1, verdict=kept)

    def moving(self, since: datetime, healthy_since: datetime | None, *, emptied: bool) -> Self:
        """After a look at a world that moves, which says nothing about the release."""
        update = {"moving_since": since, "healthy_since": healthy_since, "was_emptied": emptied}
        return self.model_copy(update=update)

    def endless(self, verdict: str) -> Self:
        """After the world has moved for too long."""
        return self.model_copy(update={"verdict": bounded_words(verdict)})

    def healthy(self, since: datetime) -> Self:
        """After a look that found everything healthy, as it has been since then."""
        update = {"healthy_since": since, "moving_since": None, "was_emptied": False}
        return self.model_copy(update=update)


class Progress(Model):
    """What a deployment has done so far.

    ``backups`` are by database id, ``services`` by the service's name, ``schema`` by what the task
    does. ``acting`` says since when calls that change something are under way, ``awaited`` what a
    wait for the lane is for.
    """

    acting: tuple[datetime, ...] = ()
    ending_since: datetime | None = None
    awaited: str | None = None
    backups: dict[str, Effect] = Field(default={})
    schema_tasks: dict[SchemaWork, Effect] = Field(default={})
    schema_unmoved_at: datetime | None = None
    services: dict[str, ServiceProgress] = Field(default={})
    looks: Looks = Looks()
    verified_at: datetime | None = None
    rolled_back_at: datetime | None = None

    def with_backup(self, database_id: str, backup: Effect) -> Self:
        """The progress with what is known of one database's snapshot."""
        return self.model_copy(update={"backups": {**self.backups, database_id: backup}})

    def with_schema_task(self, work: SchemaWork, task: Effect) -> Self:
        """The progress with what is known of one task about the schema."""
        return self.model_copy(update={"schema_tasks": {**self.schema_tasks, work: task}})

    def with_service(self, name: str, service: ServiceProgress) -> Self:
        """The progress with what is known of one service."""
        return self.model_copy(update={"services": {**self.services, name: service}})

    def with_looks(self, looks: Looks) -> Self:
        """The progress after one more look."""
        return self.model_copy(update={"looks": looks})

    def awaiting(self, what: str) -> Self:
        """The progress while the lane is waited for."""
        return self.model_copy(update={"awaited": bounded_words(what)})

    def ending(self, now: datetime) -> Self:
        """The progress once nothing new may begin."""
        return self.model_copy(update={"ending_since": now})

    def schema_found_unmoved(self, now: datetime) -> Self:
        """The progress once the schema was found where it had been."""
        return self.model_copy(update={"schema_unmoved_at": now})

    def verified(self, now: datetime) -> Self:
        """The progress once the release was seen healthy for as long as asked."""
        return self.model_copy(update={"verified_at": now})

    def rolled_back(self, now: datetime) -> Self:
        """The progress once the last good release was seen to serve again."""
        return self.model_copy(update={"rolled_back_at": now})

    def calling(self, now: datetime) -> Self:
        """The progress just before a call that changes something."""
        recent = [since for since in self.acting if now - since < LONGEST_FUNCTION]
        return self.model_copy(update={"acting": (*recent, now)})

    def answered(self, began: datetime) -> Self:
        """The progress once AWS has answered the call that began then."""
        others = list(self.acting)
        if began in others:
            others.remove(began)
        return self.model_copy(update={"acting": tuple(others)})

    def is_calling(self, now: datetime) -> bool:
        """Whether a call that changes something may be on its way.

        A call whose function has died or hangs is not answered on record; only time tells that it
        can come no more.
        """
        return any(now - since < LONGEST_FUNCTION for since in self.acting)

    @property
    def migration_began(self) -> bool:
        """Whether the migration may have run."""
        migration = self.schema_tasks.get(SchemaWork.UP)
        return migration is not None and migration.may_have_begun

    @property
    def has_migrated(self) -> bool:
        """Whether the migration has succeeded."""
        migration = self.schema_tasks.get(SchemaWork.UP)
        return migration is not None and migration.succeeded is True

    @property
    def has_downgraded(self) -> bool:
        """Whether the downgrade has succeeded."""
        downgrade = self.schema_tasks.get(SchemaWork.DOWN)
        return downgrade is not None and downgrade.succeeded is True

    @property
    def may_be_moving_the_schema(self) -> bool:
        """Whether a task that changes the schema may be at work."""
        changing = (self.schema_tasks.get(work) for work in (SchemaWork.UP, SchemaWork.DOWN))
        return any(task is not None and task.may_be_at_work for task in changing)

    @property
    def has_deployed(self) -> bool:
        """Whether a rollout of the release was requested, for any service."""
        return any(service.rollout is not None for service in self.services.values())
