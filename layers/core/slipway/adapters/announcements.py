"""Slipway's own events: hints to whoever waits, never the record."""

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
        """Tell the event bus; ``what`` is the detail-type. Transient when the bus took it not."""
        self._put([Announcement(what, detail)])

    @aws_errors()
    def publish_all(self, news: Sequence[Announcement]) -> None:
        """Tell all of it, ten at a time; Transient when some of it was not taken."""
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
        # PutEvents answers 200 for an entry that it refused.
        if answer["FailedEntryCount"]:
            what, why = next(
                (what, entry.get("ErrorMessage", "no reason given"))
                for (what, _), entry in zip(news, answer["Entries"], strict=True)
                if "ErrorCode" in entry
            )
            raise Transient(Reason.AWS_UNAVAILABLE, f"PutEvents: '{what}' was not taken: {why}")
