"""Listeners and rules: which requests go to which target groups, with which weights."""

from dataclasses import dataclass, field
from typing import Any

from local.twin.engines import FixedResponse, Forward, Route, Routing
from local.twin.target_groups import TargetGroup

Action = dict[str, Any]


@dataclass(slots=True, eq=False)
class Rule:
    """One rule; the default rule has no conditions and comes last."""

    arn: str
    priority: str
    conditions: list[dict[str, Any]]
    actions: list[Action]

    @property
    def is_default(self) -> bool:
        return self.priority == "default"

    def describe(self) -> dict[str, Any]:
        """As `describe_rules` shows it."""
        return {
            "RuleArn": self.arn,
            "Priority": self.priority,
            "Conditions": self.conditions,
            "Actions": self.actions,
            "IsDefault": self.is_default,
        }


@dataclass(slots=True, eq=False)
class Listener:
    """One listener of a load balancer and its rules."""

    arn: str
    load_balancer_arn: str
    port: int
    protocol: str
    rules: list[Rule] = field(default_factory=list)

    @property
    def default(self) -> Rule:
        return next(rule for rule in self.rules if rule.is_default)

    def ordered(self) -> list[Rule]:
        """The rules as requests meet them."""
        return sorted(self.rules, key=lambda rule: (rule.is_default, _number(rule.priority)))

    def target_groups(self) -> set[str]:
        """The ARNs of all target groups that any rule forwards to."""
        return {
            each["TargetGroupArn"]
            for rule in self.rules
            for action in rule.actions
            for each in weights(action)
        }

    def describe(self) -> dict[str, Any]:
        """As `describe_listeners` shows it."""
        return {
            "ListenerArn": self.arn,
            "LoadBalancerArn": self.load_balancer_arn,
            "Port": self.port,
            "Protocol": self.protocol,
            "DefaultActions": self.default.actions,
        }

    def routing(self, groups: dict[str, TargetGroup]) -> Routing:
        """The rules with the targets that take requests at present."""
        return Routing(tuple(_route(rule, groups) for rule in self.ordered()))


def normal(actions: list[Action]) -> list[Action]:
    """Actions as AWS shows them: a forward names its target groups and weights in full."""
    return [_normal(action) for action in actions]


def weights(action: Action) -> list[dict[str, Any]]:
    """The weighted target groups of a forward action; none for any other."""
    found: list[dict[str, Any]] = action.get("ForwardConfig", {}).get("TargetGroups", [])
    return found


def _normal(action: Action) -> Action:
    if action["Type"] != "forward":
        return action
    config = action.get("ForwardConfig", {})
    groups = config.get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
    full = [{"Weight": 1, **each} for each in groups]
    answer = {**action, "ForwardConfig": {**config, "TargetGroups": full}}
    if len(full) == 1:
        answer["TargetGroupArn"] = full[0]["TargetGroupArn"]
    return answer


def _route(rule: Rule, groups: dict[str, TargetGroup]) -> Route:
    conditions = dict(_patterns(each) for each in rule.conditions)
    return Route(conditions, _carried_out(rule.actions[-1], groups))


def _carried_out(action: Action, groups: dict[str, TargetGroup]) -> Forward | FixedResponse:
    if action["Type"] == "forward":
        return Forward(
            tuple(
                (each["Weight"], groups[each["TargetGroupArn"]].taking_requests())
                for each in weights(action)
            )
        )
    fixed = action.get("FixedResponseConfig", {})
    return FixedResponse(
        int(fixed.get("StatusCode", 503)),
        fixed.get("ContentType", "text/plain"),
        fixed.get("MessageBody", ""),
    )


def _patterns(condition: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    name = condition["Field"]
    configs = [value for member, value in condition.items() if member.endswith("Config")]
    config = configs[0] if configs else {}
    if name == "http-header":
        name = f"http-header:{config['HttpHeaderName'].lower()}"
    return name, tuple(config.get("Values") or condition.get("Values", ()))


def _number(priority: str) -> int:
    return int(priority) if priority.isdigit() else 0
