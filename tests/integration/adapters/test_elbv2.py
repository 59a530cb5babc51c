"""Where a service is reached, and how its targets do."""

from typing import Any

import pytest

from slipway.adapters.elbv2 import ElasticLoadBalancers
from slipway.domain.errors import Broken
from slipway.domain.verdict import Target
from tests.integration.adapters.ecs_answers import GROUP
from tests.integration.adapters.stubbed import refuse, stubbed

BALANCER = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/notes/1"
HOST = "notes-1.us-east-1.elb.amazonaws.com"


def _listener(protocol: str, port: int, group: str = GROUP) -> dict[str, Any]:
    action = {"Type": "forward", "TargetGroupArn": group}
    return {"Protocol": protocol, "Port": port, "DefaultActions": [action]}


def _redirect(port: int) -> dict[str, Any]:
    action = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}
    return {"Protocol": "HTTP", "Port": port, "DefaultActions": [action]}


def _weighted(protocol: str, port: int) -> dict[str, Any]:
    groups = [{"TargetGroupArn": "arn:green", "Weight": 0}, {"TargetGroupArn": GROUP, "Weight": 1}]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    return {"Protocol": protocol, "Port": port, "DefaultActions": [action]}


def _base_url(*listeners: dict[str, Any]) -> str | None:
    with stubbed("elbv2") as (client, stub):
        groups = {"TargetGroups": [{"LoadBalancerArns": [BALANCER]}]}
        stub.add_response("describe_target_groups", groups, {"TargetGroupArns": [GROUP]})
        balancers = {"LoadBalancers": [{"DNSName": HOST}]}
        stub.add_response("describe_load_balancers", balancers, {"LoadBalancerArns": [BALANCER]})
        stub.add_response(
            "describe_listeners", {"Listeners": list(listeners)}, {"LoadBalancerArn": BALANCER}
        )
        return ElasticLoadBalancers(client).base_url(GROUP)


@pytest.mark.parametrize(
    ("listeners", "url"),
    [
        ([_listener("HTTP", 80)], f"http://{HOST}"),
        ([_listener("HTTP", 8080)], f"http://{HOST}:8080"),
        ([_listener("HTTPS", 443)], f"https://{HOST}"),
        ([_listener("HTTPS", 8443)], f"https://{HOST}:8443"),
        ([_redirect(80), _listener("HTTPS", 443)], f"https://{HOST}"),
        ([_listener("HTTPS", 443), _listener("HTTP", 80)], f"http://{HOST}"),
        ([_listener("HTTP", 80, "arn:other"), _listener("HTTP", 81)], f"http://{HOST}:81"),
        ([_listener("HTTP", 80, "arn:other"), _weighted("HTTP", 82)], f"http://{HOST}:82"),
        ([_listener("HTTP", 80, "arn:other")], f"http://{HOST}"),
        ([_redirect(80)], None),
        ([{"Protocol": "TCP", "Port": 5432}], None),
        ([], None),
    ],
)
def test_a_target_group_is_reached_by_the_listener_that_serves_it(
    listeners: list[dict[str, Any]], url: str | None
) -> None:
    assert _base_url(*listeners) == url


def test_a_target_group_without_a_load_balancer_is_not_reached() -> None:
    with stubbed("elbv2") as (client, stub):
        stub.add_response("describe_target_groups", {"TargetGroups": [{"LoadBalancerArns": []}]})

        assert ElasticLoadBalancers(client).base_url(GROUP) is None


def test_targets_tell_their_address_their_state_and_why() -> None:
    described = [
        {"Target": {"Id": "10.0.0.1", "Port": 8000}, "TargetHealth": {"State": "healthy"}},
        {
            "Target": {"Id": "10.0.0.2", "Port": 8000},
            "TargetHealth": {
                "State": "unhealthy",
                "Reason": "Target.ResponseCodeMismatch",
                "Description": "Health checks failed with these codes: [500]",
            },
        },
        {
            "Target": {"Id": "10.0.0.3", "Port": 8000},
            "TargetHealth": {"State": "initial", "Reason": "Elb.RegistrationInProgress"},
        },
    ]
    with stubbed("elbv2") as (client, stub):
        answer = {"TargetHealthDescriptions": described}
        stub.add_response("describe_target_health", answer, {"TargetGroupArn": GROUP})

        targets = ElasticLoadBalancers(client).targets(GROUP)

    failed = "Health checks failed with these codes: [500]"
    assert targets == (
        Target(address="10.0.0.1:8000", state="healthy", reason=""),
        Target(address="10.0.0.2:8000", state="unhealthy", reason=failed),
        Target(address="10.0.0.3:8000", state="initial", reason="Elb.RegistrationInProgress"),
    )


def test_a_target_group_that_does_not_exist_is_broken() -> None:
    with pytest.raises(Broken), stubbed("elbv2") as (client, stub):
        refuse(stub, "describe_target_health", "TargetGroupNotFound")
        ElasticLoadBalancers(client).targets(GROUP)
