"""Databases: their snapshots, and what they are."""

from datetime import datetime
from typing import Protocol

from slipway.domain.model import Model
from slipway.domain.preflight import DatabaseInstance


class Snapshot(Model):
    """A snapshot as RDS reports it; sizes in GiB."""

    snapshot_id: str
    status: str
    encrypted: bool
    created_at: datetime | None
    size_gib: int
    percent: int


class Databases(Protocol):
    """RDS."""

    def snapshot(self, snapshot_id: str) -> Snapshot | None:
        """The snapshot, or None when it does not exist."""
        ...

    def create_snapshot(self, identifier: str, snapshot_id: str, deployment_id: str) -> None:
        """Ask for a snapshot; asking again for the same id changes nothing.

        Transient(DatabaseBusy) while the instance's state passes by itself, Broken when it does not
        or the quota is used up.
        """
        ...


class Instances(Protocol):
    """RDS instances, read only."""

    def instance(self, identifier: str) -> DatabaseInstance | None:
        """The database instance as it stands; None when there is none of that name."""
        ...
