"""The API of services: create, update, describe, list, delete."""

import re
from typing import Any

from cloud.twin.cloudwatch import CloudWatchModel
from cloud.twin.ecs.circuit_breaker import CircuitBreaker
from cloud.twin.ecs.clusters import Clusters
from cloud.twin.ecs.rollout import source_revisions
from cloud.twin.ecs.scheduler import Scheduler
from cloud.twin.ecs.service_deployments import AlarmWatch, ServiceDeployment
from cloud.twin.ecs.services import PLAIN_SETTINGS, REVISION_SETTINGS, Deployment, Revision, Service
from cloud.twin.ecs.task_definitions import TaskDefinitions
from cloud.twin.elbv2.api import Elbv2Model
from cloud.twin.errors import AwsError
from cloud.twin.pages import at_most, page
from cloud.twin.world import World

DEFAULT_CONFIGURATION: dict[str, Any] = {
    "strategy": "ROLLING",
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "bakeTimeInMinutes": 0,
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
}
STRATEGIES = ("ROLLING",)
LIST_SIZE = 10
DESCRIBE_MOST = 10
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")


class ServiceApi:
    """Services by cluster, and the deployments that their changes start."""

    def __init__(
        self,
        world: World,
        clusters: Clusters,
        definitions: TaskDefinitions,
        scheduler: Scheduler,
        elbv2: Elbv2Model,
        alarms: CloudWatchModel,
    ) -> None:
        self._world = world
        self._clusters = clusters
        self._definitions = definitions
        self._scheduler = scheduler
        self._elbv2 = elbv2
        self._alarms = alarms
        self.services: dict[str, Service] = {}

    def create(self, params: dict[str, Any]) -> dict[str, Any]:
        """Make a service and begin its first deployment."""
        cluster = self._clusters.get(params.get("cluster"))
        name = params["serviceName"]
        _check_name(name)
        self._check_target_groups(params)
        service = self._fresh(cluster, name, params)
        definition = self._definitions.usable(params["taskDefinition"])
        self.services[service.arn] = service
        self._deploy(service, definition)
        return {"service": service.describe()}

    def update(self, params: dict[str, Any]) -> dict[str, Any]:
        """Change a service; a deployment begins only if its revision changes or is forced to."""
        service = self._active(params.get("cluster"), params["service"])
        definition = self._wanted_definition(service, params)
        configuration = _configuration(params, service.configuration)
        service.configuration = configuration
        service.desired_count = _or(params.get("desiredCount"), service.desired_count)
        service.settings.update(_chosen(params, PLAIN_SETTINGS))
        if self._deploys(service, definition, params):
            service.settings.update(_chosen(params, REVISION_SETTINGS))
            self._deploy(service, definition)
        self._scheduler.poke(service)
        return {"service": service.describe()}

    def describe(self, params: dict[str, Any]) -> dict[str, Any]:
        """Services by name or ARN; a MISSING failure for each that is not there."""
        cluster = self._clusters.get(params.get("cluster"))
        names = at_most(DESCRIBE_MOST, "services", params)
        with_tags = "TAGS" in params.get("include", [])
        arns = [self._arn(cluster, name) for name in names]
        return {
            "services": [
                _described(self.services[arn], with_tags) for arn in arns if arn in self.services
            ],
            "failures": [
                {"arn": arn, "reason": "MISSING"} for arn in arns if arn not in self.services
            ],
        }

    def list_services(self, params: dict[str, Any]) -> dict[str, Any]:
        """The ARNs of a cluster's services."""
        cluster = self._clusters.get(params.get("cluster"))
        arns = [
            service.arn
            for service in self.services.values()
            if service.cluster_arn == cluster["clusterArn"] and service.status != "INACTIVE"
        ]
        return page("serviceArns", arns, params, LIST_SIZE)

    def delete(self, params: dict[str, Any]) -> dict[str, Any]:
        """Drain a service; one that is still scaled up must be forced."""
        service = self._active(params.get("cluster"), params["service"])
        if service.desired_count > 0 and not params.get("force"):
            message = "The service cannot be stopped while it is scaled above 0."
            raise AwsError("InvalidParameterException", message)
        self._scheduler.abandon(service)
        return {"service": service.describe()}

    def find(self, cluster_name: str | None, name: str) -> Service:
        """The service of a name or ARN; ServiceNotFoundException."""
        cluster = self._clusters.get(cluster_name)
        service = self.services.get(self._arn(cluster, name))
        if service is None:
            raise AwsError("ServiceNotFoundException", "Service not found.")
        return service

    def _active(self, cluster_name: str | None, name: str) -> Service:
        service = self.find(cluster_name, name)
        if service.status != "ACTIVE":
            raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
        return service

    def _arn(self, cluster: dict[str, Any], name: str) -> str:
        short = name.rpartition("/")[2]
        return self._world.arn("ecs", f"service/{cluster['clusterName']}/{short}")

    def _fresh(self, cluster: dict[str, Any], name: str, params: dict[str, Any]) -> Service:
        arn = self._arn(cluster, name)
        known = self.services.get(arn)
        if known is not None and known.status != "INACTIVE":
            message = "Creation of service was not idempotent."
            raise AwsError("InvalidParameterException", message)
        return Service(
            name=name,
            arn=arn,
            cluster_arn=cluster["clusterArn"],
            desired_count=params.get("desiredCount", 1),
            configuration=_configuration(params, DEFAULT_CONFIGURATION),
            settings=_chosen(params, REVISION_SETTINGS) | _chosen(params, PLAIN_SETTINGS),
            created_at=self._world.clock.now(),
            launch_type=params.get("launchType", "FARGATE"),
            tags=params.get("tags", []),
        )

    def _check_target_groups(self, params: dict[str, Any]) -> None:
        for each in params.get("loadBalancers", []):
            arn = each["targetGroupArn"]
            if not self._elbv2.is_used(arn):
                message = (
                    f"The target group with targetGroupArn {arn} "
                    "does not have an associated load balancer."
                )
                raise AwsError("InvalidParameterException", message)

    def _wanted_definition(self, service: Service, params: dict[str, Any]) -> dict[str, Any]:
        # An update that names no task definition keeps the one of the PRIMARY deployment,
        # even when that has become INACTIVE; one that is named must be ACTIVE.
        if "taskDefinition" not in params:
            return service.primary.revision.definition
        return self._definitions.usable(params["taskDefinition"])

    def _deploys(
        self, service: Service, definition: dict[str, Any], params: dict[str, Any]
    ) -> bool:
        if params.get("forceNewDeployment"):
            return True
        if definition is not service.primary.revision.definition:
            return True
        wanted = _chosen(params, REVISION_SETTINGS)
        return any(service.settings.get(name) != value for name, value in wanted.items())

    def _deploy(self, service: Service, definition: dict[str, Any]) -> None:
        """Begin a deployment of a new revision made of the service's present settings."""
        revision = self._revision(service, definition)
        sources = source_revisions(service)
        now = self._world.clock.now()
        deployment = Deployment(
            id=f"ecs-svc/{self._world.number_id(19)}",
            service=service,
            revision=revision,
            created_at=now,
            updated_at=now,
        )
        self._scheduler.rollout.begin(service, deployment)
        service.history.append(self._service_deployment(service, deployment, sources))

    def _revision(self, service: Service, definition: dict[str, Any]) -> Revision:
        revision = Revision(
            arn=service.arn.replace(":service/", ":service-revision/")
            + f"/{self._world.number_id(19)}",
            definition=definition,
            settings=_chosen(service.settings, REVISION_SETTINGS),
            created_at=self._world.clock.now(),
        )
        service.revisions[revision.arn] = revision
        return revision

    def _service_deployment(
        self, service: Service, deployment: Deployment, sources: list[Revision]
    ) -> ServiceDeployment:
        settings = service.configuration["deploymentCircuitBreaker"]
        return ServiceDeployment(
            arn=service.arn.replace(":service/", ":service-deployment/")
            + f"/{self._world.hex_id(21)}",
            deployment=deployment,
            sources=sources,
            configuration=service.configuration,
            breaker=CircuitBreaker.of(settings, service.desired_count),
            alarms=self._alarm_watch(service),
            created_at=deployment.created_at,
            updated_at=deployment.created_at,
            target=deployment.revision,
        )

    def _alarm_watch(self, service: Service) -> AlarmWatch:
        settings = service.configuration.get("alarms", {})
        names = settings.get("alarmNames", [])
        return AlarmWatch(
            names=names,
            enabled=settings.get("enable", False),
            rollback=settings.get("rollback", False),
            ignored=self._alarms.firing(names),
        )


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        message = "Service name should be 1-255 letters, numbers, underscores or hyphens."
        raise AwsError("InvalidParameterException", message)


def _configuration(params: dict[str, Any], earlier: dict[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = earlier | params.get("deploymentConfiguration", {})
    if merged["strategy"] not in STRATEGIES:
        message = f"The twin runs {', '.join(STRATEGIES)} deployments, not {merged['strategy']}."
        raise AwsError("UnsupportedFeatureException", message)
    if merged["maximumPercent"] <= 100 and merged["minimumHealthyPercent"] >= 100:
        message = "The maximumPercent must be above 100 when minimumHealthyPercent is 100."
        raise AwsError("InvalidParameterException", message)
    return merged


def _chosen(params: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: params[name] for name in names if name in params}


def _or(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value


def _described(service: Service, with_tags: bool) -> dict[str, Any]:
    answer = service.describe()
    return {**answer, "tags": service.tags} if with_tags else answer
