"""Sweep: what no event has told is found, and what needs nothing is left alone."""

import re
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from slipway.chores.sweep import SweepResult, sweep
from slipway.domain.catalog import Catalog
from slipway.domain.deployment import Origin, Phase
from slipway.domain.errors import Broken, Reason
from slipway.domain.notice import SLACK, Notice
from slipway.domain.outcome import Outcome
from slipway.domain.release import Release
from slipway.journal import Journal
from slipway.requests.admit import admit
from slipway.requests.wishes import push_wish
from tests.builders.crashes import Crash, Crashes
from tests.builders.documents import NEW, OLD, OTHER, REPOSITORY, START, release, wish
from tests.builders.worlds import World, caught
from tests.unit.stack import template


def swept(world: World, turn: int | None = None) -> SweepResult:
    ports = {name: world.port(name) for name in ("executions", "announcements")}
    journal = Journal(world.port("records"), world.now)
    return sweep(
        records=journal.records,
        **ports,
        catalog=world.catalog,
        registry=world.registry,
        one_offs=world.port("one_offs"),
        admit=partial(
            admit, journal=journal, **ports, registry=world.registry, catalog=world.catalog
        ),
        clock=lambda: world.now,
        turn=turn,
    )


def fresh() -> World:
    """A lane on which nothing has succeeded yet."""
    world = World()
    world.rewrite_lane(stable=None)
    return world


def pushed(world: World, *, at: datetime, tag: str = "v2", digest: str = NEW) -> None:
    world.registry.pushes.append(
        Release(repository=REPOSITORY, digest=digest, tag=tag, pushed_at=at)
    )


def told(world: World) -> list[tuple[str, str]]:
    return [
        (what, detail.get("step", detail["deployment_id"]))
        for what, detail in world.announcements.published
    ]


def test_where_nothing_is_missing_nothing_is_done() -> None:
    world = fresh()

    assert swept(world) == SweepResult()
    assert world.announcements.published == []


def test_a_push_whose_event_was_lost_is_admitted_as_if_it_had_come() -> None:
    world = fresh()
    pushed(world, at=START - timedelta(minutes=5))

    assert swept(world).admitted == ("notes-staging-1",)
    assert (world.deployment.origin, world.deployment.requested_by) == (
        Origin.SWEEP,
        "push of notes:v2",
    )
    assert swept(world).admitted == ()


def test_the_event_that_comes_after_all_finds_the_deployment() -> None:
    world = fresh()
    pushed(world, at=START - timedelta(minutes=5))
    swept(world)
    late = push_wish("notes", "staging", release(), Origin.PUSH)

    assert world.admit(late).new is False


def test_a_push_whose_event_is_on_its_way_is_left_to_it() -> None:
    world = fresh()
    pushed(world, at=START - timedelta(seconds=29))

    assert swept(world) == SweepResult()


def test_of_several_lost_pushes_the_newest_is_admitted() -> None:
    world = fresh()
    pushed(world, at=START - timedelta(hours=2), digest=OLD, tag="v1")
    pushed(world, at=START - timedelta(hours=1), digest=OTHER, tag="v3")

    swept(world)

    assert world.deployment.release.digest == OTHER


def test_of_two_lost_pushes_at_the_same_moment_neither_is_forgotten() -> None:
    world = fresh()
    at = START - timedelta(hours=1)
    pushed(world, at=at, digest=OLD, tag="v1")
    pushed(world, at=at, digest=OTHER, tag="v3")

    assert swept(world).admitted == ("notes-staging-1", "notes-staging-2")
    assert swept(world).admitted == ()


def test_a_push_that_feeds_nothing_or_is_older_than_slipway_is_left_alone() -> None:
    world = fresh()
    pushed(world, at=START - timedelta(hours=1), tag="latest")
    pushed(world, at=START - timedelta(days=2))

    assert swept(world) == SweepResult()


def test_a_lost_push_of_the_same_moment_as_the_newest_candidate_is_admitted() -> None:
    world = fresh()
    world.admit(wish("push:1", release=release(pushed_at=START - timedelta(minutes=5))))
    pushed(world, at=START - timedelta(minutes=5), digest=OTHER, tag="v3")

    assert swept(world).admitted == ("notes-staging-2",)
    assert world.lane.superseded_by("notes-staging-1") == "notes-staging-2"


def test_an_older_push_of_the_same_second_as_the_newest_candidate_is_left_alone() -> None:
    """Events tell whole seconds; the registry knows which of the two came later."""
    world = fresh()
    second = START - timedelta(minutes=5)
    pushed(world, at=second + timedelta(milliseconds=100), digest=OTHER, tag="v1.9")
    pushed(world, at=second + timedelta(milliseconds=700))
    world.admit(push_wish("notes", "staging", release(pushed_at=second), Origin.PUSH))

    assert swept(world).admitted == ()


def test_what_is_older_than_the_newest_candidate_is_left_alone() -> None:
    world = fresh()
    world.admit()
    pushed(world, at=START - timedelta(hours=1), digest=OTHER, tag="v1.9")

    assert swept(world).admitted == ()


def test_a_promotion_that_was_lost_is_admitted() -> None:
    world = World().verified()
    world.settle()

    assert swept(world).admitted == ("notes-production-1",)
    assert swept(world).admitted == ()


def test_a_deployment_whose_execution_was_never_started_is_started() -> None:
    world = fresh()
    world.admit()
    world.executions.started.clear()
    world.wait(seconds=30)

    assert swept(world) == SweepResult(started=("notes-staging-1",))
    assert world.executions.started == {
        "notes-staging-1": '{"deployment_id":"notes-staging-1","lane":"notes/staging"}'
    }


def test_a_deployment_that_was_just_admitted_is_left_alone() -> None:
    world = fresh()
    world.admit()
    world.executions.started.clear()

    assert swept(world) == SweepResult()


def test_a_dead_execution_is_settled_and_frees_its_lane() -> None:
    world = fresh().entered()
    world.executions.ended.add("notes-staging-1")
    world.wait(minutes=2)

    assert swept(world) == SweepResult(settled=("notes-staging-1",))
    assert (world.deployment.outcome, world.lane.holder) == (Outcome.FAILED, None)
    assert world.announcements.published[-1][0] == "Deployment Settled"


def test_whatever_no_event_has_told_is_found_within_five_minutes() -> None:
    every = template()["Parameters"]["SweepEvery"]["Default"]
    minutes = re.fullmatch(r"rate\((\d+) minutes?\)", every)
    assert minutes is not None

    # A push that has just become old enough to be looked for when a sweep has begun.
    world = fresh()
    pushed(world, at=START - timedelta(seconds=1))
    world.wait(seconds=28)
    assert swept(world).admitted == ()
    world.wait(minutes=int(minutes[1]))

    assert swept(world).admitted == ("notes-staging-1",)
    assert world.now - START < timedelta(minutes=5)


SLOT = "rds:notes-staging"
STOPPED = caught("Migrating", "ExecutionStopped", "ExecutionStopped: ABORTED")


def stopped_while_migrating() -> World:
    """The execution is stopped and settled, and its migration runs on."""
    world = fresh().backed_up()
    world.migrate()
    world.settle(failure=STOPPED)
    notice = world.records.notice(world.deployment_id, SLACK)
    world.records.write([notice.claimed(Outcome.NEEDS_OPERATOR)])
    world.wait(minutes=2)
    return world


def test_a_database_is_free_once_the_migration_of_an_ended_deployment_has_stopped() -> None:
    world = stopped_while_migrating()

    assert swept(world) == SweepResult()
    assert world.records.database_slot(SLOT).holder == "notes-staging-1"

    world.task_ends("migrate", 1)

    assert swept(world) == SweepResult(freed=(SLOT,))
    assert world.records.database_slot(SLOT).holder is None
    assert swept(world) == SweepResult()


def test_a_database_is_free_once_the_downgrade_of_an_ended_deployment_has_stopped() -> None:
    world = World().migrated()
    world.rollback()
    world.settle(failure=STOPPED)
    world.wait(minutes=2)

    assert swept(world).freed == ()

    world.task_ends("downgrade")

    assert swept(world).freed == (SLOT,)


def test_a_migration_whose_start_was_never_written_down_is_looked_for() -> None:
    world = fresh().backed_up()
    world.crashes = Crashes("InMemoryOneOffs.run", after=True)
    with suppress(Crash):
        world.migrate()
    world.crashes = Crashes()
    world.wait(minutes=2)
    world.settle(failure=STOPPED)

    assert swept(world).freed == ()

    world.task_ends("migrate", 1)

    assert swept(world).freed == (SLOT,)


def test_a_migration_that_never_started_frees_the_database() -> None:
    world = fresh().backed_up()
    world.crashes = Crashes("InMemoryOneOffs.run")
    with suppress(Crash):
        world.migrate()
    world.crashes = Crashes()
    world.wait(seconds=60)
    world.settle(failure=STOPPED)

    assert swept(world).freed == (SLOT,)


def test_a_database_that_the_catalog_has_forgotten_is_freed_for_who_waits_for_it() -> None:
    world = stopped_while_migrating()
    world.task_ends("migrate", 1)
    waiting = world.deployment.model_copy(
        update={"deployment_id": "notes-staging-2", "outcome": None, "version": 0}
    )
    world.records.write([waiting])
    world.catalog = Catalog(applications={})

    assert swept(world).freed == (SLOT,)


def test_a_database_that_is_being_migrated_is_left_alone() -> None:
    world = fresh().migrated()
    world.wait(minutes=2)

    assert swept(world).freed == ()
    assert world.records.database_slot(SLOT).holder == "notes-staging-1"


def test_whoever_waits_is_told_to_look_again() -> None:
    world = fresh().entered()
    world.rewrite(phase=Phase.MIGRATING)
    world.wait(minutes=2)

    assert swept(world) == SweepResult(woken=("notes-staging-1",))
    assert world.announcements.published == [
        (
            "Look Again",
            {"deployment_id": "notes-staging-1", "lane": "notes/staging", "step": "migrate"},
        )
    ]


def test_every_phase_that_waits_names_the_steps_that_may_wait_in_it() -> None:
    world = fresh().entered()
    world.wait(minutes=2)
    steps = {}
    for phase in Phase:
        world.announcements.published.clear()
        world.rewrite(phase=phase)
        swept(world)
        steps[phase.value] = [step for what, step in told(world) if what == "Look Again"]

    assert steps == {
        "Planning": ["check"],
        "AwaitingApproval": ["approve"],
        "AwaitingLane": ["check", "enter"],
        "BackingUp": ["backup"],
        "Migrating": ["migrate"],
        "Deploying": ["deploy", "verify"],
        "Verifying": ["verify"],
        "RollingBack": ["verify", "rollback"],
        "Settled": [],
    }


def test_what_cannot_be_looked_at_stops_no_other_chore() -> None:
    class NoRegistry:
        def tagged(self, repository: str) -> list[Release]:
            raise Broken(Reason.AWS_REFUSED, f"There is no repository {repository}.")

    world = fresh().entered()
    world.rewrite(phase=Phase.MIGRATING)
    world.wait(minutes=2)
    world.registry = NoRegistry()  # type: ignore[assignment]

    assert swept(world) == SweepResult(
        woken=("notes-staging-1",),
        problems=(f"AwsRefused: There is no repository {REPOSITORY}.",),
    )


def ended(state: Outcome) -> World:
    world = fresh()
    world.admit()
    world.rewrite(outcome=state, settled_at=world.now)
    return world


def test_a_settled_deployment_that_was_told_is_left_alone() -> None:
    world = ended(Outcome.SUPERSEDED)
    notice = world.records.notice(world.deployment_id, SLACK)
    world.records.write([notice.claimed(Outcome.SUPERSEDED)])
    world.wait(hours=1)

    assert swept(world) == SweepResult()


def refused(state: Outcome) -> World:
    world = ended(state)
    notice = world.records.notice(world.deployment_id, SLACK)
    world.records.write([notice.refused(state, world.now)])
    return world


def test_an_end_that_slack_has_not_been_told_yet_is_left_to_the_stream() -> None:
    """Telling it now would overtake what the stream still has to tell while Slack is down."""
    world = ended(Outcome.ROLLED_BACK)
    world.wait(hours=1)

    assert swept(world) == SweepResult()


def test_an_end_that_slack_refused_is_asked_for_again() -> None:
    world = refused(Outcome.ROLLED_BACK)
    world.wait(hours=1)

    assert swept(world) == SweepResult(unnotified=(world.deployment_id,))
    assert world.announcements.published == [
        ("Tell Again", {"deployment_id": world.deployment_id, "destination": "slack"})
    ]


def test_each_destination_that_lacks_an_end_is_asked_for() -> None:
    world = refused(Outcome.ROLLED_BACK)
    pager = Notice(deployment_id=world.deployment_id, destination="pager")
    mail = Notice(deployment_id=world.deployment_id, destination="mail")
    world.records.write(
        [pager.owed(Outcome.ROLLED_BACK, world.now), mail.confirmed(Outcome.ROLLED_BACK)]
    )
    world.wait(hours=1)

    assert swept(world) == SweepResult(unnotified=(world.deployment_id,))
    assert [detail["destination"] for _, detail in world.announcements.published] == [
        "slack",
        "pager",
    ]


def test_what_the_stream_may_still_tell_and_what_is_old_or_needs_no_telling_is_left() -> None:
    fresh_end, old_end, unchanged = (
        refused(Outcome.ROLLED_BACK),
        refused(Outcome.ROLLED_BACK),
        refused(Outcome.UNCHANGED),
    )
    old_end.wait(hours=25)
    unchanged.wait(hours=1)

    assert [swept(world) for world in (fresh_end, old_end, unchanged)] == [SweepResult()] * 3
