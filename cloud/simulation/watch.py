"""What an invariant sees of a run: its records, its cloud and its effects, as they stand now."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cloud.simulation.install import document_of
from cloud.simulation.trace import Effect
from cloud.simulation.world import catalog
from cloud.twin.ecs.services import Deployment as Rollout
from cloud.twin.ecs.tasks import Task
from slipway.domain.approval import Approval
from slipway.domain.deployment import Deployment
from slipway.domain.evidence import Evidence
from slipway.domain.lane import DatabaseSlot, Lane
from slipway.domain.plan import Plan
from slipway.domain.progress import ServiceProgress

if TYPE_CHECKING:
    from cloud.simulation.run import Run

Violations = Iterator[str]
# What Admit answered: the event, when, and the answers.
Admitted = tuple[dict[str, Any], datetime, list[dict[str, Any]]]


@dataclass(frozen=True)
class Invariant:
    """A check at the end of every run; its number is the one that docs/simulation.md lists."""

    number: int
    sentence: str
    check: Callable[["Watch"], Violations]


def invariant(number: int, sentence: str) -> Callable[[Callable[["Watch"], Violations]], Invariant]:
    """Make an Invariant of the function below."""
    return lambda check: Invariant(number, sentence, check)


class Watch:
    """One run, to look things up in, and the violations found so far."""

    def __init__(self, run: "Run") -> None:
        self.run = run
        self.cloud = run.cloud
        self.violations: list[str] = []
        self._before = set(self.cloud.table.partitions)

    def report(self, number: int, sentence: str) -> None:
        """Add a violation that was seen as it happened, with its time."""
        self.violations.append(f"({number}) at {self.cloud.clock.elapsed:.2f}: {sentence}")

    # Records

    def item(self, pk: str, sk: str, kind: type[Any]) -> Any:
        found = self.cloud.table.item(pk, sk)
        return document_of(found, kind) if found is not None else None

    def deployment(self, deployment_id: str) -> Deployment | None:
        pk = f"DEPLOYMENT#{deployment_id}"
        found: Deployment | None = self.item(pk, "DEPLOYMENT", Deployment)
        plan: Plan | None = self.item(pk, "PLAN", Plan)
        return found.read_with(plan) if found is not None else None

    def deployments(self) -> list[Deployment]:
        """The deployments that this run began."""
        new = self.cloud.table.partitions.keys() - self._before
        found = [
            self.deployment(pk.removeprefix("DEPLOYMENT#"))
            for pk in sorted(new)
            if pk.startswith("DEPLOYMENT#")
        ]
        return [one for one in found if one is not None]

    def evidence(self, deployment_id: str) -> list[Evidence]:
        """The entries of a deployment's record, in order."""
        items = self.cloud.table.partitions[f"DEPLOYMENT#{deployment_id}"]
        return [
            document_of(items[sk], Evidence) for sk in sorted(items) if sk.startswith("EVIDENCE#")
        ]

    def approval(self, deployment_id: str) -> Approval | None:
        found: Approval | None = self.item(f"DEPLOYMENT#{deployment_id}", "APPROVAL", Approval)
        return found

    def lane(self, lane_id: str) -> Lane:
        found: Lane = self.item(f"LANE#{lane_id}", "LANE", Lane)
        return found

    def lanes(self) -> list[Lane]:
        """Every lane of the catalog."""
        return [
            self.lane(f"{name}/{environment}")
            for name, application in catalog().applications.items()
            for environment in application.environments
        ]

    def slot(self, database_id: str) -> DatabaseSlot | None:
        found: DatabaseSlot | None = self.item(f"DATABASE#{database_id}", "SLOT", DatabaseSlot)
        return found

    # The cloud

    def primary(self, lane_id: str) -> Rollout:
        """The PRIMARY deployment of a lane's service."""
        cluster = lane_id.replace("/", "-")
        services = {one.cluster_arn.rsplit("/", 1)[-1]: one for one in self.cloud.services()}
        return services[cluster].primary

    def revision_arn(self, lane_id: str) -> str:
        """The task definition that is live on a lane."""
        return str(self.primary(lane_id).revision.definition["taskDefinitionArn"])

    def tasks(self, effect: Effect) -> list[Task]:
        """The tasks of a RunTask, including those that ECS no longer shows."""
        known = self.cloud.ecs._tasks._tokens.values()
        started_by = effect.params["startedBy"]
        return [task for _, tasks in known for task in tasks if task.started_by == started_by]

    def message_count(self, deployment_id: str, state: str) -> int:
        """How many messages of their own announced this state of this deployment."""
        wanted = {"deployment_id": deployment_id, "state": state}
        return sum(
            message.get("metadata", {}).get("event_payload") == wanted
            for message in self.cloud.slack.messages
        )

    def admissions(self) -> list[Admitted]:
        """Every event that Admit has answered."""
        clock = self.cloud.clock
        began = clock.now().timestamp() - clock.elapsed
        return [
            (line[2].event, datetime.fromtimestamp(began + line[0], clock.now().tzinfo), line[3])
            for line in self.cloud.trace.lines
            if line[1] == "ended" and line[2].function.name == "admit" and line[4] is None
        ]


def service_progress(one: Deployment) -> ServiceProgress:
    """What was done to the service, by the deployment's document alone."""
    return next(iter(one.progress.services.values()), ServiceProgress())


def registered_revision(one: Deployment) -> str | None:
    """The revision that the deployment registered."""
    revision = service_progress(one).revision
    return revision.handle if revision else None
