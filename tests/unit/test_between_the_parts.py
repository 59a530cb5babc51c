"""What one rule sets and another one has to read: found where two of them meet."""

from typing import Any

import pytest

from slipway.domain import door
from slipway.domain.binding import judge_answer, judge_tasks
from slipway.domain.deployment import Phase
from slipway.domain.errors import Broken, Reason, Rejected, Transient, Unhealthy
from slipway.domain.failure import Failure
from slipway.domain.guidance import override_notes, what_next
from slipway.domain.lane import Hold
from slipway.domain.outcome import Outcome
from slipway.domain.plan import LiveService
from slipway.domain.verdict import HttpAnswer, Rollout, RolloutState, Verdict
from slipway.domain.verification import HttpCheck
from slipway.steps.step import StepResult
from tests.builders.documents import NEW, SETTINGS, START, environment, release
from tests.builders.worlds import World


def without_a_balancer(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(environment(migration=None, verification={}))
    live(world, monkeypatch, target_group_arn=None)
    return world.entered_and_deployed()


def live(world: World, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    real = world.service.live

    def changed(*asked: Any) -> LiveService:
        return real(*asked).model_copy(update=changes)

    monkeypatch.setattr(world.service, "live", changed)


def rollout(world: World, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    real = world.service.rollout

    def changed(*asked: Any) -> Rollout:
        return real(*asked).model_copy(update=changes)

    monkeypatch.setattr(world.service, "rollout", changed)


@pytest.mark.parametrize(
    ("wanted", "running", "verdict"),
    [
        (2, 2, Verdict.SUCCESSFUL),
        (2, 3, Verdict.SUCCESSFUL),
        (2, 1, Verdict.MOVING),
        (2, 0, Verdict.INCONCLUSIVE),
    ],
)
def test_without_a_balancer_the_tasks_that_run_are_what_is_known(
    wanted: int, running: int, verdict: Verdict
) -> None:
    seen = World().service.rollout(World().settings.target, "x")
    counted = seen.model_copy(update={"desired_count": wanted, "running_count": running})

    assert judge_tasks(counted).verdict is verdict


@pytest.mark.parametrize(("wanted", "running"), [(2, 0), (0, 0)])
def test_a_release_without_a_task_is_never_verified(
    wanted: int, running: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = without_a_balancer(monkeypatch)
    rollout(world, monkeypatch, desired_count=wanted, running_count=running)

    assert world.verify().done is False
    assert world.deployment.progress.verified_at is None


def test_tasks_that_a_redeployment_replaces_are_asked_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = {**SETTINGS["verification"], "attempts": 1}
    world = World(environment(migration=None, verification=settings)).entered_and_deployed()
    rollout(world, monkeypatch, state=RolloutState.UNDERWAY, running_count=0)
    world.balancers.registered = ()
    world.answer_as("2.0.0", status=503)

    assert world.verify() == StepResult(
        done=False, reason=Reason.WAITING, message="The rollout is still in progress."
    )


def test_a_release_whose_tasks_keep_dying_does_not_bake(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {**SETTINGS["verification"], "bake_seconds": 60}
    world = World(environment(migration=None, verification=settings)).entered_and_deployed()
    world.verify()
    healthy_since = world.deployment.progress.looks.healthy_since
    world.wait(seconds=30)
    rollout(world, monkeypatch, running_count=1)

    assert world.verify().done is False
    assert (healthy_since, world.deployment.progress.looks.healthy_since) == (START, None)


def test_a_service_that_changed_after_its_plan_is_refused_before_the_migration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World().backed_up()
    live(world, monkeypatch, strategy="BLUE_GREEN")

    with pytest.raises(Rejected, match="BLUE_GREEN"):
        world.migrate()
    assert (world.one_offs.tasks, world.deployment.has_changed) == ({}, False)


def test_what_ecs_says_is_no_pattern_of_ours() -> None:
    world = World().backed_up()
    world.migrate()
    world.task_ends("migrate", 1)
    with pytest.raises(Unhealthy):
        world.migrate()
    said = 'ECS placed no task: {"cpu": 256} Capacity is unavailable at this time.'
    world.one_offs.refusals.extend([Transient(Reason.CAPACITY_UNAVAILABLE, said)] * 3)
    world.rollback()
    world.wait(hours=1)

    with pytest.raises(Broken, match=r'within 15 minutes: .*"cpu": 256'):
        world.rollback()


@pytest.mark.parametrize(
    ("location", "verdict"),
    [
        ("https://shop.example.com/app", Verdict.SUCCESSFUL),
        ("/app", Verdict.SUCCESSFUL),
        ("https://parking.example/app", Verdict.INCONCLUSIVE),
    ],
)
def test_a_redirect_is_expected_on_the_same_host(location: str, verdict: Verdict) -> None:
    check = HttpCheck(path="/", status=302, redirects_to="/app")
    answer = HttpAnswer(url="https://shop.example.com/", status=302, body="", location=location)

    assert judge_answer(answer, check, None).verdict is verdict


def test_a_schema_that_stayed_asks_nobody_to_look_at_it() -> None:
    world = World().backed_up()
    world.migrate()
    world.task_ends("migrate", 1)
    with pytest.raises(Unhealthy) as failed:
        world.migrate()
    cause = {"state": "Migrate", "error": "Unhealthy", "reason": failed.value.reason}
    half_way = world.deployment.model_copy(
        update={"outcome": Outcome.ROLLED_BACK, "cause": Failure(**cause, message="exit code 1")}
    )

    stayed = half_way.having(half_way.progress.schema_found_unmoved(START))

    assert "check the schema" in what_next(half_way)
    assert "check the schema" not in what_next(stayed)


def test_what_to_do_next_keeps_what_was_said_of_the_schema() -> None:
    world = World()
    world.admit()
    ended = world.deployment.model_copy(
        update={"outcome": Outcome.FAILED, "phase": Phase.SETTLED, "schema_at": "0002"}
    )

    assert "--schema-at 0002" in what_next(ended)


def test_an_approver_is_told_of_every_hold_that_a_request_overrides() -> None:
    world = World()
    world.admit()
    person = Hold(reason="ByHand", message="Black Friday", by="ada", since=START)
    failed = Hold(reason="RolledBack", message="exit code 1", by="notes-staging-0", since=START)
    lane = world.lane.held(person).held(failed)
    explicit = world.deployment.model_copy(update={"explicit": True})

    told = " ".join(override_notes(explicit, lane))
    assert "exit code 1" in told
    assert "Black Friday" in told


def test_who_held_a_lane_is_kept_with_the_identity_beside_the_name() -> None:
    role = "AWSReservedSSO_AdministratorAccess_0123456789abcdef"
    who = f"ada (arn:aws:sts::123456789012:assumed-role/{role}/ada@example.com)"
    hold = Hold(reason="ByHand", message="why", by=who, since=START)

    assert World().lane.held(hold).hold_history[0].by == who


def test_a_tag_moves_no_terminal_where_it_is_told_to_an_operator() -> None:
    world = World()
    world.admit()
    hostile = world.deployment.model_copy(update={"release": release(NEW, "v9\x1b[2J\x07")})

    assert door.candidate_name(hostile).isprintable()
