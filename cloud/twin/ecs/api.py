"""ECS as an API: one method per operation, over clusters, definitions, services and tasks."""

from typing import Any

from cloud.twin.cloudwatch import CloudWatchModel
from cloud.twin.ecs.clusters import Clusters
from cloud.twin.ecs.policies import ANYWHERE, TaskPolicies, TaskPolicy
from cloud.twin.ecs.scheduler import Scheduler
from cloud.twin.ecs.service_api import ServiceApi
from cloud.twin.ecs.service_deployment_api import ServiceDeploymentApi
from cloud.twin.ecs.service_deployments import ServiceDeployment
from cloud.twin.ecs.services import Service
from cloud.twin.ecs.task_api import TaskApi
from cloud.twin.ecs.task_definitions import TaskDefinitions
from cloud.twin.ecs.task_runner import ResolveImage
from cloud.twin.elbv2.api import Elbv2Model
from cloud.twin.engines import TaskEngine
from cloud.twin.errors import AwsError
from cloud.twin.world import World

Params = dict[str, Any]


class EcsModel:
    """The container service: what it is asked, and the deployments it carries out."""

    def __init__(
        self,
        world: World,
        engine: TaskEngine,
        elbv2: Elbv2Model,
        cloudwatch: CloudWatchModel,
        resolve_image: ResolveImage,
    ) -> None:
        self._cloudwatch = cloudwatch
        self._clusters = Clusters(world)
        self._definitions = TaskDefinitions(world)
        self._policies = TaskPolicies()
        self._tasks = TaskApi(world, self._clusters, self._definitions, self._policies)
        self._scheduler = Scheduler(
            world, engine, elbv2, resolve_image, self._bake_seconds, self._tasks.for_service
        )
        self._scheduler.runner.start_failure = self._policies.start_failure
        self._services = ServiceApi(
            world, self._clusters, self._definitions, self._scheduler, elbv2, cloudwatch
        )
        self._deployments = ServiceDeploymentApi(self._services, self._scheduler)
        cloudwatch.subscribe(self._alarm_changed)

    def create_cluster(self, params: Params) -> Params:
        return {"cluster": self._clusters.create(params)}

    def describe_clusters(self, params: Params) -> Params:
        return self._clusters.describe(params)

    def list_clusters(self, params: Params) -> Params:
        return self._clusters.list_clusters(params)

    def delete_cluster(self, params: Params) -> Params:
        return {"cluster": self._clusters.delete(params["cluster"])}

    def register_task_definition(self, params: Params) -> Params:
        definition = self._definitions.register(params)
        return {"taskDefinition": definition, "tags": params.get("tags", [])}

    def describe_task_definition(self, params: Params) -> Params:
        definition = self._definitions.find(params["taskDefinition"])
        if definition is None:
            raise AwsError("ClientException", "Unable to describe task definition.")
        answer: Params = {"taskDefinition": definition}
        if "TAGS" in params.get("include", []):
            answer["tags"] = self._definitions.tags.get(definition["taskDefinitionArn"], [])
        return answer

    def deregister_task_definition(self, params: Params) -> Params:
        return {"taskDefinition": self._definitions.deregister(params["taskDefinition"])}

    def list_task_definitions(self, params: Params) -> Params:
        return self._definitions.list_definitions(params)

    def list_task_definition_families(self, params: Params) -> Params:
        return self._definitions.families(params)

    def create_service(self, params: Params) -> Params:
        return self._services.create(params)

    def update_service(self, params: Params) -> Params:
        return self._services.update(params)

    def describe_services(self, params: Params) -> Params:
        return self._services.describe(params)

    def list_services(self, params: Params) -> Params:
        return self._services.list_services(params)

    def delete_service(self, params: Params) -> Params:
        return self._services.delete(params)

    def list_service_deployments(self, params: Params) -> Params:
        return self._deployments.list_deployments(params)

    def describe_service_deployments(self, params: Params) -> Params:
        return self._deployments.describe(params)

    def describe_service_revisions(self, params: Params) -> Params:
        return self._deployments.describe_revisions(params)

    def stop_service_deployment(self, params: Params) -> Params:
        return self._deployments.stop(params)

    def run_task(self, params: Params) -> Params:
        return self._tasks.run(params, self._scheduler.runner)

    def stop_task(self, params: Params) -> Params:
        return self._tasks.stop(params, self._scheduler.runner)

    def list_tasks(self, params: Params) -> Params:
        return self._tasks.list_tasks(params)

    def describe_tasks(self, params: Params) -> Params:
        return self._tasks.describe(params)

    def tag_resource(self, params: Params) -> Params:
        tags = self._tags(params["resourceArn"])
        new = {each["key"] for each in params["tags"]}
        tags[:] = [each for each in tags if each["key"] not in new] + list(params["tags"])
        return {}

    def untag_resource(self, params: Params) -> Params:
        tags = self._tags(params["resourceArn"])
        tags[:] = [each for each in tags if each["key"] not in params["tagKeys"]]
        return {}

    def list_tags_for_resource(self, params: Params) -> Params:
        return {"tags": self._tags(params["resourceArn"])}

    def fail_next_run_task(self, reason: str) -> None:
        """Let the next run_task of any cluster start nothing and answer this failure."""
        self._policies.set(ANYWHERE, TaskPolicy(no_capacity=reason, remaining=1))

    def set_policy(self, cluster: str, **policy: Any) -> Params:
        """What goes wrong with a cluster's next tasks: the fields of `TaskPolicy`."""
        self._policies.set(cluster, TaskPolicy(**policy))
        return self.policies()

    def policies(self) -> Params:
        """The policy of each cluster that has one."""
        return {name: vars(policy) for name, policy in self._policies.by_cluster.items()}

    def state(self) -> dict[str, Any]:
        """What there is, for people and tests."""
        services = self._services.services.values()
        return {
            "services": [each.describe() for each in services],
            "serviceDeployments": [
                entry.describe(each) for each in services for entry in each.history
            ],
            "tasks": [task.describe() for task in self._tasks.tasks.values()],
        }

    def _tags(self, arn: str) -> list[dict[str, str]]:
        service = self._services.services.get(arn)
        task = self._tasks.tasks.get(arn)
        cluster = self._clusters.find(arn) if ":cluster/" in arn else None
        if service is not None:
            return service.tags
        if task is not None:
            return task.tags
        if cluster is not None:
            tags: list[dict[str, str]] = cluster["tags"]
            return tags
        if ":task-definition/" in arn and self._definitions.find(arn):
            return self._definitions.tags.setdefault(arn, [])
        raise AwsError("InvalidParameterException", "The specified resource was not found.")

    def _bake_seconds(self, service: Service, deployment: ServiceDeployment) -> float:
        """How long the alarms are watched after the last old task is gone."""
        watch = deployment.alarms
        names = [name for name in watch.names if name not in watch.ignored]
        if not watch.enabled or not names:
            return 0.0
        configured = service.configuration.get("bakeTimeInMinutes", 0) * 60.0
        return configured or self._cloudwatch.evaluation_seconds(names)

    def _alarm_changed(self, name: str, state: str) -> None:
        for service in self._services.services.values():
            current = service.current
            if current is not None and state == "ALARM" and not current.rolling_back:
                self._scheduler.rollout.alarm_fired(service, current, name)
