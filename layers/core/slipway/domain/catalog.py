"""What the catalog may say: one application, its environments and what each of them demands."""

from collections.abc import Iterator
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from slipway.domain.catalog_rules import (
    broken_lines,
    ids_given_twice,
    refuse,
    services_given_twice,
    unanswerable,
)
from slipway.domain.database import Database
from slipway.domain.fields import Text
from slipway.domain.model import Model
from slipway.domain.strategy import Rolling, Strategy
from slipway.domain.target import DeployTarget
from slipway.domain.verification import HttpCheck as HttpCheck
from slipway.domain.verification import Verification as Verification

# The deployment id `<application>-<environment>-<number>` becomes an execution's name (80
# characters) and part of a snapshot's name (no upper case, no double hyphen), so names are narrow.
Name = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", min_length=1, max_length=24)
]
# CreateRepository in the ECR API reference.
Repository = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$",
        min_length=2,
        max_length=256,
    ),
]
Texts = Annotated[tuple[Text, ...], Field(min_length=1)]
# An argument of blanks may be meant; an empty one is a slip of the hand.
Command = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1)], ...], Field(min_length=1)
]


class Severity(StrEnum):
    """ECR's finding severities, as far as they are ranked: UNDEFINED is above or below none."""

    INFORMATIONAL = "INFORMATIONAL"
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"


class Push(Model):
    """The pushes that start a deployment in an environment."""

    repository: Repository = Field(description="ECR repository")
    tags: Texts = Field(description="glob patterns; a push matches when one of them does")

    def matches(self, repository: str, tag: str) -> bool:
        """Whether a push of this tag to this repository starts a deployment."""
        return repository == self.repository and any(fnmatchcase(tag, glob) for glob in self.tags)


class BackupPolicy(StrEnum):
    """What a missing backup means."""

    REQUIRED = "required"
    BEST_EFFORT = "best_effort"
    OFF = "off"


class Backup(Model):
    """The snapshot before a migration."""

    policy: BackupPolicy = Field(
        default=BackupPolicy.REQUIRED,
        description="whether a failed snapshot stops the deployment, is only reported, or "
        "none is taken",
    )
    timeout_minutes: int = Field(
        default=60, ge=1, le=1440, description="until the snapshot counts as failed"
    )


class Migration(Model):
    """How the schema moves: one-off tasks of the release's own image."""

    command: Command = Field(description="run in the new image before it is deployed")
    downgrade: Command | None = Field(
        default=None,
        description="downgrades the schema; {schema} stands for the rollback target's schema",
    )
    current: Command | None = Field(
        default=None,
        description="prints the schema's revision on its last line; after a migration that "
        "failed, or whose image names no schema, it shows whether a downgrade is needed",
    )
    timeout_minutes: int = Field(
        default=15,
        ge=1,
        le=720,
        description="until a migration's task counts as failed; for as long, the start is retried "
        "while ECS has no capacity",
    )

    @model_validator(mode="after")
    def says_where_a_downgrade_goes(self) -> Self:
        """A fixed way back would take the schema to the wrong place after the next release."""
        if self.downgrade and not any("{schema}" in word for word in self.downgrade):
            raise ValueError("downgrade must contain {schema}, the schema to downgrade to")
        return self


class ScanGate(Model):
    """The vulnerability scan that a release must have passed."""

    block_from: Severity = Field(
        default=Severity.HIGH, description="the lowest severity that stops a deployment"
    )
    wait_minutes: int = Field(default=10, ge=1, le=120, description="for the scan of this digest")


class Gates(Model):
    """Conditions to pass before anything changes."""

    scan: ScanGate | None = ScanGate()
    alarms: tuple[Text, ...] = Field(default=(), description="an alarm that fires blocks the start")


class ApprovalPolicy(Model):
    """Who may approve a deployment."""

    approvers: Texts = Field(description="the names that the approval page accepts")
    expires_after_minutes: int = Field(
        default=1440, ge=1, le=20_160, description="without a decision the deployment ends"
    )


class Notifications(Model):
    """Where people are notified of a deployment."""

    slack_channel: Text | None = Field(default=None, description="overrides the default channel")


class Environment(Model):
    """Where an application runs, and what a deployment there demands."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"after": {"type": "null"}}},
            "then": {"required": ["push"], "properties": {"push": {"type": "object"}}},
        }
    )

    push: Push | None = Field(
        default=None,
        description="the pushes that start a deployment; required unless `after` is set",
    )
    target: DeployTarget = Field(description="what runs the release")
    after: Name | None = Field(
        default=None, description="the environment in which the digest must have succeeded before"
    )
    approval: ApprovalPolicy | None = None
    gates: Gates = Gates()
    database: Database | None = Field(
        default=None, description="the database that the release migrates"
    )
    backup: Backup = Backup()
    migration: Migration | None = None
    strategy: Strategy = Field(default=Rolling(), description="how tasks are replaced")
    verification: Verification = Verification()
    notifications: Notifications = Notifications()

    def database_id(self, lane_id: str) -> str:
        """The name under which migrations exclude each other.

        The lane's own where no database is declared: its deployments still must not overlap.
        """
        return self.database.database_id if self.database else f"lane:{lane_id}"

    @property
    def fed_by(self) -> Push | None:
        """The pushes that start a deployment here; None where only promotions and people do."""
        return self.push if self.after is None else None

    @model_validator(mode="after")
    def is_fed(self) -> Self:
        """Without a push and without an environment before it nothing would ever come here."""
        if self.push is None and self.after is None:
            raise ValueError("push is required unless 'after' names the environment before")
        return self

    @model_validator(mode="after")
    def backs_up_what_it_migrates(self) -> Self:
        """A required backup needs to know its database."""
        required = self.backup.policy is BackupPolicy.REQUIRED
        if self.migration and required and self.database is None:
            raise ValueError("migration with backup.policy 'required' needs a database")
        return self


class Application(Model):
    """One entry of the catalog."""

    application: Name = Field(description="the application's name; also the file's")
    environments: dict[Name, Environment] = Field(
        min_length=1, description="where it runs, by name"
    )

    @model_validator(mode="after")
    def names_only_known_environments(self) -> Self:
        """`after` must name another environment of the same application, without a circle."""
        refuse(broken_lines(self))
        return self

    @model_validator(mode="after")
    def asks_what_can_be_answered(self) -> Self:
        """A check that nothing can answer would roll every release back.

        Judged here and not in Verification, because plans on record are read again.
        """
        refuse(unanswerable(self))
        return self

    def back_from(self, name: str) -> list[str]:
        """The environment and those before it, back to the first, each of them once."""
        line = [name]
        while (before := self.environments[line[-1]].after) in self.environments:
            if before is None or before in line:
                break
            line.append(before)
        return line

    def repository(self, environment: str) -> str:
        """The ECR repository of an environment's images: its own or that of the one before it."""
        pushes = (self.environments[name].push for name in self.back_from(environment))
        return next(push.repository for push in pushes if push is not None)

    def in_order(self) -> list[str]:
        """The environments in the order in which a release passes them."""
        return sorted(self.environments, key=self._steps_before)

    def _steps_before(self, environment: str) -> int:
        before = self.environments[environment].after
        return 0 if before is None else 1 + self._steps_before(before)

    def followers(self, environment: str) -> list[str]:
        """The environments to which a success here is promoted."""
        return [name for name, env in self.environments.items() if env.after == environment]


class Catalog(Model):
    """Every application that Slipway deploys."""

    applications: dict[Name, Application]

    @model_validator(mode="after")
    def keeps_every_entry_under_its_name(self) -> Self:
        """A lane is named by the entry and found by the key."""
        refuse(
            f"applications.{key}.application: expected '{key}', got '{entry.application}'"
            for key, entry in self.applications.items()
            if key != entry.application
        )
        return self

    @model_validator(mode="after")
    def gives_a_service_to_one_environment(self) -> Self:
        """Two lanes exclude each other nowhere, so they must not change the same service."""
        refuse(services_given_twice(self))
        return self

    @model_validator(mode="after")
    def gives_every_lane_ids_of_its_own(self) -> Self:
        """`shop` + `api-staging` and `shop-api` + `staging` would share their deployments' ids."""
        refuse(ids_given_twice(self))
        return self

    def environments(self) -> Iterator[tuple[str, str, Environment]]:
        """Every environment with the names of its application and its own."""
        for entry in self.applications.values():
            for name, environment in entry.environments.items():
                yield entry.application, name, environment

    def environment(self, application: str, environment: str) -> Environment | None:
        """One environment's settings, or None when the catalog does not know it."""
        entry = self.applications.get(application)
        return entry.environments.get(environment) if entry else None

    def repository(self, application: str, environment: str) -> str | None:
        """The ECR repository of one environment's images, or None when it is not known."""
        if self.environment(application, environment) is None:
            return None
        return self.applications[application].repository(environment)

    def fed_by_push(self, repository: str, tag: str) -> list[tuple[str, str]]:
        """(application, environment) pairs that a push starts; promotions are not among them."""
        return [
            (application, name)
            for application, name, environment in self.environments()
            if environment.fed_by is not None and environment.fed_by.matches(repository, tag)
        ]
