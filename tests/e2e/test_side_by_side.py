"""Several deployments at once, and a person who steps in."""

from collections.abc import Callable
from datetime import UTC, datetime

from slipway.domain.deployment import Deployment, Phase
from slipway.domain.errors import Reason
from slipway.domain.outcome import Outcome
from slipway.journal import Journal
from slipway.requests.cancel import cancel
from slipway.requests.lift import hold, lift
from tests.e2e.stage import Lane

Build = Callable[[str], Lane]


def _cancel(lane: Lane, deployment: Deployment) -> None:
    cancel(
        deployment.deployment_id,
        by="grace",
        journal=Journal(lane.records, datetime.now(UTC)),
        announcements=lane.announcements,
    )


def _at(lane: Lane, deployment: Deployment, what: str) -> datetime:
    """When the deployment's record noted something."""
    return next(entry.at for entry in lane.evidence(deployment) if entry.what == what)


def test_of_three_pushes_to_one_lane_one_goes_first_and_the_newest_follows(lane: Build) -> None:
    queued = lane("queued")
    first = queued.reached(queued.push("v1"), Phase.DEPLOYING)
    second = queued.admitted(queued.push("v2"))
    third = queued.admitted(queued.push("v6"))

    ended = [queued.settled(each.deployment_id) for each in (first, second, third)]

    assert [each.outcome for each in ended] == [
        Outcome.SUCCEEDED,
        Outcome.SUPERSEDED,
        Outcome.SUCCEEDED,
    ]
    assert [each.fencing for each in ended] == [1, None, 2]
    assert _at(queued, ended[0], "settled") <= _at(queued, ended[2], "lane taken")
    assert queued.serves() == "6"


def test_two_applications_with_one_database_never_migrate_at_once(lane: Build) -> None:
    one, two = lane("shared-one"), lane("shared-two")
    digests = one.push("v1"), two.push("v1")

    ended = one.ended(digests[0]), two.ended(digests[1])

    assert [each.outcome for each in ended] == [Outcome.SUCCEEDED, Outcome.SUCCEEDED]
    spans = sorted(
        (_at(place, each, "migration requested"), _at(place, each, "settled"))
        for place, each in zip((one, two), ended, strict=True)
    )
    assert spans[0][1] <= spans[1][0]


def test_a_deployment_that_waits_can_be_cancelled(lane: Build) -> None:
    waiting = lane("cancelled-waiting")
    before = waiting.live_revision()
    asked = waiting.reached(waiting.push("v1"), Phase.AWAITING_APPROVAL)

    _cancel(waiting, asked)

    ended = waiting.settled(asked.deployment_id)
    assert (ended.outcome, ended.failure and ended.failure.message) == (
        Outcome.CANCELLED,
        "Cancelled by grace.",
    )
    assert waiting.live_revision() == before
    assert waiting.told(ended)[-1] == "cancelled"


def test_a_deployment_that_runs_is_taken_back_when_it_is_cancelled(lane: Build) -> None:
    running = lane("cancelled-running")
    good = running.deployed("v1")
    live = running.reached(running.push("v2"), Phase.VERIFYING)

    _cancel(running, live)

    ended = running.settled(live.deployment_id)
    assert (ended.outcome, ended.cause and ended.cause.reason) == (
        Outcome.ROLLED_BACK,
        Reason.CANCELLED,
    )
    assert running.live_revision() == running.revision_of(good)
    assert running.serves() == "1"


def test_a_hold_stops_automation_until_it_is_lifted_or_a_person_deploys(lane: Build) -> None:
    held = lane("held")
    _hold(held)
    blocked = held.ended(held.push("v1"))
    now = datetime.now(UTC)
    lift(held.application, held.environment, by="grace", records=held.records, now=now)
    passed = held.deployed("v2")
    _hold(held)

    asked = held.requested(blocked.release)

    assert (blocked.outcome, blocked.failure and blocked.failure.reason) == (
        Outcome.BLOCKED,
        Reason.HELD,
    )
    assert (passed.outcome, asked.outcome, asked.explicit) == (
        Outcome.SUCCEEDED,
        Outcome.SUCCEEDED,
        True,
    )
    assert held.state().hold is None
    assert held.serves() == "1"


def _hold(lane: Lane) -> None:
    hold(
        lane.application,
        lane.environment,
        by="grace",
        message="The shop is open.",
        records=lane.records,
        now=datetime.now(UTC),
    )
