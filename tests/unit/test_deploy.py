"""Deploy: the service is pointed at the release once, and only ECS's own SUCCESSFUL is success."""

import pytest

from slipway.domain.deployment import Phase
from slipway.domain.effect import Effect
from slipway.domain.errors import Reason, Rejected, Unhealthy
from slipway.domain.outcome import Outcome
from slipway.domain.progress import ServiceProgress
from slipway.domain.verdict import RolloutState
from slipway.steps.deploy import DeployRequest, keys
from slipway.steps.revision import revision_of
from slipway.steps.step import StepResult
from tests.builders.crashes import Crash, Crashes
from tests.builders.documents import NEW, REGISTRY, SERVICE_ARN, START, environment
from tests.builders.service import Attempt
from tests.builders.worlds import World

RUNNING = StepResult(done=False, reason=Reason.WAITING, message="1 of 2 tasks running")
COMPLETE = StepResult(done=True, reason=Reason.DEPLOYED, message="ecs-svc/2 is complete")
BREAKER = (
    "(service notes) (deployment ecs-svc/2) deployment failed: tasks failed to start. "
    "Circuit breaker: rolling back to ecs-svc/1."
)


def entered() -> World:
    """A release without migration, in its lane."""
    return World(environment(migration=None)).entered()


def started() -> World:
    world = entered()
    assert world.deploy() == RUNNING
    return world


def failure(world: World) -> tuple[Reason, str]:
    with pytest.raises(Unhealthy) as unhealthy:
        world.deploy()
    return unhealthy.value.reason, unhealthy.value.message


def refusal(world: World) -> Reason:
    with pytest.raises(Rejected) as refused:
        world.deploy()
    return refused.value.reason


def test_the_service_is_pointed_at_the_release_once_and_the_rollout_seen_through() -> None:
    world = started()
    assert world.deployment.phase is Phase.DEPLOYING
    world.wait(minutes=3)
    assert world.deploy() == RUNNING
    world.service.complete()
    assert world.deploy() == COMPLETE

    revision = revision_of(world.deployment)
    assert world.service.images[revision] == f"{REGISTRY}@{NEW}"
    assert world.service.updates == [(revision, world.settings.strategy)]
    assert world.deployment.service == ServiceProgress(
        revision=Effect(requested_at=START, handle=revision),
        rollout=Effect(requested_at=START, handle="ecs-svc/2").ended(world.now, succeeded=True),
    )
    assert world.told[-5:] == [
        "revision requested",
        "revision registered",
        "rollout requested",
        "rollout started",
        "rollout completed",
    ]


def test_a_completed_rollout_is_not_looked_at_again() -> None:
    world = World().deployed()
    before = world.deployment
    world.service.attempts.clear()

    assert world.deploy() == COMPLETE
    assert world.deployment == before


def test_the_migrations_revision_is_the_one_that_is_deployed() -> None:
    world = World().migrated()
    revision = revision_of(world.deployment)

    world.deploy()

    assert [arn for arn, _ in world.service.updates] == [revision]
    assert world.told.count("revision registered") == 1


def test_a_release_that_ecs_took_back_is_recorded_as_lost_and_never_started_again() -> None:
    world = started()
    world.service.give_up(BREAKER)

    for _ in range(3):
        assert failure(world) == (
            Reason.CIRCUIT_BREAKER_TRIPPED,
            f"ECS ended the rollout as {BREAKER}",
        )
    assert len(world.service.updates) == 1
    assert world.evidence[-1].what == "rollout failed"
    assert world.evidence[-1].data == {"events": ["(service notes) has begun draining"]}
    assert world.deployment.service.rollout == Effect(requested_at=START)


def test_a_rollout_that_somebody_stopped_is_a_failure_of_another_kind() -> None:
    world = started()
    world.service.give_up("STOPPED: stopped by ada", Reason.ROLLOUT_STOPPED)

    assert failure(world) == (
        Reason.ROLLOUT_STOPPED,
        "ECS ended the rollout as STOPPED: stopped by ada",
    )
    assert len(world.service.updates) == 1


def test_a_successful_rollout_that_somebody_replaced_since_is_no_success() -> None:
    world = started()
    world.service.complete()
    world.service.primary = Attempt("ecs-svc/3", "arn:someone-elses:10", RolloutState.COMPLETED)
    assert world.deploy() == RUNNING
    world.wait(minutes=31)

    assert failure(world)[0] is Reason.DEPLOYMENT_TIMED_OUT
    assert len(world.service.updates) == 1


def test_patience_with_ecs_ends() -> None:
    world = started()
    world.wait(minutes=30)
    assert world.deploy() == RUNNING
    world.wait(seconds=1)

    assert failure(world) == (
        Reason.DEPLOYMENT_TIMED_OUT,
        "ECS did not finish the rollout within 30 minutes.",
    )


def test_a_rollout_that_was_completed_in_time_counts_however_late_it_is_seen() -> None:
    world = started()
    world.service.complete()
    world.wait(hours=3)

    assert world.deploy() == COMPLETE


def test_a_try_that_died_before_the_update_is_made_good() -> None:
    world = entered()
    world.crashes = Crashes("Service.update")

    with pytest.raises(Crash):
        world.deploy()
    assert world.service.updates == []
    assert world.deployment.service.rollout == Effect(requested_at=START)
    world.crashes = Crashes()

    assert world.deploy() == RUNNING
    assert len(world.service.updates) == 1


def test_an_update_whose_answer_was_lost_and_that_ecs_took_back_is_not_sent_again() -> None:
    world = entered()
    world.crashes = Crashes("Service.update", after=True)

    with pytest.raises(Crash):
        world.deploy()
    world.crashes = Crashes()
    world.service.give_up(BREAKER)

    assert failure(world)[0] is Reason.CIRCUIT_BREAKER_TRIPPED
    assert len(world.service.updates) == 1


def test_a_wish_to_cancel_stops_the_wait_and_leaves_the_way_back_to_rollback() -> None:
    world = started()
    world.rewrite(cancel_requested_by="ada")

    assert refusal(world) is Reason.CANCELLED
    assert len(world.service.updates) == 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"cancel_requested_by": "ada"}, Reason.CANCELLED),
        ({"outcome": Outcome.FAILED}, Reason.DEPLOYMENT_ENDED),
    ],
)
def test_what_is_not_wanted_any_more_is_not_deployed(
    fields: dict[str, object], reason: Reason
) -> None:
    world = entered()
    world.rewrite(**fields)

    assert refusal(world) is reason
    assert (world.service.updates, world.revisions.registered) == ([], {})


def test_a_lane_that_was_lost_is_not_changed() -> None:
    world = entered()
    world.rewrite_lane(holder="notes-staging-2", fencing=2)

    assert refusal(world) is Reason.LANE_LOST
    assert (world.service.updates, world.revisions.registered) == ([], {})


def test_a_lane_that_was_lost_after_the_revision_was_registered_is_not_changed() -> None:
    world = World().migrated()
    world.rewrite_lane(holder="notes-staging-2", fencing=2)

    assert refusal(world) is Reason.LANE_LOST
    assert world.service.updates == []


def test_a_rollout_is_woken_by_its_service_and_by_news_of_the_deployment() -> None:
    request = DeployRequest(
        deployment_id="notes-staging-1", lane="notes/staging", service_arn=SERVICE_ARN
    )

    assert keys(request) == (f"service:{SERVICE_ARN}", "deployment:notes-staging-1")
