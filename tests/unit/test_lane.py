"""A lane takes one deployment at a time, the newest wish wins, and it remembers what it saw."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.domain.errors import Rejected
from slipway.domain.lane import Candidate, DatabaseSlot, EnterResult, Hold, Lane
from tests.builders.documents import NEW, OLD, OTHER, START, stable

LANE = Lane(application="notes", environment="staging")
REQUEST = f"operate deploy notes/staging --digest {NEW} --reason ..."
HOLD = Hold(reason="RolledBack", message="/health answered 500.", by="notes-staging-1", since=START)


def candidate(
    deployment_id: str = "notes-staging-1", order: datetime = START, *, explicit: bool = False
) -> Candidate:
    return Candidate(deployment_id=deployment_id, order=order, digest=NEW, explicit=explicit)


def refusal(lane: Lane, *, deployment_id: str = "notes-staging-1", explicit: bool = False) -> str:
    with pytest.raises(Rejected) as refused:
        lane.refuse(deployment_id, NEW, explicit=explicit)
    return str(refused.value)


def test_every_attempt_gets_the_next_number() -> None:
    lane = LANE.with_candidate(candidate())

    assert LANE.next_deployment_id() == "notes-staging-1"
    assert lane.next_deployment_id() == "notes-staging-2"


def test_a_newer_push_replaces_the_waiting_one() -> None:
    lane = LANE.with_candidate(candidate())
    lane = lane.with_candidate(candidate("notes-staging-2", START + timedelta(seconds=1)))

    assert refusal(lane) == (
        "Superseded: notes-staging-2 is newer and replaces this deployment. To deploy this release "
        f"anyway, request it: {REQUEST}"
    )
    lane.refuse("notes-staging-2", NEW, explicit=False)


def test_an_older_push_that_arrives_late_is_counted_but_is_not_the_newest() -> None:
    lane = LANE.with_candidate(candidate())
    late = lane.with_candidate(candidate("notes-staging-2", START - timedelta(seconds=1)))

    assert late.newest == candidate()
    assert late.next_number == 3


def test_an_explicit_wish_goes_over_a_newer_push() -> None:
    lane = LANE.with_candidate(candidate())
    old = candidate("notes-staging-2", START - timedelta(days=30), explicit=True)

    assert lane.with_candidate(old).newest == old


def test_a_held_lane_refuses_automation_and_names_who_holds_it_and_why() -> None:
    held = LANE.model_copy(update={"hold": HOLD})

    assert refusal(held) == (
        "Held: notes/staging has been on hold since 2026-11-21 09:00Z by notes-staging-1: "
        "/health answered 500. To go on, lift the hold (operate lift notes/staging) or request "
        f"this release ({REQUEST})."
    )


def test_a_held_lane_lets_an_explicit_wish_through() -> None:
    held = LANE.model_copy(update={"hold": HOLD, "bad_digests": {NEW: "notes-staging-1"}})

    held.refuse("notes-staging-2", NEW, explicit=True)


def test_an_explicit_wish_is_superseded_like_any_other() -> None:
    newer = LANE.with_candidate(candidate("notes-staging-9"))

    assert refusal(newer, explicit=True).startswith("Superseded: notes-staging-9")


def test_a_bad_digest_stays_refused_after_the_hold_was_lifted() -> None:
    lane = LANE.with_bad(NEW, "notes-staging-1").held(HOLD)
    lane = lane.lifted("ada", START)

    assert lane.hold is None
    assert refusal(lane, deployment_id="notes-staging-2") == (
        "DigestBad: sha256:b2b2b2b2b2b2 failed here in notes-staging-1 and is not deployed "
        f"again by automation. To try it again, request it: {REQUEST}"
    )


def test_an_explicit_success_ends_the_hold_and_clears_its_own_digest_only() -> None:
    failed = LANE.with_bad(NEW, "notes-staging-1").with_bad(OTHER, "notes-staging-2").held(HOLD)

    good = failed.with_stable(stable(digest=NEW), explicit=True)

    assert (good.hold, good.bad_digests) == (None, {OTHER: "notes-staging-2"})
    assert good.stable == stable(digest=NEW)


def test_the_lane_remembers_who_held_it_and_who_ended_the_hold() -> None:
    later = START + timedelta(hours=1)
    by_hand = Hold(reason="ByHand", message="incident", by="ada", since=later)

    lane = LANE.held(HOLD).lifted("grace", later, "looked at it").held(by_hand)
    lane = lane.with_stable(stable(deployment_id="notes-staging-2"), explicit=True)

    assert [(one.what, one.by, one.at, one.message) for one in lane.hold_history] == [
        ("lifted", "notes-staging-2", START - timedelta(days=1), "It succeeded."),
        ("held", "ada", later, "incident"),
        ("lifted", "grace", later, "looked at it"),
        ("held", "notes-staging-1", START, "/health answered 500."),
    ]


def test_a_hold_that_came_while_a_deployment_was_under_way_outlives_its_success() -> None:
    assert LANE.held(HOLD).with_stable(stable(), explicit=False).hold == HOLD


def test_a_lane_that_is_not_held_has_nothing_to_lift() -> None:
    assert LANE.lifted("ada", START) == LANE
    assert LANE.with_stable(stable(), explicit=True).hold_history == ()


def test_the_lane_remembers_the_last_twenty_changes_in_few_words() -> None:
    lane = LANE
    for number in range(30):
        lane = lane.held(HOLD.model_copy(update={"by": f"a-{number}", "message": "x" * 1000}))

    assert [change.by for change in lane.hold_history] == [f"a-{n}" for n in range(29, 9, -1)]
    assert {len(change.message) for change in lane.hold_history} == {300}
    assert lane.hold is not None
    assert len(lane.hold.message) == 1000


def test_a_free_lane_is_taken_with_the_next_fencing_number() -> None:
    entry, taken = LANE.model_copy(update={"fencing": 4}).enter("notes-staging-1")

    assert (entry, taken.holder, taken.fencing) == (EnterResult.TAKEN, "notes-staging-1", 5)


def test_taking_a_lane_again_changes_nothing() -> None:
    _, taken = LANE.enter("notes-staging-1")

    assert taken.enter("notes-staging-1") == (EnterResult.TAKEN, taken)


def test_a_taken_lane_is_busy_for_everybody_else() -> None:
    _, taken = LANE.enter("notes-staging-1")

    assert taken.enter("notes-staging-2") == (EnterResult.BUSY, taken)


def test_only_the_holder_frees_the_lane() -> None:
    _, taken = LANE.enter("notes-staging-1")

    assert taken.leave("notes-staging-2") == taken
    assert taken.leave("notes-staging-1").holder is None


def test_the_last_fifty_good_digests_are_remembered_newest_first() -> None:
    digests = [f"sha256:{number:064x}" for number in range(60)]

    lane = LANE
    for digest in digests:
        lane = lane.with_stable(stable(digest=digest), explicit=False)

    assert lane.proven == tuple(reversed(digests[10:]))


def test_a_digest_that_succeeds_again_is_remembered_once() -> None:
    lane = LANE
    for digest in (OLD, NEW, OLD):
        lane = lane.with_stable(stable(digest=digest), explicit=False)

    assert lane.proven == (OLD, NEW)


_MOVES = st.lists(
    st.tuples(st.sampled_from(["enter", "leave"]), st.sampled_from(["a-1", "a-2", "a-3"])),
    max_size=30,
)


@given(_MOVES)
def test_fencing_never_goes_back_and_a_new_holder_always_has_a_new_number(
    moves: list[tuple[str, str]],
) -> None:
    lane, given_to = LANE, dict[int, str]()
    for move, who in moves:
        before = lane
        lane = lane.enter(who)[1] if move == "enter" else lane.leave(who)

        assert lane.fencing >= before.fencing
        if lane.holder is not None:
            assert given_to.setdefault(lane.fencing, lane.holder) == lane.holder
        if before.holder not in (None, lane.holder):
            assert (move, who, lane.holder) == ("leave", before.holder, None)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=12))
def test_the_newest_is_the_last_explicit_wish_or_whatever_was_pushed_after_it(
    pushes: list[tuple[int, bool]],
) -> None:
    lane, expected = LANE, None
    for minutes, explicit in pushes:
        order = START + timedelta(minutes=minutes)
        wanted = candidate(lane.next_deployment_id(), order, explicit=explicit)
        lane = lane.with_candidate(wanted)
        if expected is None or explicit or order >= expected.order:
            expected = wanted

        assert lane.newest == expected
    assert lane.next_number == len(pushes) + 1


def test_a_database_is_migrated_by_one_deployment_at_a_time() -> None:
    entry, taken = DatabaseSlot(database_id="rds:notes").enter("notes-staging-1")

    assert (entry, taken.holder) == (EnterResult.TAKEN, "notes-staging-1")
    assert taken.enter("notes-staging-1") == (EnterResult.TAKEN, taken)
    assert taken.enter("shop-staging-4") == (EnterResult.BUSY, taken)
    assert taken.leave("shop-staging-4") == taken
    assert taken.leave("notes-staging-1").holder is None


BY_HAND = Hold(reason="ByHand", message="incident 42", by="ada", since=START)
FAILED = Hold(
    reason="NeedsOperator",
    message="The schema has moved.",
    by="notes-staging-7",
    since=START + timedelta(hours=1),
)


@pytest.mark.parametrize("first", [BY_HAND, FAILED])
def test_a_second_hold_by_hand_keeps_the_first_and_is_remembered(first: Hold) -> None:
    again = Hold(reason="ByHand", message="me too", by="grace", since=START + timedelta(hours=2))

    lane = LANE.held(first).held(again)

    assert lane.hold == first
    assert [one.by for one in lane.hold_history] == ["grace", first.by]


def test_what_a_deployment_ended_with_does_not_lose_the_hold_that_it_went_over() -> None:
    later = HOLD.model_copy(update={"since": START + timedelta(hours=2)})
    lane = LANE.held(BY_HAND).held(FAILED).held(later)

    assert lane.hold is not None
    assert lane.hold == later.model_copy(update={"earlier": BY_HAND})
    assert lane.hold.began == START
    told = refusal(lane)
    assert "by notes-staging-1: /health answered 500." in told
    assert "(before that since 2026-11-21 09:00Z by ada: incident 42)" in told
    assert lane.lifted("ada", START).hold is None


def test_a_hold_of_a_deployment_alone_has_none_before_it() -> None:
    assert LANE.held(FAILED).hold == FAILED
    assert FAILED.began == FAILED.since


def test_a_hold_that_an_older_slipway_stored_is_read() -> None:
    stored = (
        '{"application":"notes","environment":"staging","hold":{"reason":"ByHand",'
        '"message":"incident 42","by":"ada","since":"2026-11-21T09:00:00Z"}}'
    )

    assert Lane.model_validate_json(stored).hold == BY_HAND


def test_what_is_asked_for_once_more_is_newer_and_stays_what_a_person_asked_for() -> None:
    later = START + timedelta(minutes=1)
    lane = LANE.with_candidate(candidate())

    assert lane.wanted_again(later, explicit=True).newest == candidate(order=later, explicit=True)
    assert lane.wanted_again(START - timedelta(days=1), explicit=False) == lane
    assert LANE.wanted_again(later, explicit=True) == LANE
