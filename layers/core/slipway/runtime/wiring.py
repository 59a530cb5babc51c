"""The composition root: builds each collaborator when a function first asks for it, and keeps it.

What is ours is built once per process; clients for the users' systems are built per place.
"""

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import boto3
from botocore.config import Config

from slipway.domain.catalog import Catalog
from slipway.domain.errors import Broken, Reason
from slipway.journal import Journal
from slipway.runtime.settings import Settings, from_environment
from slipway.runtime.waiting import Waiting

if TYPE_CHECKING:
    import requests

    from slipway.adapters.announcements import EventBridgeAnnouncements
    from slipway.adapters.cloudwatch import CloudWatchAlarms
    from slipway.adapters.databases import DatabasesByKind, RestoresByKind, StatesByKind
    from slipway.adapters.downloads import Downloads
    from slipway.adapters.ecr import EcrRegistry
    from slipway.adapters.ecs.one_offs import EcsOneOffs
    from slipway.adapters.ecs.revisions import EcsRevisions
    from slipway.adapters.ecs.rollouts import EcsRollouts
    from slipway.adapters.ecs.services import EcsServices
    from slipway.adapters.elbv2 import ElasticLoadBalancers
    from slipway.adapters.executions import StepFunctionsExecutions
    from slipway.adapters.links import Links
    from slipway.adapters.parking import DynamoDBParking
    from slipway.adapters.records import DynamoDBRecords
    from slipway.adapters.secrets import SecretsManagerSecrets
    from slipway.adapters.website import HttpWebsite
    from slipway.ports.people import Destination

# Standard retries cover throttling and 5xx. The timeouts are short, because a hung connection must
# not use up the function's whole timeout.
_CLIENT: Final = Config(
    connect_timeout=3, read_timeout=10, retries={"mode": "standard", "max_attempts": 4}
)


class Place(NamedTuple):
    """Where users' systems run, and the role that reaches them; None is Slipway's own."""

    account: str | None = None
    region: str | None = None
    role: str | None = None


# The only place so far: Slipway's own account and region, and the function's own role.
HERE: Final = Place()


@cache
def settings() -> Settings:
    """This process's settings."""
    return from_environment()


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@cache
def client(name: str, place: Place = HERE) -> Any:
    """One boto3 client per service, place and process."""
    if place != HERE:
        raise Broken(Reason.INTERNAL_ERROR, f"Slipway cannot deploy to {place} yet.")
    return boto3.client(name, config=_CLIENT)  # type: ignore[call-overload]


@cache
def session() -> "requests.Session":
    """The HTTP session of this process."""
    import requests

    return requests.Session()


# --------------------------------------------------------------------------------------------- ours
@cache
def catalog() -> Catalog:
    """The compiled catalog of the layer."""
    from pathlib import Path

    from slipway.runtime.catalog import load_catalog

    return load_catalog(Path(settings().catalog_path))


@cache
def records() -> "DynamoDBRecords":
    """The table."""
    from slipway.adapters.records import DynamoDBRecords

    return DynamoDBRecords(client("dynamodb"), settings().table_name)


def journal() -> Journal:
    """The records, and the current time."""
    return Journal(records(), now())


@cache
def parking() -> "DynamoDBParking":
    """Parked requests."""
    from slipway.adapters.parking import DynamoDBParking

    return DynamoDBParking(client("dynamodb"), settings().table_name)


@cache
def waiting() -> Waiting:
    """How this function parks and answers."""
    from slipway.adapters.tokens import TaskTokens

    return Waiting(parking=parking(), tokens=TaskTokens(client("stepfunctions")), now=now)


@cache
def executions() -> "StepFunctionsExecutions":
    """The state machine."""
    from slipway.adapters.executions import StepFunctionsExecutions

    return StepFunctionsExecutions(client("stepfunctions"), settings().state_machine_arn, now)


@cache
def announcements() -> "EventBridgeAnnouncements":
    """Slipway's own events."""
    from slipway.adapters.announcements import EventBridgeAnnouncements

    return EventBridgeAnnouncements(client("events"), settings().bus_name)


# ------------------------------------------------------------------------------------------- theirs
@cache
def downloads() -> "Downloads":
    """Image configurations, over HTTP."""
    from slipway.adapters.downloads import Downloads
    from slipway.adapters.ecr import LARGEST

    return Downloads(session(), LARGEST)


@cache
def registry(place: Place = HERE) -> "EcrRegistry":
    """ECR."""
    from slipway.adapters.ecr import EcrRegistry

    return EcrRegistry(client("ecr", place), downloads())


@cache
def services(place: Place = HERE) -> "EcsServices":
    """ECS services, read only."""
    from slipway.adapters.ecs.services import EcsServices

    return EcsServices(client("ecs", place))


@cache
def revisions(place: Place = HERE) -> "EcsRevisions":
    """Task definition revisions."""
    from slipway.adapters.ecs.revisions import EcsRevisions

    return EcsRevisions(client("ecs", place))


@cache
def rollouts(place: Place = HERE) -> "EcsRollouts":
    """The right to change a service."""
    from slipway.adapters.ecs.rollouts import EcsRollouts

    return EcsRollouts(client("ecs", place))


@cache
def one_offs(place: Place = HERE) -> "EcsOneOffs":
    """One-off tasks and their logs."""
    from slipway.adapters.ecs.one_offs import EcsOneOffs

    return EcsOneOffs(client("ecs", place), client("logs", place))


@cache
def balancers(place: Place = HERE) -> "ElasticLoadBalancers":
    """Load balancers."""
    from slipway.adapters.elbv2 import ElasticLoadBalancers

    return ElasticLoadBalancers(client("elbv2", place))


@cache
def databases(place: Place = HERE) -> "DatabasesByKind":
    """The right to take snapshots of databases."""
    from slipway.adapters.databases import DatabasesByKind

    return DatabasesByKind(client("rds", place))


@cache
def database_states(place: Place = HERE) -> "StatesByKind":
    """Databases, read only."""
    from slipway.adapters.databases import StatesByKind

    return StatesByKind(client("rds", place))


@cache
def restores() -> "RestoresByKind":
    """The commands with which an operator restores a database."""
    from slipway.adapters.databases import RestoresByKind

    return RestoresByKind()


@cache
def alarms(place: Place = HERE) -> "CloudWatchAlarms":
    """CloudWatch alarms."""
    from slipway.adapters.cloudwatch import CloudWatchAlarms

    return CloudWatchAlarms(client("cloudwatch", place))


@cache
def website() -> "HttpWebsite":
    """HTTP checks of the deployed service; they are the same from every place."""
    from slipway.adapters.website import HttpWebsite

    return HttpWebsite(session(), timeout_seconds=8)


# ----------------------------------------------------------------------------- ours, towards people
@cache
def secrets() -> "SecretsManagerSecrets":
    """Secrets Manager."""
    from slipway.adapters.secrets import SecretsManagerSecrets

    return SecretsManagerSecrets(client("secretsmanager"))


def link_key() -> str:
    """The key that signs links; a rotated key is used after five minutes."""
    from slipway.adapters.secrets import signing_key

    return signing_key(secrets().json(settings().link_secret_arn))


def links() -> "Links":
    """Links to the web pages."""
    from slipway.adapters.links import Links

    return Links(settings().public_url, link_key())


def destinations() -> "tuple[Destination, ...]":
    """Where people are notified: so far in Slack, as configured in its secret."""
    from slipway.slack.secret import slack_from

    return (slack_from(secrets().json(settings().slack_secret_arn), session()),)
