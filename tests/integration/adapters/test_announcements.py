"""Slipway's own events."""

import pytest

from slipway.adapters.announcements import EventBridgeAnnouncements
from slipway.domain.errors import Broken, Reason, Transient
from tests.integration.adapters.stubbed import refuse, stubbed

TAKEN = {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}
LEFT_OUT = {
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
