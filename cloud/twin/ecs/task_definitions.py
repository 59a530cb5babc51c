"""Task definitions: families of numbered revisions that are registered once and never changed."""

from collections.abc import Iterator
from typing import Any

from cloud.twin.errors import AwsError
from cloud.twin.pages import page
from cloud.twin.world import World

Definition = dict[str, Any]

_KEPT = (
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "cpu",
    "memory",
    "runtimePlatform",
    "requiresCompatibilities",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "inferenceAccelerators",
    "ephemeralStorage",
    "enableFaultInjection",
)
_CONTAINER_DEFAULTS: dict[str, Any] = {
    "cpu": 0,
    "portMappings": [],
    "essential": True,
    "environment": [],
    "mountPoints": [],
    "volumesFrom": [],
    "systemControls": [],
}


class TaskDefinitions:
    """Every revision of every family; a revision's dict is its `describe` answer."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._families: dict[str, list[Definition]] = {}
        self.tags: dict[str, list[dict[str, str]]] = {}

    def register(self, params: dict[str, Any]) -> Definition:
        """Add the next revision of its family; ClientException for what ECS would refuse."""
        _check(params)
        revisions = self._families.setdefault(params["family"], [])
        definition = self._definition(params, len(revisions) + 1)
        revisions.append(definition)
        if params.get("tags"):
            self.tags[definition["taskDefinitionArn"]] = list(params["tags"])
        return definition

    def find(self, name: str) -> Definition | None:
        """The revision of an ARN, of `family:revision`, or the latest active of a family."""
        family, _, number = name.rpartition("/")[2].partition(":")
        revisions = self._families.get(family, [])
        if not number:
            active = [each for each in revisions if each["status"] == "ACTIVE"]
            return active[-1] if active else None
        if number.isdigit() and 0 < int(number) <= len(revisions):
            return revisions[int(number) - 1]
        return None

    def usable(self, name: str) -> Definition:
        """The revision, if tasks may be started of it; ClientException otherwise."""
        found = self.find(name)
        if found is None:
            raise AwsError("ClientException", "TaskDefinition not found.")
        if found["status"] != "ACTIVE":
            raise AwsError("ClientException", "TaskDefinition is inactive")
        return found

    def deregister(self, name: str) -> Definition:
        """Make a revision INACTIVE; a family without a revision is refused, as ECS does."""
        found = self.find(name) if ":" in name.rpartition("/")[2] else None
        if found is None:
            raise AwsError("ClientException", "The specified task definition does not exist.")
        found["status"] = "INACTIVE"
        found["deregisteredAt"] = self._world.clock.now()
        return found

    def list_definitions(self, params: dict[str, Any]) -> dict[str, Any]:
        """ARNs in order of family and revision; `familyPrefix` is the whole family's name."""
        status = params.get("status", "ACTIVE")
        family = params.get("familyPrefix")
        arns = [
            each["taskDefinitionArn"]
            for each in self._ordered(params.get("sort", "ASC"))
            if each["status"] == status and family in (None, each["family"])
        ]
        return page("taskDefinitionArns", arns, params)

    def families(self, params: dict[str, Any]) -> dict[str, Any]:
        """The names of families that start with `familyPrefix`."""
        prefix = params.get("familyPrefix", "")
        status = params.get("status", "ALL")
        names = [
            name
            for name, revisions in sorted(self._families.items())
            if name.startswith(prefix) and _has_status(revisions, status)
        ]
        return page("families", names, params)

    def _ordered(self, sort: str) -> Iterator[Definition]:
        for family in sorted(self._families, reverse=sort == "DESC"):
            revisions = self._families[family]
            yield from reversed(revisions) if sort == "DESC" else revisions

    def _definition(self, params: dict[str, Any], revision: int) -> Definition:
        family = params["family"]
        return {
            "taskDefinitionArn": self._world.arn("ecs", f"task-definition/{family}:{revision}"),
            "containerDefinitions": [
                _CONTAINER_DEFAULTS | each for each in params["containerDefinitions"]
            ],
            "family": family,
            "revision": revision,
            "volumes": params.get("volumes", []),
            "status": "ACTIVE",
            "placementConstraints": params.get("placementConstraints", []),
            "compatibilities": ["EC2", "FARGATE"],
            "registeredAt": self._world.clock.now(),
            "registeredBy": f"arn:aws:iam::{self._world.account}:root",
            **{name: params[name] for name in _KEPT if name in params},
        }


def _has_status(revisions: list[Definition], status: str) -> bool:
    if status == "ALL":
        return True
    return any(each["status"] == "ACTIVE" for each in revisions) == (status == "ACTIVE")


def _check(params: dict[str, Any]) -> None:
    if not params.get("family"):
        raise AwsError("ClientException", "Family should not be null or empty.")
    containers = params.get("containerDefinitions") or []
    if not containers:
        raise AwsError("ClientException", "Container list cannot be empty.")
    for container in containers:
        for member in ("name", "image"):
            if not container.get(member):
                message = f"Container.{member} should not be null or empty."
                raise AwsError("ClientException", message)
