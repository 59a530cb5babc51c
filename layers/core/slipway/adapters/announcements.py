"""Slipway's own events: hints to whoever waits, never the record."""

import json
from typing import TYPE_CHECKING, Final

from slipway.adapters.errors import aws_errors
from slipway.domain.errors import Reason, Transient

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

PERMISSIONS: Final = ("events:PutEvents",)

SOURCE: Final = "slipway"


class EventBridgeAnnouncements:
    """Events on Slipway's bus, with the source ``slipway``."""

    def __init__(self, client: "EventBridgeClient", bus_name: str) -> None:
        self._client = client
        self._bus_name = bus_name

    @aws_errors()
    def publish(self, what: str, detail: dict[str, str]) -> None:
        """Tell the event bus; ``what`` is the detail-type. Transient when the bus took it not."""
        answer = self._client.put_events(
            Entries=[
                {
                    "EventBusName": self._bus_name,
                    "Source": SOURCE,
                    "DetailType": what,
                    "Detail": json.dumps(detail),
                }
            ]
        )
        # PutEvents answers 200 for an entry that it refused.
        if answer["FailedEntryCount"]:
            why = answer["Entries"][0].get("ErrorMessage", "no reason given")
            raise Transient(Reason.AWS_UNAVAILABLE, f"PutEvents: '{what}' was not taken: {why}")
