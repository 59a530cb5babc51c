"""Every API family through boto3's own clients, against the live server."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.integration.twin.live_cloud import LiveTwin, fetch, live_twin, refused


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveTwin]:
    with live_twin(tmp_path_factory.mktemp("twin")) as running:
        yield running


def control(twin: LiveTwin, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    return json.loads(fetch(f"{twin.url}/_twin/{path}", data))


def test_ecs_speaks_json_with_times_as_datetimes(twin: LiveTwin) -> None:
    twin.ecs.create_cluster(clusterName="wire")
    definition = twin.ecs.register_task_definition(
        family="wire", containerDefinitions=[{"name": "web", "image": "none"}]
    )["taskDefinition"]

    assert definition["registeredAt"].tzinfo is not None
    assert (datetime.now(UTC) - definition["registeredAt"]).total_seconds() < 60
    assert twin.ecs.list_clusters()["clusterArns"] == [
        "arn:aws:ecs:us-east-1:000000000000:cluster/wire"
    ]


def test_an_ecs_error_is_the_clients_own_exception_class(twin: LiveTwin) -> None:
    with pytest.raises(twin.ecs.exceptions.ClusterNotFoundException) as caught:
        twin.ecs.describe_services(cluster="none", services=["x"])
    assert caught.value.response["Error"]["Message"] == "Cluster not found."
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_an_error_carries_the_members_of_its_shape(twin: LiveTwin) -> None:
    twin.ecs.create_cluster(clusterName="wire")
    twin.ecs.register_task_definition(
        family="token", containerDefinitions=[{"name": "web", "image": "none"}]
    )
    request = {"cluster": "wire", "taskDefinition": "token", "clientToken": "one"}
    arn = twin.ecs.run_task(**request)["tasks"][0]["taskArn"]

    with pytest.raises(twin.ecs.exceptions.ConflictException) as caught:
        twin.ecs.run_task(**request, startedBy="other")
    assert caught.value.response["resourceIds"] == [arn]


def test_elbv2_speaks_query_and_xml(twin: LiveTwin) -> None:
    group, _ = twin.load_balancer("wire")
    attributes = twin.elbv2.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]
    assert {"Key": "deregistration_delay.timeout_seconds", "Value": "20"} in attributes

    twin.elbv2.register_targets(
        TargetGroupArn=group, Targets=[{"Id": "127.200.0.1", "Port": 9}, {"Id": "127.200.0.2"}]
    )
    health = twin.elbv2.describe_target_health(TargetGroupArn=group)
    targets = [each["Target"] for each in health["TargetHealthDescriptions"]]
    assert targets == [{"Id": "127.200.0.1", "Port": 9}, {"Id": "127.200.0.2", "Port": 8000}]
    with pytest.raises(twin.elbv2.exceptions.TargetGroupNotFoundException):
        twin.elbv2.describe_target_health(TargetGroupArn=group + "x")


def test_a_load_balancer_answers_at_its_dns_name_and_its_listeners_port(twin: LiveTwin) -> None:
    _, url = twin.load_balancer("empty")
    assert url.startswith("http://127.")
    assert refused(url) == 503


def test_cloudwatch_speaks_its_protocol_and_tells_of_a_change(twin: LiveTwin) -> None:
    twin.cloudwatch.put_metric_alarm(
        AlarmName="wire",
        Namespace="N",
        MetricName="M",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.5,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
    )
    twin.cloudwatch.put_composite_alarm(AlarmName="all", AlarmRule="ALARM(wire)")
    twin.cloudwatch.set_alarm_state(AlarmName="wire", StateValue="ALARM", StateReason="test")

    found = twin.cloudwatch.describe_alarms()
    assert [each["AlarmName"] for each in found["MetricAlarms"]] == ["wire"]
    assert (found["CompositeAlarms"], found["MetricAlarms"][0]["Threshold"]) == ([], 1.5)
    told = [each for each in control(twin, "events") if each["source"] == "aws.cloudwatch"]
    assert told[0]["detail"]["state"]["value"] == "ALARM"
    with pytest.raises(ClientError) as caught:
        twin.cloudwatch.set_alarm_state(AlarmName="none", StateValue="OK", StateReason="test")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFound"


@pytest.mark.parametrize("client", ["ecr", "rds"])
def test_the_data_half_answers_on_the_same_port(twin: LiveTwin, client: str) -> None:
    ask = {"ecr": "describe_repositories", "rds": "describe_db_instances"}[client]
    answer = getattr(twin.client(client), ask)()
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_every_call_is_recorded_with_its_caller_and_its_error(twin: LiveTwin) -> None:
    session: Any = boto3.Session("test", "test", region_name="us-east-1")
    config: Any = Config(user_agent_appid="deploy")  # type: ignore[call-arg]
    ecs = session.client("ecs", endpoint_url=twin.url, config=config)
    control(twin, "calls/clear", {})
    ecs.list_clusters()
    with pytest.raises(ClientError):
        ecs.describe_services(cluster="none", services=["x"])

    calls = [{**each, "time": None} for each in control(twin, "calls")]
    common = {"time": None, "service": "ecs", "caller": "deploy"}
    assert calls == [
        {**common, "operation": "ListClusters", "error": None},
        {**common, "operation": "DescribeServices", "error": "ClusterNotFoundException"},
    ]


def test_an_operation_the_twin_does_not_know_is_refused_in_words(twin: LiveTwin) -> None:
    with pytest.raises(ClientError) as caught:
        twin.ecs.list_account_settings()
    assert caught.value.response["Error"] == {
        "Code": "UnknownOperationException",
        "Message": "The twin does not know the operation ListAccountSettings of ecs.",
    }


def test_an_unsigned_request_is_refused(twin: LiveTwin) -> None:
    assert refused(f"{twin.url}/", b"Action=DescribeLoadBalancers") == 403


def test_event_policies_are_set_and_shown_and_checked(twin: LiveTwin) -> None:
    policy = {
        "drop": False,
        "delay_seconds": 5.0,
        "copies": 1,
        "remaining": None,
        "containing": "staging",
    }
    body = {"detailType": "ECS Task State Change", "policy": policy}
    assert control(twin, "events/policy", body) == {"ECS Task State Change": policy}
    assert control(twin, "events/policy", {**body, "policy": None}) == {}
    wrong = json.dumps({**body, "policy": {"colour": "red"}}).encode()
    assert refused(f"{twin.url}/_twin/events/policy", wrong) == 400


def test_the_state_shows_every_half(twin: LiveTwin) -> None:
    assert control(twin, "ready") == {"ready": True}
    state = control(twin, "state")
    assert {"ecs", "elbv2", "cloudwatch"} <= set(state)
    assert set(state["ecs"]) == {"services", "serviceDeployments", "tasks"}


def test_what_goes_wrong_is_set_from_outside(twin: LiveTwin) -> None:
    twin.ecs.create_cluster(clusterName="full")
    twin.ecs.register_task_definition(
        family="full", containerDefinitions=[{"name": "web", "image": "none"}]
    )
    policy = {"cluster": "full", "no_capacity": "no room", "remaining": 1}

    shown = control(twin, "ecs/policy", policy)
    failures = twin.ecs.run_task(cluster="full", taskDefinition="full")["failures"]

    assert shown["full"]["no_capacity"] == "no room"
    assert failures == [{"reason": "no room"}]
    assert len(twin.ecs.run_task(cluster="full", taskDefinition="full")["tasks"]) == 1
    for wrong in ({"cluster": "full", "y": 1}, {}, "full"):
        assert refused(f"{twin.url}/_twin/ecs/policy", json.dumps(wrong).encode()) == 400


@pytest.mark.parametrize("size", [1, 3])
def test_load_balancers_rules_and_groups_come_in_pages_that_clients_put_together(
    twin: LiveTwin, size: int
) -> None:
    names = [f"paged-{size}-{number}" for number in range(3)]
    for name in names:
        twin.elbv2.create_load_balancer(Name=name)
        twin.elbv2.create_target_group(Name=name, Port=80, Protocol="HTTP", TargetType="ip")

    first = twin.elbv2.describe_load_balancers(PageSize=size)
    pages = twin.elbv2.get_paginator("describe_load_balancers").paginate(
        PaginationConfig={"PageSize": size}
    )
    found = [one["LoadBalancerName"] for page in pages for one in page["LoadBalancers"]]
    groups = twin.elbv2.get_paginator("describe_target_groups").paginate(
        PaginationConfig={"PageSize": size}
    )
    named = [one["TargetGroupName"] for page in groups for one in page["TargetGroups"]]

    assert len(first["LoadBalancers"]) == size
    assert set(names) <= set(found) & set(named)
    with pytest.raises(ClientError) as too_many:
        twin.elbv2.describe_load_balancers(PageSize=401)
    assert too_many.value.response["Error"]["Code"] == "ValidationError"
