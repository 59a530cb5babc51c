"""Elastic Load Balancing: how requests reach a service, and the health of its targets."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from slipway.adapters.errors import aws_errors
from slipway.domain.routing import DEFAULT_PORTS, Condition, Front, Listener, Rule
from slipway.domain.verdict import RegisteredTarget, TargetHealth

if TYPE_CHECKING:
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_elbv2.type_defs import (
        ActionOutputTypeDef,
        ListenerTypeDef,
        LoadBalancerTypeDef,
        RuleConditionOutputTypeDef,
        RuleTypeDef,
        TargetHealthDescriptionTypeDef,
    )

PERMISSIONS: Final = (
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTargetHealth",
)

_ACTIONS: Final = {
    "authenticate-oidc": "requires a sign-in",
    "authenticate-cognito": "requires a sign-in",
    "jwt-validation": "requires a token",
    "redirect": "redirects",
}
# TargetHealthStateEnum in the ELBv2 API reference. Unknown states count as SILENT, like those of
# targets that take no requests.
HEALTH: Final = {
    "healthy": TargetHealth.HEALTHY,
    "initial": TargetHealth.STARTING,
    "unhealthy": TargetHealth.UNHEALTHY,
    "draining": TargetHealth.LEAVING,
    "unhealthy.draining": TargetHealth.LEAVING,
    "unused": TargetHealth.SILENT,
    "unavailable": TargetHealth.SILENT,
}


class ElasticLoadBalancers:
    """Load balancers and their target groups."""

    def __init__(self, client: "ElasticLoadBalancingv2Client") -> None:
        self._client = client

    @aws_errors()
    def fronts(self, target_group_arns: Sequence[str]) -> tuple[Front, ...]:
        """The load balancers in front of a service's target groups, in the groups' order.

        Rules are read only where a request from outside can arrive: at the HTTP and HTTPS
        listeners of application load balancers that are not internal.
        """
        balancers = self._balancer_arns(target_group_arns)
        if not balancers:
            return ()
        answer = self._client.describe_load_balancers(LoadBalancerArns=balancers)
        found = {one.get("LoadBalancerArn", balancers[0]): one for one in answer["LoadBalancers"]}
        ours = frozenset(target_group_arns)
        return tuple(self._front(arn, found[arn], ours) for arn in balancers if arn in found)

    @aws_errors()
    def targets(self, target_group_arn: str) -> tuple[RegisteredTarget, ...]:
        """The registered targets and their health."""
        answer = self._client.describe_target_health(TargetGroupArn=target_group_arn)
        return tuple(_target(one) for one in answer["TargetHealthDescriptions"])

    def _balancer_arns(self, target_group_arns: Sequence[str]) -> list[str]:
        if not target_group_arns:
            return []
        answer = self._client.describe_target_groups(TargetGroupArns=list(target_group_arns))
        groups = {one.get("TargetGroupArn", ""): one for one in answer["TargetGroups"]}
        # DescribeTargetGroups answers in an order of its own.
        known = [groups[arn] for arn in target_group_arns if arn in groups]
        arns = [arn for group in known for arn in group.get("LoadBalancerArns", [])]
        return list(dict.fromkeys(arns))

    def _front(self, arn: str, balancer: "LoadBalancerTypeDef", ours: frozenset[str]) -> Front:
        kind, internal = balancer.get("Type", "application"), balancer.get("Scheme") == "internal"
        is_open = kind == "application" and not internal
        name = balancer["DNSName"]
        return Front(
            name=balancer.get("LoadBalancerName") or name,
            dns_name=name.lower(),
            kind=kind,
            internal=internal,
            listeners=self._listeners(arn, ours) if is_open else (),
        )

    def _listeners(self, balancer_arn: str, ours: frozenset[str]) -> tuple[Listener, ...]:
        pages = self._client.get_paginator("describe_listeners").paginate(
            LoadBalancerArn=balancer_arn
        )
        found = [one for page in pages for one in page["Listeners"]]
        # TLS and TCP listeners do not speak HTTP.
        http = [one for one in found if one.get("Protocol") in DEFAULT_PORTS]
        return tuple(self._listener(one, ours) for one in http)

    def _listener(self, listener: "ListenerTypeDef", ours: frozenset[str]) -> Listener:
        pages = self._client.get_paginator("describe_rules").paginate(
            ListenerArn=listener["ListenerArn"]
        )
        rules = sorted((rule for page in pages for rule in page["Rules"]), key=_order)
        return Listener(
            protocol=listener["Protocol"],
            port=listener["Port"],
            rules=tuple(_rule(rule, ours) for rule in rules),
        )


def _order(rule: "RuleTypeDef") -> tuple[bool, int]:
    """Rules are evaluated by priority, lowest first; the default rule comes last."""
    priority = rule.get("Priority", "default")
    return not priority.isdecimal(), int(priority) if priority.isdecimal() else 0


def _rule(rule: "RuleTypeDef", ours: frozenset[str]) -> Rule:
    actions = rule.get("Actions", [])
    groups = {arn for action in actions for arn in _forward_groups(action)}
    # An action before the forward, such as a sign-in, answers before we do.
    leads_to_us = len(actions) == 1 and bool(groups) and groups <= ours
    return Rule(
        conditions=tuple(_condition(one) for one in rule.get("Conditions", [])),
        leads_to_us=leads_to_us,
        does=", then ".join(_action(action) for action in actions) or "has no action",
    )


def _forward_groups(action: "ActionOutputTypeDef") -> list[str]:
    """The target groups that get requests; one of weight 0 gets none."""
    if action["Type"] != "forward":
        return []
    groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
    weighted = [one.get("TargetGroupArn", "") for one in groups if one.get("Weight", 1) > 0]
    single = action.get("TargetGroupArn")
    return weighted if groups or not single else [single]


def _action(action: "ActionOutputTypeDef") -> str:
    kind = action["Type"]
    if kind == "fixed-response":
        status = action.get("FixedResponseConfig", {}).get("StatusCode", "")
        return f"returns a fixed response {status}".rstrip()
    if kind == "forward":
        names = [arn.split("/")[-2] if "/" in arn else arn for arn in _forward_groups(action)]
        return f"forwards to {' and '.join(names)}" if names else "forwards to no target group"
    return _ACTIONS.get(kind, f"has the action {kind}")


def _condition(condition: "RuleConditionOutputTypeDef") -> Condition:
    field, config = condition.get("Field", ""), _config(condition)
    values = config.get("Values") or condition.get("Values") or []
    # Regular expressions are not evaluated: such a condition may or may not match.
    known = field if values and not config.get("RegexValues") else ""
    texts = [one for one in values if isinstance(one, str)]
    return Condition(
        field=known if texts or field == "query-string" else "",
        values=tuple(texts),
        name=config.get("HttpHeaderName", ""),
    )


def _config(condition: "RuleConditionOutputTypeDef") -> dict[str, Any]:
    found = [value for name, value in condition.items() if name.endswith("Config")]
    return dict(found[0]) if found and isinstance(found[0], dict) else {}


def _target(described: "TargetHealthDescriptionTypeDef") -> RegisteredTarget:
    target, health = described["Target"], described.get("TargetHealth", {})
    return RegisteredTarget(
        address=f"{target['Id']}:{target['Port']}" if "Port" in target else target["Id"],
        health=HEALTH.get(health.get("State", ""), TargetHealth.SILENT),
        told=health.get("State", "unknown"),
        reason=health.get("Description") or health.get("Reason", ""),
    )
