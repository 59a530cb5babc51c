"""What `make push` and `make up` say: each state once, for whom it waits, and why nothing began."""

import io
import shlex
from datetime import timedelta
from typing import Any

import pytest
from rich.console import Console

from demo.narrator import Narrator
from demo.standing import pushing
from demo.standing.follow import Follower
from demo.standing.lock import Standing
from demo.standing.reached import Reached
from demo.standing.story import as_typed, why_nothing
from demo.standing.ticker import Board
from slipway.adapters.links import Links
from slipway.domain.approval import Answer
from slipway.domain.catalog import ApprovalPolicy
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.lane import Hold
from slipway.domain.outcome import Outcome
from slipway.operate.arguments import parse
from slipway.operate.desk import Desk, Place, Refusal
from tests.builders.documents import NEW, OTHER, START, environment, release, wish
from tests.builders.worlds import World, caught

PLACE = Place("notes", "staging")
ID = "notes-staging-1"
LINK = "http://127.0.0.1:9/approvals/notes-staging-1?sig="


def reached(world: World) -> Reached:
    desk = Desk(
        records=world.records,
        registry=world.registry,
        executions=world.executions,
        announcements=world.announcements,
        catalog=lambda: world.catalog,
        now=lambda: world.now,
        sleep=lambda seconds: None,
        new_id=lambda: "request-1",
        caller=lambda: "arn:aws:iam::000000000000:user/ada",
    )
    return Reached(desk, Links("http://127.0.0.1:9", "key"))


def asking() -> World:
    """While an approval waits."""
    policy = ApprovalPolicy(approvers=("ada", "grace"), expires_after_minutes=60)
    world = World(environment(approval=policy.model_dump()))
    world.admit()
    world.plan()
    world.approve()
    return world


def settled() -> World:
    """After one success."""
    world = World().verified()
    world.wait(seconds=42)
    world.settle()
    return world


# ---------------------------------------------------------------------------------- the states
def test_what_waits_for_a_person_says_for_whom_and_where_to_decide() -> None:
    world = asking()

    said = reached(world).state(world.deployment)

    until = f"{world.now + timedelta(minutes=60):%Y-%m-%d %H:%M:%S} UTC"
    assert said.startswith(f"waits for ada or grace until {until}: {LINK}")
    assert len(said.rpartition("sig=")[2]) == 64


def test_what_somebody_has_decided_waits_for_nobody() -> None:
    world = asking()
    world.decide(Answer.APPROVE)

    assert reached(world).state(world.deployment) == "AwaitingApproval"
    assert list(reached(world).tickets()) == []


def test_a_success_says_how_long_it_took() -> None:
    assert reached(settled()).state(settled().deployment) == "Succeeded after 42 s"


def test_a_failure_says_why_once_and_in_one_printable_line() -> None:
    world = World()
    world.admit()
    why = "Rejected", "ImageMissing: no\n\x1b[31mimage\x1b[0m \u202ehere"
    world.settle(failure=caught("Plan", *why))

    said = reached(world).state(world.deployment)

    assert said == "Blocked after 0.0 s: no image \\u202ehere"


def test_every_state_is_told_once() -> None:
    world = World()
    world.admit()
    told: list[str] = []
    follower = Follower(reached(world), told.append)

    for _ in range(3):
        follower.tell(world.deployment)
    world.rewrite(phase=Phase.DEPLOYING)
    follower.tell(world.deployment)

    assert told == [f"{ID:<26} v2     Planning", f"{ID:<26} v2     Deploying"]


# ---------------------------------------------------------------------------- the live lines
def lines(world: World, *, terminal: bool) -> tuple[Board, io.StringIO]:
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=80, color_system=None)
    return Board(reached(world), Narrator(console)), written


def test_without_a_terminal_every_state_is_one_line() -> None:
    world = World()
    board, written = lines(world, terminal=False)

    world.admit()
    board.look(lasting_only=False)
    board.look(lasting_only=False)
    world.rewrite(phase=Phase.DEPLOYING)
    board.look(lasting_only=False)

    said = [line.split("s  ", 1)[1] for line in written.getvalue().splitlines()]
    assert said == [f"{ID:<26} v2     Planning", f"{ID:<26} v2     Deploying"]
    assert "\x1b" not in written.getvalue()


def test_in_a_terminal_only_what_lasts_stands_above_the_live_lines() -> None:
    world = asking()
    board, written = lines(world, terminal=True)

    under_way = board.look(lasting_only=True)
    live = [line.plain for line in board.lines(under_way)]

    assert "waits for ada or grace" in written.getvalue()
    assert live == [f"  {'0.0 s':>11}  {ID:<26} v2     AwaitingApproval"]
    # A link is copied as a whole: it is not broken where the terminal ends.
    assert LINK in written.getvalue().replace("\n", " ")
    assert len(written.getvalue().splitlines()) == 1


def test_in_a_terminal_a_phase_is_on_its_live_line_alone() -> None:
    world = World()
    board, written = lines(world, terminal=True)
    world.admit()

    under_way = board.look(lasting_only=True)

    assert written.getvalue() == ""
    assert [line.plain.split()[-1] for line in board.lines(under_way)] == ["Planning"]


def test_what_had_ended_before_is_not_told_again() -> None:
    board, written = lines(settled(), terminal=False)

    assert (board.look(lasting_only=False), written.getvalue()) == ([], "")


# ----------------------------------------------------------------------------- nothing started
def held(world: World) -> World:
    hold = Hold(reason="Operator", message="Black Friday", by="ada", since=START)
    world.rewrite_lane(hold=hold)
    return world


def failed() -> World:
    world = World().verified()
    world.settle(failure=caught("Verify", "Unhealthy", "ReleaseUnhealthy: /health answered 500."))
    world.rewrite_lane(hold=None, bad_digests={NEW: ID}, stable=None)
    return world


def blocked() -> World:
    world = World()
    world.admit()
    world.settle(failure=caught("Check", "Rejected", "AlarmFiring: notes-5xx is firing."))
    return world


def under_way() -> World:
    world = World()
    world.admit()
    return world


@pytest.mark.parametrize(
    ("world", "why", "good", "way_on"),
    [
        (settled(), f"{NEW[:19]} is live on notes/staging already, by {ID}.", True, ""),
        (under_way(), f"{ID} deploys {NEW[:19]} already.", True, ""),
        (failed(), f"{NEW[:19]} failed in {ID} and is deployed on request only.", False, "deploy"),
        (held(World()), "notes/staging is on hold by ada.", False, "lift"),
        (blocked(), f"{NEW[:19]} was deployed before, by {ID} (Blocked).", False, "deploy"),
    ],
    ids=["live", "under way", "marked bad", "held", "ended before"],
)
def test_nothing_started_says_why_and_the_way_on(
    world: World, why: str, good: bool, way_on: str
) -> None:
    recent = world.records.recent(world.lane, 10)

    found = why_nothing(world.lane, recent, NEW)

    assert found is not None
    assert (found.why, found.good) == (why, good)
    assert parse_typed(found.way_on) == way_on


def parse_typed(command: str) -> str:
    """The operator's command in what a person is told to type; empty for none."""
    if not command:
        return ""
    typed = as_typed(command, "b")
    program, target, name, do = shlex.split(typed)
    assert (program, target, name) == ("make", "operate", "NAME=b")
    return str(parse(shlex.split(do.removeprefix("DO="))).command)


def test_a_digest_that_nobody_knows_has_no_reason() -> None:
    assert why_nothing(World().lane, [], OTHER) is None


# --------------------------------------------------------------------------------- whole pushes
def standing(fed: bool = True) -> Standing:
    return Standing(
        name="b",
        folder="/tmp/slipway-1",
        registry="http://127.0.0.1:1",
        door="",
        architecture="amd64",
        fed={"staging": fed},
        services={},
        slack="",
        status="http://127.0.0.1:9/?sig=1",
        web_url="",
        link_secret_arn="",
        environment={},
    )


class Told:
    """What one `make push` said and answered."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.lines: list[str] = []
        self.starts = True
        monkeypatch.setattr(pushing, "APPLICATION", "notes")
        for patience in ("_KNOWN_SECONDS", "_ADMITTED_SECONDS", "_FOLLOWED_SECONDS"):
            monkeypatch.setattr(pushing, patience, 0.0)
        monkeypatch.setattr(pushing, "_PLANNED_SECONDS", 0.0)
        monkeypatch.setattr(pushing, "push_version", self._pushed)

    def _pushed(self, *arguments: Any) -> str:
        if self.starts:
            self.world.admit(wish(f"push:{len(self.lines)}", release=release(NEW, "v1")))
        return NEW

    def code(self, *, wait: bool = False, fed: bool = True) -> int:
        wanted = pushing.Push(standing(fed), "v1", PLACE)
        return pushing.push(wanted, reached(self.world), self.lines.append, wait=wait)


def test_a_push_says_what_it_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(World(), monkeypatch)

    assert told.code() == 0
    assert told.lines == [
        f"pushed notes:v1 {NEW}",
        f"{ID:<26} v1     Planning",
        "more: make status NAME=b, or http://127.0.0.1:9/?sig=1",
    ]


def test_a_push_of_what_is_live_says_so_and_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(settled(), monkeypatch)
    told.starts = False

    assert told.code(wait=True) == 0
    assert told.lines[1:] == [
        f"nothing started: {NEW[:19]} is live on notes/staging already, by {ID}."
    ]


def test_a_push_of_what_waits_for_a_person_tells_the_link(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(asking(), monkeypatch)
    told.starts = False

    assert told.code() == 0
    assert LINK in told.lines[-1]


def test_waiting_also_waits_for_a_deployment_that_was_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = under_way()
    told = Told(world, monkeypatch)
    told.starts = False
    waited: list[str] = []

    def ended(follower: Follower, deployment_id: str) -> Deployment:
        waited.append(deployment_id)
        world.settle(failure=caught("Check", "Rejected", "AlarmFiring: notes-5xx is firing."))
        return world.deployment

    monkeypatch.setattr(Follower, "ended", ended)

    assert (told.code(wait=True), waited) == (1, [ID])


@pytest.mark.parametrize("world", [failed(), blocked()], ids=["marked bad", "ended before"])
def test_a_push_that_starts_nothing_fails_and_tells_the_command_that_helps(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told(world, monkeypatch)
    told.starts = False

    assert told.code() == 1
    assert told.lines[-1].startswith("way on: make operate NAME=b DO='deploy notes/staging")


@pytest.mark.parametrize(
    ("ends", "code"),
    [(None, 0), (("Check", "Rejected", "AlarmFiring: notes-5xx is firing."), 1)],
    ids=["Succeeded", "Blocked"],
)
def test_waiting_answers_by_the_outcome(
    ends: tuple[str, str, str] | None, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    told = Told(world, monkeypatch)
    ended = told._pushed

    def pushed(*arguments: Any) -> str:
        digest = ended(*arguments)
        if ends is None:
            world.rewrite(outcome=Outcome.SUCCEEDED, settled_at=world.now)
        else:
            world.settle(failure=caught(*ends))
        return digest

    monkeypatch.setattr(pushing, "push_version", pushed)

    assert told.code(wait=True) == code
    assert told.lines[1].split()[:3] == [ID, "v1", "Succeeded" if code == 0 else "Blocked"]


def test_a_failed_push_on_a_held_lane_tells_how_to_lift_the_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = held(World())
    told = Told(world, monkeypatch)
    ended = told._pushed

    def pushed(*arguments: Any) -> str:
        digest = ended(*arguments)
        world.settle(failure=caught("Check", "Rejected", "Held: notes/staging is on hold."))
        return digest

    monkeypatch.setattr(pushing, "push_version", pushed)

    assert told.code() == 1
    assert told.lines[-1] == "way on: make operate NAME=b DO='lift notes/staging --by ada'"


def test_where_no_push_feeds_the_operators_own_command_asks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A refusal of `operate deploy` is the refusal of `make push`, in the same words."""
    told = Told(World(), monkeypatch)
    told.starts = False

    assert told.code(fed=False) == 1
    assert told.lines == [f"pushed notes:staging-v1 {NEW}"]
    assert "notes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("version", "place", "says"),
    [
        ("v9", "staging", r"no version 'v9' \(known: v1, v2, v3, v4, v5, v6\)"),
        ("bootstrap", "staging", "no version 'bootstrap'"),
        ("v1", "prod", r"no environment 'prod' \(known: staging\)"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(version: str, place: str, says: str) -> None:
    with pytest.raises(Refusal, match=says):
        pushing.wanted(standing(), version, place)


def test_the_deployment_of_an_earlier_push_is_not_taken_for_this_ones() -> None:
    world = blocked()

    found = Follower(reached(world), print).started(PLACE, NEW, world.lane.next_number, 0)

    assert found is None
