"""What ECS documents of definitions, services and their API, on the model in virtual time."""

import re
from typing import Any

import pytest

from cloud.twin.errors import AwsError
from tests.integration.twin.virtual import DIGEST, REPOSITORY, VirtualCloud

CLUSTER = "arn:aws:ecs:us-east-1:000000000000:cluster/main"


@pytest.fixture
def cloud() -> VirtualCloud:
    return VirtualCloud()


def refusal(cloud: VirtualCloud, operation: str, **params: Any) -> tuple[str, str]:
    with pytest.raises(AwsError) as refused:
        cloud.ecs(operation, **params)
    return refused.value.code, refused.value.message


def test_revisions_of_a_family_are_numbered_and_listed_newest_first(cloud: VirtualCloud) -> None:
    for tag in ("v1", "v2", "v3"):
        cloud.register(tag)
    cloud.register("v1", family="notes-worker")

    answer = cloud.ecs("ListTaskDefinitions", familyPrefix="notes", sort="DESC", maxResults=2)

    prefix = "arn:aws:ecs:us-east-1:000000000000:task-definition/notes"
    assert answer == {"taskDefinitionArns": [f"{prefix}:3", f"{prefix}:2"], "nextToken": "2"}
    rest = cloud.ecs("ListTaskDefinitions", familyPrefix="notes", sort="DESC", nextToken="2")
    assert rest == {"taskDefinitionArns": [f"{prefix}:1"]}


def test_a_family_without_a_revision_means_its_latest_active_one(cloud: VirtualCloud) -> None:
    cloud.register("v1")
    second = cloud.register("v2")
    cloud.ecs("DeregisterTaskDefinition", taskDefinition=second)

    found = cloud.ecs("DescribeTaskDefinition", taskDefinition="notes")["taskDefinition"]

    assert (found["revision"], found["status"]) == (1, "ACTIVE")
    inactive = cloud.ecs("ListTaskDefinitions", status="INACTIVE")
    assert inactive == {"taskDefinitionArns": [second]}


def test_tags_are_shown_only_to_those_who_include_them(cloud: VirtualCloud) -> None:
    tags = [{"key": "slipway:deployment", "value": "notes-staging-1"}]
    container = {"name": "web", "image": f"{REPOSITORY}:v1"}
    cloud.ecs("RegisterTaskDefinition", family="notes", containerDefinitions=[container], tags=tags)

    plain = cloud.ecs("DescribeTaskDefinition", taskDefinition="notes:1")
    full = cloud.ecs("DescribeTaskDefinition", taskDefinition="notes:1", include=["TAGS"])

    assert "tags" not in plain
    assert full["tags"] == tags


def test_an_inactive_revision_is_refused_for_services_and_tasks(cloud: VirtualCloud) -> None:
    cloud.live_service(cloud.register("v1"))
    gone = cloud.register("v2")
    cloud.ecs("DeregisterTaskDefinition", taskDefinition=gone)

    expected = ("ClientException", "TaskDefinition is inactive")
    update = {"cluster": "main", "service": "notes", "taskDefinition": gone}
    assert refusal(cloud, "UpdateService", **update) == expected
    assert refusal(cloud, "RunTask", cluster="main", taskDefinition=gone) == expected


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        ("UpdateService", {"cluster": "main", "service": "none"}, "ServiceNotFoundException"),
        ("UpdateService", {"cluster": "none", "service": "none"}, "ClusterNotFoundException"),
        ("DescribeTaskDefinition", {"taskDefinition": "none:1"}, "ClientException"),
        ("RunTask", {"cluster": "main", "taskDefinition": "none"}, "ClientException"),
        ("StopTask", {"cluster": "main", "task": "none"}, "InvalidParameterException"),
        ("ListTagsForResource", {"resourceArn": "none"}, "InvalidParameterException"),
        ("RegisterTaskDefinition", {"family": "x", "containerDefinitions": []}, "ClientException"),
    ],
)
def test_what_is_not_there_is_refused_with_the_documented_code(
    cloud: VirtualCloud, operation: str, params: dict[str, Any], code: str
) -> None:
    assert refusal(cloud, operation, **params)[0] == code


@pytest.mark.parametrize("strategy", ["BLUE_GREEN", "LINEAR", "CANARY"])
def test_a_strategy_the_twin_cannot_run_is_refused_and_not_faked(
    cloud: VirtualCloud, strategy: str
) -> None:
    cloud.live_service(cloud.register("v1"))

    update = {"cluster": "main", "service": "notes"}
    wanted = {"deploymentConfiguration": {"strategy": strategy}}
    assert refusal(cloud, "UpdateService", **update, **wanted)[0] == "UnsupportedFeatureException"


def test_a_service_needs_a_target_group_with_a_load_balancer(cloud: VirtualCloud) -> None:
    group = cloud.elbv2("CreateTargetGroup", Name="lonely", Port=80, Protocol="HTTP")
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    balancers = [{"targetGroupArn": arn, "containerName": "web", "containerPort": 8000}]

    assert refusal(
        cloud,
        "CreateService",
        cluster="main",
        serviceName="notes",
        taskDefinition=cloud.register("v1"),
        loadBalancers=balancers,
    ) == (
        "InvalidParameterException",
        f"The target group with targetGroupArn {arn} does not have an associated load balancer.",
    )


def test_an_update_without_a_change_starts_no_deployment_unless_forced(
    cloud: VirtualCloud,
) -> None:
    definition = cloud.register("v1")
    before = cloud.live_service(definition)["deployments"]

    assert cloud.update(taskDefinition=definition)["deployments"] == before
    assert cloud.update(desiredCount=2)["deployments"] == before
    forced = cloud.update(taskDefinition=definition, forceNewDeployment=True)["deployments"]

    assert [each["status"] for each in forced] == ["PRIMARY", "ACTIVE"]
    assert forced[1]["id"] == before[0]["id"]
    assert forced[0]["id"] != before[0]["id"]


def test_a_deployment_is_named_and_described_as_ecs_does(cloud: VirtualCloud) -> None:
    definition = cloud.register("v1")
    deployment = cloud.live_service(definition)["deployments"][0]

    assert re.fullmatch(r"ecs-svc/\d{19}", deployment["id"])
    chosen = {name: deployment[name] for name in deployment if not name.endswith("At")}
    assert chosen == {
        "id": deployment["id"],
        "status": "PRIMARY",
        "taskDefinition": definition,
        "desiredCount": 2,
        "pendingCount": 0,
        "runningCount": 2,
        "failedTasks": 0,
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "rolloutState": "COMPLETED",
        "rolloutStateReason": f"ECS deployment {deployment['id']} completed.",
    }


def test_a_revision_tells_the_digest_its_images_were_resolved_to(cloud: VirtualCloud) -> None:
    cloud.live_service(cloud.register("v1"))
    arn = cloud.deployment()["targetServiceRevision"]["arn"]

    found = cloud.ecs("DescribeServiceRevisions", serviceRevisionArns=[arn, "other"])

    images = [{"containerName": "web", "image": f"{REPOSITORY}:v1", "imageDigest": DIGEST}]
    assert found["serviceRevisions"][0]["containerImages"] == images
    assert found["failures"] == [{"arn": "other", "reason": "MISSING"}]


def test_service_deployments_are_listed_newest_first_and_by_status(cloud: VirtualCloud) -> None:
    cloud.live_service(cloud.register("v1"))
    cloud.update(taskDefinition=cloud.register("v2"))
    listed = cloud.ecs("ListServiceDeployments", cluster="main", service="notes")
    ended = cloud.ecs(
        "ListServiceDeployments", cluster="main", service="notes", status=["SUCCESSFUL"]
    )

    assert [each["status"] for each in listed["serviceDeployments"]] == ["PENDING", "SUCCESSFUL"]
    assert ended["serviceDeployments"] == listed["serviceDeployments"][1:]


def test_a_deleted_service_drains_and_becomes_inactive(cloud: VirtualCloud) -> None:
    cloud.live_service(cloud.register("v1"))
    where = {"cluster": "main", "service": "notes"}

    assert refusal(cloud, "DeleteService", **where) == (
        "InvalidParameterException",
        "The service cannot be stopped while it is scaled above 0.",
    )
    assert cloud.ecs("DeleteService", **where, force=True)["service"]["status"] == "DRAINING"
    cloud.clock.run_for(120)

    assert cloud.describe()["status"] == "INACTIVE"
    assert refusal(cloud, "UpdateService", **where)[0] == "ServiceNotActiveException"
    assert cloud.ecs("ListServices", cluster="main") == {"serviceArns": []}


def test_what_is_missing_is_told_as_a_failure_and_not_as_an_error(cloud: VirtualCloud) -> None:
    root = "arn:aws:ecs:us-east-1:000000000000"
    assert cloud.ecs("DescribeServices", cluster="main", services=["none"]) == {
        "services": [],
        "failures": [{"arn": f"{root}:service/main/none", "reason": "MISSING"}],
    }
    assert cloud.ecs("DescribeTasks", cluster="main", tasks=["none"]) == {
        "tasks": [],
        "failures": [{"arn": f"{root}:task/main/none", "reason": "MISSING"}],
    }
    assert cloud.ecs("DescribeClusters", clusters=["none"]) == {
        "clusters": [],
        "failures": [{"arn": f"{root}:cluster/none", "reason": "MISSING"}],
    }


def test_tags_of_a_service_are_added_replaced_and_taken_away(cloud: VirtualCloud) -> None:
    arn = cloud.service(cloud.register("v1"), tags=[{"key": "team", "value": "a"}])["serviceArn"]

    tags = [{"key": "team", "value": "b"}, {"key": "tier", "value": "1"}]
    cloud.ecs("TagResource", resourceArn=arn, tags=tags)
    cloud.ecs("UntagResource", resourceArn=arn, tagKeys=["tier"])

    assert cloud.ecs("ListTagsForResource", resourceArn=arn) == {
        "tags": [{"key": "team", "value": "b"}]
    }
