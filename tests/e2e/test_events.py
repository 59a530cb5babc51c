"""Events that come twice, come wrong, or do not come at all."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from cloud.embedded import Cloud
from demo.approver import decide
from slipway.domain.deployment import Deployment, Origin, Phase
from slipway.domain.errors import Reason
from slipway.domain.outcome import Outcome
from tests.builders.samples import sample
from tests.e2e.functions import logged, swept
from tests.e2e.lanes import APPROVER
from tests.e2e.stage import Lane, eventually

Build = Callable[[str], Lane]

# A push to the shipped application's repository that nobody has made.
DIGEST = "sha256:" + "e" * 64
DETAIL = {**sample("admit")["detail"], "image-digest": DIGEST}
PUSHED = {**sample("admit"), "detail": DETAIL}


def _emitted(lane: Lane, detail_type: str) -> list[dict[str, Any]]:
    """The events of this type that the cloud has sent about a lane."""
    events: list[dict[str, Any]] = lane.cloud.twin.ask("/_twin/events")
    return [e for e in events if e["detail-type"] == detail_type and lane.application in str(e)]


def _drop(lane: Lane, detail_type: str) -> None:
    """Lose every event of this type that names the lane's application."""
    policy = {"drop": True, "containing": lane.application}
    lane.cloud.twin.ask("/_twin/events/policy", {"detailType": detail_type, "policy": policy})


def _admissions(lane: Lane) -> list[bool]:
    """What Admit logged for the lane's first deployment: whether it was new."""
    first = f"{lane.application}-{lane.environment}-1"
    admitted = logged(lane.cloud, "admit", "deployment admitted")
    return [line["new"] for line in admitted if line["deployment_id"] == first]


def test_a_push_that_is_told_three_times_is_deployed_once(lane: Build) -> None:
    redelivered = lane("redelivered")
    digest = redelivered.push("v1")
    redelivered.admitted(digest)
    told = next(
        event
        for event in _emitted(redelivered, "ECR Image Action")
        if event["detail"]["image-digest"] == digest
    )

    # The same event once more, and the same push in an event of its own.
    redelivered.cloud.ministack.send_event(told, {**told, "id": str(uuid.uuid4())})

    ended = redelivered.ended(digest)
    seen = eventually(
        lambda: new if len(new := _admissions(redelivered)) == 3 else None, "three admissions"
    )
    assert (ended.outcome, sorted(seen)) == (Outcome.SUCCEEDED, [False, False, True])
    assert [each.deployment_id for each in redelivered.all()] == [ended.deployment_id]
    assert redelivered.rollouts_of(redelivered.revision_of(ended)) == 1


@pytest.mark.parametrize(
    ("change", "reason", "sentence"),
    [
        (
            {"account": "111122223333"},
            Reason.EVENT_FOREIGN,
            "The event comes from 111122223333/us-east-1, not 000000000000/us-east-1.",
        ),
        (
            {"detail": {**DETAIL, "image-digest": "sha256:short"}},
            Reason.EVENT_MALFORMED,
            "image-digest: String should match pattern '^sha256:[0-9a-f]{64}$'",
        ),
        (
            {"detail": {**DETAIL, "repository-name": "nobodys"}},
            Reason.NOT_MEANT_FOR_US,
            "No environment matches nobodys:v1; push.repository and push.tags in the catalog "
            "select the pushes that start deployments.",
        ),
    ],
    ids=["foreign", "malformed", "unknown"],
)
def test_an_event_that_is_not_for_us_starts_nothing_and_the_log_says_why(
    cloud: Cloud, change: dict[str, Any], reason: Reason, sentence: str
) -> None:
    cloud.ministack.send_event({**PUSHED, **change})

    eventually(
        lambda: [
            line
            for line in logged(cloud, "admit", "event refused")
            if (line["reason"], line["message_text"]) == (reason, sentence)
        ],
        f"the refusal '{sentence}' in the log",
    )
    assert DIGEST not in {each.release.digest for each in Lane(cloud, "fastapi-rds").all()}


def test_a_snapshot_whose_event_is_lost_is_found_by_the_timer(lane: Build) -> None:
    lost = lane("lost-snapshot")
    _drop(lost, "RDS DB Snapshot Event")

    ended = lost.deployed("v1")

    assert "snapshot verified" in lost.noted(ended)
    assert [backup.succeeded for backup in ended.progress.backups.values()] == [True]


def test_a_rollout_whose_events_are_lost_is_found_by_the_timer(lane: Build) -> None:
    lost = lane("lost-rollout")
    _drop(lost, "ECS Deployment State Change")

    ended = lost.deployed("v1")

    assert lost.live_revision() == lost.revision_of(ended)


@pytest.mark.long
def test_a_push_whose_event_is_lost_is_found_by_the_sweep(lane: Build) -> None:
    lost = lane("lost-push")
    _drop(lost, "ECR Image Action")
    digest = lost.push("v1")

    eventually(lambda: _after_a_sweep(lost).all(), "the sweep to find the push")

    ended = lost.ended(digest)
    assert (ended.outcome, ended.origin) == (Outcome.SUCCEEDED, Origin.SWEEP)


def _after_a_sweep(lane: Lane) -> Lane:
    swept(lane.cloud)
    return lane


def test_an_execution_that_is_stopped_before_any_change_is_settled(lane: Build) -> None:
    asked = lane("asked-and-stopped")
    first = asked.reached(asked.push("v1"), Phase.AWAITING_APPROVAL)

    _stop(asked, first)

    ended = asked.settled(first.deployment_id)
    assert (ended.outcome, _why(ended)) == (Outcome.FAILED, Reason.EXECUTION_STOPPED)
    assert asked.state().hold is None
    second = asked.reached(asked.push("v2"), Phase.AWAITING_APPROVAL)
    decide(asked.approval_link(second), "approve", APPROVER)
    assert asked.settled(second.deployment_id).outcome is Outcome.SUCCEEDED


@pytest.mark.long
def test_an_execution_that_is_stopped_while_it_deploys_frees_the_lane_and_holds_it(
    lane: Build,
) -> None:
    stopped = lane("stopped")
    running = stopped.reached(stopped.push("v1"), Phase.DEPLOYING)

    _stop(stopped, running)

    # Its last function may be at work for a minute longer, and the lane is not freed under it.
    eventually(
        lambda: _after_a_sweep(stopped).all()[0].outcome, "the sweep to settle what was stopped"
    )
    ended = stopped.settled(running.deployment_id)
    state = stopped.state()
    assert (ended.outcome, _why(ended)) == (Outcome.NEEDS_OPERATOR, Reason.EXECUTION_STOPPED)
    assert (state.holder, state.hold and state.hold.by) == (None, ended.deployment_id)
    assert stopped.told(ended)[-1] == "NEEDS AN OPERATOR"


def _stop(lane: Lane, deployment: Deployment) -> None:
    states = lane.cloud.client("stepfunctions")
    states.stop_execution(executionArn=lane.execution_arn(deployment), cause="stopped by hand")


def _why(deployment: Deployment) -> str:
    return deployment.failure.reason if deployment.failure else "nothing"
