"""Problems that can be found before anything changes, and would otherwise stop a deployment midway.

Each rule looks at facts and answers with a refusal or None; a sentence says what, where and what
to set. AWS would refuse most of it itself, but after the snapshot and the migration.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import assert_never

from slipway.domain.catalog import BackupPolicy, Environment
from slipway.domain.commands import deploy_command
from slipway.domain.database import Database
from slipway.domain.errors import Reason, Rejected
from slipway.domain.lane import Lane, Stable
from slipway.domain.model import Model
from slipway.domain.plan import LiveService
from slipway.domain.release import Image
from slipway.domain.strategy import BlueGreen, Rolling, Strategy


class Refusal(Model):
    """Why a deployment cannot be planned."""

    reason: Reason
    message: str


class DatabaseCondition(StrEnum):
    """What can be done with a database: at once, after a while, after somebody's help, or never."""

    USABLE = "usable"
    PASSING = "passing"
    STUCK = "stuck"
    ABSENT = "absent"


class DatabaseState(Model):
    """A database as it stands.

    ``name`` names it with its kind and ``status`` is its own word for the condition, for people.
    ``remedy`` says what somebody has to do about one that is stuck. ``replica_of`` and ``cluster``
    name what it belongs to.
    """

    name: str
    condition: DatabaseCondition
    status: str = ""
    remedy: str = ""
    encrypted: bool = False
    replica_of: str | None = None
    cluster: str | None = None


class RevisionState(StrEnum):
    """Whether a revision can be used as it is, only registered again, or not any more."""

    REGISTERED = "registered"
    DEREGISTERED = "deregistered"
    DELETED = "deleted"


class Revision(Model):
    """A task definition revision."""

    arn: str
    state: RevisionState


def refuse_all(refusals: Iterable[Refusal]) -> None:
    """Raise Rejected with all of them, if any: so that everything can be fixed at once."""
    found = list(refusals)
    if found:
        raise Rejected(found[0].reason, " ".join(refusal.message for refusal in found))


def service_refusals(live: LiveService, strategy: Strategy) -> Iterable[Refusal]:
    """Everything that is wrong with the service as it runs, the certain and simple things first."""
    found = [one for one in (idle(live), other_strategy(live, strategy)) if one is not None]
    match strategy:
        case Rolling():
            found += _not_rolling(live, strategy, so_far=found)
        case BlueGreen():
            pass
        case _:
            assert_never(strategy)
    return found


def _not_rolling(
    live: LiveService, strategy: Rolling, so_far: Sequence[Refusal]
) -> Iterator[Refusal]:
    """Why ECS could not replace the tasks one by one."""
    found = [one for one in (daemon(live, strategy), zones(live, strategy)) if one is not None]
    yield from found
    crowded = no_room(live, strategy)
    # Without tasks, or as a daemon with a wrong maximum, the rounding would say the same again.
    if crowded is not None and not found and not so_far:
        yield crowded


def idle(live: LiveService) -> Refusal | None:
    """A service that wants no task: nothing could be verified."""
    if live.desired_count != 0:
        return None
    message = (
        f"{live.service_arn} has a desired count of 0, so nothing could be verified; raise the "
        "count first."
    )
    return Refusal(reason=Reason.SERVICE_UNAVAILABLE, message=message)


def other_strategy(live: LiveService, strategy: Strategy) -> Refusal | None:
    """A service with another deployment strategy: an update would turn it into this one."""
    if live.strategy == strategy.kind:
        return None
    message = (
        f"{live.service_arn} has the deployment strategy {live.strategy}, and strategy.kind in the "
        f"catalog says {strategy.kind}; Slipway does not change a service's strategy. Set the "
        f"service's strategy to {strategy.kind}, without lifecycle hooks of another one, or deploy "
        "it with another tool."
    )
    return Refusal(reason=Reason.SERVICE_UNAVAILABLE, message=message)


def daemon(live: LiveService, strategy: Rolling) -> Refusal | None:
    """ECS answers that daemon scheduling does not support values above 100 for maximumPercent."""
    if live.scheduling != "daemon" or strategy.maximum_percent <= 100:
        return None
    message = (
        f"{live.service_arn} is a DAEMON service, for which ECS allows no maximum above 100 %; "
        f"the catalog says {strategy.maximum_percent} %. Set strategy.maximum_percent to 100 and "
        "strategy.minimum_healthy_percent to 0."
    )
    return Refusal(reason=Reason.CATALOG_INVALID, message=message)


def zones(live: LiveService, strategy: Rolling) -> Refusal | None:
    """Rebalancing of availability zones starts a task before it stops one."""
    if not live.zone_rebalancing or strategy.maximum_percent > 100:
        return None
    message = (
        f"{live.service_arn} has availability zone rebalancing enabled, for which ECS needs a "
        f"maximum above 100 %; the catalog says {strategy.maximum_percent} %. Raise "
        "strategy.maximum_percent, or disable the rebalancing."
    )
    return Refusal(reason=Reason.CATALOG_INVALID, message=message)


def no_room(live: LiveService, strategy: Rolling) -> Refusal | None:
    """ECS can neither stop an old task nor start a new one: the rollout would hang.

    ECS rounds the minimum up and the maximum down; see minimumHealthyPercent and maximumPercent of
    DeploymentConfiguration in its API reference.
    """
    wanted = live.desired_count
    least = -(-wanted * strategy.minimum_healthy_percent // 100)
    most = wanted * strategy.maximum_percent // 100
    if wanted == 0 or most > wanted or least < wanted:
        return None
    higher = -(-100 * (wanted + 1) // wanted)
    lower = 100 * (wanted - 1) // wanted
    raised = f"strategy.maximum_percent to {higher} or more, or "
    message = (
        f"{live.service_arn} has a desired count of {wanted}. ECS rounds the minimum of "
        f"{strategy.minimum_healthy_percent} % up to {least} and the maximum of "
        f"{strategy.maximum_percent} % down to {most}, so it can neither stop a task nor start "
        f"one. Set {'' if live.scheduling == 'DAEMON' else raised}"
        f"strategy.minimum_healthy_percent to {lower} or less."
    )
    return Refusal(reason=Reason.NO_ROOM_TO_ROLL, message=message)


def older_schema(
    image: Image, lane: Lane, settings: Environment, schema_at: str | None
) -> Refusal | None:
    """The image was built for a schema that the lane has left: a migration would not go back.

    None where the live release declares that older code runs on its schema.
    """
    now = lane.schema_now(schema_at, settings.database_id(lane.lane_id))
    live = lane.stable
    if live is None or not lane.has_left(image, now):
        return None
    if live.backward_compatible and now == live.schema_revision:
        return None
    message = (
        f"{lane.lane_id} is on schema {now}, and {image.digest[:19]} was built for "
        f"{image.schema_revision}, which is older; {live.deployment_id} does not declare that "
        f"older code runs on its schema. {_ways_back(image, lane, settings)}"
    )
    return Refusal(reason=Reason.SCHEMA_OLDER, message=message)


def _ways_back(image: Image, lane: Lane, settings: Environment) -> str:
    schema = image.schema_revision or ""
    downgrade = settings.migration.downgrade if settings.migration else None
    words = [word.replace("{schema}", schema) for word in downgrade or ()]
    by_hand = f" ({' '.join(words)})" if words else ""
    command = deploy_command(lane.lane_id, image.digest, "--schema-at", schema)
    return (
        "Build the release on the newer schema, or downgrade the schema by hand"
        f"{by_hand} and state that: {command}"
    )


def database_refusal(
    database: Database, found: DatabaseState, policy: BackupPolicy
) -> Refusal | None:
    """Why this database can be neither backed up as demanded nor migrated.

    With a backup of best effort only what makes the migration itself impossible counts.
    """
    required = policy is BackupPolicy.REQUIRED
    if found.condition is DatabaseCondition.ABSENT:
        missing = f"There is no {found.name}; correct database.identifier."
        return _database(missing) if required else None
    impossible = _impossible(found)
    if impossible is not None:
        return _database(impossible)
    if required and found.cluster is not None:
        return _database(
            f"The {found.name} is a member of the cluster {found.cluster}, for which RDS takes no "
            "instance snapshot. Set database.kind to aurora_cluster and database.identifier to "
            f"{found.cluster}."
        )
    if required and database.encrypted and not found.encrypted:
        return _database(
            f"The {found.name} is not encrypted, so its snapshot would not be either, but the "
            "catalog requires it. Encrypt the database, or set database.encrypted to false."
        )
    return None


def _impossible(found: DatabaseState) -> str | None:
    if found.replica_of is not None:
        return (
            f"The {found.name} is a read replica of {found.replica_of} and cannot be migrated; "
            f"set database.identifier to {found.replica_of}, or promote the replica."
        )
    if found.condition is DatabaseCondition.STUCK:
        return (
            f"The {found.name} is {found.status}, so it can be neither backed up nor migrated. "
            f"{found.remedy}, then deploy again."
        )
    return None


def _database(message: str) -> Refusal:
    return Refusal(reason=Reason.DATABASE_UNAVAILABLE, message=message)


def no_way_back(
    stable: Stable,
    live: LiveService,
    revision: Revision,
    image: Image | None,
    schema_at: str | None,
) -> str | None:
    """Why a rollback could not bring the last good release back, or None when it could."""
    if image is None:
        return f"the last good image {stable.digest[:19]} is no longer in the registry"
    if image.status != "ACTIVE":
        return f"the last good image {stable.digest[:19]} is {image.status} in the registry"
    if revision.state is RevisionState.DELETED:
        return f"the task definition {stable.revision_arn} of the last good release was deleted"
    if stable.service_arn not in (None, live.service_arn):
        return f"the last good release ran in {stable.service_arn}, not in {live.service_arn}"
    if schema_at is not None and stable.schema_revision not in (None, schema_at):
        return (
            f"the database is said to be at schema {schema_at}, and the last good release was "
            f"live on {stable.schema_revision}"
        )
    return None
