"""What steps rely on of one-off tasks: the adapter, on a model of ECS, and the fake keep it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from cloud.simulation.clients import Client
from cloud.twin.scripted import TaskScript
from slipway.adapters.ecs.one_offs import EcsOneOffs
from slipway.domain.errors import Broken, ControlPlaneError, Reason, Transient
from slipway.domain.target import EcsTarget
from slipway.ports.targets import OneOff, OneOffs
from tests.builders.fakes.targets import InMemoryOneOffs
from tests.integration.twin.virtual import VirtualCloud

TARGET = EcsTarget(cluster="main", service="notes", container="web")
COMMAND = ("alembic", "upgrade", "head")
MIGRATE, OTHER = "slipway/migrate/notes-1", "slipway/downgrade/notes-1"
NO_ROOM = "RESOURCE:MEMORY"


class Place(Protocol):
    """Where one-off tasks run, and what a test makes of them."""

    one_offs: OneOffs
    revision_arn: str

    def refuse(self, reason: str) -> None: ...

    def let_run(self) -> None: ...

    def end(self, arn: str, exit_code: int) -> None: ...

    def end_beside_another(self, arn: str, exit_code: int) -> None: ...

    def never_start(self, arn: str) -> None: ...

    def stop_seen(self, arn: str) -> bool: ...


@dataclass
class InMemory:
    """The fake of the unit tests."""

    one_offs: InMemoryOneOffs = field(default_factory=InMemoryOneOffs)
    revision_arn: str = "arn:aws:ecs:us-east-1:000000000000:task-definition/notes:1"

    def refuse(self, reason: str) -> None:
        message = f"ECS placed no task: {reason}."
        kind = (
            Transient(Reason.CAPACITY_UNAVAILABLE, message)
            if reason == NO_ROOM
            else Broken(Reason.AWS_REFUSED, message)
        )
        self.one_offs.refusals.append(kind)

    def let_run(self) -> None:
        pass

    def _seen(self, arn: str, **how: Any) -> None:
        usual = {"stopped": True, "exit_code": None, "reason": ""}
        self.one_offs.seen[arn] = OneOff(task_arn=arn, **{**usual, **how})

    def end(self, arn: str, exit_code: int) -> None:
        self._seen(arn, exit_code=exit_code)

    def end_beside_another(self, arn: str, exit_code: int) -> None:
        self._seen(arn, exit_code=exit_code, stopped=False, leftover=True)

    def never_start(self, arn: str) -> None:
        self._seen(arn, reason="ResourceInitializationError: x", never_ran=True)

    def stop_seen(self, arn: str) -> bool:
        return arn in self.one_offs.stopped


class OnTheTwin:
    """The adapter, with the twin's ECS in virtual time behind it."""

    def __init__(self) -> None:
        self._script = TaskScript()
        self._cloud = VirtualCloud(lambda task: self._script)
        self.revision_arn = self._cloud.register("v1")
        self._cloud.live_service(self.revision_arn)
        client: Any = Client("ecs", lambda: self)
        self.one_offs = EcsOneOffs(client, client)

    def perform(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._cloud.ecs(operation, **params)
        return answer

    def refuse(self, reason: str) -> None:
        self._cloud.model.fail_next_run_task(reason)

    def let_run(self) -> None:
        self._cloud.clock.run_for(20)

    def _play(self, script: TaskScript) -> None:
        self._script = script
        self._cloud.clock.run_for(60)

    def end(self, arn: str, exit_code: int) -> None:
        self._play(TaskScript(exits_after=1.0, exit_code=exit_code))

    def end_beside_another(self, arn: str, exit_code: int) -> None:
        self._play(TaskScript(exits_after=1.0, exit_code=exit_code, alone="web"))

    def never_start(self, arn: str) -> None:
        self._play(TaskScript(cannot_start="ResourceInitializationError: x"))

    def stop_seen(self, arn: str) -> bool:
        self._cloud.clock.run_for(20)
        return self.one_offs.look(TARGET, arn).stopped


@pytest.fixture(params=[InMemory, OnTheTwin])
def place(request: pytest.FixtureRequest) -> Place:
    make: Callable[[], Place] = request.param
    return make()


def run(place: Place, started_by: str = MIGRATE, attempt: int = 0) -> str:
    return place.one_offs.run(TARGET, place.revision_arn, COMMAND, started_by, attempt)


def test_a_task_is_started_once_and_found_again(place: Place) -> None:
    arn = run(place)

    assert run(place) == arn
    assert place.one_offs.find(TARGET, place.revision_arn, MIGRATE) == arn
    assert place.one_offs.find(TARGET, place.revision_arn, OTHER) is None
    assert run(place, OTHER) != arn


def test_a_task_runs_until_it_ends_and_is_found_after_it(place: Place) -> None:
    arn = run(place)
    assert place.one_offs.running(TARGET, arn)
    assert not place.one_offs.look(TARGET, arn).ended

    place.end(arn, 3)

    seen = OneOff(task_arn=arn, stopped=True, exit_code=3, reason="")
    assert place.one_offs.look(TARGET, arn) == seen
    assert not place.one_offs.running(TARGET, arn)
    assert place.one_offs.find(TARGET, place.revision_arn, MIGRATE) == arn


def test_a_task_that_never_starts_is_told_as_such(place: Place) -> None:
    arn = run(place)
    place.never_start(arn)

    seen = place.one_offs.look(TARGET, arn)
    assert (seen.stopped, seen.exit_code, seen.never_ran) == (True, None, True)
    assert "ResourceInitializationError" in seen.reason


def test_a_command_that_ends_beside_another_container_is_over(place: Place) -> None:
    arn = run(place)
    place.end_beside_another(arn, 1)

    seen = place.one_offs.look(TARGET, arn)
    assert (seen.ended, seen.stopped, seen.leftover, seen.exit_code) == (True, False, True, 1)
    assert not place.one_offs.running(TARGET, arn)

    place.one_offs.stop(TARGET, arn, "It has ended.")
    place.one_offs.stop(TARGET, arn, "It has ended.")
    assert place.stop_seen(arn)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [(NO_ROOM, Reason.CAPACITY_UNAVAILABLE), ("ATTRIBUTE", Reason.AWS_REFUSED)],
)
def test_a_refusal_starts_nothing_and_the_next_attempt_does(
    place: Place, reason: str, expected: Reason
) -> None:
    place.refuse(reason)
    with pytest.raises(ControlPlaneError) as refused:
        run(place)
    assert refused.value.reason is expected
    assert place.one_offs.find(TARGET, place.revision_arn, MIGRATE) is None

    arn = run(place, attempt=1)
    place.let_run()
    assert place.one_offs.running(TARGET, arn)
