"""Clusters of ECS: a name under which services and tasks live."""

from typing import Any

from cloud.twin.errors import AwsError
from cloud.twin.pages import page
from cloud.twin.world import World

Cluster = dict[str, Any]


class Clusters:
    """Every cluster by name; a cluster's dict is its `describe` answer."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._clusters: dict[str, Cluster] = {}

    def create(self, params: dict[str, Any]) -> Cluster:
        """The cluster of that name, made if it is not there: ECS answers both alike."""
        name = params.get("clusterName", "default")
        if name not in self._clusters:
            self._clusters[name] = {
                "clusterArn": self._world.arn("ecs", f"cluster/{name}"),
                "clusterName": name,
                "status": "ACTIVE",
                "settings": params.get("settings", []),
                "capacityProviders": params.get("capacityProviders", []),
                "tags": params.get("tags", []),
                "registeredContainerInstancesCount": 0,
            }
        return self._clusters[name]

    def get(self, name: str | None) -> Cluster:
        """The cluster of a name or ARN, `default` if none is said; ClusterNotFoundException."""
        found = self.find(name or "default")
        if found is None:
            raise AwsError("ClusterNotFoundException", "Cluster not found.")
        return found

    def find(self, name: str) -> Cluster | None:
        """The cluster of a name or ARN, or None."""
        return self._clusters.get(name.rpartition("/")[2])

    def delete(self, name: str | None) -> Cluster:
        """Take the cluster away and show it INACTIVE."""
        cluster = self.get(name)
        del self._clusters[cluster["clusterName"]]
        return {**cluster, "status": "INACTIVE"}

    def describe(self, params: dict[str, Any]) -> dict[str, Any]:
        """The clusters asked for, and a MISSING failure for each that is not there."""
        names = params.get("clusters") or ["default"]
        found = {name: self.find(name) for name in names}
        return {
            "clusters": [cluster for cluster in found.values() if cluster],
            "failures": [
                {"arn": self._world.arn("ecs", f"cluster/{name}"), "reason": "MISSING"}
                for name, cluster in found.items()
                if not cluster
            ],
        }

    def list_clusters(self, params: dict[str, Any]) -> dict[str, Any]:
        """The clusters' ARNs."""
        return page("clusterArns", [each["clusterArn"] for each in self._clusters.values()], params)
