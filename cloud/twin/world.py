"""What every model is given: account and region, time, chance, and a way to tell of events."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloud.twin.clock import Clock

Event = dict[str, Any]

ACCOUNT = "000000000000"
REGION = "us-east-1"


@dataclass(frozen=True)
class World:
    """The surroundings of the models; nothing else from outside reaches them."""

    clock: Clock
    random: random.Random
    emit: Callable[[Event], None]
    account: str = ACCOUNT
    region: str = REGION

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def hex_id(self, digits: int) -> str:
        """A fresh identifier of so many hexadecimal digits."""
        return f"{self.random.getrandbits(4 * digits):0{digits}x}"

    def number_id(self, digits: int) -> str:
        """A fresh identifier of so many decimal digits."""
        return f"{self.random.randrange(10 ** (digits - 1), 10**digits)}"

    def uuid(self) -> str:
        """A fresh identifier written like a UUID."""
        text = self.hex_id(32)
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def tell(
        self, source: str, detail_type: str, resources: list[str], detail: dict[str, Any]
    ) -> None:
        """Emit an event in the envelope of EventBridge, at the present time."""
        self.emit(
            {
                "version": "0",
                "id": self.uuid(),
                "detail-type": detail_type,
                "source": source,
                "account": self.account,
                "time": event_time(self.clock.now()),
                "region": self.region,
                "resources": resources,
                "detail": detail,
            }
        )


def event_time(moment: datetime) -> str:
    """A moment as the envelope of an event writes it, whole seconds in UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def iso(moment: datetime) -> str:
    """A moment as the details of ECS events write it, with milliseconds, in UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
