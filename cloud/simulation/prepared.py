"""A cloud in which every lane already runs its first release, built once and copied per run."""

import copyreg
import io
import itertools
import pickle
from functools import cache

from cloud.simulation import install
from cloud.simulation.cloud import Cloud
from cloud.simulation.people import Person
from cloud.simulation.world import (
    ALARM,
    BOOTSTRAP,
    DATABASE_CLUSTER,
    REPOSITORIES,
    SHARED_DATABASE,
    Image,
    catalog,
    uri,
)

FIRST = {
    ("shop", "rc1"): Image("shop", "1-rc", "s1"),
    ("shop", "v1"): Image("shop", "1", "s1"),
    ("ledger", "v1"): Image("ledger", "1", "t1"),
}
_HOUR = 3600.0


def _reduced_count(count: "itertools.count[int]") -> tuple[type, tuple[int]]:
    return itertools.count, (int(repr(count).removeprefix("count(").removesuffix(")")),)


class _Pickler(pickle.Pickler):
    """Pickles counters by their value; Python is giving up doing so itself."""

    dispatch_table = copyreg.dispatch_table | {itertools.count: _reduced_count}


@cache
def _prepared() -> bytes:
    cloud = _built()
    keep = io.BytesIO()
    _Pickler(keep, pickle.HIGHEST_PROTOCOL).dump(cloud)
    return keep.getvalue()


def fresh_cloud() -> Cloud:
    """A cloud of its own, with first releases live on every lane."""
    cloud: Cloud = pickle.loads(_prepared())
    install.stage(cloud)
    return cloud


def push(cloud: Cloud, image: Image, tag: str) -> str:
    """Push an image; its digest."""
    cloud.engines.images[image.digest] = image
    cloud.ecr.put_layer(image.repository, image.config)
    params = {"repositoryName": image.repository, "imageManifest": image.manifest}
    cloud.twin.call("ecr", "PutImage", {**params, "imageTag": tag})
    return image.digest


def _built() -> Cloud:
    install.install()
    cloud = Cloud()
    install.stage(cloud)
    _infrastructure(cloud)
    cloud.clock.run_for(_HOUR)
    person = Person(cloud)
    for (_, tag), image in FIRST.items():
        push(cloud, image, tag)
    if not cloud.clock.run_until(lambda: _all_live(cloud), _HOUR):
        raise RuntimeError("the first releases did not become live")
    cloud.clock.run_for(_HOUR)
    person.leave()
    cloud.forget()
    return cloud


def _all_live(cloud: Cloud) -> bool:
    lanes = [
        cloud.table.item(f"LANE#{name}/{environment}", "LANE")
        for name, application in catalog().applications.items()
        for environment in application.environments
    ]
    settled = all(lane is not None and '"stable":{' in lane["document"]["S"] for lane in lanes)
    return settled and cloud.machine.running == 0 and cloud.busy == 0 and not cloud.stream.pending


def _infrastructure(cloud: Cloud) -> None:
    call = cloud.twin.call
    for repository in REPOSITORIES:
        scan = {"scanOnPush": True}
        params = {"repositoryName": repository, "imageScanningConfiguration": scan}
        call("ecr", "CreateRepository", params)
        push(cloud, Image(repository, "0", "none"), BOOTSTRAP)
    call("cloudwatch", "PutMetricAlarm", {"AlarmName": ALARM, "EvaluationPeriods": 1})
    state = {"AlarmName": ALARM, "StateValue": "OK", "StateReason": "quiet"}
    call("cloudwatch", "SetAlarmState", state)
    database = {
        "DBInstanceIdentifier": SHARED_DATABASE,
        "DBInstanceClass": "db.t3.micro",
        "Engine": "postgres",
        "StorageEncrypted": True,
        "MasterUsername": "main",
        "MasterUserPassword": "not-a-secret-here",
    }
    call("rds", "CreateDBInstance", database)
    cluster = {
        "DBClusterIdentifier": DATABASE_CLUSTER,
        "Engine": "aurora-postgresql",
        "StorageEncrypted": True,
        "MasterUsername": "ledger",
        "MasterUserPassword": "not-a-secret-here",
    }
    call("rds", "CreateDBCluster", cluster)
    cloud.rds.set_policy(seconds=30.0)
    for name, application in catalog().applications.items():
        for environment in application.environments:
            _service(cloud, name, f"{name}-{environment}")


def _service(cloud: Cloud, repository: str, cluster: str) -> None:
    call = cloud.twin.call
    call("ecs", "CreateCluster", {"clusterName": cluster})
    group_arn = _target_group(cloud, cluster)
    service = {
        "cluster": cluster,
        "serviceName": "web",
        "taskDefinition": _revision(cloud, repository, cluster),
        "desiredCount": 2,
        "launchType": "FARGATE",
        "loadBalancers": [
            {"targetGroupArn": group_arn, "containerName": "app", "containerPort": 8000}
        ],
    }
    call("ecs", "CreateService", service)


def _target_group(cloud: Cloud, name: str) -> str:
    """The target group of a new load balancer, by its ARN."""
    call = cloud.twin.call
    group = {
        "Name": name,
        "Port": 8000,
        "Protocol": "HTTP",
        "TargetType": "ip",
        "HealthCheckIntervalSeconds": 10,
        "UnhealthyThresholdCount": 2,
    }
    group_arn: str = call("elbv2", "CreateTargetGroup", group)["TargetGroups"][0]["TargetGroupArn"]
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "10"}
    attributes = {"TargetGroupArn": group_arn, "Attributes": [delay]}
    call("elbv2", "ModifyTargetGroupAttributes", attributes)
    balancer = call("elbv2", "CreateLoadBalancer", {"Name": name})["LoadBalancers"][0]
    listener = {
        "LoadBalancerArn": balancer["LoadBalancerArn"],
        "Port": 80,
        "Protocol": "HTTP",
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": group_arn}],
    }
    call("elbv2", "CreateListener", listener)
    return group_arn


def _revision(cloud: Cloud, repository: str, cluster: str) -> str:
    container = {
        "name": "app",
        "image": uri(repository, f":{BOOTSTRAP}"),
        "portMappings": [{"containerPort": 8000}],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": cluster, "awslogs-stream-prefix": "ecs"},
        },
    }
    definition = {
        "family": cluster,
        "containerDefinitions": [container],
        "runtimePlatform": {"cpuArchitecture": "X86_64"},
    }
    registered = cloud.twin.call("ecs", "RegisterTaskDefinition", definition)
    return str(registered["taskDefinition"]["taskDefinitionArn"])
