"""Manual snapshots, of instances and of clusters: they take time, can fail and are limited."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cloud.twin.errors import AwsError
from cloud.twin.rds.databases import DatabaseEngine, Dump, EngineFailure
from cloud.twin.rds.records import Snapshot, Source
from cloud.twin.world import World, iso

DEFAULT_SNAPSHOT_QUOTA = 100


@dataclass(frozen=True)
class SnapshotPolicy:
    """How the next snapshots go; `fail_next` counts down, `fail` stays until changed.

    Events name a snapshot with `source_prefix`: AWS's sample of a manual one has `rds:`.
    """

    seconds: float = 3.0
    fail: bool = False
    fail_next: int = 0
    quota: int = DEFAULT_SNAPSHOT_QUOTA
    source_prefix: str = ""


class Policies:
    """The policy of now, for both kinds of snapshots."""

    def __init__(self) -> None:
        self.now = SnapshotPolicy()

    def set(self, **changes: Any) -> None:
        """Change how the next snapshots go; the names are SnapshotPolicy's fields."""
        self.now = replace(self.now, **changes)


@dataclass(frozen=True)
class SnapshotKind:
    """What RDS calls the snapshots of one kind of database, in ARNs, events and refusals.

    The codes are those of the service model and are not made alike. `events` has the id, the
    category and the message by what has happened.
    """

    name: str
    resource: str
    source_type: str
    detail_type: str
    longest: int
    ready: tuple[str, ...]
    exists: str
    missing: str
    unready: str
    source_unready: str
    events: dict[str, tuple[str, str, str]]


INSTANCE_SNAPSHOTS = SnapshotKind(
    name="DBSnapshot",
    resource="snapshot",
    source_type="SNAPSHOT",
    detail_type="RDS DB Snapshot Event",
    longest=255,
    ready=("available", "storage-optimization"),
    exists="DBSnapshotAlreadyExists",
    missing="DBSnapshotNotFound",
    unready="InvalidDBSnapshotState",
    source_unready="InvalidDBInstanceState",
    events={
        "creating": ("RDS-EVENT-0040", "creation", "Creating manual snapshot"),
        "created": ("RDS-EVENT-0042", "creation", "Manual snapshot created"),
        "deleted": ("RDS-EVENT-0041", "deletion", "Deleted user snapshot"),
    },
)
CLUSTER_SNAPSHOTS = SnapshotKind(
    name="DBClusterSnapshot",
    resource="cluster-snapshot",
    source_type="CLUSTER_SNAPSHOT",
    detail_type="RDS DB Cluster Snapshot Event",
    longest=63,
    ready=("available",),
    exists="DBClusterSnapshotAlreadyExistsFault",
    missing="DBClusterSnapshotNotFoundFault",
    unready="InvalidDBClusterSnapshotStateFault",
    source_unready="InvalidDBClusterStateFault",
    events={
        "creating": ("RDS-EVENT-0074", "backup", "Creating manual cluster snapshot"),
        "created": ("RDS-EVENT-0075", "backup", "Manual cluster snapshot created"),
    },
)


class Snapshots:
    """The snapshots of one kind of database, by name."""

    def __init__(
        self, world: World, engine: DatabaseEngine, policies: Policies, kind: SnapshotKind
    ) -> None:
        self._world, self._engine, self._policies, self._kind = world, engine, policies, kind
        self.taken: dict[str, Snapshot] = {}

    def find(self, snapshot_id: str) -> Snapshot:
        """The snapshot of this name; AwsError when there is none."""
        try:
            return self.taken[snapshot_id]
        except KeyError:
            message = f"{self._kind.name} {snapshot_id} not found."
            raise AwsError(self._kind.missing, message, 404) from None

    def restorable(self, snapshot_id: str) -> Snapshot:
        """The snapshot of this name once it is available."""
        snapshot = self.find(snapshot_id)
        if snapshot.status != "available":
            raise AwsError(self._kind.unready, "The snapshot is not in available state.")
        return snapshot

    def create(self, snapshot_id: str, source: Source, tags: dict[str, str]) -> Snapshot:
        """Begin a snapshot: the source is backing up until it is over."""
        name = identifier(snapshot_id, "snapshot", self._kind.longest)
        self._refuse(name, source)
        policy = self._policies.now
        snapshot = Snapshot(
            arn=self._world.arn("rds", f"{self._kind.resource}:{name}"),
            snapshot_id=name,
            source=source,
            started_at=self._world.clock.now(),
            seconds=policy.seconds,
            will_fail=policy.fail or policy.fail_next > 0,
            tags=tags,
        )
        self._policies.set(fail_next=max(0, policy.fail_next - 1))
        source.status = "backing-up"
        self.taken[name] = snapshot
        return snapshot

    def begin(self, snapshot: Snapshot) -> None:
        """Let the engine dump, once the answer to the request is made."""
        self._emit(snapshot, "creating")
        self._engine.dump(
            snapshot.source.server.instance_id,
            self.dump_of(snapshot),
            lambda result: self._dumped(snapshot, result),
        )

    def delete(self, snapshot_id: str) -> Snapshot:
        """Forget a snapshot that is not being created."""
        snapshot = self.find(snapshot_id)
        if snapshot.status == "creating":
            raise AwsError(self._kind.unready, "The snapshot is not in available state.")
        del self.taken[snapshot.snapshot_id]
        self._engine.forget(self.dump_of(snapshot))
        snapshot.status = "deleted"
        if "deleted" in self._kind.events:
            self._emit(snapshot, "deleted")
        return snapshot

    def dump_of(self, snapshot: Snapshot) -> str:
        """The engine's name of a snapshot: both kinds may have one of the same name."""
        return f"{self._kind.resource}-{snapshot.snapshot_id}"

    def _refuse(self, name: str, source: Source) -> None:
        if name in self.taken:
            raise AwsError(
                self._kind.exists,
                "Cannot create the snapshot because a snapshot with the identifier"
                f" {name} already exists.",
            )
        if source.status not in self._kind.ready:
            raise AwsError(
                self._kind.source_unready,
                f"The database is not in available state ({source.status}).",
            )
        quota = self._policies.now.quota
        if len(self.taken) >= quota:
            raise AwsError(
                "SnapshotQuotaExceeded", f"Cannot create more than {quota} manual snapshots"
            )

    def _dumped(self, snapshot: Snapshot, result: Dump | EngineFailure) -> None:
        """The model's duration and the engine's both have to pass."""
        if isinstance(result, EngineFailure):
            snapshot.will_fail = True
        else:
            snapshot.size_bytes = result.size_bytes
        elapsed = (self._world.clock.now() - snapshot.started_at).total_seconds()
        self._world.clock.call_later(
            max(0.0, snapshot.seconds - elapsed), lambda: self._settle(snapshot)
        )

    def _settle(self, snapshot: Snapshot) -> None:
        """There is no event for a failed manual snapshot: only a poll finds the status `failed`."""
        if snapshot.source.status == "backing-up":
            snapshot.source.status = "available"
        snapshot.status = "failed" if snapshot.will_fail else "available"
        if snapshot.status == "available":
            self._emit(snapshot, "created")

    def _emit(self, snapshot: Snapshot, what: str) -> None:
        event_id, category, message = self._kind.events[what]
        detail = {
            "EventCategories": [category],
            "SourceType": self._kind.source_type,
            "SourceArn": snapshot.arn,
            "Date": iso(self._world.clock.now()),
            "Message": message,
            "SourceIdentifier": f"{self._policies.now.source_prefix}{snapshot.snapshot_id}",
            "EventID": event_id,
        }
        self._world.tell("aws.rds", self._kind.detail_type, [snapshot.arn], detail)


def identifier(text: str, what: str, longest: int) -> str:
    """The name, if RDS takes it."""
    pattern = r"(?!.*--)[A-Za-z][A-Za-z0-9-]*(?<!-)"
    if not re.fullmatch(pattern, text) or len(text) > longest:
        raise invalid(
            f"Invalid {what} identifier: {text}. It must begin with a letter; contain only ASCII"
            f" letters, digits, and hyphens, {longest} at most; and not end with a hyphen or"
            " contain two in a row."
        )
    return text


def invalid(message: str) -> AwsError:
    """A parameter that RDS does not take."""
    return AwsError("InvalidParameterValue", message)


def wanted(params: dict[str, Any], member: str, filter_name: str) -> Callable[[str], bool]:
    """Whether the request asks for a name, in its own member or in a filter; for all otherwise."""
    named = [params[member]] if member in params else None
    for each in params.get("Filters", []) if named is None else []:
        if each["Name"] == filter_name:
            named = each["Values"]
    among = None if named is None else {name.lower() for name in named}
    return lambda name: among is None or name.lower() in among
