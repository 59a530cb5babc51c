"""A wish: a push, a promotion or a person's request, as one thing that a lane can answer."""

from slipway.domain.deployment import Origin
from slipway.domain.model import Model
from slipway.domain.release import Release


class Wish(Model):
    """A release that somebody or something wants on a lane.

    ``wish_id`` is the same for every delivery of the same wish, ``reason`` what a person gave
    for it. ``event_id`` names the event of a push: the digest may be pushed again, in another one.
    ``artifact`` is what the event says that was pushed, where that is no container image.
    ``replace`` lets a request take the place of another release that waits, ``schema_at`` says
    where the database's schema is.
    """

    wish_id: str
    application: str
    environment: str
    release: Release
    origin: Origin
    requested_by: str
    reason: str = ""
    explicit: bool = False
    event_id: str = ""
    artifact: str | None = None
    replace: bool = False
    schema_at: str | None = None

    @property
    def lane_id(self) -> str:
        """The lane that the release is wanted on."""
        return f"{self.application}/{self.environment}"

    @property
    def repeated_id(self) -> str:
        """The wish's id where its digest was pushed before, in another event."""
        return f"{self.wish_id}:{self.event_id}"
