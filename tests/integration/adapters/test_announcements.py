"""Slipway's own events."""

from typing import Any

import pytest

from slipway.adapters.announcements import EventBridgeAnnouncements
from slipway.domain.errors import Broken, Reason, Transient
from slipway.ports.control import Announcement
from tests.integration.adapters.stubbed import refuse, stubbed

TAKEN = {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}
LEFT_OUT: dict[str, Any] = {
    "FailedEntryCount": 1,
    "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "try later"}],
}


def test_an_event_carries_slipways_source_its_name_and_its_detail() -> None:
    entry = {
        "EventBusName": "slipway",
        "Source": "slipway",
        "DetailType": "LaneReleased",
        "Detail": '{"lane_id": "notes/staging"}',
    }
    with stubbed("events") as (client, stub):
        stub.add_response("put_events", TAKEN, {"Entries": [entry]})

        EventBridgeAnnouncements(client, "slipway").publish(
            "LaneReleased", {"lane_id": "notes/staging"}
        )


def test_an_event_that_the_bus_left_out_is_transient_though_the_call_succeeded() -> None:
    with pytest.raises(Transient, match="try later") as raised, stubbed("events") as (client, stub):
        stub.add_response("put_events", LEFT_OUT)
        EventBridgeAnnouncements(client, "slipway").publish("LaneReleased", {})

    assert raised.value.reason is Reason.AWS_UNAVAILABLE


def test_a_refused_event_is_broken() -> None:
    with pytest.raises(Broken), stubbed("events") as (client, stub):
        refuse(stub, "put_events", "AccessDeniedException")
        EventBridgeAnnouncements(client, "slipway").publish("LaneReleased", {})


def taken(entries: int) -> dict[str, Any]:
    return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}] * entries}


def test_events_are_told_ten_at_a_time() -> None:
    news = [
        Announcement("Look Again", {"deployment_id": f"notes-staging-{number}"})
        for number in range(21)
    ]
    sizes = []
    with stubbed("events") as (client, stub):
        for size in (10, 10, 1):
            stub.add_response("put_events", taken(size))
        client.meta.events.register(
            "provide-client-params.events.PutEvents",
            lambda params, **_: sizes.append(len(params["Entries"])),
        )

        EventBridgeAnnouncements(client, "slipway").publish_all(news)

    assert sizes == [10, 10, 1]


def test_events_that_the_bus_left_out_stop_no_others_and_are_told() -> None:
    news = [Announcement("Look Again", {}), *[Announcement("Tell Again", {})] * 10]
    left_out = taken(10) | {"FailedEntryCount": 1}
    left_out["Entries"] = [{"EventId": "1"}] * 9 + LEFT_OUT["Entries"]
    with stubbed("events") as (client, stub):
        stub.add_response("put_events", left_out)
        stub.add_response("put_events", taken(1))

        with pytest.raises(Transient, match="rejected 'Tell Again': try later"):
            EventBridgeAnnouncements(client, "slipway").publish_all(news)


def test_nothing_to_tell_is_no_call() -> None:
    with stubbed("events") as (client, _):
        EventBridgeAnnouncements(client, "slipway").publish_all([])
