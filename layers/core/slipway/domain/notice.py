"""What was told of a deployment, so that nothing is told twice and nothing stays untold."""

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

    def claimed(self, state: str) -> "Notice":
        """The notice just before this state is told."""
        return self._with(state, Telling.SENDING)

    def confirmed(self, state: str) -> "Notice":
        """The notice once this state was told."""
        return self._with(state, Telling.TOLD)

    def refused(self, state: str) -> "Notice":
        """The notice once Slack has refused this state for good."""
        refusals = tuple({*self.refusals, state})
        return self.released(state).model_copy(update={"refusals": refusals})

    def released(self, state: str) -> "Notice":
        """The notice after a refusal: the state was certainly not told."""
        told = {known: how for known, how in self.told.items() if known != state}
        return self.model_copy(update={"told": told})

    def lacks(self, state: str | None) -> bool:
        """Whether Slack refused this state, and nobody has told it since."""
        return state in self.refusals and state not in self.told

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


def state_of(deployment: Deployment) -> str | None:
    """What can be told of a deployment: its outcome, else its phase; None between the two."""
    if deployment.outcome is not None:
        return deployment.outcome
    return None if deployment.phase is Phase.SETTLED else deployment.phase
