"""The web outside: the health pages of deployed services, and the blobs of the registry."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cloud.simulation.world import Image
from cloud.twin.ecs.services import Service

if TYPE_CHECKING:
    from cloud.simulation.cloud import Cloud

Params = dict[str, Any]


class Web:
    """What plain HTTP requests get for an answer."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        # What a site answers to a URL in place of its page: status, body and perhaps headers.
        self.override: Callable[[str], Params | None] | None = None

    def get_blob(self, params: Params) -> Params:
        """What ECR's download URLs lead to."""
        blob = self._cloud.ecr.blobs.get(params["url"].rsplit("/", 1)[-1])
        return {"status": 404, "body": b""} if blob is None else {"status": 200, "body": blob}

    def get(self, params: Params) -> Params:
        """One request to a deployed service, answered by one of its healthy tasks."""
        cloud = self._cloud
        found = re.match(r"http://([\w-]+)\.us-east-1\.elb", params["url"])
        services = {one.cluster_arn.rsplit("/", 1)[-1]: one for one in cloud.services()}
        service = services.get(found[1]) if found else None
        serving = _serving_digests(service) if service else []
        if not serving:
            return {"status": 503, "body": b""}
        if self.override is not None and (odd := self.override(params["url"])) is not None:
            return odd
        return _health_page(cloud.engines.images.get(cloud.rng.choice(serving)))


def _serving_digests(service: Service) -> list[str]:
    return [
        digest
        for deployment in service.deployments
        for task in deployment.tasks.values()
        if task.healthy
        for digest in task.images.values()
    ]


def _health_page(image: Image | None) -> Params:
    version = image.version if image else "0"
    status = image.site if image else 200
    return {"status": status, "body": f'{{"version": "{version}"}}'.encode()}
