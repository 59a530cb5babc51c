"""One task of ECS: what is known of it, and how the API and its events describe it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cloud.twin.engines import ContainerSpec, TaskSpec
from cloud.twin.present import present
from cloud.twin.world import World, iso

if TYPE_CHECKING:
    from cloud.twin.ecs.services import Deployment

ZONE = "us-east-1a"
SOURCE = "aws.ecs"
_ARCHITECTURES = {"X86_64": "amd64", "ARM64": "arm64"}
STATE_CHANGE = "ECS Task State Change"


@dataclass(slots=True, eq=False)
class Task:
    """A task from its request to an hour after its end."""

    id: str
    arn: str
    cluster_arn: str
    definition: dict[str, Any]
    group: str
    created_at: datetime
    started_by: str | None = None
    launch_type: str = "FARGATE"
    platform_version: str = "1.4.0"
    overrides: dict[str, Any] = field(default_factory=dict)
    subnet: str = "subnet-00000000"
    tags: list[dict[str, str]] = field(default_factory=list)
    deployment: "Deployment | None" = None
    attempt: int = 1
    last_status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
    container_health: str = "UNKNOWN"
    version: int = 0
    address: str = ""
    engaged: bool = False
    targets: list[tuple[str, str, int]] = field(default_factory=list)
    healthy: bool = False
    was_healthy: bool = False
    in_grace: bool = False
    images: dict[str, str] = field(default_factory=dict)
    exit_codes: dict[str, int] = field(default_factory=dict)
    failure: str | None = None
    stop_code: str | None = None
    stopped_reason: str | None = None
    started_at: datetime | None = None
    stopping_at: datetime | None = None
    stopped_at: datetime | None = None

    @property
    def container_definitions(self) -> list[dict[str, Any]]:
        containers: list[dict[str, Any]] = self.definition["containerDefinitions"]
        return containers

    @property
    def ended(self) -> bool:
        return self.last_status in ("DEPROVISIONING", "STOPPED")

    def spec(self) -> TaskSpec:
        """What an engine needs to start the task; the images must have been resolved."""
        platform = self.definition.get("runtimePlatform", {})
        return TaskSpec(
            task_id=self.id,
            arn=self.arn,
            family=self.definition["family"],
            revision=self.definition["revision"],
            containers=tuple(self._container_spec(each) for each in self.container_definitions),
            architecture=_ARCHITECTURES.get(platform.get("cpuArchitecture", "X86_64"), "amd64"),
            service=self.group.removeprefix("service:") if self.deployment else None,
            attempt=self.attempt,
        )

    def describe(self) -> dict[str, Any]:
        """The task as `describe_tasks` shows it, without its tags."""
        return present({**self._identity(), **self._configuration(), **self._state()})

    def _identity(self) -> dict[str, Any]:
        return {
            "taskArn": self.arn,
            "clusterArn": self.cluster_arn,
            "taskDefinitionArn": self.definition["taskDefinitionArn"],
            "group": self.group,
            "startedBy": self.started_by,
        }

    def _configuration(self) -> dict[str, Any]:
        """What does not change once the task was started."""
        return {
            "launchType": self.launch_type,
            "platformVersion": self.platform_version,
            "platformFamily": "Linux",
            "availabilityZone": ZONE,
            "cpu": self.definition.get("cpu"),
            "memory": self.definition.get("memory"),
            "enableExecuteCommand": False,
            "overrides": {
                "containerOverrides": [],
                "inferenceAcceleratorOverrides": [],
                **self.overrides,
            },
            "attributes": [],
        }

    def _state(self) -> dict[str, Any]:
        return {
            "lastStatus": self.last_status,
            "desiredStatus": self.desired_status,
            "healthStatus": self.container_health,
            "connectivity": "CONNECTED" if self.address else None,
            "attachments": [self._network_interface()],
            "containers": [self._container(each) for each in self.container_definitions],
            "version": self.version,
            "createdAt": self.created_at,
            "startedAt": self.started_at,
            "stoppingAt": self.stopping_at,
            "stoppedAt": self.stopped_at,
            "executionStoppedAt": self.stopped_at,
            "stopCode": self.stop_code,
            "stoppedReason": self.stopped_reason,
        }

    def _container_spec(self, definition: dict[str, Any]) -> ContainerSpec:
        name = definition["name"]
        override = self._override(name)
        return ContainerSpec(
            name=name,
            image=definition["image"],
            digest=self.images[name],
            definition=definition,
            command=override.get("command"),
            environment={each["name"]: each["value"] for each in override.get("environment", [])},
        )

    def _override(self, container: str) -> dict[str, Any]:
        for each in self.overrides.get("containerOverrides", []):
            if each.get("name") == container:
                override: dict[str, Any] = each
                return override
        return {}

    def _container(self, definition: dict[str, Any]) -> dict[str, Any]:
        name = definition["name"]
        answer = {
            "containerArn": self.arn.replace(":task/", ":container/") + f"/{name}",
            "taskArn": self.arn,
            "name": name,
            "image": definition["image"],
            "imageDigest": self.images.get(name),
            "lastStatus": self._container_status(name),
            "healthStatus": self.container_health if "healthCheck" in definition else "UNKNOWN",
            "cpu": str(definition["cpu"]),
            "networkBindings": [],
            "networkInterfaces": [],
            "exitCode": self.exit_codes.get(name),
            "reason": self.failure if self.failure and self.ended else None,
        }
        return present(answer)

    def _container_status(self, name: str) -> str:
        if self.ended or name in self.exit_codes:
            return "STOPPED"
        running = ("ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING")
        return "RUNNING" if self.started_at and self.last_status in running else "PENDING"

    def _network_interface(self) -> dict[str, Any]:
        details = [{"name": "subnetId", "value": self.subnet}]
        if self.address:
            details.append({"name": "privateIPv4Address", "value": self.address})
        return {
            "id": f"{self.id[:8]}-{self.id[8:12]}-{self.id[12:16]}-{self.id[16:20]}-{self.id[20:]}",
            "type": "ElasticNetworkInterface",
            "status": "DELETED" if self.ended else "ATTACHED" if self.address else "PRECREATED",
            "details": details,
        }


def tell_change(world: World, task: Task) -> None:
    """Emit the task's state under the next version; every moment is an ISO string."""
    task.version += 1
    now = iso(world.clock.now())
    detail = {
        name: iso(value) if isinstance(value, datetime) else value
        for name, value in task.describe().items()
    }
    detail["updatedAt"] = now
    world.tell(SOURCE, STATE_CHANGE, [task.arn], detail)
