"""Counts change and people redeploy while a release bakes: that says nothing about the release."""

import json
from typing import Any

import pytest

from slipway.domain.binding import judge_targets
from slipway.domain.errors import Reason, Unhealthy
from slipway.domain.plan import LiveService, Plan
from slipway.domain.verdict import RegisteredTarget, Rollout, RolloutState, TargetHealth, Verdict
from slipway.steps.step import StepResult
from tests.builders.documents import (
    FAMILY,
    FIRST_REVISION,
    SETTINGS,
    TARGET_GROUP,
    environment,
    healthy,
)
from tests.builders.service import Attempt
from tests.builders.worlds import World


def ecs_deployment_id(world: World) -> str | None:
    """The service deployment that the release's rollout is known as."""
    rollout = world.deployment.service.rollout
    return rollout.handle if rollout else None


def deployed(**verification: Any) -> World:
    settings = {**SETTINGS["verification"], **verification}
    return World(environment(migration=None, verification=settings)).entered_and_deployed()


HEALTH = {
    "initial": TargetHealth.STARTING,
    "unhealthy": TargetHealth.UNHEALTHY,
    "draining": TargetHealth.LEAVING,
    "unhealthy.draining": TargetHealth.LEAVING,
}


def target(number: int, state: str, reason: str = "") -> RegisteredTarget:
    health = HEALTH.get(state, TargetHealth.SILENT)
    return RegisteredTarget(
        address=f"10.0.0.{number}:8000", health=health, told=state, reason=reason
    )


def scale(world: World, desired: int, running: int) -> None:
    """The service's count changes, as target tracking would change it."""
    real = world.service.rollout
    counts = {"desired_count": desired, "running_count": running}
    world.service.rollout = lambda *asked: real(*asked).model_copy(  # type: ignore[method-assign]
        update=counts
    )


def failure(world: World) -> tuple[Reason, str]:
    with pytest.raises(Unhealthy) as unhealthy:
        world.verify()
    return unhealthy.value.reason, unhealthy.value.message


def judged(
    *targets: RegisteredTarget,
    desired: int,
    running: int | None = None,
    planned: int = 2,
    anew: bool = False,
) -> Verdict:
    rollout = Rollout(
        primary_deployment_id="ecs-svc/2",
        primary_revision_arn=f"{FAMILY}:9",
        state=RolloutState.COMPLETED,
        told="SUCCESSFUL",
        digests=(),
        desired_count=desired,
        running_count=desired if running is None else running,
    )
    return judge_targets(targets, rollout, planned, starts_anew=anew).verdict


HEALTHY = [healthy(1), healthy(2), healthy(3), healthy(4)]
INITIAL = target(7, "initial", "Target registration is in progress")
UNHEALTHY = target(8, "unhealthy", "Health checks failed with these codes: [500]")
DRAINING = target(9, "draining")


@pytest.mark.parametrize(
    ("targets", "counts", "verdict"),
    [
        # All that are wanted are healthy; what leaves says nothing.
        (HEALTHY[:2], {"desired": 2}, Verdict.SUCCESSFUL),
        ([*HEALTHY[:2], DRAINING], {"desired": 2}, Verdict.SUCCESSFUL),
        ([*HEALTHY[:2], target(9, "unhealthy.draining")], {"desired": 2}, Verdict.SUCCESSFUL),
        (HEALTHY, {"desired": 4}, Verdict.SUCCESSFUL),
        # Scaled out: the new ones are starting, or registered and not yet checked.
        (HEALTHY[:2], {"desired": 10, "running": 2}, Verdict.MOVING),
        ([*HEALTHY[:2], INITIAL], {"desired": 3}, Verdict.MOVING),
        ([*HEALTHY[:2], INITIAL], {"desired": 2, "running": 3}, Verdict.MOVING),
        # A task was replaced: Spot, a drained host, another zone.
        ([HEALTHY[0], INITIAL, DRAINING], {"desired": 2}, Verdict.MOVING),
        ([HEALTHY[0]], {"desired": 2, "running": 1}, Verdict.MOVING),
        # Scaled in: while tasks go, those that are left cannot be told from those that leave.
        ([HEALTHY[0], DRAINING], {"desired": 1, "running": 2, "planned": 4}, Verdict.MOVING),
        # A target of the old release drains for as long as its group says.
        ([HEALTHY[0], DRAINING], {"desired": 1, "planned": 4}, Verdict.SUCCESSFUL),
        (HEALTHY, {"desired": 2, "running": 4, "planned": 4}, Verdict.MOVING),
        (HEALTHY[:1], {"desired": 1, "planned": 4}, Verdict.SUCCESSFUL),
        ([], {"desired": 0, "planned": 2}, Verdict.MOVING),
        ([DRAINING], {"desired": 0, "running": 1, "planned": 2}, Verdict.MOVING),
        # Somebody is unhealthy, or nobody healthy: that speaks against the release, each time.
        ([*HEALTHY[:2], UNHEALTHY], {"desired": 3}, Verdict.INCONCLUSIVE),
        ([HEALTHY[0], UNHEALTHY, INITIAL], {"desired": 10, "running": 3}, Verdict.INCONCLUSIVE),
        ([HEALTHY[0], UNHEALTHY], {"desired": 1, "running": 2, "planned": 4}, Verdict.INCONCLUSIVE),
        ([UNHEALTHY], {"desired": 0, "planned": 2}, Verdict.INCONCLUSIVE),
        ([INITIAL, target(6, "initial")], {"desired": 2}, Verdict.INCONCLUSIVE),
        ([], {"desired": 2}, Verdict.INCONCLUSIVE),
        ([], {"desired": 2, "running": 0}, Verdict.INCONCLUSIVE),
        ([DRAINING, target(6, "draining")], {"desired": 2}, Verdict.INCONCLUSIVE),
        ([target(5, "unused"), target(6, "unused")], {"desired": 2}, Verdict.INCONCLUSIVE),
        ([HEALTHY[0], target(6, "unavailable")], {"desired": 2}, Verdict.INCONCLUSIVE),
        ([HEALTHY[0], target(6, "a state to come")], {"desired": 2}, Verdict.INCONCLUSIVE),
        ([HEALTHY[0]], {"desired": 2}, Verdict.INCONCLUSIVE),
        # The service wanted none when it was looked at last: its tasks have to start first.
        ([], {"desired": 2, "running": 0, "anew": True}, Verdict.MOVING),
        ([], {"desired": 2, "anew": True}, Verdict.MOVING),
        ([INITIAL, DRAINING], {"desired": 2, "anew": True}, Verdict.MOVING),
        ([UNHEALTHY], {"desired": 2, "running": 1, "anew": True}, Verdict.INCONCLUSIVE),
        ([target(5, "unused")], {"desired": 2, "anew": True}, Verdict.INCONCLUSIVE),
        (HEALTHY[:2], {"desired": 2, "anew": True}, Verdict.SUCCESSFUL),
    ],
)
def test_targets_are_judged_by_the_release_and_not_by_the_count_of_the_moment(
    targets: list[RegisteredTarget], counts: dict[str, Any], verdict: Verdict
) -> None:
    assert judged(*targets, **counts) is verdict


def test_the_targets_that_are_wanting_are_named_but_not_all_of_hundreds() -> None:
    many = [target(number, "unhealthy", "x" * 5000) for number in range(200)]
    rollout = World().service.rollout(environment().target, FIRST_REVISION)

    message = judge_targets([healthy(1), UNHEALTHY], rollout, 2).message
    assert message == (
        "1 of 2 targets are healthy (10.0.0.8:8000 unhealthy Health checks failed with these "
        "codes: [500])."
    )
    long = judge_targets(many, rollout, 2).message
    assert long.endswith(", and 195 more).")
    assert len(long) < 1200


def test_a_scale_out_while_a_release_bakes_is_looked_at_again_without_counting() -> None:
    world = deployed(bake_seconds=300)
    world.verify()
    scale(world, desired=10, running=2)
    for _ in range(8):
        world.wait(seconds=30)
        assert not world.verify().done
    assert world.deployment.progress.looks.failed == 0
    assert world.told.count("release in transition") == 1

    scale(world, desired=10, running=10)
    world.balancers.registered = tuple(healthy(number) for number in range(1, 11))
    world.wait(seconds=60)

    assert world.verify().done


def test_what_moves_for_longer_than_a_rollout_may_take_is_a_verdict() -> None:
    world = deployed()
    scale(world, desired=10, running=2)
    assert not world.verify().done
    world.wait(minutes=30)
    assert not world.verify().done
    world.wait(seconds=1)

    sentence = (
        "2 targets are healthy; 2 of 10 tasks running. This has lasted for more than 30 minutes."
    )
    assert failure(world) == (Reason.RELEASE_UNHEALTHY, sentence)
    # Its answer may come too late: the next look finds the same.
    assert failure(world) == (Reason.RELEASE_UNHEALTHY, sentence)


def test_the_time_of_moving_begins_anew_after_a_healthy_look() -> None:
    world = deployed(bake_seconds=7200)
    for _ in range(3):
        scale(world, desired=4, running=2)
        world.verify()
        world.wait(minutes=29)
        world.verify()
        scale(world, desired=2, running=2)
        assert world.verify().message.startswith("healthy; ")
        world.wait(minutes=5)


def test_a_failing_check_counts_also_while_the_count_moves() -> None:
    world = deployed()
    scale(world, desired=10, running=2)
    world.answer_as("2.0.0", status=500)

    world.verify()
    world.verify()

    assert failure(world)[1] == "http://notes.example.com/health answered 500 instead of 200."


def test_a_service_scaled_to_nothing_is_no_success_and_bakes_anew_when_it_is_back() -> None:
    world = deployed(bake_seconds=60)
    world.verify()
    scale(world, desired=0, running=0)
    world.balancers.registered = ()
    world.wait(seconds=60)

    assert world.verify() == StepResult(
        done=False,
        reason=Reason.WAITING,
        message="The service has a desired count of 0, so nothing can be seen of the release.",
    )
    scale(world, desired=2, running=2)
    world.balancers.registered = (healthy(1), healthy(2))
    assert world.verify().message == "healthy; 60 more seconds to bake"


def emptied(world: World) -> World:
    """A deployed release whose service wants no task any more: its address answers for nobody."""
    scale(world, desired=0, running=0)
    world.balancers.registered = ()
    world.answer_as("2.0.0", status=503)
    return world


def test_where_no_task_is_wanted_no_answer_speaks_against_the_release() -> None:
    world = emptied(deployed())
    for _ in range(8):
        world.wait(seconds=30)
        assert world.verify().message.startswith("The service has a desired count of 0")
    assert world.deployment.progress.looks.failed == 0

    scale(world, desired=2, running=0)
    message = "0 of 2 tasks running since the service was scaled to 0."
    for _ in range(8):
        world.wait(seconds=30)
        assert world.verify().message == message
    scale(world, desired=2, running=2)
    world.balancers.registered = (INITIAL,)
    assert not world.verify().done
    assert world.deployment.progress.looks.failed == 0

    world.balancers.registered = (healthy(1), healthy(2))
    world.answer_as("2.0.0")
    assert world.verify().done


def test_tasks_that_start_again_and_do_not_answer_are_counted() -> None:
    world = emptied(deployed())
    world.verify()
    scale(world, desired=2, running=2)
    world.balancers.registered = (healthy(1), healthy(2))
    for _ in range(2):
        assert not world.verify().done

    assert failure(world)[1] == "http://notes.example.com/health answered 503 instead of 200."


def test_without_a_load_balancer_no_task_is_no_success_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LiveService, "target_groups", ())
    world = deployed(checks=())
    scale(world, desired=0, running=0)

    assert world.verify().message.startswith("The service has a desired count of 0")


def test_fewer_tasks_hide_no_unhealthy_ones() -> None:
    world = deployed(attempts=1)
    scale(world, desired=1, running=2)
    world.balancers.registered = (healthy(1), UNHEALTHY)

    assert failure(world)[1].startswith("1 of 1 targets are healthy (10.0.0.8:8000 unhealthy")


# Somebody forces a new deployment of the same revision: a rotated secret, a Terraform setting.


def redeploy(world: World, state: RolloutState = RolloutState.UNDERWAY) -> Attempt:
    again = Attempt("ecs-svc/3", world.service.primary.revision_arn, state)
    world.service.attempts.insert(0, again)
    world.service.primary = again
    return again


def test_a_forced_redeployment_is_waited_for_and_bakes_anew() -> None:
    world = deployed(bake_seconds=600)
    world.verify()
    world.wait(seconds=500)
    again = redeploy(world)
    for _ in range(5):
        assert world.verify().message.startswith("The rollout is still in progress.")
        world.wait(seconds=60)
    assert world.deployment.progress.looks.failed == 0

    again.state = RolloutState.COMPLETED
    assert world.verify().message == "healthy; 600 more seconds to bake"
    assert ecs_deployment_id(world) == "ecs-svc/3"
    world.wait(seconds=599)
    assert not world.verify().done
    world.wait(seconds=1)
    assert world.verify().done


def test_a_redeployment_that_came_and_ended_between_two_looks_bakes_anew() -> None:
    world = deployed(bake_seconds=600)
    world.verify()
    world.wait(seconds=500)
    redeploy(world, RolloutState.COMPLETED)

    assert world.verify().message == "healthy; 600 more seconds to bake"


def test_a_redeployment_of_the_revision_that_ecs_gave_up_is_a_verdict() -> None:
    world = deployed()
    redeploy(world, RolloutState.GIVEN_UP).told = "STOPPED: by ada"

    assert failure(world)[1] == "ECS reports the rollout as STOPPED: by ada."


def test_another_revision_is_a_verdict_at_once_also_while_it_rolls_out() -> None:
    world = deployed()
    other = Attempt("ecs-svc/3", f"{FAMILY}:99", RolloutState.UNDERWAY)
    world.service.attempts.insert(0, other)
    world.service.primary = other

    assert failure(world)[1] == f"{FAMILY}:99 is live instead."


def test_a_redeployment_in_the_middle_of_the_rollout_is_followed_to_its_end() -> None:
    world = World(environment(migration=None)).entered()
    world.deploy()
    world.service.primary.state = RolloutState.GIVEN_UP
    again = redeploy(world)
    for _ in range(2):
        assert not world.deploy().done
    again.state = RolloutState.COMPLETED

    assert world.deploy().done
    assert ecs_deployment_id(world) == "ecs-svc/3"
    assert world.verify().done


def test_a_redeployment_between_completion_and_verification_is_followed() -> None:
    world = deployed()
    again = redeploy(world)
    assert world.deploy().done
    assert not world.verify().done
    again.state = RolloutState.COMPLETED

    assert world.verify().done


def test_a_rollback_that_is_redeployed_meanwhile_is_waited_for() -> None:
    world = deployed(attempts=1)
    world.answer_as("2.0.0", status=500)
    failure(world)
    world.rollback()
    world.service.complete()
    assert world.rollback().done
    world.answer_as("1.0.0")
    again = redeploy(world)

    for _ in range(5):
        assert world.verify("rollback").message.startswith("The rollout is still in progress.")
        world.wait(minutes=1)
    again.state = RolloutState.COMPLETED

    assert world.verify("rollback").done


def test_the_rollback_has_its_own_time_to_move() -> None:
    world = deployed()
    scale(world, desired=10, running=2)
    world.verify()
    world.rewrite(cancel_requested_by="ada")
    world.rollback()

    assert world.deployment.progress.looks.moving_since is None


# A service behind several load balancers.

INNER = TARGET_GROUP.replace("targetgroup/notes/1", "targetgroup/inner/2")


def behind_two(monkeypatch: pytest.MonkeyPatch, **verification: Any) -> World:
    settings = {**SETTINGS["verification"], **verification}
    world = World(environment(migration=None, verification=settings))
    real, groups = world.service.live, {"target_group_arns": (TARGET_GROUP, INNER)}

    def live(*asked: Any) -> LiveService:
        return real(*asked).model_copy(update=groups)

    monkeypatch.setattr(world.service, "live", live)
    return world.entered_and_deployed()


def test_every_target_group_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    world = behind_two(monkeypatch, attempts=1)
    world.balancers.groups[INNER] = (healthy(1), UNHEALTHY)

    assert failure(world)[1] == (
        "inner: 1 of 2 targets are healthy (10.0.0.8:8000 unhealthy Health checks failed with "
        "these codes: [500])."
    )


def test_a_release_is_healthy_when_all_its_target_groups_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert behind_two(monkeypatch).verify().message == (
        "ecs-svc/2 is live; notes: 2 targets healthy; inner: 2 targets healthy; "
        "1 alarms quiet; /health answers 200"
    )


def test_a_plan_of_an_older_slipway_is_judged_by_its_one_target_group() -> None:
    world = deployed(attempts=1)
    plan = json.loads(world.deployment.planned().text)
    del plan["live"]["target_group_arns"]
    world.rewrite_plan(Plan.model_validate(plan))
    world.balancers.groups[TARGET_GROUP] = (UNHEALTHY,)

    assert failure(world)[1].startswith("0 of 2 targets are healthy")


# Answers that say nothing are no proof.


def test_without_anything_to_ask_the_verdict_says_that_only_ecs_was_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(environment(migration=None, verification={}))
    real = world.service.live
    monkeypatch.setattr(
        world.service,
        "live",
        lambda *asked: real(*asked).model_copy(update={"target_group_arn": None}),
    )
    world.entered_and_deployed()

    assert world.verify().message == (
        "ecs-svc/2 is live; 2 of 2 tasks running; nothing else was checked: no load "
        "balancer, no HTTP "
        "checks, no alarms"
    )


@pytest.mark.parametrize("targets", [(), (DRAINING,), (target(1, "unused"),)])
def test_a_target_group_without_a_healthy_target_is_no_success(
    targets: tuple[RegisteredTarget, ...],
) -> None:
    world = deployed(attempts=1)
    world.balancers.registered = targets

    assert failure(world)[0] is Reason.RELEASE_UNHEALTHY


def test_no_digest_is_no_success() -> None:
    world = deployed()
    world.service.digests = ()

    assert failure(world)[1] == "The running tasks report no digest."


def test_an_alarm_without_data_is_quiet_and_that_is_said() -> None:
    world = deployed(alarms=["notes-5xx", "notes-slow", "notes-5xx"])
    world.alarms.silent = ("notes-slow",)

    assert world.verify().message == (
        "ecs-svc/2 is live; 2 targets healthy; 2 alarms quiet, of which notes-slow without data "
        "(INSUFFICIENT_DATA); /health answers 200"
    )


def test_answers_that_were_not_given_are_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    world = deployed(attempts=1, checks=[{"path": "/health"}, {"path": "/db"}])
    known = world.website.answers["http://notes.example.com/health"]
    monkeypatch.setattr(world.website, "get_all", lambda *_: (known,))

    assert failure(world)[0] is Reason.RELEASE_UNHEALTHY


def test_however_many_checks_fail_what_is_recorded_has_a_bound() -> None:
    checks = [{"path": f"/{number}/{'x' * 300}"} for number in range(500)]
    world = deployed(attempts=1, checks=checks)

    assert len(failure(world)[1]) <= 2000
    assert len(world.deployment.progress.looks.verdict or "") <= 2000
