"""The ports in memory. ``InMemory`` ones keep the adapters' rules and are held to their contract
tests; ``Stub`` ones answer what a test told them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel

from slipway.domain.approval import Approval
from slipway.domain.database import Database
from slipway.domain.deployment import Deployment, unstored_plans
from slipway.domain.errors import Broken, Reason, Rejected, Transient
from slipway.domain.evidence import Evidence
from slipway.domain.gates import Scan
from slipway.domain.lane import DatabaseSlot, Lane
from slipway.domain.model import Versioned
from slipway.domain.notice import Notice
from slipway.domain.plan import LiveService, Plan
from slipway.domain.preflight import (
    DatabaseCondition,
    DatabaseState,
    Revision,
    RevisionState,
)
from slipway.domain.release import Image, Pushed
from slipway.domain.routing import Front, Listener, Rule
from slipway.domain.seen import SeenTags
from slipway.domain.strategy import Strategy
from slipway.domain.target import EcsTarget
from slipway.domain.verdict import AlarmsSeen, HttpAnswer, HttpRequest, RegisteredTarget, Rollout
from slipway.ports.control import Announcement
from slipway.ports.databases import Snapshot, SnapshotState
from slipway.ports.records import Admission, Fence
from slipway.ports.targets import OneOff
from slipway.ports.waiting import Parked

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


class InMemoryParking:
    """Parking in a dict."""

    def __init__(self) -> None:
        self._parked: dict[tuple[str, str], Parked] = {}

    def park(self, parked: Sequence[Parked]) -> None:
        self._parked |= {(one.key, one.waiting_id): one for one in parked}

    def parked_under(self, key: str) -> list[Parked]:
        found = [one for one in self._parked.values() if one.key == key]
        return sorted(found, key=lambda one: one.waiting_id)

    def leave(self, parked: Sequence[Parked]) -> None:
        for one in parked:
            known = self._parked.get((one.key, one.waiting_id))
            if known is not None and known.token == one.token:
                del self._parked[one.key, one.waiting_id]


@dataclass
class StubRegistry:
    """``images`` by (repository, digest or tag); ``scans`` and what is no image by digest."""

    images: dict[tuple[str, str], Image] = field(default_factory=dict)
    scans: dict[str, Scan] = field(default_factory=dict)
    artifacts: dict[str, str] = field(default_factory=dict)

    def image(
        self, repository: str, reference: str, architecture: str, system: str = "LINUX"
    ) -> Image | None:
        return self.images.get((repository, reference))

    def looked_up(self, repository: str, digest: str) -> Pushed | None:
        image = self.images.get((repository, digest))
        what = self.artifacts.get(digest)
        if image is None and what is None:
            return None
        return Pushed(pushed_at=image.pushed_at if image else None, what=what)

    def status(self, repository: str, reference: str) -> Image | None:
        image = self.images.get((repository, reference))
        return image.model_copy(update={"architecture": "", "labels": {}}) if image else None

    def scan(self, repository: str, digest: str) -> Scan:
        return self.scans.get(digest, Scan(status="ABSENT", findings={}))


@dataclass
class StubServices:
    """``service`` is what runs; ``rollouts`` are answered in turn, the last one for good."""

    service: LiveService | None = None
    rollouts: list[Rollout] = field(default_factory=list)

    def live(self, target: EcsTarget) -> LiveService:
        if self.service is None:
            raise Broken(Reason.SERVICE_UNAVAILABLE, f"The service '{target.service}' is missing.")
        return self.service

    def revision(self, revision_arn: str) -> Revision:
        return Revision(arn=revision_arn, state=RevisionState.REGISTERED)

    def rollout(self, target: EcsTarget, revision_arn: str) -> Rollout:
        return self.rollouts.pop(0) if len(self.rollouts) > 1 else self.rollouts[0]


@dataclass
class InMemoryRevisions:
    """Revisions by the deployment that registered them; ``images`` by revision ARN."""

    registered: dict[str, str] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)

    def find(self, base_arn: str, deployment_id: str) -> str | None:
        return self.registered.get(deployment_id)

    def register(
        self, base_arn: str, container: str, image_uri: str, deployment_id: str, fencing: int
    ) -> str:
        family, number = base_arn.rsplit(":", 1)
        arn = f"{family}:{int(number) + len(self.images) + 1}"
        self.registered[deployment_id], self.images[arn] = arn, image_uri
        return arn

    def register_again(self, revision_arn: str, name: str, fencing: int) -> str:
        return self.register(revision_arn, "", self.images[revision_arn], name, fencing)


@dataclass
class InMemoryRollouts:
    """The revision that the service was last pointed at; ``updates`` counts the changes."""

    primary: str = ""
    updates: list[tuple[str, Strategy]] = field(default_factory=list)

    def update(self, target: EcsTarget, revision_arn: str, strategy: Strategy) -> None:
        if self.primary != revision_arn:
            self.primary = revision_arn
            self.updates.append((revision_arn, strategy))


@dataclass
class InMemoryOneOffs:
    """Tasks by ``started_by``, started once each; ``seen`` and ``logs`` say how a task does.

    ``refusals`` are what ECS answers to the next tries, in turn; ``attempts`` are those made.
    """

    tasks: dict[str, str] = field(default_factory=dict)
    commands: dict[str, tuple[str, ...]] = field(default_factory=dict)
    seen: dict[str, OneOff] = field(default_factory=dict)
    logs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    refusals: list[Broken | Transient] = field(default_factory=list)
    attempts: list[tuple[str, int]] = field(default_factory=list)

    def run(
        self,
        target: EcsTarget,
        revision_arn: str,
        command: Sequence[str],
        started_by: str,
        attempt: int = 0,
    ) -> str:
        if started_by in self.tasks:
            return self.tasks[started_by]
        self.attempts.append((started_by, attempt))
        if self.refusals:
            raise self.refusals.pop(0)
        arn = f"arn:aws:ecs:us-east-1:000000000000:task/{target.cluster}/{started_by}"
        self.tasks[started_by], self.commands[started_by] = arn, tuple(command)
        return arn

    def find(self, target: EcsTarget, revision_arn: str, started_by: str) -> str | None:
        return self.tasks.get(started_by)

    def running(self, target: EcsTarget, task_arn: str) -> bool:
        return not self.look(target, task_arn).ended

    def look(self, target: EcsTarget, task_arn: str) -> OneOff:
        running = OneOff(task_arn=task_arn, stopped=False, exit_code=None, reason="RUNNING")
        return self.seen.get(task_arn, running)

    def log_tail(self, target: EcsTarget, revision_arn: str, task_arn: str) -> tuple[str, ...]:
        return self.logs.get(task_arn, ())

    def stop(self, target: EcsTarget, task_arn: str, why: str) -> None:
        self.stopped.append(task_arn)
        seen = self.look(target, task_arn)
        self.seen[task_arn] = seen.model_copy(update={"stopped": True, "leftover": False})


@dataclass
class StubLoadBalancers:
    """``url`` is where every target group is reached, ``in_front`` what is said in its place.

    ``groups`` holds the targets of single target groups, by ARN; all others have ``registered``.
    """

    url: str | None = None
    registered: tuple[RegisteredTarget, ...] = ()
    in_front: tuple[Front, ...] | None = None
    groups: dict[str, tuple[RegisteredTarget, ...]] = field(default_factory=dict)

    def fronts(self, target_group_arns: Sequence[str]) -> tuple[Front, ...]:
        if self.in_front is not None or self.url is None:
            return self.in_front or ()
        parts = urlsplit(self.url)
        rule = Rule(leads_to_us=True, does="forwards to notes")
        listener = Listener(protocol="HTTP", port=parts.port or 80, rules=(rule,))
        name = parts.hostname or ""
        front = Front(
            name=name, dns_name=name, kind="application", internal=False, listeners=(listener,)
        )
        return (front,)

    def targets(self, target_group_arn: str) -> tuple[RegisteredTarget, ...]:
        return self.groups.get(target_group_arn, self.registered)


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


@dataclass
class StubAlarms:
    """``speaking`` are the alarms that fire, ``silent`` those without data."""

    speaking: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()

    def look(self, names: Sequence[str]) -> AlarmsSeen:
        return AlarmsSeen(
            firing=tuple(name for name in names if name in self.speaking),
            without_data=tuple(name for name in names if name in self.silent),
        )


@dataclass
class StubWebsite:
    """``answers`` by URL; every other address is unreachable. ``in_turn`` answers come first."""

    answers: dict[str, HttpAnswer] = field(default_factory=dict)
    in_turn: list[HttpAnswer] = field(default_factory=list)
    asked: list[HttpRequest] = field(default_factory=list)

    def get_all(self, requests: Sequence[HttpRequest], seconds: float) -> tuple[HttpAnswer, ...]:
        return tuple(self._get(request) for request in requests)

    def _get(self, request: HttpRequest) -> HttpAnswer:
        self.asked.append(request)
        if self.in_turn:
            return self.in_turn.pop(0)
        nobody = HttpAnswer(url=request.url, status=0, body="nobody answers")
        return self.answers.get(request.url, nobody)


@dataclass
class InMemoryExecutions:
    """Requests by deployment; ``ended`` run no more, the last function of ``leaving`` still may."""

    started: dict[str, str] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    leaving: set[str] = field(default_factory=set)

    def start(self, deployment_id: str, request: str) -> None:
        self.started.setdefault(deployment_id, request)

    def running(self, deployment_id: str) -> bool:
        return deployment_id in self.started and deployment_id not in self.ended

    def all_running(self) -> frozenset[str]:
        return frozenset(self.started.keys() - self.ended)

    def at_work(self, deployment_id: str) -> bool:
        return self.running(deployment_id) or deployment_id in self.leaving

    def known(self, deployment_id: str) -> bool:
        return deployment_id in self.started


@dataclass
class InMemoryAnnouncements:
    """Everything that was published, in order."""

    published: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def publish(self, what: str, detail: dict[str, str]) -> None:
        self.published.append((what, detail))

    def publish_all(self, news: Sequence[Announcement]) -> None:
        self.published.extend(news)


@dataclass
class InMemoryTokens:
    """Answers by token; ``gone`` are tokens that a later try owns."""

    answered: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def success(self, token: str, output: str) -> bool:
        return self._answer(token, output)

    def failure(self, token: str, error: str, cause: str) -> bool:
        return self._answer(token, f"{error}: {cause}")

    def _answer(self, token: str, answer: str) -> bool:
        if token in self.gone or token in self.answered:
            return False
        self.answered[token] = answer
        return True
