"""The model of RDS: instances, and snapshots that take time, can fail and are limited in number."""

import re
from dataclasses import dataclass, replace
from typing import Any

from cloud.twin.errors import AwsError
from cloud.twin.pages import marked_page
from cloud.twin.rds.databases import (
    DatabaseEngine,
    Dump,
    Endpoint,
    EngineFailure,
    ScriptedDatabases,
    Server,
)
from cloud.twin.rds.records import Instance, Snapshot, tag_list, tags_of
from cloud.twin.world import World, iso

IDENTIFIER = re.compile(r"(?!.*--)[A-Za-z][A-Za-z0-9-]{0,254}(?<!-)")
SNAPSHOT_READY_STATES = ("available", "storage-optimization")
DEFAULT_SNAPSHOT_QUOTA = 100
SNAPSHOT_EVENTS = {
    "RDS-EVENT-0040": ("creation", "Creating manual snapshot"),
    "RDS-EVENT-0042": ("creation", "Manual snapshot created"),
    "RDS-EVENT-0041": ("deletion", "Deleted user snapshot"),
}


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


class RdsModel:
    """RDS as its API shows it: one method per operation, in botocore's shapes."""

    def __init__(self, world: World, engine: DatabaseEngine | None = None) -> None:
        self.world = world
        self.engine = engine or ScriptedDatabases()
        self.policy = SnapshotPolicy()
        self.instances: dict[str, Instance] = {}
        self.snapshots: dict[str, Snapshot] = {}

    def set_policy(self, **changes: Any) -> None:
        """Change how the next snapshots go; the names are SnapshotPolicy's fields."""
        self.policy = replace(self.policy, **changes)

    # Instances

    def create_db_instance(self, params: dict[str, Any]) -> dict[str, Any]:
        if params["Engine"] != "postgres":
            raise _invalid(f"Invalid DB engine: {params['Engine']}; the twin runs postgres only.")
        if not params.get("MasterUsername") or not params.get("MasterUserPassword"):
            raise _invalid("MasterUsername and MasterUserPassword must be provided.")
        server = Server(
            instance_id=_identifier(params["DBInstanceIdentifier"], "DB instance").lower(),
            database=params.get("DBName", "postgres"),
            username=params["MasterUsername"],
            password=params["MasterUserPassword"],
        )
        instance = self._add_instance(server, params)
        self.engine.create(server, lambda result: self._instance_ready(instance, result))
        return {"DBInstance": instance.describe()}

    def describe_db_instances(self, params: dict[str, Any]) -> dict[str, Any]:
        wanted = _wanted(params, "DBInstanceIdentifier", "db-instance-id")
        if "DBInstanceIdentifier" in params:
            self._instance(params["DBInstanceIdentifier"])
        found = [
            each for each in self.instances.values() if _among(each.server.instance_id, wanted)
        ]
        return _paged("DBInstances", [instance.describe() for instance in found], params)

    def delete_db_instance(self, params: dict[str, Any]) -> dict[str, Any]:
        instance = self._instance(params["DBInstanceIdentifier"])
        if not params.get("SkipFinalSnapshot"):
            raise _invalid("The twin takes no final snapshot: SkipFinalSnapshot must be true.")
        del self.instances[instance.server.instance_id]
        self.engine.delete(instance.server.instance_id)
        instance.status = "deleting"
        return {"DBInstance": instance.describe()}

    def restore_db_instance_from_db_snapshot(self, params: dict[str, Any]) -> dict[str, Any]:
        snapshot = self._snapshot(params["DBSnapshotIdentifier"])
        if snapshot.status != "available":
            raise AwsError("InvalidDBSnapshotState", "The DB snapshot is not in available state.")
        new_id = _identifier(params["DBInstanceIdentifier"], "DB instance").lower()
        server = replace(snapshot.source.server, instance_id=new_id)
        instance = self._add_instance(server, params, like=snapshot.source)
        self.engine.restore(
            snapshot.snapshot_id, server, lambda result: self._instance_ready(instance, result)
        )
        return {"DBInstance": instance.describe()}

    def restore_db_instance_to_point_in_time(self, params: dict[str, Any]) -> dict[str, Any]:
        """Refused as AWS refuses an instance without automated backups: the twin keeps no log."""
        raise AwsError(
            "PointInTimeRestoreNotEnabled",
            "Point-in-time restore is not enabled: the twin keeps snapshots only.",
        )

    # Snapshots

    def create_db_snapshot(self, params: dict[str, Any]) -> dict[str, Any]:
        snapshot_id = _identifier(params["DBSnapshotIdentifier"], "snapshot")
        instance = self._instance(params["DBInstanceIdentifier"])
        self._refuse_snapshot(snapshot_id, instance)
        snapshot = self._begin_snapshot(snapshot_id, instance, tags_of(params.get("Tags")))
        answer = {"DBSnapshot": snapshot.describe(self.world.clock.now())}
        self._emit(snapshot, "RDS-EVENT-0040")
        self.engine.dump(
            instance.server.instance_id, snapshot_id, lambda result: self._dumped(snapshot, result)
        )
        return answer

    def describe_db_snapshots(self, params: dict[str, Any]) -> dict[str, Any]:
        if "DBSnapshotIdentifier" in params:
            self._snapshot(params["DBSnapshotIdentifier"])
        if params.get("SnapshotType", "manual") != "manual":
            return {"DBSnapshots": []}
        ids = _wanted(params, "DBSnapshotIdentifier", "db-snapshot-id")
        sources = _wanted(params, "DBInstanceIdentifier", "db-instance-id")
        now = self.world.clock.now()
        found = [
            each.describe(now)
            for each in self.snapshots.values()
            if _among(each.snapshot_id, ids) and _among(each.source.server.instance_id, sources)
        ]
        return _paged("DBSnapshots", found, params)

    def delete_db_snapshot(self, params: dict[str, Any]) -> dict[str, Any]:
        snapshot = self._snapshot(params["DBSnapshotIdentifier"])
        if snapshot.status == "creating":
            raise AwsError("InvalidDBSnapshotState", "The DB snapshot is not in available state.")
        del self.snapshots[snapshot.snapshot_id]
        self.engine.forget(snapshot.snapshot_id)
        snapshot.status = "deleted"
        self._emit(snapshot, "RDS-EVENT-0041")
        return {"DBSnapshot": snapshot.describe(self.world.clock.now())}

    # Account and tags

    def describe_account_attributes(self, params: dict[str, Any]) -> dict[str, Any]:
        used = {
            "DBInstances": (len(self.instances), 40),
            "ManualSnapshots": (len(self.snapshots), self.policy.quota),
            "ManualClusterSnapshots": (0, self.policy.quota),
        }
        return {
            "AccountQuotas": [
                {"AccountQuotaName": name, "Used": count, "Max": most}
                for name, (count, most) in used.items()
            ]
        }

    def add_tags_to_resource(self, params: dict[str, Any]) -> dict[str, Any]:
        self._tagged(params["ResourceName"]).update(tags_of(params["Tags"]))
        return {}

    def list_tags_for_resource(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"TagList": tag_list(self._tagged(params["ResourceName"]))}

    # Inside

    def _add_instance(
        self, server: Server, params: dict[str, Any], like: Instance | None = None
    ) -> Instance:
        if server.instance_id in self.instances:
            raise AwsError("DBInstanceAlreadyExists", "DB instance already exists")
        instance = Instance(
            arn=self.world.arn("rds", f"db:{server.instance_id}"),
            server=server,
            engine="postgres",
            engine_version="18.4",
            instance_class=params.get("DBInstanceClass") or (like.instance_class if like else ""),
            storage_gib=like.storage_gib if like else params.get("AllocatedStorage", 20),
            encrypted=like.encrypted if like else params.get("StorageEncrypted", False),
            created_at=self.world.clock.now(),
            resource_id=f"db-{self.world.hex_id(26).upper()}",
            tags=tags_of(params.get("Tags")),
        )
        self.instances[server.instance_id] = instance
        return instance

    def _instance_ready(self, instance: Instance, result: Endpoint | EngineFailure) -> None:
        if isinstance(result, EngineFailure):
            instance.status = "failed"
        else:
            instance.status, instance.endpoint = "available", result

    def _refuse_snapshot(self, snapshot_id: str, instance: Instance) -> None:
        if snapshot_id in self.snapshots:
            raise AwsError(
                "DBSnapshotAlreadyExists",
                "Cannot create the snapshot because a snapshot with the identifier"
                f" {snapshot_id} already exists.",
            )
        if instance.status not in SNAPSHOT_READY_STATES:
            raise AwsError(
                "InvalidDBInstanceState",
                f"Database instance is not in available state ({instance.status}).",
            )
        if len(self.snapshots) >= self.policy.quota:
            raise AwsError(
                "SnapshotQuotaExceeded",
                f"Cannot create more than {self.policy.quota} manual snapshots",
            )

    def _begin_snapshot(
        self, snapshot_id: str, instance: Instance, tags: dict[str, str]
    ) -> Snapshot:
        snapshot = Snapshot(
            arn=self.world.arn("rds", f"snapshot:{snapshot_id}"),
            snapshot_id=snapshot_id,
            source=instance,
            started_at=self.world.clock.now(),
            seconds=self.policy.seconds,
            will_fail=self.policy.fail or self.policy.fail_next > 0,
            tags=tags,
        )
        self.set_policy(fail_next=max(0, self.policy.fail_next - 1))
        instance.status = "backing-up"
        self.snapshots[snapshot_id] = snapshot
        return snapshot

    def _dumped(self, snapshot: Snapshot, result: Dump | EngineFailure) -> None:
        """The model's duration and the engine's both have to pass."""
        if isinstance(result, EngineFailure):
            snapshot.will_fail = True
        else:
            snapshot.size_bytes = result.size_bytes
        elapsed = (self.world.clock.now() - snapshot.started_at).total_seconds()
        self.world.clock.call_later(
            max(0.0, snapshot.seconds - elapsed), lambda: self._settle(snapshot)
        )

    def _settle(self, snapshot: Snapshot) -> None:
        """There is no event for a failed manual snapshot: only a poll finds the status `failed`."""
        if snapshot.source.status == "backing-up":
            snapshot.source.status = "available"
        snapshot.status = "failed" if snapshot.will_fail else "available"
        if snapshot.status == "available":
            self._emit(snapshot, "RDS-EVENT-0042")

    def _emit(self, snapshot: Snapshot, event_id: str) -> None:
        category, message = SNAPSHOT_EVENTS[event_id]
        detail = {
            "EventCategories": [category],
            "SourceType": "SNAPSHOT",
            "SourceArn": snapshot.arn,
            "Date": iso(self.world.clock.now()),
            "Message": message,
            "SourceIdentifier": f"{self.policy.source_prefix}{snapshot.snapshot_id}",
            "EventID": event_id,
        }
        self.world.tell("aws.rds", "RDS DB Snapshot Event", [snapshot.arn], detail)

    def _instance(self, instance_id: str) -> Instance:
        try:
            return self.instances[instance_id.lower()]
        except KeyError:
            raise AwsError(
                "DBInstanceNotFound", f"DBInstance {instance_id} not found.", 404
            ) from None

    def _snapshot(self, snapshot_id: str) -> Snapshot:
        try:
            return self.snapshots[snapshot_id]
        except KeyError:
            raise AwsError(
                "DBSnapshotNotFound", f"DBSnapshot {snapshot_id} not found.", 404
            ) from None

    def _tagged(self, arn: str) -> dict[str, str]:
        kind, _, name = arn.removeprefix(self.world.arn("rds", "")).partition(":")
        if kind == "db":
            return self._instance(name).tags
        if kind == "snapshot":
            return self._snapshot(name).tags
        raise _invalid(f"Invalid resource name: {arn}")


def _identifier(text: str, what: str) -> str:
    if not IDENTIFIER.fullmatch(text):
        raise _invalid(
            f"Invalid {what} identifier: {text}. It must begin with a letter; contain only ASCII"
            " letters, digits, and hyphens; and not end with a hyphen or contain two in a row."
        )
    return text


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)


def _paged(name: str, found: list[Any], params: dict[str, Any]) -> dict[str, Any]:
    return marked_page(name, found, params, "MaxRecords", 20, 100)


def _wanted(params: dict[str, Any], member: str, filter_name: str) -> set[str] | None:
    """The ids that the request names, in its own member or in a filter; None means all."""
    if member in params:
        return {params[member].lower()}
    for each in params.get("Filters", []):
        if each["Name"] == filter_name:
            return {value.lower() for value in each["Values"]}
    return None


def _among(identifier: str, wanted: set[str] | None) -> bool:
    return wanted is None or identifier.lower() in wanted
