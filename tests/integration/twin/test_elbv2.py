"""Target health, listeners and rules as ELBv2 documents them, on the model in virtual time."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from cloud.twin.clock import VirtualClock
from cloud.twin.elbv2.api import Elbv2Model
from cloud.twin.engines import (
    FixedResponse,
    Forward,
    ProbeResult,
    ProbeTarget,
    Route,
    Routing,
)
from cloud.twin.errors import AwsError
from cloud.twin.scripted import NoTraffic
from cloud.twin.twin import Twin
from cloud.twin.world import World

FAILED = ProbeResult(
    False, "Target.ResponseCodeMismatch", "Health checks failed with these codes: [500]"
)


class HandProbe:
    """A probe whose results the test gives by hand."""

    def __init__(self) -> None:
        self.watched: dict[str, Callable[[ProbeResult], None]] = {}

    def watch(self, target: ProbeTarget, report: Callable[[ProbeResult], None]) -> None:
        self.watched[target.address] = report

    def unwatch(self, target: ProbeTarget) -> None:
        self.watched.pop(target.address, None)


class KeptRouting(NoTraffic):
    """A traffic engine that keeps the last routing of each listener."""

    def __init__(self) -> None:
        self.routings: dict[str, Routing] = {}

    def route(self, listener_arn: str, routing: Routing) -> None:
        self.routings[listener_arn] = routing


class Balancer:
    """A load balancer `web` with a listener on port 80 that forwards to the group `blue`."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.world = World(self.clock, random.Random(1), lambda event: None)
        self.probe = HandProbe()
        self.traffic = KeptRouting()
        self.twin = Twin(self.world)
        self.twin.add("elbv2", Elbv2Model(self.world, self.probe, self.traffic))
        self.blue = self.group("blue")
        created = self("CreateLoadBalancer", Name="web")["LoadBalancers"][0]
        self.arn = created["LoadBalancerArn"]
        self.listener = self(
            "CreateListener",
            LoadBalancerArn=self.arn,
            Port=80,
            Protocol="HTTP",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.blue}],
        )["Listeners"][0]["ListenerArn"]

    def __call__(self, operation: str, **params: Any) -> Any:
        return self.twin.call("elbv2", operation, params)

    def group(self, name: str) -> str:
        created = self("CreateTargetGroup", Name=name, Port=8000, Protocol="HTTP")
        return str(created["TargetGroups"][0]["TargetGroupArn"])

    def register(self, *addresses: str) -> None:
        targets = [{"Id": address} for address in addresses]
        self("RegisterTargets", TargetGroupArn=self.blue, Targets=targets)

    def health(self, group: str | None = None, **params: Any) -> dict[str, Any]:
        answer = self("DescribeTargetHealth", TargetGroupArn=group or self.blue, **params)
        return {
            each["Target"]["Id"]: each["TargetHealth"]
            for each in answer["TargetHealthDescriptions"]
        }


@pytest.fixture
def balancer() -> Balancer:
    return Balancer()


def test_a_new_target_is_initial_and_healthy_after_one_passed_check(balancer: Balancer) -> None:
    balancer.register("10.0.0.1")
    assert balancer.health() == {
        "10.0.0.1": {
            "State": "initial",
            "Reason": "Elb.RegistrationInProgress",
            "Description": "Target registration is in progress",
        }
    }
    balancer.probe.watched["10.0.0.1"](ProbeResult(True))
    assert balancer.health() == {"10.0.0.1": {"State": "healthy"}}


def test_a_target_becomes_unhealthy_and_healthy_again_by_the_thresholds(
    balancer: Balancer,
) -> None:
    balancer.register("10.0.0.1")
    report = balancer.probe.watched["10.0.0.1"]
    states = []
    for result in (ProbeResult(True), FAILED, FAILED, *[ProbeResult(True)] * 5):
        report(result)
        states.append(balancer.health()["10.0.0.1"]["State"])

    # By default two failed checks make a target unhealthy, five passed ones healthy.
    assert states == ["healthy", "healthy", *["unhealthy"] * 5, "healthy"]


def test_an_unhealthy_target_says_what_its_checks_found(balancer: Balancer) -> None:
    balancer.register("10.0.0.1")
    for _ in range(2):
        balancer.probe.watched["10.0.0.1"](FAILED)

    assert balancer.health()["10.0.0.1"] == {
        "State": "unhealthy",
        "Reason": "Target.ResponseCodeMismatch",
        "Description": "Health checks failed with these codes: [500]",
    }


def test_a_deregistered_target_drains_for_the_delay_and_is_gone(balancer: Balancer) -> None:
    balancer(
        "ModifyTargetGroupAttributes",
        TargetGroupArn=balancer.blue,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
    )
    balancer.register("10.0.0.1")
    balancer("DeregisterTargets", TargetGroupArn=balancer.blue, Targets=[{"Id": "10.0.0.1"}])
    balancer.clock.run_for(29)
    assert balancer.health() == {
        "10.0.0.1": {
            "State": "draining",
            "Reason": "Target.DeregistrationInProgress",
            "Description": "Target deregistration is in progress",
        }
    }
    balancer.clock.run_for(1)

    assert balancer.health() == {}
    asked = balancer.health(Targets=[{"Id": "10.0.0.1"}])
    assert asked["10.0.0.1"]["Reason"] == "Target.NotRegistered"


def test_a_group_that_no_listener_uses_has_unused_targets_until_one_does(
    balancer: Balancer,
) -> None:
    green = balancer.group("green")
    balancer("RegisterTargets", TargetGroupArn=green, Targets=[{"Id": "10.0.0.2"}])
    assert balancer.health(green)["10.0.0.2"]["Reason"] == "Target.NotInUse"
    weights = [
        {"TargetGroupArn": balancer.blue, "Weight": 90},
        {"TargetGroupArn": green, "Weight": 10},
    ]
    forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}
    balancer("ModifyListener", ListenerArn=balancer.listener, DefaultActions=[forward])

    assert balancer.health(green)["10.0.0.2"]["State"] == "initial"
    used = balancer("DescribeTargetGroups", TargetGroupArns=[green])["TargetGroups"][0]
    assert used["LoadBalancerArns"] == [balancer.arn]


def test_requests_go_to_healthy_targets_and_fail_open_to_unhealthy_ones(
    balancer: Balancer,
) -> None:
    balancer.register("10.0.0.1", "10.0.0.2", "10.0.0.3")

    def taking() -> Any:
        action = balancer.traffic.routings[balancer.listener].routes[-1].action
        return [address for address, _ in action.groups[0][1]]  # type: ignore[union-attr]

    assert taking() == []
    balancer.probe.watched["10.0.0.1"](ProbeResult(True))
    for _ in range(2):
        balancer.probe.watched["10.0.0.2"](FAILED)
    assert taking() == ["10.0.0.1"]
    balancer("DeregisterTargets", TargetGroupArn=balancer.blue, Targets=[{"Id": "10.0.0.1"}])
    assert taking() == ["10.0.0.2"]


def test_rules_come_in_order_of_priority_and_the_default_last(balancer: Balancer) -> None:
    fixed = {"StatusCode": "410", "ContentType": "text/plain", "MessageBody": "gone"}
    for priority, path in ((20, "/b/*"), (3, "/a/*")):
        balancer(
            "CreateRule",
            ListenerArn=balancer.listener,
            Priority=priority,
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": [path]}}],
            Actions=[{"Type": "fixed-response", "FixedResponseConfig": fixed}],
        )

    rules = balancer("DescribeRules", ListenerArn=balancer.listener)["Rules"]
    assert [each["Priority"] for each in rules] == ["3", "20", "default"]
    gone = FixedResponse(410, "text/plain", "gone")
    assert balancer.traffic.routings[balancer.listener] == Routing(
        (
            Route({"path-pattern": ("/a/*",)}, gone),
            Route({"path-pattern": ("/b/*",)}, gone),
            Route({}, Forward(((1, ()),))),
        )
    )


@pytest.mark.parametrize(
    ("config", "location"),
    [
        ({"Protocol": "HTTPS", "Port": "443"}, "https://#{host}:443/#{path}?#{query}"),
        ({"Host": "www.#{host}"}, "http://www.#{host}:80/#{path}?#{query}"),
        ({"Path": "/login", "Query": ""}, "http://#{host}:80/login"),
    ],
)
def test_a_redirect_keeps_what_its_rule_does_not_name(
    balancer: Balancer, config: dict[str, str], location: str
) -> None:
    redirect = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_302", **config}}
    balancer("ModifyListener", ListenerArn=balancer.listener, DefaultActions=[redirect])

    answer = FixedResponse(302, "text/html", "", location)
    assert balancer.traffic.routings[balancer.listener] == Routing((Route({}, answer),))


def test_a_sign_in_before_a_forward_comes_first(balancer: Balancer) -> None:
    oidc = {"AuthorizationEndpoint": "https://id.example.com/authorize"}
    actions = [
        {"Type": "forward", "Order": 2, "TargetGroupArn": balancer.blue},
        {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": oidc},
    ]
    balancer("ModifyListener", ListenerArn=balancer.listener, DefaultActions=actions)

    answer = FixedResponse(302, "text/html", "", "https://id.example.com/authorize")
    assert balancer.traffic.routings[balancer.listener] == Routing((Route({}, answer),))


def test_a_host_is_the_same_in_any_case_and_a_path_is_not(balancer: Balancer) -> None:
    balancer(
        "CreateRule",
        ListenerArn=balancer.listener,
        Priority=1,
        Conditions=[
            {"Field": "host-header", "HostHeaderConfig": {"Values": ["Notes.Example.com"]}},
            {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/Health"]}},
        ],
        Actions=[{"Type": "forward", "TargetGroupArn": balancer.blue}],
    )

    first = balancer.traffic.routings[balancer.listener].routes[0]
    assert first.conditions == {
        "host-header": ("notes.example.com",),
        "path-pattern": ("/Health",),
    }


def test_the_scheme_says_whether_a_balancer_is_internal(balancer: Balancer) -> None:
    balancer("CreateLoadBalancer", Name="inside", Scheme="internal")

    found = balancer("DescribeLoadBalancers")["LoadBalancers"]
    assert [one["Scheme"] for one in found] == ["internet-facing", "internal"]


def test_a_forward_is_shown_with_its_groups_and_weights(balancer: Balancer) -> None:
    shown = balancer("DescribeListeners", ListenerArns=[balancer.listener])["Listeners"][0]

    assert shown["DefaultActions"] == [
        {
            "Type": "forward",
            "TargetGroupArn": balancer.blue,
            "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": balancer.blue, "Weight": 1}]},
        }
    ]


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        ("DescribeTargetHealth", {"TargetGroupArn": "none"}, "TargetGroupNotFound"),
        ("DescribeTargetGroups", {"Names": ["none"]}, "TargetGroupNotFound"),
        ("DescribeLoadBalancers", {"Names": ["none"]}, "LoadBalancerNotFound"),
        ("DescribeListeners", {"ListenerArns": ["none"]}, "ListenerNotFound"),
        ("DescribeRules", {"RuleArns": ["none"]}, "RuleNotFound"),
        ("CreateLoadBalancer", {"Name": "web"}, "DuplicateLoadBalancerName"),
        ("CreateTargetGroup", {"Name": "blue"}, "DuplicateTargetGroupName"),
    ],
)
def test_what_is_wrong_is_refused_with_the_documented_code(
    balancer: Balancer, operation: str, params: dict[str, Any], code: str
) -> None:
    with pytest.raises(AwsError) as refused:
        balancer(operation, **params)
    assert refused.value.code == code


def test_a_target_group_in_use_is_not_deleted(balancer: Balancer) -> None:
    with pytest.raises(AwsError) as refused:
        balancer("DeleteTargetGroup", TargetGroupArn=balancer.blue)
    assert refused.value.code == "ResourceInUse"

    balancer("DeleteListener", ListenerArn=balancer.listener)
    balancer("DeleteTargetGroup", TargetGroupArn=balancer.blue)
    assert balancer("DescribeTargetGroups") == {"TargetGroups": []}
