"""What the steps need from the outside, in the domain's words."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, runtime_checkable

from slipway.domain.approval import Approval
from slipway.domain.catalog import EcsTarget, Rolling
from slipway.domain.deployment import Deployment
from slipway.domain.evidence import Evidence
from slipway.domain.gates import Scan
from slipway.domain.lane import DatabaseSlot, Lane
from slipway.domain.message import Message
from slipway.domain.model import Model, Versioned
from slipway.domain.notice import Notice
from slipway.domain.plan import LiveService
from slipway.domain.preflight import DatabaseInstance, Revision
from slipway.domain.release import Image, Pushed, Release
from slipway.domain.routing import Front
from slipway.domain.seen import SeenTags
from slipway.domain.verdict import AlarmsSeen, HttpAnswer, HttpRequest, Rollout, Target


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
        """The deployment as last written; Rejected when it does not exist."""
        ...

    def lane(self, application: str, environment: str) -> Lane:
        """The lane; a new one when nothing was ever deployed there."""
        ...

    def database_slot(self, database_id: str) -> DatabaseSlot:
        """Who migrates this database."""
        ...

    def approval(self, deployment_id: str) -> Approval | None:
        """The deployment's approval, once it was asked for."""
        ...

    def notice(self, deployment_id: str) -> Notice:
        """What was told of the deployment; a new one when nothing was."""
        ...

    def admission(self, admission_id: str) -> Admission | None:
        """The admission of this very wish, if it came before."""
        ...

    def evidence(self, deployment_id: str) -> list[Evidence]:
        """Every entry of the deployment's record, oldest first."""
        ...

    def recent(self, application: str, environment: str, limit: int) -> list[Deployment]:
        """The newest deployments of a lane, newest first; may lag behind by a moment."""
        ...

    def deployments(self, deployment_ids: Sequence[str]) -> list[Deployment]:
        """Those of the deployments that exist, as last written, in no order."""
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
        """What Slack has refused since and nobody has told; may lag behind by a moment."""
        ...

    def unsettled(self) -> list[Deployment]:
        """Every deployment without an outcome; may lag behind by a moment."""
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


class Parked(Model):
    """A step that waits: the token to answer with and the request to look again for."""

    key: str
    waiting_id: str
    token: str
    request: str
    expires_at: datetime


class Parking(Protocol):
    """Who waits for which key."""

    def park(self, parked: Sequence[Parked]) -> None:
        """Keep the requests under their keys; parking again replaces."""
        ...

    def parked_under(self, key: str) -> list[Parked]:
        """Every request that waits for this key."""
        ...

    def leave(self, parked: Sequence[Parked]) -> None:
        """Forget the requests, unless a later try has parked with another token."""
        ...


class ImageRegistry(Protocol):
    """ECR."""

    def image(
        self, repository: str, reference: str, architecture: str, system: str = "LINUX"
    ) -> Image | None:
        """The image behind a digest or tag, resolved for an ECS platform; None if absent.

        Rejected(NotAnImage) for whatever is no container image.
        """
        ...

    def status(self, repository: str, reference: str) -> Image | None:
        """As image(), without labels and platform: one call."""
        ...

    def looked_up(self, repository: str, digest: str) -> Pushed | None:
        """What a digest is, and when it was pushed; None when it is not there."""
        ...

    def tagged(self, repository: str) -> list[Release]:
        """Every tag with its image and the first push of that; none without a repository."""
        ...

    def scan(self, repository: str, digest: str) -> Scan:
        """The vulnerability scan of this digest; status ABSENT when there is none."""
        ...


class OneOff(Model):
    """A one-off task as ECS reports it.

    ``stopped`` says that the whole task is over, ``leftover`` that its command is while the rest is
    meant to run on. ``exit_code`` is None as long as ECS knows none, ``reason`` is in ECS's own
    words. ``never_ran`` is ECS's word for it that the command has not begun; without it a command
    without an exit code may have run.
    """

    task_arn: str
    stopped: bool
    exit_code: int | None
    reason: str
    leftover: bool = False
    never_ran: bool = False

    @property
    def ended(self) -> bool:
        """Whether the command is over, whatever else of the task still runs."""
        return self.stopped or self.leftover


class Services(Protocol):
    """ECS services, read only."""

    def live(self, target: EcsTarget) -> LiveService:
        """The service as it runs, without its address; Broken when it is missing or not ACTIVE."""
        ...

    def revision(self, revision_arn: str) -> Revision:
        """Whether a task definition revision can still be used, or registered again."""
        ...

    def rollout(self, target: EcsTarget, revision_arn: str) -> Rollout:
        """How the service's PRIMARY deployment does, and what became of this revision.

        One call while a rollout is in progress; three, with digests, when it has ended.
        """
        ...


class Revisions(Protocol):
    """ECS task definition revisions."""

    def find(self, base_arn: str, deployment_id: str) -> str | None:
        """The revision that an earlier try registered for this deployment, by its tag."""
        ...

    def register(
        self, base_arn: str, container: str, image_uri: str, deployment_id: str, fencing: int
    ) -> str:
        """A new revision like the base with another image in one container; its ARN.

        RegisterTaskDefinition has no client token: after a lost response use find().
        """
        ...

    def register_again(self, revision_arn: str, name: str, fencing: int) -> str:
        """A new revision like a deregistered one, to be found by this name; its ARN.

        Broken(NothingToRollBackTo) when it is deleted.
        """
        ...


class Rollouts(Protocol):
    """The one right to change what an ECS service runs."""

    def update(self, target: EcsTarget, revision_arn: str, strategy: Rolling) -> None:
        """Point the service at a revision, unless its PRIMARY deployment already has it."""
        ...


class OneOffs(Protocol):
    """One-off ECS tasks."""

    def run(
        self,
        target: EcsTarget,
        revision_arn: str,
        command: Sequence[str],
        started_by: str,
        attempt: int = 0,
    ) -> str:
        """Start a task as the service's own tasks are, once per ``started_by``; its ARN.

        After any answer but the ARN, nothing was started: Transient(CapacityUnavailable) when ECS
        has no room for now, Broken when it refuses. Every other Transient leaves that open. A new
        ``attempt`` may be counted once every earlier one was answered.
        """
        ...

    def find(self, target: EcsTarget, revision_arn: str, started_by: str) -> str | None:
        """The ARN of the task that an earlier try started, running or just stopped."""
        ...

    def running(self, target: EcsTarget, task_arn: str) -> bool:
        """Whether the command may be at work; False for a task that ECS does not know any more."""
        ...

    def look(self, target: EcsTarget, task_arn: str) -> OneOff:
        """How the task does."""
        ...

    def log_tail(self, target: EcsTarget, revision_arn: str, task_arn: str) -> tuple[str, ...]:
        """The last lines of the command, oldest first: 20 at most, plain, without secrets.

        Never an error: a log that cannot be read is one line that says so.
        """
        ...

    def stop(self, target: EcsTarget, task_arn: str, why: str) -> None:
        """End what still runs of a task; asking again is harmless."""
        ...


class LoadBalancers(Protocol):
    """Elastic Load Balancing."""

    def fronts(self, target_group_arns: Sequence[str]) -> tuple[Front, ...]:
        """What is in front of these target groups, those of one service; empty when nothing is."""
        ...

    def targets(self, target_group_arn: str) -> tuple[Target, ...]:
        """The registered targets and their health."""
        ...


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


class Alarms(Protocol):
    """CloudWatch."""

    def look(self, names: Sequence[str]) -> AlarmsSeen:
        """Which of the named alarms fire, with every one that does not exist, or have no data."""
        ...


class Website(Protocol):
    """The deployed service, seen from outside."""

    def get_all(self, requests: Sequence[HttpRequest], seconds: float) -> tuple[HttpAnswer, ...]:
        """An answer to every GET, in their order, all within so many seconds.

        An unreachable address, and one that there was no time left for, is an answer with status 0.
        """
        ...


class Executions(Protocol):
    """Step Functions."""

    def start(self, deployment_id: str, request: str) -> None:
        """Start the deployment's execution, once."""
        ...

    def running(self, deployment_id: str) -> bool:
        """Whether the deployment's execution still runs."""
        ...

    def all_running(self) -> frozenset[str]:
        """The deployments whose executions run; may lag behind by a moment."""
        ...

    def at_work(self, deployment_id: str) -> bool:
        """Whether the execution, or a function that it has just invoked, may still run."""
        ...

    def known(self, deployment_id: str) -> bool:
        """Whether the deployment's execution was ever started."""
        ...


class Announcement(NamedTuple):
    """An event's detail-type and its content."""

    what: str
    detail: dict[str, str]


class Announcements(Protocol):
    """Slipway's own events."""

    def publish(self, what: str, detail: dict[str, str]) -> None:
        """Tell the event bus; a hint to whoever waits, never the record."""
        ...

    def publish_all(self, news: Sequence[Announcement]) -> None:
        """Tell all of it, ten at a time; Transient when some of it was not taken."""
        ...


class Links(Protocol):
    """Where people look at a deployment and decide it."""

    @property
    def absolute(self) -> bool:
        """Whether the links lead somewhere from outside the pages themselves."""
        ...

    def approval(self, approval: Approval) -> str:
        """The approval's page, signed for this digest and plan."""
        ...

    def deployment(self, deployment_id: str) -> str:
        """The deployment's page, signed for looking."""
        ...


class Delivery(Model):
    """What became of a message.

    ``clear`` is False when it may or may not have arrived; ``channel`` and ``message_ts`` name
    the place of a message that Slack confirmed, where it tells one.
    """

    clear: bool
    channel: str = ""
    message_ts: str = ""


class SlackWebhook(Protocol):
    """Slack, as far as an incoming webhook reaches: it only sends."""

    def send(self, message: Message) -> Delivery:
        """Send a message; Transient when it certainly did not arrive but may later, Broken when
        Slack refuses it for good.
        """
        ...


@runtime_checkable
class SlackChannel(Protocol):
    """Slack, as a bot sees it: messages can be changed, answered and found again.

    Every method raises Transient when the call certainly had no effect and may later, and Broken
    when Slack refuses it for good, in plain text as well.
    """

    def post(self, message: Message, *, channel: str | None, thread_ts: str | None) -> Delivery:
        """A new message, or a line in a thread; in the default channel without one, and where
        Slack does not take it in its own.
        """
        ...

    def update(self, message: Message, *, channel: str, message_ts: str) -> None:
        """Replace a message; replacing it again is harmless."""
        ...

    def find(
        self, message: Message, *, channel: str | None, thread_ts: str | None, since: datetime
    ) -> Delivery | None:
        """The message about this deployment and state, if an earlier try posted it."""
        ...
