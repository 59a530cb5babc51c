"""What the catalog may say: one application, its environments and what each of them demands."""

from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from slipway.domain.model import Model

# The deployment id `<application>-<environment>-<number>` becomes an execution's name (80
# characters) and part of a snapshot's name (no upper case, no double hyphen), so names are narrow.
Name = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", min_length=1, max_length=24)
]
Words = Annotated[tuple[str, ...], Field(min_length=1)]


class Severity(StrEnum):
    """ECR's finding severities."""

    INFORMATIONAL = "INFORMATIONAL"
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"
    UNDEFINED = "UNDEFINED"


class Push(Model):
    """Which pushes are meant for an environment."""

    repository: str = Field(pattern=r"^[a-z0-9][a-z0-9._/-]*$", description="ECR repository")
    tags: Words = Field(description="glob patterns; a push is meant when one of them matches")

    def means(self, repository: str, tag: str) -> bool:
        """Whether a push of this tag to this repository is meant."""
        return repository == self.repository and any(fnmatchcase(tag, glob) for glob in self.tags)


class EcsTarget(Model):
    """The ECS service that runs the release, and the container in it that carries the image."""

    kind: Literal["ecs"] = Field(default="ecs", description="what runs the release")
    cluster: str = Field(min_length=1, max_length=255, description="ECS cluster, by name")
    service: str = Field(min_length=1, max_length=255, description="ECS service in the cluster")
    container: str = Field(
        min_length=1,
        max_length=255,
        description="container of the task definition that gets the release's image",
    )


class RdsInstance(Model):
    """The database that the release migrates."""

    kind: Literal["rds_instance"] = Field(
        default="rds_instance", description="what kind of database it is"
    )
    identifier: str = Field(
        pattern=r"^[a-z](-?[a-z0-9])*$", max_length=63, description="RDS DB instance identifier"
    )
    encrypted: bool = Field(default=True, description="a snapshot that is not encrypted is refused")

    @property
    def database_id(self) -> str:
        """The name under which migrations of this database exclude each other."""
        return f"rds:{self.identifier}"


class BackupPolicy(StrEnum):
    """What a missing backup means."""

    REQUIRED = "required"
    BEST_EFFORT = "best_effort"
    OFF = "off"


class Backup(Model):
    """The snapshot before a migration."""

    policy: BackupPolicy = Field(
        default=BackupPolicy.REQUIRED,
        description="whether a snapshot that fails stops the deployment, is only told, or "
        "none is taken",
    )
    timeout_minutes: int = Field(
        default=60, ge=1, le=1440, description="until the snapshot counts as failed"
    )


class Migration(Model):
    """How the schema moves: one-off tasks of the release's own image."""

    command: Words = Field(description="run in the new image before it is deployed")
    downgrade: Words | None = Field(
        default=None,
        description="takes the schema back; {schema} stands for the rollback target's schema",
    )
    timeout_minutes: int = Field(
        default=15, ge=1, le=720, description="until a migration's task counts as failed"
    )


class CircuitBreaker(Model):
    """When ECS itself gives a rollout up. Without a count: half the desired tasks, 3 to 200."""

    failures: int | None = Field(
        default=None, ge=1, le=200, description="tasks that fail before ECS gives up"
    )


class Rolling(Model):
    """ECS's rolling update."""

    kind: Literal["rolling"] = Field(default="rolling", description="how tasks are replaced")
    minimum_healthy_percent: int = Field(
        default=100, ge=0, le=100, description="of the desired tasks, kept running meanwhile"
    )
    maximum_percent: int = Field(
        default=200, ge=100, le=400, description="of the desired tasks, old and new together"
    )
    circuit_breaker: CircuitBreaker = CircuitBreaker()
    timeout_minutes: int = Field(
        default=30, ge=1, le=1440, description="until the rollout counts as failed"
    )

    @model_validator(mode="after")
    def leaves_room_to_move(self) -> Self:
        """Refuse 100/100: ECS could neither stop an old task nor start a new one."""
        if self.minimum_healthy_percent >= self.maximum_percent:
            raise ValueError("minimum_healthy_percent must be below maximum_percent")
        return self


class HttpCheck(Model):
    """One request from outside and the answer that is expected."""

    path: str = Field(pattern=r"^/", description="appended to the base URL")
    status: int = Field(default=200, ge=100, le=599, description="HTTP status that is expected")
    contains: str | None = Field(default=None, description="text that the body must contain")
    version_field: str | None = Field(
        default=None,
        description="JSON field of the body that must equal the image's version label",
    )


class Verification(Model):
    """How a deployed release is judged."""

    base_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/]+$",
        description="where the service is reached; without it, the address of its load balancer",
    )
    checks: tuple[HttpCheck, ...] = Field(
        default=(), description="requests that all must be answered as expected"
    )
    alarms: tuple[str, ...] = Field(default=(), description="must be quiet while it bakes")
    attempts: int = Field(default=3, ge=1, le=20, description="failed looks before the verdict")
    interval_seconds: int = Field(default=10, ge=1, le=600, description="between two looks")
    bake_seconds: int = Field(default=0, ge=0, le=86_400, description="healthy for this long")


class ScanGate(Model):
    """The vulnerability scan that a release must have passed."""

    block_from: Severity = Field(
        default=Severity.HIGH, description="the lowest severity that stops a deployment"
    )
    wait_minutes: int = Field(default=10, ge=1, le=120, description="for the scan of this digest")


class Gates(Model):
    """Conditions to pass before anything changes."""

    scan: ScanGate | None = ScanGate()
    alarms: tuple[str, ...] = Field(default=(), description="an alarm that fires blocks the start")


class ApprovalPolicy(Model):
    """Who may let a deployment through."""

    approvers: Words = Field(description="the names that the approval page accepts")
    expires_after_minutes: int = Field(
        default=1440, ge=1, le=20_160, description="without a decision the deployment ends"
    )


class Notifications(Model):
    """Where a deployment is told."""

    slack_channel: str | None = Field(default=None, description="overrides the default channel")


class Environment(Model):
    """Where an application runs, and what a deployment there demands."""

    push: Push
    target: EcsTarget
    after: Name | None = Field(
        default=None, description="the environment in which the digest must have succeeded before"
    )
    approval: ApprovalPolicy | None = None
    gates: Gates = Gates()
    database: RdsInstance | None = None
    backup: Backup = Backup()
    migration: Migration | None = None
    strategy: Rolling = Rolling()
    verification: Verification = Verification()
    notifications: Notifications = Notifications()

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
        for name in self.environments:
            self._walk_back(name)
        return self

    def _walk_back(self, name: str) -> None:
        seen = [name]
        while (before := self.environments[seen[-1]].after) is not None:
            if before not in self.environments:
                known = ", ".join(self.environments)
                raise ValueError(f"environments.{seen[-1]}.after: no '{before}' (known: {known})")
            if before in seen:
                raise ValueError(f"environments.{name}.after leads back to itself")
            seen.append(before)

    def followers(self, environment: str) -> list[str]:
        """The environments to which a success here is promoted."""
        return [name for name, env in self.environments.items() if env.after == environment]


class Catalog(Model):
    """Every application that Slipway deploys."""

    applications: dict[Name, Application]

    def environment(self, application: str, environment: str) -> Environment | None:
        """One environment's settings, or None when the catalog does not know it."""
        entry = self.applications.get(application)
        return entry.environments.get(environment) if entry else None

    def meant(self, repository: str, tag: str) -> list[tuple[str, str]]:
        """(application, environment) pairs that a push starts; promotions are not among them."""
        return [
            (application.application, name)
            for application in self.applications.values()
            for name, environment in application.environments.items()
            if environment.after is None and environment.push.means(repository, tag)
        ]
