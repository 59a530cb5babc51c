"""The request and the result that every step has in common."""

from slipway.domain.errors import Reason
from slipway.domain.failure import Failure
from slipway.domain.model import Model


class StepRequest(Model):
    """Which deployment a step is about; ``lane`` is "application/environment"."""

    deployment_id: str
    lane: str


class StepResult(Model):
    """What a step found; not done means that it waits and is to be called again."""

    done: bool
    reason: Reason
    message: str


class Caught(Model):
    """What a Catch of the state machine hands on."""

    state: str
    error: str
    cause: str = ""

    def failure(self) -> Failure:
        """The same in the domain's words."""
        return Failure.parsed(self.state, self.error, self.cause)


def unchanged_result() -> StepResult:
    """The result of a rollback that has nothing to roll back."""
    return StepResult(done=True, reason=Reason.NOTHING_CHANGED, message="nothing was changed")
