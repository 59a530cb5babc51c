"""Services of ECS with their revisions and rollouts, and how the API shows them."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cloud.twin.ecs.service_deployments import ServiceDeployment
from cloud.twin.ecs.tasks import Task
from cloud.twin.present import present

KEPT_MESSAGES = 100
_PENDING = ("PROVISIONING", "PENDING", "ACTIVATING")

# Settings that make up a service revision: to change one is to deploy.
REVISION_SETTINGS = (
    "networkConfiguration",
    "platformVersion",
    "loadBalancers",
    "serviceRegistries",
    "capacityProviderStrategy",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
)
# Settings that take effect without a deployment.
PLAIN_SETTINGS = (
    "healthCheckGracePeriodSeconds",
    "placementConstraints",
    "placementStrategy",
    "enableExecuteCommand",
    "enableECSManagedTags",
    "propagateTags",
    "availabilityZoneRebalancing",
)


@dataclass(slots=True, eq=False)
class Revision:
    """One workload configuration of a service; images are fixed by the first task."""

    arn: str
    definition: dict[str, Any]
    settings: dict[str, Any]
    created_at: datetime
    images: dict[str, str] = field(default_factory=dict)

    @property
    def load_balancers(self) -> list[dict[str, Any]]:
        balancers: list[dict[str, Any]] = self.settings.get("loadBalancers", [])
        return balancers

    def describe(self, service: "Service") -> dict[str, Any]:
        """As `describe_service_revisions` shows it."""
        return {
            "serviceRevisionArn": self.arn,
            "serviceArn": service.arn,
            "clusterArn": service.cluster_arn,
            "taskDefinition": self.definition["taskDefinitionArn"],
            "launchType": service.launch_type,
            "platformVersion": self.settings.get("platformVersion", "1.4.0"),
            "platformFamily": "Linux",
            "containerImages": [self._image(each) for each in self.definition_containers],
            "guardDutyEnabled": False,
            "createdAt": self.created_at,
            "resolvedConfiguration": {
                "loadBalancers": [
                    {"targetGroupArn": each["targetGroupArn"]} for each in self.load_balancers
                ]
            },
            **{name: self.settings[name] for name in REVISION_SETTINGS if name in self.settings},
        }

    @property
    def definition_containers(self) -> list[dict[str, Any]]:
        containers: list[dict[str, Any]] = self.definition["containerDefinitions"]
        return containers

    def _image(self, container: dict[str, Any]) -> dict[str, Any]:
        image = {"containerName": container["name"], "image": container["image"]}
        digest = self.images.get(container["name"])
        return {**image, "imageDigest": digest} if digest else image


@dataclass(slots=True, eq=False)
class Deployment:
    """One rollout of a revision: an entry of a service's `deployments`."""

    id: str
    service: "Service"
    revision: Revision
    created_at: datetime
    updated_at: datetime
    status: str = "PRIMARY"
    rollout_state: str = "IN_PROGRESS"
    reason: str = ""
    failed_tasks: int = 0
    launched: int = 0
    pauses: int = 0
    paused: bool = False
    # What the API shows in place of the rollout state for a moment.
    shown_state: str | None = None
    # The same deployment is deployed again, and shown in place of this one.
    replaced: bool = False
    tasks: dict[str, Task] = field(default_factory=dict)

    def again(self, now: datetime) -> "Deployment":
        """The same deployment from the beginning, without any task."""
        return Deployment(self.id, self.service, self.revision, now, now)

    def show(self) -> None:
        """Let the API show the rollout state as it is."""
        self.shown_state = None

    def active(self) -> list[Task]:
        """The tasks that are wanted to run."""
        return [task for task in self.tasks.values() if task.desired_status == "RUNNING"]

    def counts(self) -> tuple[int, int]:
        """How many tasks are pending, and how many are running."""
        statuses = [task.last_status for task in self.tasks.values()]
        return sum(each in _PENDING for each in statuses), statuses.count("RUNNING")

    def describe(self) -> dict[str, Any]:
        """As `describe_services` shows it."""
        service = self.service
        pending, running = self.counts()
        settings = self.revision.settings
        desired = service.desired_count if self.status == "PRIMARY" else len(self.active())
        answer = {
            "id": self.id,
            "status": self.status,
            "taskDefinition": self.revision.definition["taskDefinitionArn"],
            "desiredCount": desired,
            "pendingCount": pending,
            "runningCount": running,
            "failedTasks": self.failed_tasks,
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
            "launchType": service.launch_type,
            "platformVersion": settings.get("platformVersion", "1.4.0"),
            "platformFamily": "Linux",
            "rolloutState": self.shown_state or self.rollout_state,
            "rolloutStateReason": self.reason,
        }
        if "networkConfiguration" in settings:
            answer["networkConfiguration"] = settings["networkConfiguration"]
        return answer


@dataclass(slots=True, eq=False)
class Service:
    """A service and its history; the first deployment is the PRIMARY one."""

    name: str
    arn: str
    cluster_arn: str
    desired_count: int
    configuration: dict[str, Any]
    settings: dict[str, Any]
    created_at: datetime
    launch_type: str = "FARGATE"
    status: str = "ACTIVE"
    tags: list[dict[str, str]] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    revisions: dict[str, Revision] = field(default_factory=dict)
    history: list[ServiceDeployment] = field(default_factory=list)
    last_completed: Deployment | None = None
    messages: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT_MESSAGES))
    poked: bool = False
    steady: bool = False

    @property
    def primary(self) -> Deployment:
        return self.deployments[0]

    @property
    def current(self) -> ServiceDeployment | None:
        """The service deployment under way, if any."""
        latest = self.history[-1] if self.history else None
        return latest if latest and not latest.finished else None

    @property
    def most_tasks(self) -> int:
        """How many tasks may run during a deployment; rounded down."""
        return self.desired_count * int(self.configuration["maximumPercent"]) // 100

    @property
    def fewest_healthy(self) -> int:
        """How many tasks must stay healthy during a deployment; rounded up."""
        return -(-self.desired_count * int(self.configuration["minimumHealthyPercent"]) // 100)

    @property
    def strategy(self) -> str:
        return str(self.configuration.get("strategy", "ROLLING"))

    def tasks(self) -> list[Task]:
        """Every task of the service that is not stopped."""
        return [task for each in self.deployments for task in each.tasks.values()]

    def summary(self, revision: Revision) -> dict[str, Any]:
        """The task counts of one revision."""
        found = [each for each in self.deployments if each.revision is revision]
        counts = [each.counts() for each in found]
        return {
            "arn": revision.arn,
            "requestedTaskCount": sum(self._requested(each) for each in found),
            "pendingTaskCount": sum(pending for pending, _ in counts),
            "runningTaskCount": sum(running for _, running in counts),
        }

    def describe(self) -> dict[str, Any]:
        """As `describe_services` shows it, without its tags."""
        return present({**self._identity(), **self._configuration(), **self._state()})

    def _identity(self) -> dict[str, Any]:
        return {
            "serviceArn": self.arn,
            "serviceName": self.name,
            "clusterArn": self.cluster_arn,
            "createdAt": self.created_at,
        }

    def _configuration(self) -> dict[str, Any]:
        settings = self.settings
        return {
            "loadBalancers": settings.get("loadBalancers", []),
            "serviceRegistries": settings.get("serviceRegistries", []),
            "desiredCount": self.desired_count,
            "launchType": self.launch_type,
            "platformVersion": settings.get("platformVersion", "LATEST"),
            "platformFamily": "Linux",
            "deploymentConfiguration": self.configuration,
            "placementConstraints": settings.get("placementConstraints", []),
            "placementStrategy": settings.get("placementStrategy", []),
            "networkConfiguration": settings.get("networkConfiguration"),
            "healthCheckGracePeriodSeconds": settings.get("healthCheckGracePeriodSeconds"),
            "schedulingStrategy": "REPLICA",
            "deploymentController": {"type": "ECS"},
            "enableECSManagedTags": settings.get("enableECSManagedTags", False),
            "propagateTags": settings.get("propagateTags", "NONE"),
            "enableExecuteCommand": settings.get("enableExecuteCommand", False),
            "availabilityZoneRebalancing": settings.get("availabilityZoneRebalancing"),
        }

    def _state(self) -> dict[str, Any]:
        counts = [each.counts() for each in self.deployments]
        # A service that is INACTIVE has no deployment left.
        revision = self.primary.revision if self.deployments else None
        return {
            "status": self.status,
            "pendingCount": sum(pending for pending, _ in counts),
            "runningCount": sum(running for _, running in counts),
            "taskDefinition": revision.definition["taskDefinitionArn"] if revision else None,
            "deployments": [each.describe() for each in self.deployments if not each.replaced],
            "events": list(self.messages),
            "currentServiceDeployment": self.current.arn if self.current else None,
            "currentServiceRevisions": [self.summary(each) for each in self._running_revisions()],
        }

    def _running_revisions(self) -> list[Revision]:
        return list(
            {each.revision.arn: each.revision for each in self.deployments if each.tasks}.values()
        )

    def _requested(self, deployment: Deployment) -> int:
        if deployment.replaced:
            return 0
        primary = deployment.status == "PRIMARY"
        return self.desired_count if primary else len(deployment.active())
