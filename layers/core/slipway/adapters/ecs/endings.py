"""What ECS's words for a service deployment mean."""

from dataclasses import dataclass
from typing import Final

from slipway.domain.errors import Reason
from slipway.domain.verdict import RolloutState

# ServiceDeploymentStatus; the rollback of a service deployment is the end of what it brought.
STATES: Final = {
    "PENDING": RolloutState.UNDERWAY,
    "IN_PROGRESS": RolloutState.UNDERWAY,
    "SUCCESSFUL": RolloutState.COMPLETED,
    "STOPPED": RolloutState.GIVEN_UP,
    "STOP_REQUESTED": RolloutState.GIVEN_UP,
    "ROLLBACK_REQUESTED": RolloutState.GIVEN_UP,
    "ROLLBACK_IN_PROGRESS": RolloutState.GIVEN_UP,
    "ROLLBACK_SUCCESSFUL": RolloutState.GIVEN_UP,
    "ROLLBACK_FAILED": RolloutState.GIVEN_UP,
}


@dataclass(frozen=True)
class Ending:
    """The status of a service deployment and what ECS says about it."""

    status: str
    why: str = ""

    @property
    def state(self) -> RolloutState:
        """What it means; a word that is not known yet is waited out like a rollout under way."""
        return STATES.get(self.status, RolloutState.UNDERWAY)

    @property
    def told(self) -> str:
        """ECS's own words, for people."""
        return f"{self.status}: {self.why}" if self.why else self.status

    @property
    def reason(self) -> Reason | None:
        """Why it was given up: ECS says in a sentence whether its circuit breaker did it."""
        if self.state is not RolloutState.GIVEN_UP:
            return None
        tripped = "circuit breaker" in self.why.lower()
        return Reason.CIRCUIT_BREAKER_TRIPPED if tripped else Reason.ROLLOUT_STOPPED
