"""Admit: one wish, one deployment, one execution, however often it is told."""

from datetime import timedelta

import pytest

from slipway.domain.deployment import Origin, Phase
from slipway.domain.errors import Reason, Rejected, Transient
from slipway.domain.lane import Candidate
from slipway.ports.records import Admission
from slipway.requests.admit import AdmitResult
from tests.builders.crashes import Crash, Crashes
from tests.builders.documents import NEW, OTHER, START, release, stable, wish
from tests.builders.worlds import World

REQUEST = '{"deployment_id":"notes-staging-1","lane":"notes/staging"}'


def admitted(number: int = 1, *, new: bool = True) -> AdmitResult:
    return AdmitResult(deployment_id=f"notes-staging-{number}", lane="notes/staging", new=new)


def test_a_wish_becomes_a_numbered_deployment_and_the_lanes_newest_candidate() -> None:
    world = World()

    assert world.admit() == admitted()
    assert world.deployment.model_dump(exclude_defaults=True, exclude={"evidence_hash"}) == {
        "version": 1,
        "deployment_id": "notes-staging-1",
        "application": "notes",
        "environment": "staging",
        "number": 1,
        "origin": Origin.PUSH,
        "requested_by": "push of notes:v2",
        "requested_at": START,
        "release": release().model_dump(),
        "evidence_count": 1,
    }
    assert world.deployment.phase is Phase.PLANNING
    assert world.lane.newest == Candidate(
        deployment_id="notes-staging-1", order=START, digest=NEW, explicit=False
    )
    assert world.executions.started == {"notes-staging-1": REQUEST}
    assert world.told == ["admitted"]
    assert world.announcements.published == []


def test_the_reason_that_a_person_gave_is_in_the_record() -> None:
    world = World()

    world.admit(wish("request:1", requested_by="ada", reason="It cannot wait.", explicit=True))

    assert world.evidence[0].message == "v2 (sha256:b2b2b2b2b2b2) by ada: It cannot wait."
    assert world.deployment.reason == "It cannot wait."


def test_a_secret_in_a_reason_is_not_kept() -> None:
    world = World()

    world.admit(wish("request:1", reason="try redis://:CANARY@cache", explicit=True))

    assert world.deployment.reason == "try redis://***@cache"
    assert "CANARY" not in str(world.records._stored)


def test_the_same_wish_again_finds_its_deployment() -> None:
    world = World()
    world.admit()
    before = world.deployment, world.lane

    assert world.admit() == admitted(new=False)
    assert (world.deployment, world.lane) == before
    assert world.executions.started == {"notes-staging-1": REQUEST}


def test_a_newer_wish_tells_the_one_that_waits() -> None:
    world = World()
    world.admit()
    newer = wish("push:2", release=release(OTHER, "v3", START + timedelta(minutes=1)))

    assert world.admit(newer) == admitted(2)
    assert world.lane.superseded_by("notes-staging-1") == "notes-staging-2"
    assert world.announcements.published == [
        (
            "Candidate Admitted",
            {
                "lane": "notes/staging",
                "deployment_id": "notes-staging-1",
                "newer": "notes-staging-2",
            },
        )
    ]


def test_an_older_push_that_comes_late_does_not_go_over_a_newer_one() -> None:
    world = World()
    world.admit()

    late = wish("push:0", release=release(OTHER, "v1.9", START - timedelta(hours=1)))
    world.admit(late)

    assert world.lane.superseded_by("notes-staging-2") == "notes-staging-1"
    assert set(world.executions.started) == {"notes-staging-1", "notes-staging-2"}


def test_a_persons_request_for_an_older_image_goes_over_a_newer_one() -> None:
    world = World()
    world.admit()

    old = release(OTHER, "v1", START - timedelta(days=30))
    asked = wish("request:1", release=old, explicit=True, origin=Origin.REQUEST, replace=True)
    world.admit(asked)

    assert world.lane.superseded_by("notes-staging-1") == "notes-staging-2"


def test_a_candidate_that_is_live_already_is_not_told_of_a_newer_one() -> None:
    world = World()
    world.admit()
    world.rewrite_lane(stable=stable(deployment_id="notes-staging-1"))

    world.admit(wish("push:2", release=release(OTHER, "v3", START + timedelta(minutes=1))))

    assert world.announcements.published == []


def test_an_environment_that_the_catalog_does_not_know_is_refused_and_nothing_is_written() -> None:
    world = World()

    with pytest.raises(Rejected) as refused:
        world.admit(wish(environment="mars"))
    assert str(refused.value) == (
        "LaneUnknown: The catalog has no notes/mars (known: notes/staging, notes/production)."
    )
    assert world.executions.started == {}
    assert world.records.unsettled() == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(5))
def test_a_try_that_died_is_made_good_by_the_next_delivery(call: int, after: bool) -> None:
    world = World()
    world.crashes = Crashes(call, after=after)

    with pytest.raises(Crash):
        world.admit()
    world.crashes = Crashes()
    result = world.admit()

    assert result.deployment_id == "notes-staging-1"
    assert world.executions.started == {"notes-staging-1": REQUEST}
    assert (world.lane.next_number, len(world.records.unsettled())) == (2, 1)


def test_whoever_loses_the_race_for_the_lane_looks_again() -> None:
    world = World()
    read = world.records.lane

    def overtaken(application: str, environment: str):  # type: ignore[no-untyped-def]
        lane = read(application, environment)
        world.records.lane = read  # type: ignore[method-assign]
        world.admit(wish("push:2", release=release(OTHER, "v3")))
        return lane

    world.records.lane = overtaken  # type: ignore[method-assign]

    assert world.admit() == admitted(2)
    assert [one.deployment_id for one in world.records.recent(world.lane, 9)] == [
        "notes-staging-2",
        "notes-staging-1",
    ]


def test_a_lane_that_is_never_free_to_write_is_tried_again_later() -> None:
    world = World()

    def refuse(*args: object, **named: object) -> None:
        raise Transient(Reason.RECORD_MOVED, "moved")

    world.records.write = refuse  # type: ignore[method-assign]

    with pytest.raises(Transient) as busy:
        world.admit()
    assert str(busy.value) == "RecordMoved: push:1: too many concurrent writes to the lane."


def test_fifty_pushes_get_fifty_numbers() -> None:
    world = World()
    for number in range(50):
        pushed_at = START + timedelta(seconds=number)
        pushed = release(f"sha256:{number:064x}", pushed_at=pushed_at)
        world.admit(wish(f"push:{number}", release=pushed))

    newest = world.lane.newest
    assert newest is not None
    assert newest.deployment_id == "notes-staging-50"
    assert len({one.number for one in world.records.recent(world.lane, 99)}) == 50


def test_an_admission_is_kept_with_the_wish() -> None:
    world = World()
    world.admit()

    assert world.records.admission("push:1") == Admission(
        admission_id="push:1", deployment_id="notes-staging-1"
    )
