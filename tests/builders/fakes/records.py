"""Records in memory: held to the contract of the adapter."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel

from slipway.domain.approval import Approval
from slipway.domain.deployment import Deployment, unstored_plans
from slipway.domain.errors import Reason, Rejected, Transient
from slipway.domain.evidence import Evidence
from slipway.domain.lane import DatabaseSlot, Lane
from slipway.domain.model import Versioned
from slipway.domain.notice import Notice
from slipway.domain.plan import Plan
from slipway.domain.seen import SeenTags
from slipway.ports.records import Admission, Fence

M = TypeVar("M", bound=BaseModel)


class InMemoryRecords:
    """Records in a dict, as JSON, so that nothing is shared with what a test holds."""

    def __init__(self) -> None:
        self._stored: dict[tuple[str, str], str] = {}

    def deployment(self, deployment_id: str) -> Deployment:
        found = self._read(("deployment", deployment_id), Deployment)
        if found is None:
            raise Rejected(Reason.DEPLOYMENT_UNKNOWN, f"There is no deployment '{deployment_id}'.")
        return found.read_with(self.plan(deployment_id))

    def plan(self, deployment_id: str) -> Plan | None:
        return self._read(("plan", deployment_id), Plan)

    def lane(self, application: str, environment: str) -> Lane:
        new = Lane(application=application, environment=environment)
        return self._read(("lane", new.lane_id), Lane) or new

    def database_slot(self, database_id: str) -> DatabaseSlot:
        found = self._read(("slot", database_id), DatabaseSlot)
        return found or DatabaseSlot(database_id=database_id)

    def approval(self, deployment_id: str) -> Approval | None:
        return self._read(("approval", deployment_id), Approval)

    def notice(self, deployment_id: str, destination: str) -> Notice:
        found = self._read(("notice", f"{deployment_id}#{destination}"), Notice)
        return found or Notice(deployment_id=deployment_id, destination=destination)

    def admission(self, admission_id: str) -> Admission | None:
        return self._read(("admission", admission_id), Admission)

    def evidence(self, deployment_id: str) -> list[Evidence]:
        entries = self._all("evidence", Evidence)
        own = [entry for entry in entries if entry.deployment_id == deployment_id]
        return sorted(own, key=lambda entry: entry.number)

    def recent(self, lane: Lane, limit: int) -> list[Deployment]:
        own = [one for one in self._all("deployment", Deployment) if one.lane_id == lane.lane_id]
        return sorted(own, key=lambda one: one.number, reverse=True)[:limit]

    def deployments(self, deployment_ids: Sequence[str]) -> list[Deployment]:
        wanted = dict.fromkeys(deployment_ids)
        return [self.deployment(one) for one in wanted if ("deployment", one) in self._stored]

    def lanes(self, lane_ids: Sequence[str]) -> list[Lane]:
        return [self._read(("lane", one), Lane) or Lane.new(one) for one in lane_ids]

    def database_slots(self, database_ids: Sequence[str]) -> list[DatabaseSlot]:
        found = [self._read(("slot", one), DatabaseSlot) for one in dict.fromkeys(database_ids)]
        return [one for one in found if one is not None]

    def admitted(self, admission_ids: Sequence[str]) -> frozenset[str]:
        found = [self.admission(one) for one in admission_ids]
        return frozenset(one.admission_id for one in found if one and one.deployment_id)

    def seen_tags(self, repositories: Sequence[str]) -> list[SeenTags]:
        found = [self._read(("seen", one), SeenTags) for one in dict.fromkeys(repositories)]
        return [one for one in found if one is not None]

    def untold(self, since: datetime) -> list[Notice]:
        notices = self._all("notice", Notice)
        return [one for one in notices if one.lacking_since and one.lacking_since >= since]

    def unsettled(self) -> list[Deployment]:
        running = [one for one in self._all("deployment", Deployment) if one.outcome is None]
        return sorted(running, key=lambda one: one.requested_at)

    def write(
        self,
        documents: Sequence[Versioned],
        *,
        evidence: Sequence[Evidence] = (),
        admission: Admission | None = None,
        fence: Fence | None = None,
    ) -> None:
        new: list[Evidence | Admission | Plan] = [*evidence, *unstored_plans(documents)]
        if admission is not None:
            new.append(admission)
        self._refuse(documents, new, fence)
        for document in documents:
            written = document.model_copy(update={"version": document.version + 1})
            self._stored[_place(document)] = written.model_dump_json()
        for entry in new:
            text = entry.text if isinstance(entry, Plan) else entry.model_dump_json()
            self._stored[_place(entry)] = text

    def _refuse(
        self,
        documents: Sequence[Versioned],
        new: Sequence[Evidence | Admission | Plan],
        fence: Fence | None,
    ) -> None:
        if fence is not None and not self._holds(fence):
            raise Rejected(
                Reason.LANE_LOST, f"{fence.deployment_id} no longer holds {fence.lane_id}."
            )
        moved = any(self._version(document) != document.version for document in documents)
        if moved or any(_place(entry) in self._stored for entry in new):
            raise Transient(Reason.RECORD_MOVED, "The record has moved on since it was read.")

    def _holds(self, fence: Fence) -> bool:
        lane = self._read(("lane", fence.lane_id), Lane)
        held = (lane.holder, lane.fencing) if lane is not None else None
        return held == (fence.deployment_id, fence.fencing)

    def _version(self, document: Versioned) -> int:
        stored = self._read(_place(document), type(document))
        return stored.version if stored is not None else 0

    def _read(self, place: tuple[str, str], kind: type[M]) -> M | None:
        stored = self._stored.get(place)
        return kind.model_validate_json(stored) if stored is not None else None

    def _all(self, kind_of_place: str, kind: type[M]) -> list[M]:
        return [
            kind.model_validate_json(stored)
            for (found, _), stored in self._stored.items()
            if found == kind_of_place
        ]


def _place(document: Versioned | Evidence | Admission | Plan) -> tuple[str, str]:
    match document:
        case Deployment():
            return "deployment", document.deployment_id
        case Plan():
            return "plan", document.deployment_id
        case Approval():
            return "approval", document.deployment_id
        case Notice():
            return "notice", f"{document.deployment_id}#{document.destination}"
        case Lane():
            return "lane", document.lane_id
        case DatabaseSlot():
            return "slot", document.database_id
        case SeenTags():
            return "seen", document.repository
        case Evidence():
            return "evidence", f"{document.deployment_id}#{document.number}"
        case Admission():
            return "admission", document.admission_id
    raise TypeError(f"{type(document).__name__} has no place in the table")


class SpiedRecords(InMemoryRecords):
    """Records that count their writes."""

    def __init__(self, records: InMemoryRecords) -> None:
        super().__init__()
        self._stored = records._stored
        self.writes = 0

    def write(self, documents: Sequence[Versioned], **arguments: Any) -> None:
        self.writes += 1
        super().write(documents, **arguments)
