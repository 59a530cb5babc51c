"""What ECS tells of a service: its messages, and the events of its deployments."""

from cloud.twin.ecs.services import Deployment, Service
from cloud.twin.ecs.tasks import SOURCE, Task
from cloud.twin.world import World, iso

DEPLOYMENT_CHANGE = "ECS Deployment State Change"
SERVICE_ACTION = "ECS Service Action"


class ServiceLog:
    """Writes the messages and emits the events, in ECS's own words."""

    def __init__(self, world: World) -> None:
        self._world = world

    def started(self, service: Service, tasks: list[Task]) -> None:
        names = " ".join(f"(task {task.id})" for task in tasks)
        self._say(service, f"has started {len(tasks)} tasks: {names}.")

    def stopped(self, service: Service, tasks: list[Task]) -> None:
        names = " ".join(f"(task {task.id})" for task in tasks)
        self._say(service, f"has stopped {len(tasks)} running tasks: {names}.")

    def unhealthy(self, service: Service, group: str, port: int, why: str) -> None:
        self._say(service, f"(port {port}) is unhealthy in (target-group {group}) due to ({why}).")

    def steady(self, service: Service) -> None:
        """The service has all it wants and nothing more."""
        self._say(service, "has reached a steady state.")
        detail = {
            "eventType": "INFO",
            "eventName": "SERVICE_STEADY_STATE",
            "clusterArn": service.cluster_arn,
            "createdAt": iso(self._world.clock.now()),
        }
        self._world.tell(SOURCE, SERVICE_ACTION, [service.arn], detail)

    def impaired(self, service: Service) -> None:
        """Tasks keep failing to start."""
        self._say(service, "is unable to consistently start tasks successfully.")
        detail = {
            "eventType": "WARN",
            "eventName": "SERVICE_TASK_START_IMPAIRED",
            "clusterArn": service.cluster_arn,
            "createdAt": iso(self._world.clock.now()),
        }
        self._world.tell(SOURCE, SERVICE_ACTION, [service.arn], detail)

    def in_progress(self, service: Service, deployment: Deployment) -> None:
        """A deployment began, or one is being rolled back to: only the reason tells which."""
        self._deployment(service, deployment, "INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS")

    def completed(self, service: Service, deployment: Deployment) -> None:
        self._say(service, f"(deployment {deployment.id}) deployment completed.")
        self._deployment(service, deployment, "INFO", "SERVICE_DEPLOYMENT_COMPLETED")

    def failed(self, service: Service, deployment: Deployment, why: str, event: bool) -> None:
        """A deployment was given up; the event exists only with the circuit breaker on."""
        self._say(service, f"(deployment {deployment.id}) deployment failed: {why}.")
        if event:
            self._deployment(service, deployment, "ERROR", "SERVICE_DEPLOYMENT_FAILED")

    def rolling_back(self, service: Service, deployment: Deployment) -> None:
        self._say(service, f"rolling back to deployment {deployment.id}.")
        self.in_progress(service, deployment)

    def _deployment(self, service: Service, deployment: Deployment, kind: str, name: str) -> None:
        detail = {
            "eventType": kind,
            "eventName": name,
            "clusterArn": service.cluster_arn,
            "deploymentId": deployment.id,
            "updatedAt": iso(deployment.updated_at),
            "reason": deployment.reason,
        }
        self._world.tell(SOURCE, DEPLOYMENT_CHANGE, [service.arn], detail)

    def _say(self, service: Service, text: str) -> None:
        message = f"(service {service.name}) {text}"
        service.messages.appendleft(
            {"id": self._world.uuid(), "createdAt": self._world.clock.now(), "message": message}
        )
