"""A notice per destination: each is told at most once, and none waits for another."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from slipway.adapters import items
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.errors import Reason, Transient
from slipway.domain.model import Versioned
from slipway.domain.notice import SLACK, MessagePlace, Notice, NoticeState
from slipway.domain.outcome import Outcome
from slipway.notices.notify import (
    Change,
    NotifyAllResult,
    NotifyRequest,
    notify,
    notify_all,
)
from slipway.notices.outbox import NotifyResult, NotifyStatus
from slipway.ports.people import Destination
from slipway.runtime.stream import log_results, undelivered
from tests.builders.destinations import (
    DOWN,
    MAY_BE_FOUND,
    REFUSED,
    InMemoryChannel,
    InMemoryDestination,
    InMemoryWebhook,
    Slack,
    destination,
)
from tests.builders.fakes.records import InMemoryRecords
from tests.builders.stories import CATALOG, ID, deployment, ended, stored
from tests.unit.test_notify import LINKS, NOW, STORY

GOLDEN = Path(__file__).parent / "golden"
AT_SLACK = MessagePlace(channel="C0000001", message="0.0")
AT_PAGER = MessagePlace(channel="pager", message=f"{ID} Planning")


class CountedRecords(InMemoryRecords):
    """Records that note the calls that telling makes."""

    def __init__(self, records: InMemoryRecords) -> None:
        super().__init__()
        self._stored = records._stored
        self.calls: list[str] = []

    def notice(self, deployment_id: str, destination: str) -> Notice:
        self.calls.append("notice")
        return super().notice(deployment_id, destination)

    def approval(self, deployment_id: str) -> Any:
        self.calls.append("approval")
        return super().approval(deployment_id)

    def lane(self, application: str, environment: str) -> Any:
        self.calls.append("lane")
        return super().lane(application, environment)

    def write(self, documents: Sequence[Versioned], **arguments: Any) -> None:
        self.calls.append("write")
        super().write(documents, **arguments)


def tell(
    after: Deployment, records: InMemoryRecords, *destinations: Destination
) -> tuple[NotifyResult, ...]:
    return notify(
        Change(before=None, after=after),
        records=records,
        destinations=destinations,
        links=LINKS,
        catalog=CATALOG,
        now=NOW,
    )


def endings(results: Sequence[NotifyResult]) -> list[tuple[str, NotifyStatus]]:
    return [(one.destination, one.ending) for one in results]


def batch(
    records: InMemoryRecords, story: Sequence[Deployment], *destinations: Destination
) -> NotifyAllResult:
    requests = [
        NotifyRequest(sequence_number=str(number), before=None, after=one.model_dump_json())
        for number, one in enumerate(story)
    ]
    return notify_all(
        requests,
        records=records,
        destinations=destinations,
        links=LINKS,
        catalog=CATALOG,
        now=NOW,
    )


# What Slipway 0.1.0 asked of its records, measured with it.
FIRST = ["notice", "approval", "write", "write"]
BOT_CALLS = {
    "Planning": FIRST,
    "AwaitingApproval": FIRST,
    "AwaitingLane": ["notice", "approval", "write"],
    "BackingUp": FIRST,
    "Migrating": FIRST,
    "Deploying": FIRST,
    "Verifying": FIRST,
    "Succeeded": FIRST,
}
WEBHOOK_CALLS: dict[str, list[str]] = {state: [] for state in BOT_CALLS} | dict.fromkeys(
    ("Planning", "AwaitingApproval", "Succeeded"), FIRST
)


@pytest.mark.parametrize(
    ("slack", "expected"),
    [(InMemoryChannel(), BOT_CALLS), (InMemoryWebhook(), WEBHOOK_CALLS)],
    ids=["bot", "webhook"],
)
def test_one_destination_costs_what_it_always_did(
    slack: Slack, expected: dict[str, list[str]]
) -> None:
    records = CountedRecords(stored())
    found = {}

    for after in STORY:
        records.calls.clear()
        tell(after, records, destination(slack))
        found[str(after.outcome or after.phase)] = list(records.calls)

    assert found == expected


@pytest.mark.parametrize(
    ("trouble", "first", "again"),
    [(DOWN, FIRST, FIRST), (REFUSED, FIRST, FIRST), (MAY_BE_FOUND, FIRST[:3], FIRST[:3])],
    ids=["down", "refused", "lost"],
)
def test_trouble_costs_what_it_always_did(trouble: Any, first: list[str], again: list[str]) -> None:
    records, slack = CountedRecords(stored()), InMemoryChannel(troubles=[trouble])
    calls = []

    for _ in range(2):
        records.calls.clear()
        batch(records, STORY[:1], destination(slack))
        calls.append(list(records.calls))

    assert calls == [first, again]


def test_what_was_told_before_costs_one_look() -> None:
    records = CountedRecords(stored())
    tell(STORY[0], records, destination(InMemoryChannel()))
    records.calls.clear()

    tell(STORY[0], records, destination(InMemoryChannel()))

    assert records.calls == ["notice"]


def test_the_news_are_gathered_once_for_all_destinations() -> None:
    records = CountedRecords(stored())

    tell(STORY[1], records, InMemoryDestination("a"), InMemoryDestination("b"))

    assert sorted(records.calls) == ["approval", "notice", "notice", *["write"] * 4]


def test_every_destination_has_a_notice_of_its_own() -> None:
    records, pager, channel = stored(), InMemoryDestination("pager"), InMemoryChannel()

    tell(STORY[0], records, destination(channel), pager)

    told = {"Planning": NoticeState.TOLD}
    assert records.notice(ID, SLACK) == Notice(
        version=2, deployment_id=ID, place=AT_SLACK, told=told
    )
    assert records.notice(ID, "pager") == Notice(
        version=2,
        deployment_id=ID,
        destination="pager",
        place=AT_PAGER,
        told=told,
    )


def test_the_first_message_stays_the_deployments_own() -> None:
    records, pager = stored(), InMemoryDestination("pager")

    batch(records, STORY[:3], pager)

    assert records.notice(ID, "pager").place == AT_PAGER


@pytest.mark.parametrize("trouble", [DOWN, REFUSED], ids=["down", "refused"])
def test_a_destination_that_fails_holds_up_no_other(trouble: Exception) -> None:
    records, works = stored(), InMemoryDestination("works")
    fails = InMemoryDestination("fails", troubles=[trouble] * len(STORY))

    told = batch(records, STORY, fails, works)

    states = [str(one.outcome or one.phase) for one in STORY]
    assert (told.failed, works.states(), fails.states()) == (None, states, [])
    assert records.notice(ID, "works").told == dict.fromkeys(states, NoticeState.TOLD)
    notice = records.notice(ID, "fails")
    assert [state for state in states if notice.lacks(state)] == states


def test_what_is_told_later_is_a_warning_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    works, fails = InMemoryDestination("works"), InMemoryDestination("fails", troubles=[DOWN])

    log_results(batch(stored(), STORY[:1], works, fails))

    assert [(entry.levelname, entry.getMessage()) for entry in caplog.records] == [
        ("INFO", "notification processed"),
        ("WARNING", "notification processed"),
    ]


def test_the_order_of_the_destinations_does_not_matter() -> None:
    records, works = stored(), InMemoryDestination("works")
    fails = InMemoryDestination("fails", troubles=[DOWN])

    assert endings(tell(STORY[0], records, works, fails)) == [
        ("works", NotifyStatus.TOLD),
        ("fails", NotifyStatus.LATER),
    ]


def test_a_destination_that_does_not_tell_a_state_is_no_reason_to_wait() -> None:
    records, quiet = stored(), destination(InMemoryWebhook())
    fails = InMemoryDestination("fails", troubles=[DOWN])

    told = tell(deployment(phase=Phase.DEPLOYING), records, quiet, fails)

    assert endings(told) == [("slack", NotifyStatus.QUIET), ("fails", NotifyStatus.LATER)]
    assert records.notice(ID, "fails").lacks("Deploying")


def test_while_nobody_can_be_told_the_stream_comes_again() -> None:
    records = stored()
    both = [InMemoryDestination(name, troubles=[DOWN]) for name in ("a", "b")]

    held = batch(records, STORY[:2], *both)
    after = batch(records, STORY[:2], *both)

    assert (held.failed, held.results, after.failed) == ("0", (), None)
    assert [one.states() for one in both] == [["Planning", "AwaitingApproval"]] * 2
    assert not any(records.notice(ID, name).lacks("Planning") for name in ("a", "b"))


def test_what_was_told_to_one_is_not_told_again_when_the_change_comes_again() -> None:
    class Unwritable(CountedRecords):
        """The record cannot be reached for the second destination."""

        def write(self, documents: Sequence[Versioned], **arguments: Any) -> None:
            super().write(documents, **arguments)
            if self.calls.count("write") == 2:
                raise Transient(Reason.AWS_UNAVAILABLE, "DynamoDB is away.")

    one, two = InMemoryDestination("one"), InMemoryDestination("two")
    records = Unwritable(stored())
    with pytest.raises(Transient, match="DynamoDB is away"):
        tell(STORY[0], records, one, two)

    assert endings(tell(STORY[0], records, one, two)) == [
        ("one", NotifyStatus.KNOWN),
        ("two", NotifyStatus.TOLD),
    ]
    assert (one.states(), two.states()) == (["Planning"], ["Planning"])


def test_what_may_have_arrived_while_the_stream_goes_on_is_not_sent_again() -> None:
    records, works = stored(), InMemoryDestination("works")
    unsure = InMemoryDestination("unsure", troubles=[MAY_BE_FOUND])

    first = tell(STORY[0], records, works, unsure)

    assert endings(first) == [("works", NotifyStatus.TOLD), ("unsure", NotifyStatus.UNCLEAR)]
    assert records.notice(ID, "unsure").told == {"Planning": NoticeState.SENDING}
    assert not records.notice(ID, "unsure").lacks("Planning")
    # Should the change come again all the same, it is found and not sent.
    assert endings(tell(STORY[0], records, works, unsure)) == [
        ("works", NotifyStatus.KNOWN),
        ("unsure", NotifyStatus.TOLD),
    ]
    assert unsure.states() == ["Planning"]


def settled(records: InMemoryRecords) -> Deployment:
    version = records.deployment(ID).version
    over = {"version": version, "plan_is_stored": True}
    records.write([ended(Outcome.FAILED).model_copy(update=over)])
    return records.deployment(ID)


def again(records: InMemoryRecords, detail: dict[str, str]) -> list[NotifyRequest]:
    event = {"id": "1", "detail-type": "Tell Again", "detail": {"deployment_id": ID, **detail}}
    return undelivered(event, records)


def test_what_one_destination_lacks_is_asked_of_it_alone() -> None:
    records, works = stored(), InMemoryDestination("works")
    fails = InMemoryDestination("fails", troubles=[DOWN])
    tell(settled(records), records, works, fails)

    asked = again(records, {"destination": "fails"})
    told = notify_all(
        asked,
        records=records,
        destinations=[works, fails],
        links=LINKS,
        catalog=CATALOG,
        now=NOW,
    )

    assert [one.destination for one in asked] == ["fails"]
    assert endings(told.results) == [("fails", NotifyStatus.TOLD)]
    assert (works.states(), fails.states()) == (["Failed"], ["Failed"])
    assert again(records, {"destination": "fails"}) == []
    assert again(records, {"destination": "works"}) == []


def test_a_wish_of_0_1_0_to_tell_again_means_slack() -> None:
    records = stored()
    settled(records)
    records.write([records.notice(ID, SLACK).refused(Outcome.FAILED)])

    assert [one.destination for one in again(records, {})] == [SLACK]


def golden(name: str) -> str:
    return (GOLDEN / name).read_text()


def of_0_1_0(name: str) -> Notice:
    """A notice that Slipway 0.1.0 wrote, read as the table reads it."""
    return items.document_of({"document": {"S": golden(name)}}, Notice)


def test_a_notice_of_0_1_0_is_slacks() -> None:
    told = {"Planning": NoticeState.TOLD, "AwaitingApproval": NoticeState.TOLD}

    assert of_0_1_0("notice-0.1.0.json") == Notice(
        version=4,
        deployment_id=ID,
        destination=SLACK,
        place=MessagePlace(channel="C0123456789", message="1763717400.000100"),
        told={**told, "BackingUp": NoticeState.SENDING},
        refusals=("AwaitingLane",),
        refused_since=json.loads(golden("notice-0.1.0.json"))["refused_since"],
    )
    assert of_0_1_0("notice-webhook-0.1.0.json") == Notice(
        version=2, deployment_id=ID, told={"Planning": NoticeState.TOLD}
    )


@pytest.mark.parametrize("name", ["notice-0.1.0.json", "notice-webhook-0.1.0.json"])
def test_a_notice_of_0_1_0_is_written_over_where_it_lies(name: str) -> None:
    notice = of_0_1_0(name)
    item: Any = items.versioned_item(notice)

    assert (item["pk"], item["sk"]) == ({"S": f"DEPLOYMENT#{ID}"}, {"S": "NOTICE"})
    assert items.document_of(item, Notice) == notice.model_copy(
        update={"version": notice.version + 1}
    )


def test_another_destinations_notice_lies_beside_slacks() -> None:
    assert items.notice_key(ID, "pager") == {
        "pk": {"S": f"DEPLOYMENT#{ID}"},
        "sk": {"S": "NOTICE#pager"},
    }


def test_after_an_upgrade_nothing_is_told_twice() -> None:
    notice, slack = of_0_1_0("notice-0.1.0.json"), InMemoryChannel()
    place = notice.place
    assert place is not None
    records = stored()
    records._stored["notice", f"{ID}#{SLACK}"] = notice.model_dump_json()
    # The message as 0.1.0 left it, with the line whose answer got lost.
    before = InMemoryChannel()
    for after in STORY[3:4]:
        tell(after, stored(), destination(before))
    lost = before.threads["0.0"][0]
    slack.messages[place.message] = (place.channel, lost)
    slack.threads[place.message] = [lost]

    told = [tell(after, records, destination(slack))[0].ending for after in STORY]

    known = [NotifyStatus.KNOWN, NotifyStatus.KNOWN]
    assert told == [*known, *[NotifyStatus.TOLD] * 6]
    assert slack.states() == [["BackingUp", "Migrating", "Deploying", "Verifying", "Succeeded"]]
