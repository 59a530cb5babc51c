"""One-off tasks as ECS documents them, on the model in virtual time."""

from typing import Any

import pytest

from cloud.twin.ecs.policies import NO_CAPACITY
from cloud.twin.errors import AwsError
from cloud.twin.scripted import TaskScript
from tests.integration.twin.virtual import DIGEST, VirtualCloud

NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-a"], "assignPublicIp": "DISABLED"}}


def ending(code: int) -> VirtualCloud:
    return VirtualCloud(lambda task: TaskScript(exits_after=2.0, exit_code=code))


def run(cloud: VirtualCloud, **params: Any) -> Any:
    given = {"taskDefinition": "notes", "networkConfiguration": NETWORK, **params}
    return cloud.ecs("RunTask", cluster="main", **given)


def described(cloud: VirtualCloud, arn: str) -> Any:
    return cloud.ecs("DescribeTasks", cluster="main", tasks=[arn])["tasks"][0]


@pytest.mark.parametrize("code", [0, 1])
def test_a_task_that_ends_shows_its_exit_code(code: int) -> None:
    cloud = ending(code)
    cloud.register("v1")
    overrides = {
        "containerOverrides": [
            {
                "name": "web",
                "command": ["alembic", "upgrade", "head"],
                "environment": [{"name": "DRY", "value": "1"}],
            }
        ]
    }
    arn = run(cloud, startedBy="notes-1", overrides=overrides)["tasks"][0]["taskArn"]
    cloud.clock.run_for(60)

    task = described(cloud, arn)
    assert (task["lastStatus"], task["stopCode"], task["stoppedReason"]) == (
        "STOPPED",
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    container = task["containers"][0]
    assert (container["exitCode"], container["imageDigest"]) == (code, DIGEST)
    assert task["overrides"]["containerOverrides"] == overrides["containerOverrides"]
    assert (task["group"], task["startedBy"]) == ("family:notes", "notes-1")


def test_a_task_that_never_starts_has_no_exit_code() -> None:
    cloud = VirtualCloud(lambda task: TaskScript(cannot_start="ResourceInitializationError: x"))
    cloud.register("v1")
    arn = run(cloud)["tasks"][0]["taskArn"]
    cloud.clock.run_for(60)

    task = described(cloud, arn)
    assert (task["stopCode"], task["stoppedReason"]) == (
        "TaskFailedToStart",
        "ResourceInitializationError: x",
    )
    assert "exitCode" not in task["containers"][0]


def test_a_client_token_runs_its_tasks_once() -> None:
    cloud = ending(0)
    cloud.register("v1")
    first = run(cloud, clientToken="migrate-7")
    again = run(cloud, clientToken="migrate-7")
    arns = [task["taskArn"] for task in first["tasks"]]

    assert [task["taskArn"] for task in again["tasks"]] == arns
    assert len(cloud.model.state()["tasks"]) == 1
    with pytest.raises(AwsError) as refused:
        run(cloud, clientToken="migrate-7", startedBy="another")
    assert refused.value.code == "ConflictException"
    assert refused.value.members == {"resourceIds": arns}


def test_tasks_are_found_by_who_started_them_also_when_they_have_stopped() -> None:
    cloud = ending(0)
    cloud.register("v1")
    mine = run(cloud, startedBy="notes-1")["tasks"][0]["taskArn"]
    run(cloud, startedBy="notes-2")

    assert cloud.ecs("ListTasks", cluster="main", startedBy="notes-1") == {"taskArns": [mine]}
    cloud.clock.run_for(60)
    assert cloud.ecs("ListTasks", cluster="main", startedBy="notes-1") == {"taskArns": []}
    stopped = {"startedBy": "notes-1", "desiredStatus": "STOPPED"}
    assert cloud.ecs("ListTasks", cluster="main", **stopped) == {"taskArns": [mine]}


def test_tasks_are_listed_by_service_and_by_family() -> None:
    cloud = VirtualCloud()
    cloud.live_service(cloud.register("v1"))
    cloud.register("v1", family="other")
    other = run(cloud, taskDefinition="other")["tasks"][0]["taskArn"]

    by_service = cloud.ecs("ListTasks", cluster="main", serviceName="notes")["taskArns"]
    by_family = cloud.ecs("ListTasks", cluster="main", family="other")["taskArns"]

    assert (len(by_service), by_family) == (2, [other])


def test_a_stopped_task_says_who_stopped_it() -> None:
    cloud = VirtualCloud()
    cloud.register("v1")
    arn = run(cloud)["tasks"][0]["taskArn"]
    cloud.clock.run_for(20)
    cloud.ecs("StopTask", cluster="main", task=arn, reason="enough")
    cloud.clock.run_for(20)

    task = described(cloud, arn)
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "enough")


def test_a_task_stopped_before_it_was_placed_never_reaches_an_engine() -> None:
    cloud = VirtualCloud()
    cloud.register("v1")
    arn = run(cloud)["tasks"][0]["taskArn"]
    cloud.ecs("StopTask", cluster="main", task=arn)
    cloud.clock.run_for(60)

    states = [each["lastStatus"] for each in cloud.details("ECS Task State Change")]
    assert states == ["PROVISIONING", "DEPROVISIONING", "STOPPED"]


def test_tags_of_a_task_are_shown_to_those_who_include_them() -> None:
    cloud = ending(0)
    cloud.register("v1")
    tags = [{"key": "slipway:deployment", "value": "notes-1"}]
    arn = run(cloud, tags=tags)["tasks"][0]["taskArn"]

    assert "tags" not in described(cloud, arn)
    shown = cloud.ecs("DescribeTasks", cluster="main", tasks=[arn], include=["TAGS"])
    assert shown["tasks"][0]["tags"] == tags


def test_a_lack_of_capacity_is_a_failure_and_not_an_error() -> None:
    cloud = ending(0)
    cloud.register("v1")
    cloud.model.fail_next_run_task("RESOURCE:MEMORY")

    assert run(cloud) == {"tasks": [], "failures": [{"reason": "RESOURCE:MEMORY"}]}
    assert len(run(cloud)["tasks"]) == 1


def test_a_container_that_is_not_essential_ends_while_its_task_runs_on() -> None:
    cloud = VirtualCloud(lambda task: TaskScript(exits_after=2.0, exit_code=1, alone="web"))
    cloud.register("v1")
    arn = run(cloud)["tasks"][0]["taskArn"]
    cloud.clock.run_for(60)

    task = described(cloud, arn)
    assert (task["lastStatus"], task["desiredStatus"]) == ("RUNNING", "RUNNING")
    assert (task["containers"][0]["lastStatus"], task["containers"][0]["exitCode"]) == (
        "STOPPED",
        1,
    )
    cloud.ecs("StopTask", cluster="main", task=arn, reason="its command has ended")
    cloud.clock.run_for(20)
    task = described(cloud, arn)
    assert (task["lastStatus"], task["stopCode"]) == ("STOPPED", "UserInitiated")


def test_a_cluster_without_capacity_places_nothing_until_it_has_some() -> None:
    cloud = ending(0)
    cloud.register("v1")
    cloud.ecs("CreateCluster", clusterName="other")
    cloud.model.set_policy("main", no_capacity=NO_CAPACITY)

    full = {"tasks": [], "failures": [{"reason": NO_CAPACITY}]}
    assert [run(cloud) for _ in range(3)] == [full] * 3
    elsewhere = cloud.ecs("RunTask", cluster="other", taskDefinition="notes")
    assert len(elsewhere["tasks"]) == 1
    cloud.model.set_policy("main")
    assert len(run(cloud)["tasks"]) == 1


def test_a_task_that_never_starts_has_no_exit_code_and_says_why() -> None:
    cloud = ending(0)
    cloud.register("v1")
    why = "ResourceInitializationError: unable to pull secrets or registry auth"
    cloud.model.set_policy("main", start_failure=why, remaining=1)
    arns = [run(cloud)["tasks"][0]["taskArn"] for _ in range(2)]
    cloud.clock.run_for(60)

    never, good = (described(cloud, arn) for arn in arns)
    assert (never["stopCode"], never["stoppedReason"]) == ("TaskFailedToStart", why)
    assert "startedAt" not in never
    assert {"exitCode", "runtimeId"} & never["containers"][0].keys() == set()
    assert good["containers"][0]["exitCode"] == 0
    assert cloud.model.policies()["main"]["remaining"] == 0


def refusal(cloud: VirtualCloud, operation: str, **params: Any) -> str:
    with pytest.raises(AwsError) as refused:
        cloud.ecs(operation, **params)
    return refused.value.code


@pytest.mark.parametrize(
    ("operation", "name", "most"),
    [
        ("DescribeTasks", "tasks", 100),
        ("DescribeServices", "services", 10),
        ("DescribeServiceDeployments", "serviceDeploymentArns", 20),
        ("DescribeServiceRevisions", "serviceRevisionArns", 20),
    ],
)
def test_one_request_describes_no_more_than_ecs_allows(
    operation: str, name: str, most: int
) -> None:
    cloud = VirtualCloud()
    cluster = {"cluster": "main"} if operation in ("DescribeTasks", "DescribeServices") else {}

    answer = cloud.ecs(operation, **cluster, **{name: [f"x/{n}" for n in range(most)]})
    assert len(answer["failures"]) == most
    too_many = [f"x/{n}" for n in range(most + 1)]
    assert refusal(cloud, operation, **cluster, **{name: too_many}) == "InvalidParameterException"


def test_tasks_are_listed_in_pages_of_a_hundred_or_fewer() -> None:
    cloud = ending(0)
    cloud.register("v1")
    for _ in range(13):
        run(cloud, count=10)

    first = cloud.ecs("ListTasks", cluster="main")
    second = cloud.ecs("ListTasks", cluster="main", nextToken=first["nextToken"])
    small = cloud.ecs("ListTasks", cluster="main", maxResults=7)
    assert (len(first["taskArns"]), len(second["taskArns"]), len(small["taskArns"])) == (100, 30, 7)
    assert "nextToken" not in second
    assert len({*first["taskArns"], *second["taskArns"]}) == 130
    for size in (0, 101):
        code = refusal(cloud, "ListTasks", cluster="main", maxResults=size)
        assert code == "InvalidParameterException"
