"""A twin in virtual time, as the tests of the ECS model use it."""

import random
from collections.abc import Callable
from typing import Any

from cloud.twin.clock import VirtualClock
from cloud.twin.cloudwatch import CloudWatchModel
from cloud.twin.ecs.api import EcsModel
from cloud.twin.elbv2.api import Elbv2Model
from cloud.twin.engines import TaskSpec
from cloud.twin.scripted import NoTraffic, ScriptedProbe, ScriptedTasks, TaskScript
from cloud.twin.twin import Twin
from cloud.twin.world import Event, World

DIGEST = "sha256:" + "a" * 64
REPOSITORY = "000000000000.dkr.ecr.us-east-1.amazonaws.com/notes"


class VirtualCloud:
    """A cluster `main`, a target group and, once asked for, services; images are digests."""

    def __init__(self, script: Callable[[TaskSpec], TaskScript] = lambda task: TaskScript()):
        self.clock = VirtualClock()
        self.events: list[Event] = []
        self.world = World(self.clock, random.Random(7), self.events.append)
        tasks = ScriptedTasks(self.clock, lambda task: self.script(task))
        self.script = script
        self.twin = Twin(self.world)
        elbv2 = Elbv2Model(self.world, ScriptedProbe(self.clock, tasks), NoTraffic())
        cloudwatch = CloudWatchModel(self.world)
        self.model = EcsModel(self.world, tasks, elbv2, cloudwatch, self.resolve)
        for client, model in (("ecs", self.model), ("elbv2", elbv2), ("cloudwatch", cloudwatch)):
            self.twin.add(client, model)
        self.ecs("CreateCluster", clusterName="main")

    @staticmethod
    def resolve(image: str) -> str | None:
        name, _, digest = image.partition("@")
        if digest:
            return digest
        return None if name.endswith(":missing") else DIGEST

    def ecs(self, operation: str, **params: Any) -> Any:
        return self.twin.call("ecs", operation, params)

    def elbv2(self, operation: str, **params: Any) -> Any:
        return self.twin.call("elbv2", operation, params)

    def cloudwatch(self, operation: str, **params: Any) -> Any:
        return self.twin.call("cloudwatch", operation, params)

    def register(self, tag: str = "v1", family: str = "notes", **container: Any) -> str:
        """Register a revision of the image of that tag; its ARN."""
        definition = {
            "name": "web",
            "image": f"{REPOSITORY}:{tag}",
            "portMappings": [{"containerPort": 8000}],
            **container,
        }
        answer = self.ecs(
            "RegisterTaskDefinition", family=family, containerDefinitions=[definition]
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def target_group(self, delay: int = 30) -> str:
        """A target group in use by a listener; its ARN."""
        group = self.elbv2(
            "CreateTargetGroup",
            Name="notes",
            Port=8000,
            Protocol="HTTP",
            TargetType="ip",
            HealthCheckIntervalSeconds=10,
        )["TargetGroups"][0]["TargetGroupArn"]
        self.elbv2(
            "ModifyTargetGroupAttributes",
            TargetGroupArn=group,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": str(delay)}],
        )
        balancer = self.elbv2("CreateLoadBalancer", Name="notes")["LoadBalancers"][0]
        self.elbv2(
            "CreateListener",
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Port=80,
            Protocol="HTTP",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )
        return str(group)

    def service(self, definition: str, desired: int = 2, **settings: Any) -> Any:
        """Create the service `notes` behind a load balancer."""
        balancers = [
            {
                "targetGroupArn": self.target_group(),
                "containerName": "web",
                "containerPort": 8000,
            }
        ]
        given = {"loadBalancers": balancers, **settings}
        return self.ecs(
            "CreateService",
            cluster="main",
            serviceName="notes",
            taskDefinition=definition,
            desiredCount=desired,
            **given,
        )["service"]

    def live_service(self, definition: str, **settings: Any) -> Any:
        """Create the service and let its first deployment complete."""
        self.service(definition, **settings)
        self.settle()
        return self.describe()

    def update(self, **params: Any) -> Any:
        return self.ecs("UpdateService", cluster="main", service="notes", **params)["service"]

    def describe(self) -> Any:
        return self.ecs("DescribeServices", cluster="main", services=["notes"])["services"][0]

    def deployment(self) -> Any:
        """The newest service deployment in full."""
        brief = self.ecs("ListServiceDeployments", cluster="main", service="notes")
        arn = brief["serviceDeployments"][0]["serviceDeploymentArn"]
        return self.ecs("DescribeServiceDeployments", serviceDeploymentArns=[arn])[
            "serviceDeployments"
        ][0]

    def settle(self, limit_seconds: float = 7200.0) -> None:
        """Run until the newest service deployment has ended."""
        ended = ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")
        assert self.clock.run_until(lambda: self.deployment()["status"] in ended, limit_seconds), (
            self.deployment()
        )

    def details(self, detail_type: str) -> list[dict[str, Any]]:
        return [each["detail"] for each in self.events if each["detail-type"] == detail_type]
