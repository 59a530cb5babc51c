"""The live data half of the twin: registry, databases and Slack behind the one port."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from werkzeug import Request, Response

from cloud.live.image_roots import ImageRoots
from cloud.live.postgres import PostgresDatabases
from cloud.twin.clock import LiveClock
from cloud.twin.ecr.api import EcrModel
from cloud.twin.ecr.blobs import FolderBlobs
from cloud.twin.ecr.distribution import Registry
from cloud.twin.ecr.scans import ScanOutcome
from cloud.twin.errors import AwsError
from cloud.twin.rds.api import RdsModel
from cloud.twin.rds.databases import DatabaseEngine
from cloud.twin.server import TwinServer
from cloud.twin.slack.site import SlackSite
from cloud.twin.slack.workspace import SlackModel
from cloud.twin.twin import Twin
from cloud.twin.world import World


class DataHalf:
    """ECR, RDS and Slack of one live twin, added to it and mounted on its server."""

    def __init__(
        self,
        world: World,
        twin: Twin,
        server: TwinServer,
        clock: LiveClock,
        state: Path,
        image_bin: Path | None = None,
    ) -> None:
        """`state` is a folder for layers and unpacked images; `image_bin` the bin folder of the
        application's environment, without which databases have no servers."""
        self._databases = PostgresDatabases(clock, image_bin) if image_bin else None
        self.ecr = EcrModel(world, FolderBlobs(state / "blobs"))
        self.rds = RdsModel(world, self._databases)
        self.slack = SlackModel(world)
        self.image_roots = ImageRoots(self.ecr, clock.lock, state / "images")
        twin.add("ecr", self.ecr)
        twin.add("rds", self.rds)
        server.mount("/v2/", Registry(self.ecr, clock.lock))
        server.mount("/slack/", SlackSite(self.slack, clock.lock))
        control = DataControl(self.ecr, self.rds, clock.lock)
        server.mount("/_twin/ecr/", control)
        server.mount("/_twin/rds/", control)

    @property
    def databases(self) -> DatabaseEngine | None:
        return self._databases

    def started(self, address: str) -> None:
        """Tell the registry the twin's address, which its download URLs carry."""
        self.ecr.endpoint = address

    def stop(self) -> None:
        """End the database servers."""
        if self._databases is not None:
            self._databases.close()


class DataControl:
    """`/_twin/ecr/…` and `/_twin/rds/…`: what tests and people set, in JSON."""

    def __init__(self, ecr: EcrModel, rds: RdsModel, lock: threading.RLock) -> None:
        self._ecr = ecr
        self._rds = rds
        self._lock = lock
        self._routes: dict[tuple[str, str], Callable[[dict[str, Any]], dict[str, Any]]] = {
            ("POST", "/_twin/ecr/scan"): self._set_scan,
            ("POST", "/_twin/ecr/policy"): self._set_registry_policy,
            ("POST", "/_twin/rds/policy"): self._set_snapshot_policy,
        }

    def handle(self, request: Request) -> Response:
        route = self._routes.get((request.method, request.path))
        if route is None:
            return _json({"message": f"no {request.method} {request.path} here"}, 404)
        try:
            with self._lock:
                return _json(route(json.loads(request.get_data() or b"{}")))
        except AwsError as refused:
            return _json({"message": refused.message}, refused.status)
        except (KeyError, TypeError, ValueError) as cause:
            return _json({"message": f"unreadable request: {cause!r}"}, 400)

    def _set_scan(self, body: dict[str, Any]) -> dict[str, Any]:
        """`{repository, digest | tag, status, findings: {"CRITICAL": 1}}`."""
        reference = body.get("digest") or body["tag"]
        outcome = ScanOutcome(body.get("status", "COMPLETE"), body.get("findings", {}))
        self._ecr.set_scan(body["repository"], reference, outcome)
        return {}

    def _set_registry_policy(self, body: dict[str, Any]) -> dict[str, Any]:
        """`{seconds, tells_media_types}`: how long scans take, in the cloud's own time, and whether
        events of untagged pushes have an empty tag and media types; what is left out stays.
        """
        ecr = self._ecr
        ecr.scans.seconds = float(body.get("seconds", ecr.scans.seconds))
        ecr.tells_media_types = bool(body.get("tells_media_types", ecr.tells_media_types))
        return {"seconds": ecr.scans.seconds, "tells_media_types": ecr.tells_media_types}

    def _set_snapshot_policy(self, body: dict[str, Any]) -> dict[str, Any]:
        """`{seconds, fail, fail_next, quota, source_prefix}`; what is left out stays."""
        self._rds.set_policy(**body)
        return vars(self._rds.policy)


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json")
