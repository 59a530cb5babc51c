"""The ports through which the models reach what they only describe: processes, probes, sockets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol


@dataclass(frozen=True)
class ContainerSpec:
    """One container to start: its definition, its image by digest, and what a caller overrides."""

    name: str
    image: str
    digest: str
    definition: Mapping[str, Any]
    command: list[str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TaskSpec:
    """One task to start; `attempt` counts the tasks of its deployment, from 1.

    `architecture` is `amd64` or `arm64`, as images name it.
    """

    task_id: str
    arn: str
    family: str
    revision: int
    containers: tuple[ContainerSpec, ...]
    architecture: str = "amd64"
    service: str | None = None
    attempt: int = 1


@dataclass(frozen=True)
class TaskReport:
    """News of a task's containers; exit codes are missing for a container that never ran.

    EXITED is the end of a container that is not essential: the others run on.
    """

    status: Literal["RUNNING", "EXITED", "STOPPED", "HEALTHY", "UNHEALTHY"]
    exit_codes: Mapping[str, int] = field(default_factory=dict)
    reason: str | None = None


Report = Callable[[TaskReport], None]


class TaskEngine(Protocol):
    """Runs the containers of tasks. Reports may come at once, later, or from another thread."""

    def start(self, task: TaskSpec, report: Report) -> str:
        """Begin to start the containers; the address at which the task will listen."""
        ...

    def stop(self, task_id: str) -> None:
        """Begin to end the containers; a STOPPED report follows. Safe to call again."""
        ...


@dataclass(frozen=True)
class ProbeTarget:
    """One target to ask for its health, by the settings of its target group."""

    target_group_arn: str
    address: str
    port: int
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class ProbeResult:
    """The answer of one health check; reason and description as target health names them."""

    passed: bool
    reason: str | None = None
    description: str | None = None


class TargetProbe(Protocol):
    """Checks targets. It reports single results; the model counts them against thresholds."""

    def watch(self, target: ProbeTarget, report: Callable[[ProbeResult], None]) -> None:
        """Check the target from now on. A probe may leave out checks that change nothing."""
        ...

    def unwatch(self, target: ProbeTarget) -> None:
        """Check the target no more."""
        ...


@dataclass(frozen=True)
class Forward:
    """Target groups with weights, each with the (address, port) pairs that take requests."""

    groups: tuple[tuple[int, tuple[tuple[str, int], ...]], ...]


@dataclass(frozen=True)
class FixedResponse:
    """An answer the load balancer gives by itself.

    ``location`` is where a redirect leads; ``#{host}``, ``#{path}`` and ``#{query}`` in it stand
    for those of the request.
    """

    status: int
    content_type: str
    body: str
    location: str = ""


@dataclass(frozen=True)
class Route:
    """One rule: conditions (patterns by field, an empty mapping always holds) and action."""

    conditions: Mapping[str, tuple[str, ...]]
    action: Forward | FixedResponse


@dataclass(frozen=True)
class Routing:
    """All a load balancer knows of one listener: its rules in order of priority."""

    routes: tuple[Route, ...]


class TrafficEngine(Protocol):
    """Carries requests from listeners to targets."""

    def address(self, load_balancer_arn: str) -> str:
        """The host name or address of a load balancer, the same at every call."""
        ...

    def listen(self, listener_arn: str, address: str, port: int, protocol: str) -> int:
        """Open a listener; the port it really has."""
        ...

    def route(self, listener_arn: str, routing: Routing) -> None:
        """Send the next requests by this routing; requests under way are not disturbed."""
        ...

    def close(self, listener_arn: str) -> None:
        """Close a listener."""
        ...
