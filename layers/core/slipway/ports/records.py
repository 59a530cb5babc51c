"""The table: documents, what a write carries with it, and the fence."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from slipway.domain.approval import Approval
from slipway.domain.deployment import Deployment
from slipway.domain.evidence import Evidence
from slipway.domain.lane import DatabaseSlot, Lane
from slipway.domain.model import Model, Versioned
from slipway.domain.notice import Notice
from slipway.domain.plan import Plan
from slipway.domain.seen import SeenTags


class Admission(Model):
    """How one wish was answered: found again when the same wish comes twice.

    ``deployment_id`` is empty where it was refused; ``reason`` and ``message`` say why, or that a
    deployment that goes on already serves it. ``event_id`` is the event that a push came in.
    """

    admission_id: str
    deployment_id: str
    event_id: str = ""
    reason: str = ""
    message: str = ""


class Fence(Model):
    """The right to change a lane: a write that carries it fails once the lane has moved on."""

    lane_id: str
    deployment_id: str
    fencing: int


class Records(Protocol):
    """The table: documents that are written only over the version that was read."""

    def deployment(self, deployment_id: str) -> Deployment:
        """The deployment as last written, with its plan; Rejected when it does not exist."""
        ...

    def plan(self, deployment_id: str) -> Plan | None:
        """The deployment's plan, once it was made."""
        ...

    def lane(self, application: str, environment: str) -> Lane:
        """The lane; a new one when nothing was ever deployed there."""
        ...

    def database_slot(self, database_id: str) -> DatabaseSlot:
        """Who migrates this database."""
        ...

    def approval(self, deployment_id: str) -> Approval | None:
        """The deployment's approval, once it was requested."""
        ...

    def notice(self, deployment_id: str, destination: str) -> Notice:
        """What this destination was told about the deployment; a new one when nothing was."""
        ...

    def admission(self, admission_id: str) -> Admission | None:
        """The admission of this very wish, if it came before."""
        ...

    def evidence(self, deployment_id: str) -> list[Evidence]:
        """Every entry of the deployment's record, oldest first."""
        ...

    def recent(self, lane: Lane, limit: int) -> list[Deployment]:
        """The newest deployments of a lane, at most 100, newest first, without their plans."""
        ...

    def deployments(self, deployment_ids: Sequence[str]) -> list[Deployment]:
        """Those of the deployments that exist, as last written, with their plans, in no order."""
        ...

    def lanes(self, lane_ids: Sequence[str]) -> list[Lane]:
        """The lanes; new ones where nothing was ever deployed."""
        ...

    def database_slots(self, database_ids: Sequence[str]) -> list[DatabaseSlot]:
        """Those of the databases that were ever migrated, in no order."""
        ...

    def admitted(self, admission_ids: Sequence[str]) -> frozenset[str]:
        """Those of the wishes that a deployment serves."""
        ...

    def seen_tags(self, repositories: Sequence[str]) -> list[SeenTags]:
        """Those of the repositories that were looked at before, in no order."""
        ...

    def untold(self, since: datetime) -> list[Notice]:
        """What some destination lacks since; may lag behind by a moment."""
        ...

    def unsettled(self) -> list[Deployment]:
        """Every deployment without an outcome, without its plan; may lag behind by a moment."""
        ...

    def write(
        self,
        documents: Sequence[Versioned],
        *,
        evidence: Sequence[Evidence] = (),
        admission: Admission | None = None,
        fence: Fence | None = None,
    ) -> None:
        """Write all or nothing.

        Transient(RecordMoved) when a document has moved on since it was read, Rejected(LaneLost)
        when the fence no longer holds.
        """
        ...
