"""Databases and their snapshots in memory; how they stand, as told."""

from dataclasses import dataclass, field
from datetime import datetime

from slipway.domain.database import Database
from slipway.domain.errors import Broken, Reason, Transient
from slipway.domain.preflight import DatabaseCondition, DatabaseState
from slipway.ports.databases import Snapshot, SnapshotState


@dataclass
class InMemoryDatabases:
    """Databases by name; a snapshot stays under way until the test says otherwise."""

    known: frozenset[str] = frozenset()
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    refusal: Broken | Transient | None = None

    def snapshot(self, database: Database, snapshot_id: str) -> Snapshot | None:
        return self.snapshots.get(snapshot_id)

    def create_snapshot(self, database: Database, snapshot_id: str, deployment_id: str) -> None:
        if self.refusal is not None:
            raise self.refusal
        name = database.identifier
        if name not in self.known:
            raise Broken(Reason.DATABASE_UNAVAILABLE, f"There is no database '{name}'.")
        creating = Snapshot(
            snapshot_id=snapshot_id,
            state=SnapshotState.UNDERWAY,
            told="creating",
            encrypted=True,
            created_at=None,
            size_gib=20,
            percent=0,
        )
        self.snapshots.setdefault(snapshot_id, creating)

    def finish(self, snapshot_id: str, at: datetime) -> None:
        """What the vendor does in its own time."""
        done = {"state": SnapshotState.AVAILABLE, "told": "available", "created_at": at}
        self.snapshots[snapshot_id] = self.snapshots[snapshot_id].model_copy(update=done)


@dataclass
class StubDatabaseStates:
    """``known`` says how some databases stand; every other one is usable and encrypted."""

    known: dict[str, DatabaseState] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def state(self, database: Database) -> DatabaseState:
        self.asked.append(database.identifier)
        name, usable = f"database '{database.identifier}'", DatabaseCondition.USABLE
        sound = DatabaseState(name=name, condition=usable, status="available", encrypted=True)
        return self.known.get(database.identifier, sound)
