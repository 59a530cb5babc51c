"""Verify: look until it is healthy for as long as asked, or until patience is used up."""

from datetime import timedelta
from typing import Any

import pytest

from slipway.domain.deployment import Phase
from slipway.domain.effect import Effect
from slipway.domain.errors import Broken, Reason, Rejected, Transient, Unhealthy
from slipway.domain.outcome import Outcome
from slipway.domain.verdict import RegisteredTarget, TargetHealth
from slipway.steps.step import StepResult
from slipway.steps.verify import VerifyRequest, keys
from tests.builders.documents import FIRST_REVISION, NEW, OLD, SETTINGS, START, environment, healthy
from tests.builders.worlds import World

GOOD = "ecs-svc/2 is live; 2 targets healthy; 1 alarms quiet; /health answers 200"


def deployed(**verification: Any) -> World:
    settings = {**SETTINGS["verification"], **verification}
    return World(environment(migration=None, verification=settings)).entered_and_deployed()


def failure(world: World, of: str = "release") -> tuple[Reason, str]:
    with pytest.raises(Unhealthy) as unhealthy:
        world.verify(of)
    return unhealthy.value.reason, unhealthy.value.message


def waiting(message: str) -> StepResult:
    return StepResult(done=False, reason=Reason.WAITING, message=message)


def test_a_healthy_release_is_verified_at_the_first_look() -> None:
    world = deployed()

    assert world.verify() == StepResult(done=True, reason=Reason.VERIFIED, message=GOOD)
    assert world.deployment.progress.verified_at == START
    assert world.deployment.phase is Phase.VERIFYING
    assert (world.evidence[-1].what, world.evidence[-1].message) == ("release verified", GOOD)


def test_what_was_verified_is_not_judged_again() -> None:
    world = deployed()
    world.verify()
    before = world.deployment
    world.alarms.speaking = ("notes-5xx",)

    assert world.verify() == StepResult(
        done=True, reason=Reason.VERIFIED, message="already verified"
    )
    assert world.deployment == before


def test_three_looks_in_vain_are_a_verdict() -> None:
    world = deployed()
    world.answer_as("2.0.0", status=503)
    sentence = "http://notes.example.com/health answered 503 instead of 200."

    assert world.verify() == waiting(sentence)
    assert world.verify() == waiting(sentence)
    assert failure(world) == (Reason.RELEASE_UNHEALTHY, sentence)
    assert [entry.data for entry in world.evidence[-3:]] == [{"look": n} for n in (1, 2, 3)]


def test_a_verdict_stands_when_its_answer_came_too_late() -> None:
    # The state gave up on the look that ended with the verdict: its token was dead.
    world = deployed(attempts=1)
    world.answer_as("2.0.0", status=503)
    verdict = failure(world)

    world.answer_as("2.0.0")

    assert failure(world) == verdict


def test_a_look_that_outlived_its_state_puts_no_release_forward_that_goes_back() -> None:
    world = deployed()
    world.rewrite(phase=Phase.ROLLING_BACK)

    with pytest.raises(Rejected) as refused:
        world.verify()

    assert refused.value.reason is Reason.DEPLOYMENT_ENDED
    assert (world.deployment.phase, world.deployment.progress.verified_at) == (
        Phase.ROLLING_BACK,
        None,
    )


def test_the_catalog_says_how_many_looks_there_are() -> None:
    world = deployed(attempts=1)
    world.balancers.registered = (healthy(1),)

    assert failure(world)[1] == "1 of 2 targets are healthy (none)."


def test_a_release_that_recovers_in_time_is_verified() -> None:
    world = deployed()
    ill = RegisteredTarget(
        address="10.0.0.2:8000", health=TargetHealth.STARTING, told="initial", reason="registering"
    )
    world.balancers.registered = (healthy(1), ill)
    assert not world.verify().done
    world.balancers.registered = (healthy(1), healthy(2))

    assert world.verify().done


def test_an_alarm_is_a_verdict_at_once() -> None:
    world = deployed()
    world.alarms.speaking = ("notes-5xx",)

    assert failure(world) == (Reason.RELEASE_UNHEALTHY, "In alarm: notes-5xx.")


def test_a_service_that_ecs_took_back_after_its_deployment_is_found_at_once() -> None:
    world = deployed()
    world.service.give_up("alarm")

    assert failure(world) == (
        Reason.RELEASE_UNHEALTHY,
        f"{FIRST_REVISION} is live instead.",
    )


def test_a_complete_redeployment_of_the_same_revision_is_ours_too() -> None:
    world = deployed()
    world.service.primary.ecs_id = "ecs-svc/9"

    assert world.verify().done
    assert world.deployment.service.rollout == Effect(
        requested_at=START, handle="ecs-svc/9", ended_at=START, succeeded=True
    )


def test_another_digest_behind_the_revision_is_found() -> None:
    world = deployed()
    world.service.digests = (OLD,)

    assert failure(world)[1] == "The running tasks report sha256:a1a1a1a1a1a1."


def test_the_version_that_the_service_reports_must_be_the_releases() -> None:
    world = deployed(attempts=1)
    world.answer_as("1.0.0")

    assert failure(world)[1] == (
        "http://notes.example.com/health reports version 1.0.0 instead of 2.0.0."
    )


def test_a_release_bakes_for_as_long_as_asked() -> None:
    world = deployed(bake_seconds=60)

    assert world.verify() == waiting("healthy; 60 more seconds to bake")
    world.wait(seconds=59)
    assert world.verify() == waiting("healthy; 1 more seconds to bake")
    world.wait(seconds=1)
    assert world.verify().done

    assert world.told[-2:] == ["release baking", "release verified"]
    assert world.deployment.progress.verified_at == START + timedelta(seconds=60)


def test_an_ill_look_starts_the_bake_time_anew() -> None:
    world = deployed(bake_seconds=60)
    world.verify()
    world.wait(seconds=50)
    world.answer_as("2.0.0", status=500)
    world.verify()
    world.answer_as("2.0.0")
    world.wait(seconds=50)

    assert world.verify() == waiting("healthy; 60 more seconds to bake")


def test_an_alarm_during_the_bake_time_is_a_verdict() -> None:
    world = deployed(bake_seconds=60)
    world.verify()
    world.alarms.speaking = ("notes-5xx",)

    assert failure(world)[1] == "In alarm: notes-5xx."
    assert world.deployment.progress.looks.healthy_since is None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"cancel_requested_by": "ada"}, Reason.CANCELLED),
        ({"outcome": Outcome.FAILED}, Reason.DEPLOYMENT_ENDED),
    ],
)
def test_what_is_not_wanted_any_more_is_not_verified(
    fields: dict[str, object], reason: Reason
) -> None:
    world = deployed()
    world.rewrite(**fields)

    with pytest.raises(Rejected) as refused:
        world.verify()
    assert refused.value.reason is reason


def test_a_lane_that_was_lost_is_not_called_verified() -> None:
    world = deployed()
    world.rewrite_lane(holder="notes-staging-2", fencing=2)

    with pytest.raises(Rejected) as refused:
        world.verify()
    assert refused.value.reason is Reason.LANE_LOST
    assert world.deployment.progress.verified_at is None


def rolled_back(**verification: Any) -> World:
    world = deployed(**verification)
    world.answer_as("2.0.0", status=500)
    world.verify()
    world.verify()
    failure(world)
    world.rollback()
    world.service.complete()
    assert world.rollback().done
    world.answer_as("1.0.0")
    return world


def test_a_rollback_is_judged_like_a_release_and_recorded_as_such() -> None:
    world = rolled_back()

    assert world.verify("rollback").message == (
        "ecs-svc/3 is live; 2 targets healthy; /health answers 200"
    )
    assert world.deployment.progress.rolled_back_at == world.now
    assert world.deployment.phase is Phase.ROLLING_BACK
    assert world.verify("rollback").message == "already verified"


def test_a_rollback_does_not_bake_and_is_not_blamed_for_an_alarm_that_still_rings() -> None:
    world = rolled_back(bake_seconds=600)
    world.alarms.speaking = ("notes-5xx",)

    assert world.verify("rollback").done


def test_a_rollback_that_does_not_serve_the_old_version_is_found() -> None:
    world = rolled_back()
    world.answer_as("2.0.0")
    sentence = "http://notes.example.com/health reports version 2.0.0 instead of 1.0.0."

    assert world.verify("rollback") == waiting(sentence)
    assert world.verify("rollback") == waiting(sentence)
    assert failure(world, "rollback") == (Reason.ROLLBACK_NOT_LIVE, sentence)


def test_a_rollback_has_all_its_looks_however_many_the_release_used() -> None:
    world = deployed()
    world.answer_as("2.0.0", status=500)
    world.verify()
    world.verify()
    world.rewrite(cancel_requested_by="ada")
    world.rollback()
    world.service.complete()
    world.rollback()

    assert not world.verify("rollback").done
    assert not world.verify("rollback").done
    assert failure(world, "rollback")[0] is Reason.ROLLBACK_NOT_LIVE


def test_a_cancelled_deployment_still_verifies_its_rollback() -> None:
    world = rolled_back()
    world.rewrite(cancel_requested_by="ada")

    assert world.verify("rollback").done


def test_a_rollback_of_a_deployment_that_has_ended_is_not_judged_any_more() -> None:
    world = rolled_back()
    world.rewrite(outcome=Outcome.NEEDS_OPERATOR)
    before = world.deployment

    with pytest.raises(Rejected):
        world.verify("rollback")
    assert world.deployment == before


def test_without_a_last_good_release_there_is_no_rollback_to_verify() -> None:
    world = deployed()
    world.rewrite(rollback_target=None)

    with pytest.raises(Broken) as broken:
        world.verify("rollback")
    assert broken.value.reason is Reason.NOTHING_TO_ROLL_BACK_TO


def test_a_verification_is_woken_by_news_of_the_deployment() -> None:
    request = VerifyRequest(deployment_id="notes-staging-1", lane="notes/staging")

    assert keys(request) == ("deployment:notes-staging-1",)


def test_the_digest_that_was_approved_is_the_one_that_is_verified() -> None:
    world = deployed()

    assert world.verify().done
    assert world.deployment.release.digest == NEW


@pytest.mark.parametrize("of", ["release", "rollback"])
def test_nothing_is_verified_while_a_call_may_still_come(of: str) -> None:
    world = World(environment(migration=None)).entered_and_deployed()
    if of == "rollback":
        world.rollback()
        world.service.complete()
        world.rollback()
        world.answer_as("1.0.0")
    world.records.write([world.deployment.acting(world.now)])

    with pytest.raises(Transient, match="may still be on its way"):
        world.verify(of)
    world.wait(seconds=60)

    assert world.verify(of).done
