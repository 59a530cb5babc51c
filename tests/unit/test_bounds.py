"""No document of a lane or a deployment passes 64 KB, whatever comes from outside.

DynamoDB refuses an item of more than 400 KB; a lane that has grown past it takes no write any more.
Texts are as hostile as they may be: the widest characters, control characters, and no end.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from slipway.catalog_build.rules import MOST_BYTES
from slipway.domain.approval import Answer
from slipway.domain.catalog import Catalog
from slipway.domain.deployment import Deployment
from slipway.domain.evidence import Evidence, Note
from slipway.domain.failure import Failure
from slipway.domain.lane import Candidate, Hold, Lane
from slipway.domain.outcome import Outcome
from slipway.domain.release import COMPATIBLE_LABEL, REVISION_LABEL, SCHEMA_LABEL, VERSION_LABEL
from slipway.domain.what import What
from slipway.journal import Journal
from slipway.requests.cancel import cancel
from slipway.requests.lift import hold, lift
from tests.builders.documents import NEW, START, environment, image, release, stable, wish
from tests.builders.worlds import World, caught

LIMIT = 64_000
WIDE, QUOTES, CONTROL, LINES = "\U0001f6a2", '"\\', "\x1b\u202e\x00", "a\n"
# Half of a surrogate pair is JSON, but no UTF-8.
HALF = "\ud800"
HOSTILE = [WIDE, QUOTES, CONTROL, LINES, HALF, "://a:"]


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def longest(text: str, length: int) -> str:
    """As long as a label or tag may be; what reads those takes no half of a pair."""
    return (text * length)[:length].encode(errors="replace").decode()


def size(document: BaseModel) -> int:
    """What DynamoDB counts: the text's bytes in UTF-8."""
    return len(document.model_dump_json().encode())


def largest(world: World) -> int:
    """The largest document that is stored."""
    return max(len(stored.encode()) for stored in world.records._stored.values())


class Labelled(World):
    """A world whose image carries every label that is read, as long as the registry lets it."""

    def __init__(self, text: str) -> None:
        names = (VERSION_LABEL, REVISION_LABEL, SCHEMA_LABEL, COMPATIBLE_LABEL)
        labels = {name: longest(text, 128) for name in names}
        super().__init__(pushed=image(**labels), last_good=stable(version=labels[VERSION_LABEL]))


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_lane_with_everything_at_its_longest_stays_small(text: str) -> None:
    long = text * 100_000
    lane = Lane(application="a" * 24, environment="b" * 24)
    for number in range(4_000):
        lane = lane.with_bad(digest(number), f"{'a' * 24}-{'b' * 24}-{number}")
    for number in range(60):
        lane = lane.with_stable(
            stable(digest=digest(number), version=longest(text, 128)), explicit=False
        )
    for reason in ("ByHand", "RolledBack", "NeedsOperator", "ByHand") * 20:
        lane = lane.held(Hold(reason=reason, message=long, by=long, since=START))
    for number in range(60):
        lane = lane.with_candidate(
            Candidate(deployment_id=f"notes-staging-{number}", order=START, digest=digest(number))
        )

    assert size(lane) < LIMIT
    assert len(lane.bad_digests) == 100
    assert Lane.model_validate_json(lane.model_dump_json()) == lane


def test_a_lane_that_has_grown_too_large_shrinks_when_it_is_read() -> None:
    marked = {digest(number): f"notes-staging-{number}" for number in range(4_000)}
    stored = {"application": "notes", "environment": "staging", "bad_digests": marked}

    lane = Lane.model_validate_json(json.dumps(stored))

    assert list(lane.bad_digests) == [digest(number) for number in range(3_900, 4_000)]


def test_the_digests_that_failed_last_are_remembered() -> None:
    lane = Lane(application="notes", environment="staging").with_bad(digest(1), "notes-staging-1")
    for number in range(2, 101):
        lane = lane.with_bad(digest(number), f"notes-staging-{number}")
    # It failed once more, so it is the last.
    lane = lane.with_bad(digest(1), "notes-staging-101").with_bad(digest(200), "notes-staging-102")

    assert digest(2) not in lane.bad_digests
    assert lane.bad_digests[digest(1)] == "notes-staging-101"
    assert len(lane.bad_digests) == 100


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_no_document_of_a_hostile_story_grows_large(text: str) -> None:
    long = text * 100_000
    world = Labelled(text)
    tag = longest(text, 300)
    pushed = release().model_copy(update={"tag": tag, "repository": "a" * 256})
    world.registry.images |= {("a" * 256, NEW): world.pushed}
    world.catalog = _fed_by("a" * 256)
    world.admit(wish(release=pushed, requested_by=long, reason=long))
    world.plan()
    world.enter()
    hold("notes", "staging", by=long, message=long, records=world.records, now=world.now)
    journal = Journal(world.records, world.now)
    cancel("notes-staging-1", by=long, journal=journal, announcements=world.announcements)
    world.deployment_id = "notes-staging-1"
    progress = world.deployment.progress.awaiting(long)
    found = world.deployment.having(progress.with_looks(progress.looks.wanting(long)))
    data: dict[str, Any] = {"log": [long[:500]] * 2000, "deep": {long[:50]: [[long]]}}
    note = Note(what=What.PLANNED, reason=long, message=long, data=data)
    Journal(world.records, START).write(found, note)
    told = caught(long, long, f"ReleaseUnhealthy: {long}")
    world.settle(
        cause=told, failure=caught("Rollback", "Broken", json.dumps({"errorMessage": long}))
    )

    assert world.deployment.outcome in (Outcome.NEEDS_OPERATOR, Outcome.FAILED)
    assert largest(world) < LIMIT
    assert world.chain_errors() == []
    lift("notes", "staging", by=long, records=world.records, now=world.now)


def _fed_by(repository: str) -> Catalog:
    world = World(environment(push={"repository": repository, "tags": ["*"]}))
    return world.catalog


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_failure_is_bounded_and_read_quickly(text: str) -> None:
    long = text * 200_000

    failure = Failure.parsed(long, long, f"ReleaseUnhealthy: {long}")

    assert (failure.reason, len(failure.message)) == ("ReleaseUnhealthy", 2000)
    assert size(failure) < 16_000
    assert size(Failure.parsed("Verify", "Broken", json.dumps({"errorMessage": long}))) < 16_000


_TEXT = st.text(max_size=50)
_DATA = st.recursive(
    st.none() | st.integers() | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
)


@given(
    st.lists(st.tuples(_TEXT, _TEXT, st.integers(1, 40_000), _DATA), max_size=5),
)
def test_no_entry_of_a_record_grows_large_and_every_chain_is_whole(
    notes: Sequence[tuple[str, str, int, Any]],
) -> None:
    world = World()
    world.admit()
    for reason, message, times, data in notes:
        note = Note(
            what=What.PLANNED,
            reason=reason,
            message=message * times,
            data={"found": data, "text": message * times},
        )
        Journal(world.records, START).write(world.deployment, note)

    assert largest(world) < LIMIT
    assert world.chain_errors() == []


def test_the_facts_of_an_entry_stay_as_they_are_where_they_are_not_too_many() -> None:
    world = World()
    world.admit()
    facts = {"log": ["a line " * 50] * 20, "number": 7}
    Journal(world.records, START).write(world.deployment, Note(what="planned", data=facts))

    assert world.evidence[-1].data == facts


def test_an_entry_that_an_older_slipway_wrote_is_read_as_it_stands() -> None:
    entry = Evidence(
        deployment_id="a-b-1",
        number=1,
        at=START,
        what="planned",
        reason="",
        message="m" * 9_000,
        data={"log": ["x" * 9_000]},
        previous_hash="",
    ).sealed()

    assert Evidence.model_validate_json(entry.model_dump_json()).expected_hash() == entry.hash


def test_a_plan_with_settings_and_labels_at_their_longest_stays_small() -> None:
    world = Labelled(WIDE)
    approvers = [f"{WIDE * 20}{number}" for number in range(600)]
    world.settings = environment(approval={"approvers": approvers})
    assert len(world.settings.model_dump_json()) > MOST_BYTES
    world.catalog = World(world.settings).catalog
    world.admit()
    world.plan()
    world.approve()
    world.decide(Answer.APPROVE, by=approvers[0], comment=(WIDE * 500))

    assert isinstance(world.deployment, Deployment)
    assert largest(world) < LIMIT


def test_a_thousand_looks_at_a_wait_leave_the_deployment_small() -> None:
    world = World().entered()
    for number in range(1000):
        world.now += timedelta(seconds=1)
        world.rewrite(progress=world.deployment.acting(world.now).progress)
        if number % 100 == 0:
            assert size(world.deployment) < LIMIT
