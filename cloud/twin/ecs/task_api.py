"""The API of tasks: run, stop, list, describe."""

from typing import Any

from cloud.twin.ecs.clusters import Clusters
from cloud.twin.ecs.policies import TaskPolicies
from cloud.twin.ecs.services import Deployment, Service
from cloud.twin.ecs.task_definitions import TaskDefinitions
from cloud.twin.ecs.task_runner import TaskRunner
from cloud.twin.ecs.tasks import Task
from cloud.twin.errors import AwsError
from cloud.twin.pages import at_most, page
from cloud.twin.world import World

RUN_MOST = 10
DESCRIBE_MOST = 100
# ECS shows a stopped task for at least an hour.
SHOWN_SECONDS = 3600.0


class TaskApi:
    """Every task of the account by its ARN, and the tokens under which tasks were run."""

    def __init__(
        self,
        world: World,
        clusters: Clusters,
        definitions: TaskDefinitions,
        policies: TaskPolicies,
    ) -> None:
        self._world = world
        self._clusters = clusters
        self._definitions = definitions
        self._tokens: dict[tuple[str, str], tuple[dict[str, Any], list[Task]]] = {}
        self.tasks: dict[str, Task] = {}
        self.policies = policies

    def for_service(self, service: Service, deployment: Deployment) -> Task:
        """The next task of a deployment."""
        deployment.launched += 1
        task = self._task(
            service.cluster_arn, deployment.revision.definition, f"service:{service.name}"
        )
        task.started_by = deployment.id
        task.launch_type = service.launch_type
        task.deployment = deployment
        task.attempt = deployment.launched
        deployment.tasks[task.id] = task
        return task

    def run(self, params: dict[str, Any], runner: TaskRunner) -> dict[str, Any]:
        """Run tasks once; the same client token answers the same tasks again."""
        cluster = self._clusters.get(params.get("cluster"))
        count = params.get("count", 1)
        if not 1 <= count <= RUN_MOST:
            raise AwsError("InvalidParameterException", "Count must be between 1 and 10.")
        known = self._known(cluster["clusterArn"], params)
        if known is not None:
            return {"tasks": [_described(task, True) for task in known], "failures": []}
        definition = self._definitions.usable(params["taskDefinition"])
        refused = self.policies.no_capacity(cluster["clusterArn"])
        if refused is not None:
            return {"tasks": [], "failures": [{"reason": refused}]}
        tasks = [self._one_off(cluster["clusterArn"], definition, params) for _ in range(count)]
        if params.get("clientToken"):
            self._tokens[cluster["clusterArn"], params["clientToken"]] = (params, tasks)
        for task in tasks:
            runner.launch(task)
        return {"tasks": [_described(task, True) for task in tasks], "failures": []}

    def stop(self, params: dict[str, Any], runner: TaskRunner) -> dict[str, Any]:
        """Ask a task to end."""
        cluster = self._clusters.get(params.get("cluster"))
        task = self.tasks.get(self._arn(cluster["clusterArn"], params["task"]))
        if task is None:
            raise AwsError("InvalidParameterException", "The referenced task was not found.")
        runner.stop(task, "UserInitiated", params.get("reason") or "Task stopped by user")
        return {"task": _described(task, True)}

    def list_tasks(self, params: dict[str, Any]) -> dict[str, Any]:
        """The ARNs of tasks; only those wanted to run, unless STOPPED ones are asked for."""
        cluster_arn = self._clusters.get(params.get("cluster"))["clusterArn"]
        self._forget_old()
        wanted = _wanted(params)
        arns = [
            task.arn
            for task in self.tasks.values()
            if task.cluster_arn == cluster_arn and all(_has(task, *each) for each in wanted)
        ]
        return page("taskArns", arns, params)

    def describe(self, params: dict[str, Any]) -> dict[str, Any]:
        """Tasks by id or ARN; a MISSING failure for each that is not there."""
        cluster_arn = self._clusters.get(params.get("cluster"))["clusterArn"]
        with_tags = "TAGS" in params.get("include", [])
        names = at_most(DESCRIBE_MOST, "tasks", params)
        arns = [self._arn(cluster_arn, name) for name in names]
        return {
            "tasks": [_described(self.tasks[arn], with_tags) for arn in arns if arn in self.tasks],
            "failures": [
                {"arn": arn, "reason": "MISSING"} for arn in arns if arn not in self.tasks
            ],
        }

    def _known(self, cluster_arn: str, params: dict[str, Any]) -> list[Task] | None:
        """The tasks of an earlier request with this token; ConflictException if it differs."""
        token = params.get("clientToken")
        if not token or (cluster_arn, token) not in self._tokens:
            return None
        earlier, tasks = self._tokens[cluster_arn, token]
        if earlier != params:
            message = "The client token was used before with other parameters."
            arns = [task.arn for task in tasks]
            raise AwsError("ConflictException", message, resourceIds=arns)
        return tasks

    def _one_off(
        self, cluster_arn: str, definition: dict[str, Any], params: dict[str, Any]
    ) -> Task:
        group = params.get("group") or f"family:{definition['family']}"
        task = self._task(cluster_arn, definition, group)
        task.started_by = params.get("startedBy")
        task.launch_type = params.get("launchType", "FARGATE")
        task.overrides = params.get("overrides", {})
        task.tags = params.get("tags", [])
        network = params.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
        task.subnet = next(iter(network.get("subnets", [])), task.subnet)
        return task

    def _task(self, cluster_arn: str, definition: dict[str, Any], group: str) -> Task:
        task_id = self._world.hex_id(32)
        arn = self._arn(cluster_arn, task_id)
        task = Task(task_id, arn, cluster_arn, definition, group, self._world.clock.now())
        self.tasks[arn] = task
        return task

    def _arn(self, cluster_arn: str, name: str) -> str:
        return f"{cluster_arn.replace(':cluster/', ':task/')}/{name.rpartition('/')[2]}"

    def _forget_old(self) -> None:
        now = self._world.clock.now()
        for task in list(self.tasks.values()):
            if task.stopped_at and (now - task.stopped_at).total_seconds() > SHOWN_SECONDS:
                del self.tasks[task.arn]


def _wanted(params: dict[str, Any]) -> list[tuple[str, str]]:
    names = ("startedBy", "family", "serviceName", "launchType")
    wanted = [(name, params[name]) for name in names if name in params]
    return [("desiredStatus", params.get("desiredStatus", "RUNNING")), *wanted]


def _has(task: Task, name: str, value: str) -> bool:
    actual = {
        "desiredStatus": task.desired_status,
        "startedBy": task.started_by,
        "family": task.definition["family"],
        "serviceName": task.group.removeprefix("service:") if task.deployment else None,
        "launchType": task.launch_type,
    }[name]
    short = value.rpartition("/")[2] if name == "serviceName" else value
    return bool(actual == short)


def _described(task: Task, with_tags: bool) -> dict[str, Any]:
    answer = task.describe()
    return {**answer, "tags": task.tags} if with_tags else answer
