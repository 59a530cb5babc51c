"""Translates the status of an ECS service deployment into a RolloutState."""

from dataclasses import dataclass
from typing import Final

from slipway.domain.errors import Reason
from slipway.domain.verdict import RolloutState

# ServiceDeploymentStatus in the ECS API reference. Once ECS rolls back, the release is given up.
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
    """The status of a service deployment, and ECS's reason for it."""

    status: str
    why: str = ""

    @property
    def state(self) -> RolloutState:
        """Its state; an unknown status counts as under way, so that Slipway keeps waiting."""
        return STATES.get(self.status, RolloutState.UNDERWAY)

    @property
    def told(self) -> str:
        """Status and reason as ECS words them, for people."""
        return f"{self.status}: {self.why}" if self.why else self.status

    @property
    def reason(self) -> Reason | None:
        """Why ECS gave up; only the text of its reason shows whether the circuit breaker did it."""
        if self.state is not RolloutState.GIVEN_UP:
            return None
        tripped = "circuit breaker" in self.why.lower()
        return Reason.CIRCUIT_BREAKER_TRIPPED if tripped else Reason.ROLLOUT_STOPPED
