"""Where a step that waits keeps its task token."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from slipway.domain.model import Model


class Parked(Model):
    """A step that waits: the token to answer with and the request to look again for."""

    key: str
    waiting_id: str
    token: str
    request: str
    expires_at: datetime


class Parking(Protocol):
    """Who waits for which key."""

    def park(self, parked: Sequence[Parked]) -> None:
        """Keep the requests under their keys; parking again replaces."""
        ...

    def parked_under(self, key: str) -> list[Parked]:
        """Every request that waits for this key."""
        ...

    def leave(self, parked: Sequence[Parked]) -> None:
        """Forget the requests, unless a later try has parked with another token."""
        ...
