"""The contract of Records, kept by the table and by the fake that stands for it."""

from datetime import UTC, datetime, timedelta

import pytest

from slipway.adapters.records import DynamoDBRecords
from slipway.domain.deployment import Phase
from slipway.domain.errors import Reason, Rejected, Transient
from slipway.domain.lane import DatabaseSlot, Lane
from slipway.domain.notice import SLACK, MessagePlace, Notice
from slipway.domain.outcome import Outcome
from slipway.domain.seen import SeenTags
from slipway.ports.records import Admission, Fence, Records
from tests.builders.documents import a_deployment, an_approval, an_entry
from tests.builders.fakes.records import InMemoryRecords
from tests.integration.adapters.conftest import TABLE

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
HELD = Fence(lane_id="notes/staging", deployment_id="notes-staging-1", fencing=1)


@pytest.fixture(params=["in-memory", "dynamodb"])
def records(request: pytest.FixtureRequest) -> Records:
    if request.param == "in-memory":
        return InMemoryRecords()
    return DynamoDBRecords(request.getfixturevalue("dynamodb"), TABLE)


@pytest.fixture
def held(records: Records) -> Records:
    """Records in which notes-staging-1 holds its lane."""
    _, taken = records.lane("notes", "staging").enter("notes-staging-1")
    records.write([a_deployment(), taken])
    return records


def test_what_was_written_is_read_again_one_version_on(records: Records) -> None:
    deployment, approval = a_deployment(), an_approval("notes-staging-1")
    lane = Lane(application="notes", environment="staging", bad_digests={"sha256:b": "x"})
    slot = DatabaseSlot(database_id="rds:notes", holder="notes-staging-1")
    slack = Notice(deployment_id="notes-staging-1", place=MessagePlace(channel="C1", message="1.0"))
    other = Notice(deployment_id="notes-staging-1", destination="pager").confirmed("Failed")

    records.write([deployment, approval, lane, slot, slack, other])

    one = {"version": 1}
    assert records.deployment("notes-staging-1") == deployment.model_copy(update=one)
    assert records.approval("notes-staging-1") == approval.model_copy(update=one)
    assert records.lane("notes", "staging") == lane.model_copy(update=one)
    assert records.database_slot("rds:notes") == slot.model_copy(update=one)
    assert records.notice("notes-staging-1", SLACK) == slack.model_copy(update=one)
    assert records.notice("notes-staging-1", "pager") == other.model_copy(update=one)


ID = "notes-staging-1"


def a_lane(next_number: int) -> Lane:
    """A lane that has counted its deployments."""
    return Lane(application="notes", environment="staging", next_number=next_number)


def test_what_was_never_written_is_new_or_absent(records: Records) -> None:
    assert records.lane("notes", "staging") == Lane(application="notes", environment="staging")
    assert records.database_slot("rds:notes") == DatabaseSlot(database_id="rds:notes")
    fresh = Notice(deployment_id="notes-staging-1", destination="pager")
    assert records.notice("notes-staging-1", "pager") == fresh
    assert records.approval("notes-staging-1") is None
    assert records.admission("push-1") is None
    assert records.evidence("notes-staging-1") == []
    assert records.recent(Lane(application="notes", environment="staging"), 5) == []
    assert records.unsettled() == []


def test_an_unknown_deployment_is_rejected(records: Records) -> None:
    with pytest.raises(Rejected) as refused:
        records.deployment("notes-staging-9")

    assert refused.value.reason is Reason.DEPLOYMENT_UNKNOWN


def test_of_two_writers_over_one_version_the_second_has_to_read_again(records: Records) -> None:
    records.write([a_deployment()])
    read = records.deployment("notes-staging-1")
    records.write([read.at(Phase.DEPLOYING)])

    with pytest.raises(Transient) as refused:
        records.write([read.at(Phase.SETTLED)])

    assert refused.value.reason is Reason.RECORD_MOVED
    assert records.deployment("notes-staging-1").phase is Phase.DEPLOYING


def test_a_document_is_created_only_once(records: Records) -> None:
    records.write([a_deployment()])

    with pytest.raises(Transient) as refused:
        records.write([a_deployment()])

    assert refused.value.reason is Reason.RECORD_MOVED


def test_a_refused_write_leaves_nothing_behind(records: Records) -> None:
    records.write([a_deployment()])

    with pytest.raises(Transient):
        records.write(
            [a_deployment(), a_deployment(2)],
            evidence=[an_entry("notes-staging-1", 1)],
            admission=Admission(admission_id="push-1", deployment_id="notes-staging-2"),
        )

    assert [one.number for one in records.recent(a_lane(9), 9)] == [1]
    assert records.evidence("notes-staging-1") == []
    assert records.admission("push-1") is None


def test_evidence_is_appended_in_order_and_never_written_over(records: Records) -> None:
    entries = [an_entry("notes-staging-1", number) for number in range(1, 12)]
    records.write([], evidence=entries[5:])
    records.write([], evidence=entries[:5])

    with pytest.raises(Transient) as refused:
        records.write([], evidence=[an_entry("notes-staging-1", 3)])

    assert refused.value.reason is Reason.RECORD_MOVED
    read = [one.model_copy(update={"stored_hash": ""}) for one in records.evidence(ID)]
    assert read == entries


def test_one_wish_is_admitted_once(records: Records) -> None:
    first = Admission(admission_id="push-1", deployment_id="notes-staging-1")
    records.write([], admission=first)

    with pytest.raises(Transient) as refused:
        records.write([], admission=Admission(admission_id="push-1", deployment_id="other"))

    assert refused.value.reason is Reason.RECORD_MOVED
    assert records.admission("push-1") == first


def test_the_newest_deployments_of_a_lane_come_first(records: Records) -> None:
    for number in (2, 10, 9):
        records.write([a_deployment(number)])
    records.write([a_deployment(11, environment="production")])

    assert [one.number for one in records.recent(a_lane(11), 2)] == [10, 9]


def test_only_deployments_without_an_outcome_are_unsettled(records: Records) -> None:
    records.write([a_deployment(2), a_deployment(1), a_deployment(3, outcome=Outcome.SUCCEEDED)])
    settled = records.deployment("notes-staging-2")
    records.write([settled.model_copy(update={"outcome": Outcome.FAILED})])

    assert [one.deployment_id for one in records.unsettled()] == ["notes-staging-1"]


def test_the_holder_of_a_lane_writes_under_its_fence(held: Records) -> None:
    deployment = held.deployment("notes-staging-1").at(Phase.DEPLOYING)

    held.write([deployment], fence=HELD)

    assert held.deployment("notes-staging-1").phase is Phase.DEPLOYING


@pytest.mark.parametrize(
    "fence",
    [
        HELD.model_copy(update={"deployment_id": "notes-staging-2"}),
        HELD.model_copy(update={"fencing": 2}),
        HELD.model_copy(update={"lane_id": "notes/production"}),
    ],
    ids=["another holder", "another fencing number", "a lane that nobody ever took"],
)
def test_a_fence_that_does_not_hold_stops_the_write(held: Records, fence: Fence) -> None:
    with pytest.raises(Rejected) as refused:
        held.write([held.deployment("notes-staging-1").at(Phase.DEPLOYING)], fence=fence)

    assert refused.value.reason is Reason.LANE_LOST
    assert held.deployment("notes-staging-1").phase is Phase.PLANNING


def test_the_holder_frees_its_lane_under_the_lanes_own_fence(held: Records) -> None:
    lane = held.lane("notes", "staging")

    held.write([lane.leave("notes-staging-1")], fence=HELD)

    assert held.lane("notes", "staging").holder is None


def test_whoever_lost_the_lane_cannot_write_the_lane(held: Records) -> None:
    held.write([held.lane("notes", "staging").leave("notes-staging-1")])
    free = held.lane("notes", "staging")

    with pytest.raises(Rejected) as refused:
        held.write([free.model_copy(update={"next_number": 7})], fence=HELD)

    assert refused.value.reason is Reason.LANE_LOST


def test_a_lane_that_moved_under_its_holder_is_read_again_and_not_lost(held: Records) -> None:
    stale = held.lane("notes", "staging")
    held.write([stale.model_copy(update={"next_number": 7})])

    with pytest.raises(Transient) as refused:
        held.write([stale.leave("notes-staging-1")], fence=HELD)

    assert refused.value.reason is Reason.RECORD_MOVED


def test_many_are_read_at_once_without_those_that_are_not_there(records: Records) -> None:
    records.write([a_deployment(1), Lane(application="notes", environment="staging", fencing=7)])
    records.write([DatabaseSlot(database_id="rds:notes", holder="notes-staging-1")])
    records.write([], admission=Admission(admission_id="push:1", deployment_id="notes-staging-1"))
    records.write([], admission=Admission(admission_id="push:3", deployment_id=""))
    seen = SeenTags(repository="notes", until=NOW)
    records.write([seen])

    twice = ["notes-staging-1", "notes-staging-9", "notes-staging-1"]
    assert [one.deployment_id for one in records.deployments(twice)] == ["notes-staging-1"]
    lanes = records.lanes(["notes/production", "notes/staging"])
    assert [(one.lane_id, one.fencing, one.version) for one in lanes] == [
        ("notes/production", 0, 0),
        ("notes/staging", 7, 1),
    ]
    slots = records.database_slots(["rds:notes", "rds:other"])
    assert [(one.database_id, one.holder) for one in slots] == [("rds:notes", "notes-staging-1")]
    assert records.admitted(["push:1", "push:2", "push:3"]) == {"push:1"}
    assert records.seen_tags(["notes", "other"]) == [seen.model_copy(update={"version": 1})]
    assert (records.deployments([]), records.admitted([])) == ([], frozenset())


def test_more_than_a_hundred_are_read(records: Records) -> None:
    for number in range(1, 131):
        records.write([a_deployment(number)])

    found = records.deployments([f"notes-staging-{number}" for number in range(1, 141)])

    assert sorted(one.number for one in found) == list(range(1, 131))


def test_what_several_destinations_lack_is_found_of_each(records: Records) -> None:
    names = (SLACK, "pager", "mail")
    notices = [Notice(deployment_id="notes-staging-1", destination=name) for name in names]
    records.write([one.refused("Failed", NOW) for one in notices[:2]])
    records.write([notices[2].confirmed("Failed")])

    found = records.untold(NOW - timedelta(days=1))

    assert {(one.deployment_id, one.destination) for one in found} == {
        ("notes-staging-1", SLACK),
        ("notes-staging-1", "pager"),
    }


def test_what_slack_refused_is_found_until_it_is_told_or_old(records: Records) -> None:
    fresh, old = Notice(deployment_id="notes-staging-1"), Notice(deployment_id="notes-staging-2")
    records.write([fresh.refused("Failed", NOW), old.refused("Failed", NOW - timedelta(days=2))])
    records.write([Notice(deployment_id="notes-staging-3").confirmed("Failed")])

    since = NOW - timedelta(days=1)
    assert [one.deployment_id for one in records.untold(since)] == ["notes-staging-1"]
    assert records.unsettled() == []

    records.write([records.notice("notes-staging-1", SLACK).claimed("Failed")])
    assert records.untold(since) == []
