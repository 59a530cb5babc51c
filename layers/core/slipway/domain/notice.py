"""What was told of a deployment, so that nothing is told twice and nothing stays untold."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from slipway.domain.deployment import Deployment, Phase
from slipway.domain.model import Versioned


class Telling(StrEnum):
    """How far the telling of one state got."""

    SENDING = "sending"
    TOLD = "told"


class Notice(Versioned):
    """What was told of a deployment, and where its message stands.

    A state is claimed (sending) before its message leaves and confirmed (told) after: a claim
    that is found later means that nobody knows whether the message arrived. What Slack refused
    for good the stream does not bring again; the sweep asks for it.
    """

    deployment_id: str
    channel: str = ""
    message_ts: str = ""
    told: dict[str, Telling] = Field(default={}, description="state -> how far its telling got")
    refusals: tuple[str, ...] = Field(default=(), description="states that Slack refused for good")
    refused_since: datetime | None = Field(
        default=None, description="when the deployment reached the state that was refused last"
    )

    def claimed(self, state: str) -> "Notice":
        """The notice just before this state is told."""
        return self._with(state, Telling.SENDING)

    def confirmed(self, state: str) -> "Notice":
        """The notice once this state was told."""
        return self._with(state, Telling.TOLD)

    def refused(self, state: str, since: datetime | None = None) -> "Notice":
        """The notice once Slack has refused this state for good; the sweep asks for it again
        within a day of ``since``, when the deployment reached it.
        """
        update = {"refusals": tuple({*self.refusals, state}), "refused_since": since}
        return self.released(state).model_copy(update=update)

    def released(self, state: str) -> "Notice":
        """The notice after a refusal: the state was certainly not told."""
        told = {known: how for known, how in self.told.items() if known != state}
        return self.model_copy(update={"told": told})

    def lacks(self, state: str | None) -> bool:
        """Whether Slack refused this state, and nobody has told it since."""
        return state in self.refusals and state not in self.told

    @property
    def lacking_since(self) -> datetime | None:
        """Since when something lacks; None when all is told."""
        return self.refused_since if any(map(self.lacks, self.refusals)) else None

    def placed(self, channel: str, message_ts: str) -> "Notice":
        """The notice with the place of the deployment's own message, unless it has one."""
        if self.message_ts:
            return self
        return self.model_copy(update={"channel": channel, "message_ts": message_ts})

    def forgotten(self) -> "Notice":
        """The notice when the deployment's own message is gone."""
        return self.model_copy(update={"channel": "", "message_ts": ""})

    def _with(self, state: str, telling: Telling) -> "Notice":
        return self.model_copy(update={"told": {**self.told, state: telling}})


def reached(deployment: Deployment) -> datetime:
    """When the deployment ended, or was asked for while it has not."""
    return deployment.settled_at or deployment.requested_at


def state_of(deployment: Deployment) -> str | None:
    """What can be told of a deployment: its outcome, else its phase; None between the two."""
    if deployment.outcome is not None:
        return deployment.outcome
    return None if deployment.phase is Phase.SETTLED else deployment.phase
