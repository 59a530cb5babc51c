"""Databases: how they stand, their snapshots, and how a person brings the data back."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from slipway.domain.database import Database
from slipway.domain.model import Model
from slipway.domain.preflight import DatabaseState
from slipway.domain.recovery import RecoveryPoint


class SnapshotState(StrEnum):
    """How far a snapshot is."""

    UNDERWAY = "underway"
    AVAILABLE = "available"
    FAILED = "failed"


class Snapshot(Model):
    """A snapshot as it stands.

    ``told`` is the vendor's word for its state, for people. ``size_gib`` is None where a kind of
    database has no size that says something.
    """

    snapshot_id: str
    state: SnapshotState
    told: str
    encrypted: bool
    created_at: datetime | None
    size_gib: int | None
    percent: int


class Databases(Protocol):
    """The one right to back a database up."""

    def snapshot(self, database: Database, snapshot_id: str) -> Snapshot | None:
        """The snapshot of this database, or None when it does not exist."""
        ...

    def create_snapshot(self, database: Database, snapshot_id: str, deployment_id: str) -> None:
        """Ask for a snapshot; asking again for the same id changes nothing.

        Transient(DatabaseBusy) while the database's state passes by itself, Broken when it does not
        or the quota is used up.
        """
        ...


class DatabaseStates(Protocol):
    """Databases, read only."""

    def state(self, database: Database) -> DatabaseState:
        """The database as it stands, or that there is none of that name."""
        ...


class Restores(Protocol):
    """What a person has to call; nothing is restored by Slipway."""

    def commands(self, point: RecoveryPoint) -> tuple[str, ...]:
        """Ways to bring the data back into a new database, never over the live one."""
        ...
