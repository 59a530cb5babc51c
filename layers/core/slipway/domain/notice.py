"""What each destination was told about a deployment: nothing twice, and nothing left out.

Three words belong together. *News* is what there is to say, a *message* is how Slack shows it, and
a *notice* is the stored record of which states a destination was told.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import Field, model_validator

from slipway.domain.deployment import Deployment, Phase
from slipway.domain.model import Model, Versioned

# The destination that notices of Slipway 0.1.0 are about; they do not name it.
SLACK: Final = "slack"


class NoticeState(StrEnum):
    """Whether a state is being sent to a destination or was."""

    SENDING = "sending"
    TOLD = "told"


class MessagePlace(Model):
    """Where a deployment's message is at a destination, in the destination's own terms."""

    channel: str
    message: str


class Notice(Versioned):
    """What one destination was told of a deployment, and where its message stands there.

    A state is claimed (sending) before its message leaves and confirmed (told) after: a claim
    that is found later means that nobody knows whether the message arrived. What was refused for
    good, or passed over, the stream does not bring again; the sweep asks for it.
    """

    deployment_id: str
    destination: str = SLACK
    place: MessagePlace | None = None
    told: dict[str, NoticeState] = Field(default={}, description="state -> how far its telling got")
    refusals: tuple[str, ...] = Field(
        default=(), description="states that were refused for good, or passed over"
    )
    refused_since: datetime | None = Field(
        default=None, description="when the deployment reached the last of them"
    )

    @model_validator(mode="before")
    @classmethod
    def _of_0_1_0(cls, fields: Any) -> Any:
        """Slipway 0.1.0 had two fields for the place, empty where there was no message."""
        if not isinstance(fields, dict) or "message_ts" not in fields:
            return fields
        kept = {name: value for name, value in fields.items() if name not in _PLACE_OF_0_1_0}
        if not fields["message_ts"]:
            return kept
        place = {"channel": fields.get("channel", ""), "message": fields["message_ts"]}
        return {**kept, "place": place}

    def claimed(self, state: str) -> "Notice":
        """The notice just before this state is sent."""
        return self._with(state, NoticeState.SENDING)

    def confirmed(self, state: str) -> "Notice":
        """The notice once this state was sent."""
        return self._with(state, NoticeState.TOLD)

    def released(self, state: str) -> "Notice":
        """The notice after a refusal: the state was certainly not sent."""
        told = {known: how for known, how in self.told.items() if known != state}
        return self.model_copy(update={"told": told})

    def owed(self, state: str, since: datetime | None = None) -> "Notice":
        """The notice once the stream has gone on without this state; the sweep asks for it again
        within a day of ``since``, when the deployment reached it.
        """
        update = {"refusals": tuple({*self.refusals, state}), "refused_since": since}
        return self.model_copy(update=update)

    def refused(self, state: str, since: datetime | None = None) -> "Notice":
        """The notice once the destination has refused this state for good."""
        return self.released(state).owed(state, since)

    def lacks(self, state: str | None) -> bool:
        """Whether this state was refused or passed over, and has not been sent since."""
        return state in self.refusals and state not in self.told

    @property
    def lacking_since(self) -> datetime | None:
        """Since when something lacks; None when nothing does."""
        return self.refused_since if any(map(self.lacks, self.refusals)) else None

    def placed(self, place: MessagePlace | None) -> "Notice":
        """The notice with the place of the deployment's own message, unless it has one."""
        if self.place is not None or place is None:
            return self
        return self.model_copy(update={"place": place})

    def forgotten(self) -> "Notice":
        """The notice when the deployment's own message is gone."""
        return self.model_copy(update={"place": None})

    def _with(self, state: str, telling: NoticeState) -> "Notice":
        return self.model_copy(update={"told": {**self.told, state: telling}})


_PLACE_OF_0_1_0: Final = ("channel", "message_ts")


def reached_at(deployment: Deployment) -> datetime:
    """When the deployment ended, or was requested, while it has not ended."""
    return deployment.settled_at or deployment.requested_at


def state_of(deployment: Deployment) -> str | None:
    """The state to report of a deployment: its outcome, else its phase; None between the two."""
    if deployment.outcome is not None:
        return deployment.outcome
    return None if deployment.phase is Phase.SETTLED else deployment.phase
