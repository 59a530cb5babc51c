"""Elastic Load Balancing v2 as an API: load balancers, target groups, listeners, rules, health."""

from collections.abc import Callable
from typing import Any

from cloud.twin.elbv2.listeners import Listener, Rule, normal
from cloud.twin.elbv2.load_balancers import LoadBalancers, wanted
from cloud.twin.elbv2.target_groups import Target, TargetGroup
from cloud.twin.engines import TargetProbe, TrafficEngine
from cloud.twin.errors import AwsError
from cloud.twin.pages import marked_page
from cloud.twin.world import World

Params = dict[str, Any]
MOST_ON_A_PAGE = 400
DEFAULT_PORTS = {"HTTP": 80, "HTTPS": 443}


class Elbv2Model:
    """The load balancers: what is set up, and which targets are healthy."""

    def __init__(self, world: World, probe: TargetProbe, traffic: TrafficEngine) -> None:
        self._world = world
        self._probe = probe
        self._traffic = traffic
        self._balancers = LoadBalancers(world, traffic)
        self._groups: dict[str, TargetGroup] = {}
        self._listeners: dict[str, Listener] = {}
        self._tags: dict[str, dict[str, str]] = {}
        self._subscribers: list[Callable[[str, str, int], None]] = []

    def create_load_balancer(self, params: Params) -> Params:
        created = self._balancers.create(params)
        self._set_tags(created["LoadBalancerArn"], params)
        return {"LoadBalancers": [created]}

    def describe_load_balancers(self, params: Params) -> Params:
        return _paged("LoadBalancers", self._balancers.find(params), params)

    def delete_load_balancer(self, params: Params) -> Params:
        arn = params["LoadBalancerArn"]
        for listener in list(self._listeners.values()):
            if listener.load_balancer_arn == arn:
                self.delete_listener({"ListenerArn": listener.arn})
        self._balancers.delete(arn)
        return {}

    def create_target_group(self, params: Params) -> Params:
        if any(each.name == params["Name"] for each in self._groups.values()):
            message = f"A target group with the same name '{params['Name']}' exists."
            raise AwsError("DuplicateTargetGroupName", message)
        group = TargetGroup(self._world, self._probe, params, self._target_changed)
        self._groups[group.arn] = group
        self._set_tags(group.arn, params)
        return {"TargetGroups": [group.describe()]}

    def describe_target_groups(self, params: Params) -> Params:
        arns, names = params.get("TargetGroupArns"), params.get("Names")
        balancer = params.get("LoadBalancerArn")
        found = [
            each
            for each in self._groups.values()
            if wanted(each.arn, arns)
            and wanted(each.name, names)
            and (balancer is None or balancer in each.load_balancers)
        ]
        if (arns or names) and not found:
            raise AwsError("TargetGroupNotFound", "One or more target groups not found")
        return _paged("TargetGroups", [each.describe() for each in found], params)

    def modify_target_group(self, params: Params) -> Params:
        group = self._group(params["TargetGroupArn"])
        group.modify(params)
        return {"TargetGroups": [group.describe()]}

    def delete_target_group(self, params: Params) -> Params:
        arn = params["TargetGroupArn"]
        if any(arn in each.target_groups() for each in self._listeners.values()):
            message = f"Target group '{arn}' is currently in use by a listener or a rule"
            raise AwsError("ResourceInUse", message)
        self._groups.pop(arn, None)
        return {}

    def describe_target_group_attributes(self, params: Params) -> Params:
        return _attributes(self._group(params["TargetGroupArn"]))

    def modify_target_group_attributes(self, params: Params) -> Params:
        group = self._group(params["TargetGroupArn"])
        group.modify_attributes(params["Attributes"])
        return _attributes(group)

    def register_targets(self, params: Params) -> Params:
        group = self._group(params["TargetGroupArn"])
        for each in params["Targets"]:
            group.join(each["Id"], _port(group, each))
        return {}

    def deregister_targets(self, params: Params) -> Params:
        group = self._group(params["TargetGroupArn"])
        for each in params["Targets"]:
            group.leave(each["Id"], _port(group, each))
        return {}

    def describe_target_health(self, params: Params) -> Params:
        group = self._group(params["TargetGroupArn"])
        targets = params.get("Targets")
        chosen = [(each["Id"], _port(group, each)) for each in targets] if targets else None
        return {"TargetHealthDescriptions": group.describe_health(chosen)}

    def create_listener(self, params: Params) -> Params:
        balancer = self._balancers.get(params["LoadBalancerArn"])
        arn = self._child(balancer["LoadBalancerArn"], ":loadbalancer/", ":listener/")
        protocol = params.get("Protocol", "HTTP")
        asked = params.get("Port", DEFAULT_PORTS.get(protocol, 80))
        actions = self._checked(params["DefaultActions"])
        port = self._traffic.listen(arn, balancer["DNSName"], asked, protocol)
        listener = Listener(arn, balancer["LoadBalancerArn"], port, protocol)
        rule_arn = self._child(arn, ":listener/", ":listener-rule/")
        listener.rules.append(Rule(rule_arn, "default", [], actions))
        self._listeners[arn] = listener
        self._set_tags(arn, params)
        self._rewired(listener)
        return {"Listeners": [listener.describe()]}

    def describe_listeners(self, params: Params) -> Params:
        balancer, arns = params.get("LoadBalancerArn"), params.get("ListenerArns")
        if balancer is not None:
            self._balancers.get(balancer)
        for arn in arns or ():
            self._listener(arn)
        found = [
            each.describe()
            for each in self._listeners.values()
            if wanted(each.arn, arns) and balancer in (None, each.load_balancer_arn)
        ]
        return _paged("Listeners", found, params)

    def modify_listener(self, params: Params) -> Params:
        listener = self._listener(params["ListenerArn"])
        if "DefaultActions" in params:
            listener.default.actions = self._checked(params["DefaultActions"])
            self._rewired(listener)
        return {"Listeners": [listener.describe()]}

    def delete_listener(self, params: Params) -> Params:
        listener = self._listener(params["ListenerArn"])
        del self._listeners[listener.arn]
        self._traffic.close(listener.arn)
        self._use_groups()
        return {}

    def create_rule(self, params: Params) -> Params:
        listener = self._listener(params["ListenerArn"])
        priority = str(params["Priority"])
        if any(rule.priority == priority for rule in listener.rules):
            raise AwsError("PriorityInUse", f"Priority '{priority}' is currently in use")
        arn = self._child(listener.arn, ":listener/", ":listener-rule/")
        rule = Rule(arn, priority, params["Conditions"], self._checked(params["Actions"]))
        listener.rules.append(rule)
        self._rewired(listener)
        return {"Rules": [rule.describe()]}

    def describe_rules(self, params: Params) -> Params:
        if params.get("RuleArns"):
            return {"Rules": [self._rule(arn)[1].describe() for arn in params["RuleArns"]]}
        listener = self._listener(params["ListenerArn"])
        return _paged("Rules", [each.describe() for each in listener.ordered()], params)

    def modify_rule(self, params: Params) -> Params:
        listener, rule = self._rule(params["RuleArn"])
        rule.conditions = params.get("Conditions", rule.conditions)
        if "Actions" in params:
            rule.actions = self._checked(params["Actions"])
        self._rewired(listener)
        return {"Rules": [rule.describe()]}

    def delete_rule(self, params: Params) -> Params:
        listener, rule = self._rule(params["RuleArn"])
        if rule.is_default:
            message = f"Default rule '{rule.arn}' cannot be deleted"
            raise AwsError("OperationNotPermitted", message)
        listener.rules.remove(rule)
        self._rewired(listener)
        return {}

    def add_tags(self, params: Params) -> Params:
        for arn in params["ResourceArns"]:
            self._set_tags(arn, params)
        return {}

    def describe_tags(self, params: Params) -> Params:
        return {
            "TagDescriptions": [
                {
                    "ResourceArn": arn,
                    "Tags": [
                        {"Key": key, "Value": value}
                        for key, value in self._tags.get(arn, {}).items()
                    ],
                }
                for arn in params["ResourceArns"]
            ]
        }

    def join(self, target_group_arn: str, address: str, port: int) -> None:
        """Register a task as a target."""
        self._group(target_group_arn).join(address, port)

    def leave(self, target_group_arn: str, address: str, port: int) -> float:
        """Deregister a task; the deregistration delay in seconds."""
        group = self._groups.get(target_group_arn)
        return group.leave(address, port) if group else 0.0

    def health(self, target_group_arn: str, address: str, port: int) -> tuple[str, str | None]:
        """State and description of a target's health."""
        group = self._groups.get(target_group_arn)
        target = group.targets.get((address, port)) if group else None
        return (target.state, target.description) if target else ("unused", None)

    def subscribe(self, subscriber: Callable[[str, str, int], None]) -> None:
        """Be told of each target whose state changed: its group, address and port."""
        self._subscribers.append(subscriber)

    def is_used(self, target_group_arn: str) -> bool:
        """Whether a load balancer forwards to the target group."""
        group = self._groups.get(target_group_arn)
        return group is not None and bool(group.load_balancers)

    def state(self) -> dict[str, Any]:
        """What there is, for people and tests."""
        return {
            "loadBalancers": self._balancers.find({}),
            "listeners": [each.describe() for each in self._listeners.values()],
            "targetGroups": [
                {**each.describe(), "Targets": each.describe_health(None)}
                for each in self._groups.values()
            ],
        }

    def _target_changed(self, group: TargetGroup, target: Target) -> None:
        for listener in self._listeners.values():
            if group.arn in listener.target_groups():
                self._traffic.route(listener.arn, listener.routing(self._groups))
        for subscriber in self._subscribers:
            subscriber(group.arn, target.address, target.port)

    def _rewired(self, listener: Listener) -> None:
        self._use_groups()
        self._traffic.route(listener.arn, listener.routing(self._groups))

    def _use_groups(self) -> None:
        for group in self._groups.values():
            users = {
                each.load_balancer_arn
                for each in self._listeners.values()
                if group.arn in each.target_groups()
            }
            group.use(sorted(users))

    def _checked(self, actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        full = normal(actions)
        for action in full:
            for each in action.get("ForwardConfig", {}).get("TargetGroups", []):
                self._group(each["TargetGroupArn"])
        return full

    def _group(self, arn: str) -> TargetGroup:
        if arn not in self._groups:
            raise AwsError("TargetGroupNotFound", f"Target groups '{arn}' not found")
        return self._groups[arn]

    def _listener(self, arn: str) -> Listener:
        if arn not in self._listeners:
            raise AwsError("ListenerNotFound", f"Listener '{arn}' not found")
        return self._listeners[arn]

    def _rule(self, arn: str) -> tuple[Listener, Rule]:
        for listener in self._listeners.values():
            for rule in listener.rules:
                if rule.arn == arn:
                    return listener, rule
        raise AwsError("RuleNotFound", f"Rule '{arn}' not found")

    def _child(self, arn: str, kind: str, child_kind: str) -> str:
        return f"{arn.replace(kind, child_kind)}/{self._world.hex_id(16)}"

    def _set_tags(self, arn: str, params: Params) -> None:
        tags = self._tags.setdefault(arn, {})
        tags |= {each["Key"]: each.get("Value", "") for each in params.get("Tags", [])}


def _paged(name: str, found: list[Any], params: Params) -> Params:
    return marked_page(name, found, params, "PageSize", 1, MOST_ON_A_PAGE)


def _port(group: TargetGroup, target: dict[str, Any]) -> int:
    return int(target.get("Port") or group.settings["Port"])


def _attributes(group: TargetGroup) -> Params:
    pairs = group.attributes.items()
    return {"Attributes": [{"Key": key, "Value": value} for key, value in pairs]}
