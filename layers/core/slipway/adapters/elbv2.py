"""Elastic Load Balancing: where a service is reached, and how its targets do."""

from typing import TYPE_CHECKING, Final

from slipway.adapters.errors import aws_errors
from slipway.domain.verdict import Target

if TYPE_CHECKING:
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_elbv2.type_defs import (
        ListenerTypeDef,
        TargetHealthDescriptionTypeDef,
    )

PERMISSIONS: Final = (
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeTargetHealth",
)

_DEFAULT_PORTS: Final = {"HTTP": 80, "HTTPS": 443}


class ElasticLoadBalancers:
    """Application load balancers and their target groups."""

    def __init__(self, client: "ElasticLoadBalancingv2Client") -> None:
        self._client = client

    @aws_errors()
    def base_url(self, target_group_arn: str) -> str | None:
        """Where the target group is reached from outside, without a trailing slash.

        None when no HTTP or HTTPS listener leads anywhere.
        """
        groups = self._client.describe_target_groups(TargetGroupArns=[target_group_arn])
        arns = groups["TargetGroups"][0].get("LoadBalancerArns", [])
        if not arns:
            return None
        balancers = self._client.describe_load_balancers(LoadBalancerArns=[arns[0]])
        listeners = self._client.describe_listeners(LoadBalancerArn=arns[0])["Listeners"]
        serving = [listener for listener in listeners if _serves(listener)]
        if not serving:
            return None
        best = min(serving, key=lambda listener: _rank(listener, target_group_arn))
        return _url(balancers["LoadBalancers"][0]["DNSName"], best)

    @aws_errors()
    def targets(self, target_group_arn: str) -> tuple[Target, ...]:
        """The registered targets and their health."""
        answer = self._client.describe_target_health(TargetGroupArn=target_group_arn)
        return tuple(_target(one) for one in answer["TargetHealthDescriptions"])


def _serves(listener: "ListenerTypeDef") -> bool:
    """Whether the listener answers itself: one that redirects leads to another listener."""
    redirects = any(action["Type"] == "redirect" for action in listener.get("DefaultActions", []))
    return listener.get("Protocol") in _DEFAULT_PORTS and not redirects


def _rank(listener: "ListenerTypeDef", target_group_arn: str) -> tuple[bool, bool]:
    """The smallest is the best: forwards to us by default, and plain HTTP.

    A certificate names the site and not the load balancer, so HTTPS cannot be verified under the
    load balancer's own name; a site that has only HTTPS needs its base_url in the catalog.
    """
    return target_group_arn not in _forwarded_to(listener), listener.get("Protocol") != "HTTP"


def _forwarded_to(listener: "ListenerTypeDef") -> set[str]:
    actions = listener.get("DefaultActions", [])
    weighted = [
        group.get("TargetGroupArn", "")
        for action in actions
        for group in action.get("ForwardConfig", {}).get("TargetGroups", [])
    ]
    return {action.get("TargetGroupArn", "") for action in actions} | set(weighted)


def _url(host: str, listener: "ListenerTypeDef") -> str:
    protocol, port = listener["Protocol"], listener["Port"]
    address = host if port == _DEFAULT_PORTS[protocol] else f"{host}:{port}"
    return f"{protocol.lower()}://{address}"


def _target(described: "TargetHealthDescriptionTypeDef") -> Target:
    target, health = described["Target"], described.get("TargetHealth", {})
    return Target(
        address=f"{target['Id']}:{target['Port']}" if "Port" in target else target["Id"],
        state=health.get("State", "unknown"),
        reason=health.get("Description") or health.get("Reason", ""),
    )
