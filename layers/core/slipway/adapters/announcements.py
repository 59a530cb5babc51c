"""EventBridge: Slipway's own events. They are hints to whoever waits, never the record."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from slipway.adapters.errors import aws_errors
from slipway.domain.errors import Reason, Transient
from slipway.ports.control import Announcement

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

PERMISSIONS: Final = ("events:PutEvents",)

SOURCE: Final = "slipway"
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
_ENTRIES: Final = 10


class EventBridgeAnnouncements:
    """Events on Slipway's bus, with the source ``slipway``."""

    def __init__(self, client: "EventBridgeClient", bus_name: str) -> None:
        self._client = client
        self._bus_name = bus_name

    @aws_errors()
    def publish(self, what: str, detail: dict[str, str]) -> None:
        """Publish one event; ``what`` is its detail-type. Transient when the bus rejects it."""
        self._put([Announcement(what, detail)])

    @aws_errors()
    def publish_all(self, news: Sequence[Announcement]) -> None:
        """Publish all events, ten at a time; Transient when one of them was rejected."""
        refused: Transient | None = None
        for start in range(0, len(news), _ENTRIES):
            try:
                self._put(news[start : start + _ENTRIES])
            except Transient as error:
                refused = error
        if refused is not None:
            raise refused

    def _put(self, news: Sequence[Announcement]) -> None:
        answer = self._client.put_events(
            Entries=[
                {
                    "EventBusName": self._bus_name,
                    "Source": SOURCE,
                    "DetailType": what,
                    "Detail": json.dumps(detail),
                }
                for what, detail in news
            ]
        )
        # PutEvents answers HTTP 200 even when it rejected entries.
        if answer["FailedEntryCount"]:
            what, why = next(
                (what, entry.get("ErrorMessage", "no reason given"))
                for (what, _), entry in zip(news, answer["Entries"], strict=True)
                if "ErrorCode" in entry
            )
            raise Transient(Reason.AWS_UNAVAILABLE, f"PutEvents rejected '{what}': {why}")
