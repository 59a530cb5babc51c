"""Listeners and rules: which requests go to which target groups, with which weights."""

from dataclasses import dataclass, field
from typing import Any

from cloud.twin.elbv2.target_groups import TargetGroup
from cloud.twin.engines import FixedResponse, Forward, Route, Routing

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
        return Routing(tuple(self._route(rule, groups) for rule in self.ordered()))

    def _route(self, rule: Rule, groups: dict[str, TargetGroup]) -> Route:
        conditions = dict(_patterns(each) for each in rule.conditions)
        # What comes before a forward asks for a sign-in, which no request here has.
        return Route(conditions, self._carried_out(_first(rule.actions), groups))

    def _carried_out(
        self, action: Action, groups: dict[str, TargetGroup]
    ) -> Forward | FixedResponse:
        if action["Type"] == "forward":
            return _forward(action, groups)
        if action["Type"] == "redirect":
            return self._redirect(action["RedirectConfig"])
        if action["Type"].startswith("authenticate-"):
            config = action.get("AuthenticateOidcConfig", {})
            return FixedResponse(302, "text/html", "", config.get("AuthorizationEndpoint", "/"))
        return _fixed(action.get("FixedResponseConfig", {}))

    def _redirect(self, config: dict[str, Any]) -> FixedResponse:
        """What the rule does not name stays as it was asked; the port is always told."""
        protocol = config.get("Protocol", "#{protocol}").replace("#{protocol}", self.protocol)
        port = config.get("Port", "#{port}").replace("#{port}", str(self.port))
        host, path = config.get("Host", "#{host}"), config.get("Path", "/#{path}")
        query = config.get("Query", "#{query}")
        location = f"{protocol.lower()}://{host}:{port}{path}" + (f"?{query}" if query else "")
        return FixedResponse(int(config["StatusCode"][-3:]), "text/html", "", location)


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


def _first(actions: list[Action]) -> Action:
    return min(actions, key=lambda action: int(action.get("Order", 0)))


def _forward(action: Action, groups: dict[str, TargetGroup]) -> Forward:
    return Forward(
        tuple(
            (each["Weight"], groups[each["TargetGroupArn"]].taking_requests())
            for each in weights(action)
        )
    )


def _fixed(config: dict[str, Any]) -> FixedResponse:
    return FixedResponse(
        int(config.get("StatusCode", 503)),
        config.get("ContentType", "text/plain"),
        config.get("MessageBody", ""),
    )


def _patterns(condition: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    name = condition["Field"]
    configs = [value for member, value in condition.items() if member.endswith("Config")]
    config = configs[0] if configs else {}
    if name == "http-header":
        name = f"http-header:{config['HttpHeaderName'].lower()}"
    values = tuple(config.get("Values") or condition.get("Values", ()))
    # Host names match in any case, paths in theirs only.
    return name, tuple(each.lower() for each in values) if name == "host-header" else values


def _number(priority: str) -> int:
    return int(priority) if priority.isdigit() else 0
