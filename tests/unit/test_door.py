"""What a wish means for a lane that has been asked for releases before, as a table."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from slipway.domain import door
from slipway.domain.deployment import Origin, Phase
from slipway.domain.errors import Reason, Rejected
from slipway.domain.lane import Candidate, Lane
from slipway.domain.outcome import Outcome
from slipway.domain.progress import Progress
from tests.builders.documents import NEW, OLD, OTHER, START, deployment, release, stable

LANE = Lane(application="notes", environment="staging", stable=stable())


def seconds(number: float) -> datetime:
    return START + timedelta(seconds=number)


def lane(digest: str = NEW, order: float = 0, **changes: Any) -> Lane:
    """The lane whose newest candidate has this digest and order."""
    newest = Candidate(deployment_id="notes-staging-1", order=seconds(order), digest=digest)
    return LANE.model_copy(update={"newest": newest, **changes})


@pytest.mark.parametrize(
    ("at", "where", "same"),
    [
        # The event again, and one that is older still.
        (0, lane(), True),
        (-60, lane(), True),
        # The event of a second tag of the same push, or of a push that the sweep found.
        (1, lane(), True),
        (2, lane(), True),
        # A push after that.
        (3, lane(), False),
        (86_400, lane(), False),
        # Another digest was pushed before, or after.
        (1, lane(OTHER, 0.5), False),
        (1, lane(OTHER, 60), True),
        (0, lane(OTHER, 60), True),
        (90, lane(OTHER, 60), False),
        (1, LANE, True),
    ],
)
def test_an_event_is_told_from_a_new_push_by_its_time(at: float, where: Lane, same: bool) -> None:
    assert door.is_same_push(seconds(at), deployment(), where) is same


def test_the_late_event_of_a_push_that_the_sweep_found_is_no_new_push() -> None:
    found = deployment(origin=Origin.SWEEP, release=release(pushed_at=seconds(-0.7)))

    assert door.is_same_push(seconds(0), found, lane(order=-0.7))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"phase": Phase.AWAITING_APPROVAL}, True),
        ({"phase": Phase.AWAITING_LANE}, True),
        ({"phase": Phase.VERIFYING}, True),
        ({"phase": Phase.ROLLING_BACK}, False),
        ({"cancel_requested_by": "ada"}, False),
        ({"progress": Progress(ending_since=START)}, False),
        ({"outcome": Outcome.SUCCEEDED}, False),
        ({"outcome": Outcome.SUPERSEDED}, False),
        ({"release": release(OTHER)}, False),
    ],
)
def test_a_deployment_that_goes_on_serves_its_digest(
    changes: dict[str, Any], expected: bool
) -> None:
    assert door.is_serving(deployment(**changes), NEW) is expected


def test_a_lane_without_a_candidate_serves_nothing() -> None:
    assert door.is_serving(None, NEW) is False


@pytest.mark.parametrize(
    ("phase", "changes", "refused"),
    [
        (Phase.PLANNING, {}, True),
        (Phase.AWAITING_APPROVAL, {}, True),
        (Phase.AWAITING_LANE, {}, True),
        (Phase.BACKING_UP, {}, False),
        (Phase.DEPLOYING, {}, False),
        (Phase.ROLLING_BACK, {}, False),
        (Phase.AWAITING_APPROVAL, {"cancel_requested_by": "ada"}, False),
        (Phase.AWAITING_APPROVAL, {"outcome": Outcome.REJECTED}, False),
        (Phase.AWAITING_APPROVAL, {"release": release(OTHER)}, False),
    ],
)
def test_a_request_replaces_another_release_that_waits_only_where_it_says_so(
    phase: Phase, changes: dict[str, Any], refused: bool
) -> None:
    newest = deployment(phase=phase, **changes)
    if not refused:
        return door.refuse_to_replace(newest, OTHER)

    with pytest.raises(Rejected) as refusal:
        door.refuse_to_replace(newest, OTHER)
    assert (refusal.value.reason, refusal.value.message) == (
        Reason.WOULD_REPLACE,
        f"notes-staging-1 (v2, sha256:b2b2b2b2b2b2) is waiting on notes/staging in phase {phase} "
        "and would be replaced by this request. To replace it: "
        f"operate deploy notes/staging --digest {OTHER} --reason ... --replace. To end it first: "
        "operate cancel notes-staging-1",
    )
    return None


def test_a_deployment_serves_no_request_that_says_another_thing_of_the_schema() -> None:
    waiting = deployment(phase=Phase.AWAITING_APPROVAL, schema_at="0002")

    assert [door.is_serving(waiting, NEW, at) for at in (None, "0002", "0001")] == [
        True,
        True,
        False,
    ]
    door.refuse_to_replace(waiting, NEW, "0002")
    with pytest.raises(Rejected, match="--replace --schema-at 0001"):
        door.refuse_to_replace(waiting, NEW, "0001")


def test_a_request_replaces_nothing_on_a_lane_that_nobody_has_used() -> None:
    door.refuse_to_replace(None, OTHER)


@pytest.mark.parametrize(
    ("where", "digest", "reason"),
    [
        (LANE, OLD, Reason.UNCHANGED),
        # Another release is taking its place.
        (LANE.model_copy(update={"holder": "notes-staging-2"}), OLD, None),
        # Another release waits: the push asks for what is there.
        (lane(OTHER), OLD, Reason.UNCHANGED),
        (LANE.with_bad(NEW, "notes-staging-1"), NEW, Reason.DIGEST_BAD),
        (LANE.with_bad(OTHER, "notes-staging-1"), NEW, None),
        (LANE, NEW, None),
        (Lane(application="notes", environment="staging"), NEW, None),
    ],
)
def test_a_digest_that_is_pushed_again_starts_unless_it_is_live_or_bad(
    where: Lane, digest: str, reason: Reason | None
) -> None:
    if reason is None:
        return door.refuse_repeated(digest, where)

    with pytest.raises(Rejected) as refusal:
        door.refuse_repeated(digest, where)
    assert refusal.value.reason is reason
    assert f"operate deploy notes/staging --digest {digest}" in refusal.value.message
    return None


@pytest.mark.parametrize(
    ("digest", "proven", "told"),
    [
        (NEW, (OLD, NEW), "moved back from sha256:a1a1a1a1a1a1 to sha256:b2b2b2b2b2b2"),
        (NEW, (OLD,), None),
        (OLD, (OLD, NEW), None),
    ],
)
def test_a_tag_that_moved_back_to_an_earlier_release_is_told(
    digest: str, proven: tuple[str, ...], told: str | None
) -> None:
    where = LANE.model_copy(update={"proven": proven})

    assert door.move_back_note(release(digest), where) == told
    assert door.move_back_note(release(digest), where.model_copy(update={"stable": None})) is None
