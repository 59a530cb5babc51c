"""A sweep has a minute: what takes long is cut off, and what fails stops nothing else."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from slipway.chores.sweep import SweepResult, sweep, turn_of
from slipway.domain.deployment import Phase
from slipway.domain.errors import Reason, Transient
from slipway.domain.notice import SLACK
from slipway.domain.outcome import Outcome
from slipway.domain.release import Release
from slipway.journal import Journal
from slipway.requests.admit import admit
from tests.builders.documents import REPOSITORY, START
from tests.builders.fakes.control import InMemoryExecutions
from tests.builders.samples import sample
from tests.builders.worlds import World
from tests.unit.stack import functions, template

DOWN = Transient(Reason.AWS_UNAVAILABLE, "try later")


def swept(world: World, turn: int | None = None, **instead: Any) -> SweepResult:
    ports: dict[str, Any] = {
        name: world.port(name) for name in ("records", "executions", "announcements")
    } | instead
    port = {name: ports[name] for name in ("executions", "announcements")}
    journal = Journal(ports["records"], world.now)
    return sweep(
        **{"registry": world.registry, "one_offs": world.port("one_offs"), **ports},
        catalog=world.catalog,
        admit=partial(
            admit, journal=journal, **port, registry=world.registry, catalog=world.catalog
        ),
        clock=lambda: world.now,
        turn=turn,
    )


def waiting() -> World:
    """A deployment that has waited for its lane for two minutes."""
    world = World()
    world.admit()
    world.rewrite(phase=Phase.AWAITING_LANE)
    world.registry.pushes.append(
        Release(repository=REPOSITORY, digest=f"sha256:{'e5' * 32}", tag="v9", pushed_at=START)
    )
    world.wait(minutes=2)
    return world


class Slow:
    """A port of which every call takes so many seconds."""

    def __init__(self, port: Any, world: World, seconds: float) -> None:
        self._port, self._world, self._seconds = port, world, seconds

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*args: Any, **named: Any) -> Any:
            self._world.wait(seconds=self._seconds)
            return method(*args, **named)

        return call


def test_what_takes_too_long_is_cut_off_told_and_done_by_the_next_sweep() -> None:
    world = waiting()
    slow = Slow(world.records, world, 23)

    cut = swept(world, records=slow)

    assert (cut.woken, cut.admitted) == (("notes-staging-1",), ())
    assert cut.problems == (
        "notices: cut off after 45 seconds; the next sweep continues.",
        "promotions: cut off after 45 seconds; the next sweep continues.",
        "pushes: cut off after 45 seconds; the next sweep continues.",
    )
    assert swept(world).admitted == ("notes-staging-2",)


def test_a_sweep_that_hangs_ends_before_its_function_does() -> None:
    timeout = template()["Globals"]["Function"]["Timeout"]

    assert functions()["sweep"].get("Timeout", timeout) - 45 >= 15


class Failing:
    """A port of which one method fails."""

    def __init__(self, port: Any, method: str) -> None:
        self._port, self._method = port, method

    def __getattr__(self, name: str) -> Any:
        def fail(*args: Any, **named: Any) -> Any:
            raise DOWN

        return fail if name == self._method else getattr(self._port, name)


@pytest.mark.parametrize(
    ("method", "woken", "admitted"),
    [
        ("unsettled", (), ("notes-staging-2",)),
        ("database_slots", ("notes-staging-1",), ("notes-staging-2",)),
        ("untold", ("notes-staging-1",), ("notes-staging-2",)),
        ("seen_tags", ("notes-staging-1",), ()),
    ],
)
def test_what_cannot_be_read_stops_nothing_else(
    method: str, woken: tuple[str, ...], admitted: tuple[str, ...]
) -> None:
    world = waiting()

    found = swept(world, records=Failing(world.records, method))

    assert (found.woken, found.admitted) == (woken, admitted)
    assert found.problems == ("AwsUnavailable: try later",)


def test_one_deployment_that_cannot_be_settled_stops_no_other() -> None:
    world = waiting()
    for number in (2, 3):
        other = world.deployment.model_copy(
            update={"deployment_id": f"notes-staging-{number}", "version": 0}
        )
        world.records.write([other])

    class Jammed(InMemoryExecutions):
        def start(self, deployment_id: str, request: str) -> None:
            if deployment_id == "notes-staging-2":
                raise DOWN
            super().start(deployment_id, request)

    executions = Jammed(started={"notes-staging-1": "{}"})
    found = swept(world, executions=executions)

    assert found.woken == ("notes-staging-1",)
    assert found.started == ("notes-staging-3",)
    assert "AwsUnavailable: try later" in found.problems


def test_an_execution_that_is_not_listed_yet_is_neither_settled_nor_started() -> None:
    world = waiting()

    class Behind(InMemoryExecutions):
        def all_running(self) -> frozenset[str]:
            return frozenset()

    executions = Behind(started={"notes-staging-1": "{}"})
    found = swept(world, executions=executions)

    assert (found.settled, found.started) == ((), ())
    assert world.deployment.outcome is None


def test_a_deployment_that_has_just_settled_is_only_asked_to_look() -> None:
    """The index lags behind: what it names may be over."""
    world = waiting()
    late = world.records.unsettled()
    world.rewrite(outcome=Outcome.CANCELLED, settled_at=world.now)

    class Late(Failing):
        def unsettled(self) -> Any:
            return late

    world.executions.ended.add("notes-staging-1")
    version = world.deployment.version
    found = swept(world, records=Late(world.records, "nothing"))

    assert world.deployment.outcome is Outcome.CANCELLED
    assert world.deployment.version == version
    assert found.started == ()


def test_the_schedule_does_a_part_of_the_work_and_a_person_all_of_it() -> None:
    event = sample("sweep")
    now = datetime.fromisoformat("2026-11-20T10:00:20Z")
    next_minute = event | {"time": "2026-11-20T10:01:00Z"}

    first, second = turn_of(event, now), turn_of(next_minute, now + timedelta(minutes=1))

    assert first is not None
    assert second == first + 1
    assert turn_of(event, now + timedelta(hours=1)) is None
    others: list[dict[str, Any]] = [{}, {"time": None}, {"time": "soon"}, {"time": "2026-11-20"}]
    assert [turn_of(other, now) for other in others] == [None] * 4


def test_whoever_waits_is_woken_in_one_of_four_sweeps_and_whenever_a_person_sweeps() -> None:
    world = waiting()

    woken = [swept(world, turn=turn).woken for turn in range(8)]

    assert sorted(woken) == [()] * 6 + [("notes-staging-1",)] * 2
    assert swept(world).woken == ("notes-staging-1",)


def test_who_waits_for_a_database_is_woken_when_it_is_freed_whoever_has_the_turn() -> None:
    world = World().backed_up()
    world.migrate()
    world.task_ends("migrate", 1)
    world.rewrite(outcome=Outcome.NEEDS_OPERATOR, settled_at=world.now)
    waits = world.deployment.model_copy(
        update={
            "deployment_id": "notes-staging-2",
            "outcome": None,
            "phase": Phase.AWAITING_LANE,
            "version": 0,
        }
    )
    world.records.write([waits])
    world.executions.start("notes-staging-2", "{}")
    world.wait(minutes=2)
    turn = next(turn for turn in range(4) if swept_nobody(world, turn))
    world.records.write(
        [world.records.database_slot("rds:notes-staging").enter("notes-staging-1")[1]]
    )
    world.announcements.published.clear()

    found = swept(world, turn=turn)

    assert (found.freed, found.woken) == (("rds:notes-staging",), ())
    assert [detail["step"] for what, detail in world.announcements.published] == ["check", "enter"]


def swept_nobody(world: World, turn: int) -> bool:
    return swept(world, turn=turn).woken == ()


def test_the_sweep_asks_for_a_refused_end_for_a_day() -> None:
    world = waiting()
    world.rewrite(outcome=Outcome.FAILED, settled_at=world.now)
    notice = world.records.notice("notes-staging-1", SLACK).refused(Outcome.FAILED, world.now)
    world.records.write([notice])
    settled: datetime = world.now

    world.now = settled + timedelta(hours=23)
    assert swept(world).unnotified == ("notes-staging-1",)
    world.now = settled + timedelta(hours=25)
    assert swept(world).unnotified == ()
