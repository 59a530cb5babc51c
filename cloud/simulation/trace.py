"""What happened in a run, kept cheaply while it happens and written out only when asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cloud.simulation.execution import Execution, Failed
from cloud.simulation.lambdas import Invocation
from cloud.simulation.table import Change

# The calls that request a snapshot, each with the parameter that names it.
SNAPSHOTS = {
    "CreateDBSnapshot": "DBSnapshotIdentifier",
    "CreateDBClusterSnapshot": "DBClusterSnapshotIdentifier",
}
# Calls that change the user's systems.
MUTATING = frozenset({"UpdateService", "RegisterTaskDefinition", "RunTask", *SNAPSHOTS})
# What the revision that a rollback registers again has in its tag, beside the release's own.
RETURN_SUFFIX = "/rollback"


@dataclass(frozen=True)
class Effect:
    """A call that changed the user's systems: who, what, and on whose behalf.

    ``began`` is when the invocation that made it began.
    """

    at: float
    began: float
    function: str
    subject: str
    operation: str
    params: dict[str, Any]
    error: str | None


def actor_of(effect: Effect) -> str:
    """The deployment on whose behalf a call was made."""
    params = effect.params
    if effect.operation == "RunTask":
        return (
            str(params["startedBy"])
            .removeprefix("slipway/")
            .strip("/")
            .replace("migrate/", "")
            .replace("downgrade/", "")
            .replace("current/", "")
            .replace("/migrate", "")
            .replace("/downgrade", "")
        )
    if effect.operation in SNAPSHOTS:
        return str(params[SNAPSHOTS[effect.operation]]).removeprefix("slipway-")
    if effect.operation == "RegisterTaskDefinition":
        tags = {tag["key"]: tag["value"] for tag in params.get("tags", [])}
        return str(tags.get("slipway:deployment", "")).removesuffix(RETURN_SUFFIX)
    return effect.subject


class Trace:
    """The raw timeline of a run, its writes and its effects."""

    def __init__(self) -> None:
        self.lines: list[tuple[Any, ...]] = []
        self.writes: list[tuple[float, str, Change]] = []
        self.effects: list[Effect] = []
        self.bugs: list[tuple[float, str, BaseException]] = []
        self.actor: Invocation | None = None
        self._began: dict[int, float] = {}
        self.swept = 0
        self.on_effect: Callable[[Effect], None] | None = None
        self.on_write: Callable[[float, Change], None] | None = None

    def invoked(self, at: float, invocation: Invocation) -> None:
        self.lines.append((at, "invoked", invocation))
        self._began[invocation.number] = at

    def ended(self, at: float, invocation: Invocation, result: Any, failed: Failed | None) -> None:
        self.lines.append((at, "ended", invocation, result, failed))
        # A sweep that could not do everything may have left something for the next one.
        if invocation.function.name == "sweep" and failed is None and not result["problems"]:
            self.swept += 1
        if invocation.bug is not None:
            self.bugs.append((at, invocation.function.name, invocation.bug))

    def called(
        self,
        at: float,
        invocation: Invocation,
        service: str,
        operation: str,
        params: dict[str, Any],
        error: Any,
    ) -> None:
        self.lines.append((at, "called", invocation, service, operation, params, error))
        if operation in MUTATING:
            name, subject = invocation.function.name, invocation.subject
            began = self._began[invocation.number]
            effect = Effect(at, began, name, subject, operation, params, error and str(error))
            self.effects.append(effect)
            if self.on_effect is not None and error is None:
                self.on_effect(effect)

    def fault(self, at: float, where: str, kind: Any) -> None:
        self.lines.append((at, "fault", where, kind))

    def event(self, at: float, event: dict[str, Any], number: int, kind: Any) -> None:
        self.lines.append((at, "event", event, number, kind))

    def execution(self, at: float, execution: Execution) -> None:
        told = (execution.name, execution.status, execution.error, execution.cause)
        self.lines.append((at, "execution", *told))

    def state(self, at: float, name: str, state: str) -> None:
        self.lines.append((at, "state", name, state))

    def said(self, at: float, who: str, what: str) -> None:
        self.lines.append((at, "said", who, what))

    def wrote(self, at: float, changes: list[Change]) -> None:
        actor = self.actor.function.name if self.actor else "outside"
        for change in changes:
            self.writes.append((at, actor, change))
            if self.on_write is not None:
                self.on_write(at, change)
