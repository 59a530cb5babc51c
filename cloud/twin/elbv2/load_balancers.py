"""Load balancers: a name, an address, and nothing of what lies behind."""

from collections.abc import Iterable
from typing import Any

from cloud.twin.engines import TrafficEngine
from cloud.twin.errors import AwsError
from cloud.twin.world import World

SERVICE = "elasticloadbalancing"
_SHORT = {"application": "app", "network": "net"}


class LoadBalancers:
    """Every load balancer by its ARN; its dict is its `describe` answer."""

    def __init__(self, world: World, traffic: TrafficEngine) -> None:
        self._world = world
        self._traffic = traffic
        self._balancers: dict[str, dict[str, Any]] = {}

    def create(self, params: dict[str, Any]) -> dict[str, Any]:
        """A new load balancer; DuplicateLoadBalancerName."""
        name, kind = params["Name"], params.get("Type", "application")
        if any(each["LoadBalancerName"] == name for each in self._balancers.values()):
            message = f"A load balancer with the same name '{name}' exists."
            raise AwsError("DuplicateLoadBalancerName", message)
        path = f"loadbalancer/{_SHORT.get(kind, kind)}/{name}/{self._world.hex_id(16)}"
        arn = self._world.arn(SERVICE, path)
        self._balancers[arn] = {
            "LoadBalancerArn": arn,
            "DNSName": self._traffic.address(arn),
            "CanonicalHostedZoneId": "Z35SXDOTRQ7X7K",
            "CreatedTime": self._world.clock.now(),
            "LoadBalancerName": name,
            "Scheme": params.get("Scheme", "internet-facing"),
            "VpcId": "vpc-00000000",
            "State": {"Code": "active"},
            "Type": kind,
            "SecurityGroups": params.get("SecurityGroups", []),
            "AvailabilityZones": [
                {"ZoneName": f"{self._world.region}a", "SubnetId": each}
                for each in params.get("Subnets", [])
            ],
            "IpAddressType": "ipv4",
        }
        return self._balancers[arn]

    def find(self, params: dict[str, Any]) -> list[dict[str, Any]]:
        """By ARNs or names, or all; LoadBalancerNotFound if none of those asked for is there."""
        arns, names = params.get("LoadBalancerArns"), params.get("Names")
        found = [
            each
            for each in self._balancers.values()
            if wanted(each["LoadBalancerArn"], arns) and wanted(each["LoadBalancerName"], names)
        ]
        if (arns or names) and not found:
            raise AwsError("LoadBalancerNotFound", "One or more load balancers not found")
        return found

    def get(self, arn: str) -> dict[str, Any]:
        """By ARN; LoadBalancerNotFound."""
        if arn not in self._balancers:
            raise AwsError("LoadBalancerNotFound", f"Load balancer '{arn}' not found")
        return self._balancers[arn]

    def delete(self, arn: str) -> None:
        """Take a load balancer away; one that is not there is no error, as with AWS."""
        self._balancers.pop(arn, None)


def wanted(value: str, asked: Iterable[str] | None) -> bool:
    """Whether the value is one of those asked for; without any, every value is."""
    return not asked or value in asked
