"""Target groups: their settings, their targets, and how checks turn into states of health."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cloud.twin.engines import ProbeResult, ProbeTarget, TargetProbe
from cloud.twin.errors import AwsError
from cloud.twin.world import World

Address = tuple[str, int]
DELAY = "deregistration_delay.timeout_seconds"

_HEALTH_DEFAULTS: dict[str, Any] = {
    "HealthCheckProtocol": "HTTP",
    "HealthCheckPort": "traffic-port",
    "HealthCheckEnabled": True,
    "HealthCheckIntervalSeconds": 30,
    "HealthCheckTimeoutSeconds": 5,
    "HealthyThresholdCount": 5,
    "UnhealthyThresholdCount": 2,
    "HealthCheckPath": "/",
    "Matcher": {"HttpCode": "200"},
}
_ATTRIBUTE_DEFAULTS = {
    DELAY: "300",
    "slow_start.duration_seconds": "0",
    "load_balancing.algorithm.type": "round_robin",
    "stickiness.enabled": "false",
    "stickiness.type": "lb_cookie",
}
_EXPLANATIONS = {
    "Elb.RegistrationInProgress": "Target registration is in progress",
    "Elb.InitialHealthChecking": "Initial health checks in progress",
    "Target.FailedHealthChecks": "Health checks failed",
    "Target.NotRegistered": "Target is not registered to the target group",
    "Target.NotInUse": ("Target group is not configured to receive traffic from the load balancer"),
    "Target.DeregistrationInProgress": "Target deregistration is in progress",
    "Target.HealthCheckDisabled": "Health checks are disabled for this target group",
}


@dataclass(slots=True, eq=False)
class Target:
    """One registered target and its health."""

    address: str
    port: int
    state: str = "unused"
    reason: str | None = "Target.NotInUse"
    description: str | None = _EXPLANATIONS["Target.NotInUse"]
    passed: int = 0
    failed: int = 0

    def become(self, state: str, reason: str | None = None, description: str | None = None) -> None:
        """Take a state with its reason, in AWS's words unless others are given."""
        self.state, self.reason = state, reason
        self.description = description or (_EXPLANATIONS.get(reason) if reason else None)

    def describe(self, health_port: str) -> dict[str, Any]:
        """As `describe_target_health` shows it."""
        health = {"State": self.state, "Reason": self.reason, "Description": self.description}
        return {
            "Target": {"Id": self.address, "Port": self.port},
            "HealthCheckPort": str(self.port) if health_port == "traffic-port" else health_port,
            "TargetHealth": {name: value for name, value in health.items() if value is not None},
        }


class TargetGroup:
    """One target group; the listener is told of each target whose state changed."""

    def __init__(
        self,
        world: World,
        probe: TargetProbe,
        params: dict[str, Any],
        listener: Callable[["TargetGroup", Target], None],
    ) -> None:
        self._world = world
        self._probe = probe
        self._listener = listener
        self.name: str = params["Name"]
        self.arn = world.arn("elasticloadbalancing", f"targetgroup/{self.name}/{world.hex_id(16)}")
        given = {name: value for name, value in params.items() if name not in ("Name", "Tags")}
        self.settings: dict[str, Any] = {"TargetType": "instance", **_HEALTH_DEFAULTS, **given}
        self.attributes = dict(_ATTRIBUTE_DEFAULTS)
        self.load_balancers: list[str] = []
        self.targets: dict[Address, Target] = {}

    def describe(self) -> dict[str, Any]:
        """As `describe_target_groups` shows it."""
        return {
            "TargetGroupArn": self.arn,
            "TargetGroupName": self.name,
            "LoadBalancerArns": self.load_balancers,
            **self.settings,
        }

    def use(self, load_balancers: list[str]) -> None:
        """Be used by these load balancers; the first one begins the health checks."""
        was_used = bool(self.load_balancers)
        self.load_balancers = load_balancers
        if was_used != bool(load_balancers):
            for target in self.targets.values():
                self._begin(target) if load_balancers else self._rest(target)

    def join(self, address: str, port: int) -> None:
        """Register a target; one that is draining begins anew."""
        known = self.targets.get((address, port))
        if known is not None and known.state != "draining":
            return
        target = Target(address, port)
        self.targets[address, port] = target
        if self.load_balancers:
            self._begin(target)

    def leave(self, address: str, port: int) -> float:
        """Drain a target; the deregistration delay in seconds, 0 if it is not there."""
        target = self.targets.get((address, port))
        if target is None or target.state == "draining":
            return 0.0
        self._probe.unwatch(self._as_probed(target))
        target.become("draining", "Target.DeregistrationInProgress")
        delay = float(self.attributes[DELAY])
        self._world.clock.call_later(delay, lambda: self._forget(target))
        self._listener(self, target)
        return delay

    def describe_health(self, wanted: list[Address] | None) -> list[dict[str, Any]]:
        """The health of the wanted targets, or of all."""
        health_port = self.settings["HealthCheckPort"]
        keys = list(self.targets) if wanted is None else wanted
        return [self._known_or_unused(key).describe(health_port) for key in keys]

    def taking_requests(self) -> tuple[Address, ...]:
        """Where requests go: to healthy targets or, failing open, to the unhealthy ones."""
        states = {key: target.state for key, target in self.targets.items()}
        healthy = tuple(key for key, state in states.items() if state == "healthy")
        return healthy or tuple(key for key, state in states.items() if state == "unhealthy")

    def modify(self, params: dict[str, Any]) -> None:
        """Change health check settings; checks under way follow them at once."""
        self.settings |= {name: value for name, value in params.items() if name != "TargetGroupArn"}

    def modify_attributes(self, attributes: list[dict[str, str]]) -> None:
        for each in attributes:
            if each["Key"] not in self.attributes:
                message = f"Target group attribute key '{each['Key']}' is not recognized"
                raise AwsError("ValidationError", message)
            self.attributes[each["Key"]] = each["Value"]

    def _begin(self, target: Target) -> None:
        target.become("initial", "Elb.RegistrationInProgress")
        self._listener(self, target)
        self._probe.watch(self._as_probed(target), lambda result: self._heard(target, result))

    def _rest(self, target: Target) -> None:
        self._probe.unwatch(self._as_probed(target))
        target.become("unused", "Target.NotInUse")
        self._listener(self, target)

    def _heard(self, target: Target, result: ProbeResult) -> None:
        if target.state in ("draining", "unused"):
            return
        before = target.state
        if result.passed:
            self._passed(target)
        else:
            self._failed(target, result)
        if target.state != before:
            self._listener(self, target)

    def _passed(self, target: Target) -> None:
        target.failed = 0
        target.passed += 1
        # A target that is new needs one passed check, one that was unhealthy the threshold.
        needed = 1 if target.state == "initial" else self.settings["HealthyThresholdCount"]
        if target.passed >= needed:
            target.become("healthy")

    def _failed(self, target: Target, result: ProbeResult) -> None:
        target.passed = 0
        target.failed += 1
        if target.failed >= self.settings["UnhealthyThresholdCount"]:
            target.become(
                "unhealthy", result.reason or "Target.FailedHealthChecks", result.description
            )
        elif target.state == "initial":
            target.become("initial", "Elb.InitialHealthChecking")

    def _forget(self, target: Target) -> None:
        key = (target.address, target.port)
        if self.targets.get(key) is target:
            del self.targets[key]

    def _known_or_unused(self, key: Address) -> Target:
        known = self.targets.get(key)
        if known is None:
            known = Target(*key)
            known.become("unused", "Target.NotRegistered")
        return known

    def _as_probed(self, target: Target) -> ProbeTarget:
        return ProbeTarget(self.arn, target.address, target.port, self.settings)
