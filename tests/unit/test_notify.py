"""Every state is told at most once, and none is lost while Slack is down."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from functions.notify.app import lambda_handler
from slipway.adapters.links import Links
from slipway.domain.approval import Answer, Decision, link_subject, signature
from slipway.domain.catalog import Catalog
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.errors import Rejected, Transient
from slipway.domain.lane import Hold
from slipway.domain.model import Versioned
from slipway.domain.notice import SLACK, MessagePlace, Notice, NoticeState
from slipway.domain.outcome import Outcome
from slipway.notices.notify import Change, notify
from slipway.notices.outbox import NotifyResult, NotifyStatus
from slipway.ports.people import Arrival, Delivery
from slipway.runtime import wiring
from slipway.runtime.observability import logger
from slipway.runtime.stream import undelivered
from slipway.slack.blocks import Message
from tests.builders.destinations import (
    DOWN,
    MAY_BE_FOUND,
    NOBODY_KNOWS,
    REFUSED,
    InMemoryChannel,
    InMemoryWebhook,
    Slack,
    destination,
)
from tests.builders.fakes.records import InMemoryRecords
from tests.builders.stories import (
    ASKED,
    CATALOG,
    ID,
    KEY,
    approval,
    deployment,
    ended,
    failure,
    lane,
    stored,
)

NOW = ASKED + timedelta(seconds=2)
LINKS = Links("https://slipway.example.com", KEY)
APPROVAL_URL = LINKS.approval(approval())


def tell(
    after: Deployment,
    slack: Slack,
    records: InMemoryRecords,
    *,
    before: Deployment | None = None,
    links: Links = LINKS,
    catalog: Catalog = CATALOG,
) -> NotifyResult:
    change = Change(before=before, after=after)
    (result,) = notify(
        change,
        records=records,
        destinations=[destination(slack)],
        links=links,
        catalog=catalog,
        now=NOW,
    )
    return result


def blocks_of(message: Message) -> list[dict[str, Any]]:
    return list(message.blocks)


PHASES = [phase for phase in Phase if phase is not Phase.SETTLED]
STORY = [
    deployment(phase=phase)
    for phase in (
        Phase.PLANNING,
        Phase.AWAITING_APPROVAL,
        Phase.AWAITING_LANE,
        Phase.BACKING_UP,
        Phase.MIGRATING,
        Phase.DEPLOYING,
        Phase.VERIFYING,
    )
] + [ended(Outcome.SUCCEEDED)]


def test_a_webhook_tells_what_a_person_wants_to_hear_of() -> None:
    records, slack = stored(), InMemoryWebhook()

    endings = [tell(state, slack, records).ending for state in STORY]

    told, quiet = NotifyStatus.TOLD, NotifyStatus.QUIET
    assert endings == [told, told, quiet, quiet, quiet, quiet, quiet, told]
    assert [message.state for message in slack.sent] == [
        "Planning",
        "AwaitingApproval",
        "Succeeded",
    ]


def test_a_bot_keeps_one_message_up_to_date_with_its_thread() -> None:
    records, slack = stored(), InMemoryChannel()

    for state in STORY:
        tell(state, slack, records)

    assert slack.states() == [
        [
            "Planning",
            "AwaitingApproval",
            "BackingUp",
            "Migrating",
            "Deploying",
            "Verifying",
            "Succeeded",
        ]
    ]
    assert [message.state for _, message in slack.messages.values()] == ["Succeeded"]
    assert slack.updates == [state.outcome or state.phase for state in STORY[1:]]
    states = [str(state.phase) for state in STORY[:-1]]
    assert records.notice(ID, SLACK).told == dict.fromkeys([*states, "Succeeded"], NoticeState.TOLD)


@pytest.mark.parametrize("slack", [InMemoryChannel(), InMemoryWebhook()])
def test_a_write_that_moves_neither_phase_nor_outcome_is_not_told(slack: Slack) -> None:
    records = stored()

    result = tell(deployment(fencing=3), slack, records, before=deployment())

    assert result.ending is NotifyStatus.QUIET
    assert records.notice(ID, SLACK) == Notice(deployment_id=ID)


def test_a_redelivered_change_is_told_once_through_a_webhook() -> None:
    records, slack = stored(), InMemoryWebhook()

    endings = [tell(STORY[1], slack, records).ending for _ in range(3)]

    assert endings == [NotifyStatus.TOLD, NotifyStatus.KNOWN, NotifyStatus.KNOWN]
    assert len(slack.sent) == 1


def test_a_redelivered_change_is_told_once_by_a_bot() -> None:
    records, slack = stored(), InMemoryChannel()

    endings = [tell(state, slack, records).ending for state in (*STORY, *STORY)]

    assert endings == [NotifyStatus.TOLD] * 8 + [NotifyStatus.KNOWN] * 8
    assert [len(thread) for thread in slack.threads.values()] == [7]


@pytest.mark.parametrize("slack", [InMemoryChannel(), InMemoryWebhook()])
def test_what_slack_could_not_take_is_told_when_it_is_back(slack: Slack) -> None:
    records = stored()
    slack.troubles = [DOWN, DOWN]

    for _ in range(2):
        with pytest.raises(Transient):
            tell(STORY[0], slack, records)
        assert records.notice(ID, SLACK).told == {}

    assert tell(STORY[0], slack, records).ending is NotifyStatus.TOLD
    assert records.notice(ID, SLACK).told == {"Planning": NoticeState.TOLD}
    assert not records.notice(ID, SLACK).lacks("Planning")


def test_a_thread_line_waits_for_slack_as_well() -> None:
    records, slack = stored(), InMemoryChannel()
    tell(STORY[0], slack, records)
    slack.troubles = [DOWN]

    with pytest.raises(Transient):
        tell(STORY[1], slack, records)
    tell(STORY[1], slack, records)

    assert slack.states() == [["Planning", "AwaitingApproval"]]


def test_a_webhook_does_not_repeat_what_may_have_arrived() -> None:
    records, slack = stored(), InMemoryWebhook(troubles=[NOBODY_KNOWS])

    endings = [tell(STORY[0], slack, records).ending for _ in range(2)]

    assert endings == [NotifyStatus.UNCLEAR, NotifyStatus.UNCLEAR]
    assert len(slack.sent) == 1
    assert records.notice(ID, SLACK).told == {"Planning": NoticeState.SENDING}


@pytest.mark.parametrize("state", [0, 1], ids=["its own message", "a line in the thread"])
def test_a_bot_finds_out_whether_its_message_arrived(state: int) -> None:
    records, slack = stored(), InMemoryChannel()
    for earlier in STORY[:state]:
        tell(earlier, slack, records)
    slack.troubles = [MAY_BE_FOUND]

    with pytest.raises(Transient):
        tell(STORY[state], slack, records)
    found = tell(STORY[state], slack, records)

    assert (found.ending, found.detail) == (NotifyStatus.TOLD, "found in the channel")
    assert slack.states() == [["Planning", "AwaitingApproval"][: state + 1]]
    assert records.notice(ID, SLACK).place == MessagePlace(channel="C0000001", message="0.0")


def test_a_bot_looks_where_its_message_stands_or_should_stand() -> None:
    records, slack, catalog = stored(), InMemoryChannel(), telling_in("#production")
    slack.troubles = [MAY_BE_FOUND]
    with pytest.raises(Transient):
        tell(STORY[0], slack, records, catalog=catalog)
    tell(STORY[0], slack, records, catalog=catalog)
    slack.troubles = [MAY_BE_FOUND]
    with pytest.raises(Transient):
        tell(STORY[1], slack, records, catalog=catalog)

    tell(STORY[1], slack, records, catalog=catalog)

    assert slack.sought == [("#production", None), ("C0000001", "0.0")]


def test_a_wait_for_the_lane_begins_the_message_where_there_is_none() -> None:
    slack = InMemoryChannel()

    assert tell(STORY[2], slack, stored()).ending is NotifyStatus.TOLD
    assert slack.states() == [["AwaitingLane"]]


@pytest.mark.parametrize("state", [0, 1], ids=["its own message", "a line in the thread"])
def test_a_bot_sends_again_what_it_does_not_find(state: int) -> None:
    records, slack = stored(), InMemoryChannel()
    for earlier in STORY[:state]:
        tell(earlier, slack, records)
    # The function died between the claim and the call.
    records.write([records.notice(ID, SLACK).claimed(STORY[state].phase)])

    assert tell(STORY[state], slack, records).ending is NotifyStatus.TOLD
    assert slack.states() == [["Planning", "AwaitingApproval"][: state + 1]]


def test_a_bot_that_may_not_read_the_channel_does_not_repeat_itself() -> None:
    records, slack = stored(), InMemoryChannel(find_trouble=REFUSED)
    records.write([records.notice(ID, SLACK).claimed("Planning")])

    assert tell(STORY[0], slack, records).ending is NotifyStatus.UNCLEAR
    assert slack.threads == {}


@pytest.mark.parametrize("slack", [InMemoryChannel(), InMemoryWebhook()])
def test_a_refusal_for_good_is_reported_and_blocks_nothing(slack: Slack) -> None:
    records = stored()
    slack.troubles = [REFUSED]

    refused = tell(STORY[0], slack, records)
    later = tell(STORY[1], slack, records)

    assert (refused.ending, refused.detail) == (NotifyStatus.REFUSED, REFUSED.message)
    assert later.ending is NotifyStatus.TOLD
    assert records.notice(ID, SLACK).lacks("Planning")


@pytest.mark.parametrize("slack", [InMemoryChannel(), InMemoryWebhook()])
def test_what_was_refused_for_good_can_be_told_later(slack: Slack) -> None:
    records = stored()
    slack.troubles = [REFUSED, DOWN]
    tell(STORY[0], slack, records)

    with pytest.raises(Transient):
        tell(STORY[0], slack, records)
    assert records.notice(ID, SLACK).lacks("Planning")

    assert tell(STORY[0], slack, records).ending is NotifyStatus.TOLD
    assert records.notice(ID, SLACK).told == {"Planning": NoticeState.TOLD}
    assert not records.notice(ID, SLACK).lacks("Planning")


@pytest.mark.parametrize("trouble", [None, DOWN, REFUSED], ids=["told", "down", "refused"])
@pytest.mark.parametrize("slack", [InMemoryChannel(), InMemoryWebhook()])
def test_what_became_of_a_claim_is_written_beside_whatever_else_was_told(
    slack: Slack, trouble: Exception | None
) -> None:
    records = OvertakenRecords(stored())
    slack.troubles = [trouble] if trouble else []

    def elsewhere() -> None:
        other = records.notice(ID, SLACK).confirmed("Verifying")
        InMemoryRecords.write(records, [other])

    records.others = [lambda: None, elsewhere]
    with suppress(Transient):
        tell(STORY[0], slack, records)

    planning = {"Planning": NoticeState.TOLD} if trouble is None else {}
    assert records.notice(ID, SLACK).told == {"Verifying": NoticeState.TOLD, **planning}
    assert records.notice(ID, SLACK).lacks("Planning") is (trouble is REFUSED)


def test_a_message_that_somebody_deleted_is_begun_anew() -> None:
    records, slack = stored(), InMemoryChannel()
    tell(STORY[0], slack, records)
    slack.messages.clear()

    tell(STORY[5], slack, records)
    tell(STORY[6], slack, records)

    assert slack.states() == [["Planning"], ["Deploying", "Verifying"]]


@pytest.mark.parametrize("slack", [InMemoryChannel(), InMemoryWebhook()])
def test_two_at_once_do_not_both_send(slack: Slack) -> None:
    records = OvertakenRecords(stored())
    records.others = [lambda: tell(STORY[0], slack, records)]

    with pytest.raises(Transient):
        tell(STORY[0], slack, records)
    again = tell(STORY[0], slack, records)

    assert again.ending is NotifyStatus.KNOWN
    sent = slack.sent if isinstance(slack, InMemoryWebhook) else list(slack.threads.values())
    assert len(sent) == 1


class OvertakenRecords(InMemoryRecords):
    """Somebody else gets in just before a write."""

    def __init__(self, records: InMemoryRecords) -> None:
        super().__init__()
        self._stored = records._stored
        self.others: list[Callable[[], object]] = []

    def write(self, documents: Sequence[Versioned], **arguments: Any) -> None:
        if self.others:
            self.others.pop(0)()
        super().write(documents, **arguments)


def test_unchanged_is_no_message_of_its_own() -> None:
    webhook, fresh, known = InMemoryWebhook(), InMemoryChannel(), InMemoryChannel()
    end, records = ended(Outcome.UNCHANGED), stored()
    tell(STORY[0], known, records)

    endings = [
        tell(end, webhook, stored()).ending,
        tell(end, fresh, stored()).ending,
        tell(end, known, records).ending,
    ]

    assert endings == [NotifyStatus.QUIET, NotifyStatus.QUIET, NotifyStatus.TOLD]
    assert (webhook.sent, fresh.threads, known.states()) == ([], {}, [["Planning"]])
    assert known.messages["0.0"][1].state == "Unchanged"


def test_a_superseded_wait_says_by_which() -> None:
    end = ended(
        Outcome.SUPERSEDED,
        failure=failure("Approve", "Rejected", "Superseded", "production-8 is newer."),
    )
    records, channel, webhook = stored(), InMemoryChannel(), InMemoryWebhook()
    tell(STORY[1], channel, records)

    tell(end, channel, records)
    tell(end, webhook, stored())

    updated = channel.messages["0.0"][1]
    for message in (updated, webhook.sent[0]):
        assert "production-8 is newer." in str(blocks_of(message))
        assert APPROVAL_URL not in str(blocks_of(message))


def test_the_approval_is_asked_for_with_its_link() -> None:
    slack = InMemoryWebhook()

    tell(STORY[1], slack, stored())

    sig = signature(KEY, "approve", link_subject(approval()))
    buttons = [block for block in slack.sent[0].blocks if block["type"] == "actions"]
    assert buttons == [
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "text": {"type": "plain_text", "text": "Review and decide"},
                    "url": f"https://slipway.example.com/approvals/{ID}?sig={sig}",
                    "style": "primary",
                }
            ],
        }
    ]


def test_the_link_is_right_even_before_the_ticket_is_seen() -> None:
    slack, records = InMemoryWebhook(), InMemoryRecords()

    tell(STORY[1], slack, records)

    assert APPROVAL_URL in str(blocks_of(slack.sent[0]))


def test_without_a_public_url_nothing_relative_is_sent() -> None:
    slack = InMemoryWebhook()

    tell(STORY[1], slack, stored(), links=Links("", KEY))

    assert "sig=" not in str(blocks_of(slack.sent[0]))
    assert [b["type"] for b in slack.sent[0].blocks if b["type"] == "actions"] == []


def test_only_the_question_carries_the_right_to_decide() -> None:
    decided = approval(decision=Decision(answer=Answer.APPROVE, by="ada", at=NOW))
    records, slack = stored(ticket=decided), InMemoryChannel()

    for state in (*STORY[:1], *STORY[2:]):
        tell(state, slack, records)

    assert "/approvals/" not in str(slack.threads) + str(slack.messages)


def telling_in(channel: str) -> Catalog:
    application = CATALOG.applications["fastapi-rds"]
    environment = application.environments["production"]
    told = environment.notifications.model_copy(update={"slack_channel": channel})
    moved = environment.model_copy(update={"notifications": told})
    entry = application.model_copy(update={"environments": {"production": moved}})
    return Catalog(applications={"fastapi-rds": entry})


def test_the_catalog_may_name_another_channel() -> None:
    slack = InMemoryChannel()

    tell(STORY[0], slack, stored(), catalog=telling_in("#production"))

    assert [channel for channel, _ in slack.messages.values()] == ["#production"]


class _Context:
    function_name = "notify"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:notify"
    aws_request_id = "1"


def stream_record(number: int, after: Deployment, kind: str = "Deployment") -> dict[str, Any]:
    """A record of a DynamoDB stream, as Lambda hands it on."""
    image = {"kind": {"S": kind}, "document": {"S": after.model_dump_json()}}
    return {
        "eventName": "INSERT",
        "dynamodb": {"SequenceNumber": str(number), "NewImage": image},
    }


def batch(
    monkeypatch: pytest.MonkeyPatch, slack: Slack, records: InMemoryRecords, *items: dict[str, Any]
) -> dict[str, Any]:
    monkeypatch.setattr(wiring, "records", lambda: records)
    monkeypatch.setattr(wiring, "destinations", lambda: (destination(slack),))
    monkeypatch.setattr(wiring, "links", lambda: LINKS)
    monkeypatch.setattr(wiring, "catalog", lambda: CATALOG)
    monkeypatch.setattr(wiring, "now", lambda: NOW)
    return lambda_handler({"Records": list(items)}, _Context())  # type: ignore[arg-type]


def test_a_batch_comes_again_from_the_first_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    slack, records = InMemoryWebhook(), stored()
    other = ended(Outcome.FAILED, deployment_id="fastapi-rds-production-8")
    items = [stream_record(1, STORY[0]), stream_record(2, STORY[1]), stream_record(3, other)]
    slack.troubles = [Delivery(arrival=Arrival.ARRIVED), DOWN]

    first = batch(monkeypatch, slack, records, *items)
    second = batch(monkeypatch, slack, records, *items[1:])

    assert first == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert second == {"batchItemFailures": []}
    assert [m.state for m in slack.sent] == ["Planning", "AwaitingApproval", "Failed"]


def test_other_items_of_the_table_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    slack = InMemoryWebhook()
    gone = {"eventName": "REMOVE", "dynamodb": {"SequenceNumber": "5", "Keys": {}}}

    answer = batch(monkeypatch, slack, stored(), stream_record(4, STORY[0], kind="Lane"), gone)

    assert (answer, slack.sent) == ({"batchItemFailures": []}, [])


def test_a_write_that_cannot_be_read_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = stream_record(1, STORY[0])
    broken["dynamodb"]["NewImage"]["document"]["S"] = "{}"
    slack = InMemoryWebhook()

    answer = batch(monkeypatch, slack, stored(), broken, stream_record(2, STORY[0]))

    assert answer == {"batchItemFailures": []}
    assert len(slack.sent) == 1


def test_a_field_of_a_newer_slipway_keeps_nothing_untold(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = stream_record(1, STORY[0])
    image = newer["dynamodb"]["NewImage"]["document"]
    image["S"] = image["S"].replace("{", '{"invented_later": 1, ', 1)
    slack = InMemoryWebhook()

    assert batch(monkeypatch, slack, stored(), newer) == {"batchItemFailures": []}
    assert len(slack.sent) == 1


def test_what_the_sweep_asks_for_comes_again_when_slack_is_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    records, slack = stored(), InMemoryWebhook(troubles=[DOWN])
    version = records.deployment(ID).version
    over = {"version": version, "plan_is_stored": True}
    records.write([ended(Outcome.FAILED).model_copy(update=over)])
    records.write([records.notice(ID, SLACK).refused(Outcome.FAILED)])
    batch(monkeypatch, slack, records)
    asked = {"id": "1", "detail-type": "Tell Again", "detail": {"deployment_id": ID}}

    with pytest.raises(Transient, match="Slack answers 503"):
        lambda_handler(asked, _Context())  # type: ignore[arg-type]
    lambda_handler(asked, _Context())  # type: ignore[arg-type]

    lambda_handler(asked, _Context())  # type: ignore[arg-type]

    assert [message.state for message in slack.sent] == ["Failed"]


def test_what_was_reached_since_slack_refused_is_left_to_the_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    records, slack = stored(), InMemoryWebhook()
    records.write([records.notice(ID, SLACK).refused("Planning")])
    batch(monkeypatch, slack, records)

    lambda_handler(
        {"id": "1", "detail-type": "Tell Again", "detail": {"deployment_id": ID}},
        _Context(),  # type: ignore[arg-type]
    )

    assert slack.sent == []


def test_a_refusal_is_an_error_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    slack = InMemoryWebhook(troubles=[REFUSED])

    batch(monkeypatch, slack, stored(), stream_record(1, STORY[0]), stream_record(2, STORY[1]))

    assert [(entry.levelname, entry.getMessage()) for entry in caplog.records] == [
        ("ERROR", "notification processed"),
        ("INFO", "notification processed"),
    ]


@pytest.mark.parametrize("trouble", [REFUSED, NOBODY_KNOWS], ids=["refused", "unclear"])
def test_what_nobody_may_have_been_told_rings_the_alarm(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, trouble: Any
) -> None:
    batch(monkeypatch, InMemoryWebhook(troubles=[trouble]), stored(), stream_record(1, STORY[0]))

    # As the filter of template.yaml reads it.
    lines = [json.loads(logger.registered_handler.format(entry)) for entry in caplog.records]
    assert [e["message"] for e in lines if e["level"] == "ERROR"] == ["notification processed"]


MALFORMED: list[dict[str, Any]] = [
    {},
    {"id": "1"},
    {"id": "1", "detail": None},
    {"id": "1", "detail": []},
    {"id": "1", "detail": {}},
    {"id": "1", "detail": {"deployment_id": None}},
    {"id": "1", "detail": {"deployment_id": 7}},
    {"id": "1", "detail": {"deployment_id": ""}},
    {"id": "1", "detail": {"deployment_id": "x" * 100_000}},
    {"id": "1", "detail": {"deployment_id": {"deployment_id": ID}}},
    {"id": ["1"], "detail": {"deployment_id": ID}},
    {"detail": {"deployment_id": ID}},
    {"id": "1", "detail": {"deployment_id": "fastapi-rds-production-99"}},
]


@pytest.mark.parametrize("event", MALFORMED, ids=lambda event: str(event)[:60])
def test_a_wish_to_tell_again_that_cannot_be_read_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, event: dict[str, Any]
) -> None:
    slack = InMemoryWebhook()
    batch(monkeypatch, slack, stored())
    asked = {"detail-type": "Tell Again", **event}

    answer = lambda_handler(asked, _Context())  # type: ignore[arg-type]

    assert (answer, slack.sent) == ({"batchItemFailures": []}, [])
    assert [(told.levelname, told.getMessage()) for told in caplog.records] == [
        ("WARNING", "event refused")
    ]
    with pytest.raises(Rejected):
        undelivered(asked, stored())


@pytest.mark.parametrize(
    "records",
    [None, "x", 7, [None], ["x"], [{}], [{"dynamodb": None}], [{"dynamodb": {"NewImage": 7}}]],
)
def test_a_batch_that_is_none_tells_nothing(monkeypatch: pytest.MonkeyPatch, records: Any) -> None:
    slack = InMemoryWebhook()
    batch(monkeypatch, slack, stored())

    answer = lambda_handler({"Records": records}, _Context())  # type: ignore[arg-type]

    assert (answer, slack.sent) == ({"batchItemFailures": []}, [])


@pytest.mark.parametrize("document", [{}, {"document": 7}, {"document": {"N": "1"}}])
def test_a_write_without_its_document_holds_nothing_up(
    monkeypatch: pytest.MonkeyPatch, document: dict[str, Any]
) -> None:
    slack = InMemoryWebhook()
    image = {"kind": {"S": "Deployment"}, **document}
    broken = {"dynamodb": {"SequenceNumber": "1", "NewImage": image, "OldImage": "x"}}

    answer = batch(monkeypatch, slack, stored(), broken, stream_record(2, STORY[0]))

    assert answer == {"batchItemFailures": []}
    assert len(slack.sent) == 1


def test_a_request_is_asked_for_with_what_it_goes_over() -> None:
    hold = Hold(reason="RolledBack", message="v6 failed.", by="x-6", since=NOW)
    slack = InMemoryWebhook()

    tell(STORY[1].model_copy(update={"explicit": True}), slack, stored(where=lane(hold=hold)))

    assert "v6 failed." in str(blocks_of(slack.sent[0]))


def test_a_batch_that_comes_again_is_a_warning_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    batch(monkeypatch, InMemoryWebhook(troubles=[DOWN]), stored(), stream_record(1, STORY[0]))

    assert [(entry.levelname, entry.getMessage()) for entry in caplog.records] == [
        ("WARNING", "notifications will be retried")
    ]


def test_a_line_of_the_log_reorders_nothing_of_a_console(caplog: pytest.LogCaptureFixture) -> None:
    logger.warning("refused", extra={"detail": "\u202eevil\u2028\x1b[31m"})

    (told,) = caplog.records
    assert logger.registered_handler.format(told).isascii()
