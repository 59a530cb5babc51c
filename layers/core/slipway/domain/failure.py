"""What a state of the story failed with, and the outcome that follows from it."""

import json
from contextlib import suppress
from typing import Final, Self

from slipway.domain.errors import Broken, Reason, Rejected
from slipway.domain.model import Model
from slipway.domain.outcome import Outcome
from slipway.domain.reasons import MEANINGS
from slipway.domain.redaction import redact_for_record
from slipway.domain.text import cut, storable

# How Step Functions reports a function that ran into its time limit or was killed for its memory.
LOOK_DIED: Final = frozenset(
    {"Lambda.Unknown", "Runtime.ExitError", "Runtime.OutOfMemory", "Sandbox.Timedout"}
)

# Step Functions hands on 32 KB of a cause; what fails often quotes a log.
_CAUSE_READ: Final = 40_000
# Long enough for our own sentences with the commands in them, short for what others write.
_MESSAGE_KEPT: Final = 2000
_WORD_KEPT: Final = 100

_REJECTIONS: Final = frozenset(
    {
        Outcome.SUPERSEDED,
        Outcome.REJECTED,
        Outcome.EXPIRED,
        Outcome.CANCELLED,
        Outcome.UNCHANGED,
    }
)


class Failure(Model):
    """What a state ended with: its name, the error class and the sentence behind it."""

    state: str
    error: str
    reason: str
    message: str

    @classmethod
    def parsed(cls, state: str, error: str, cause: str) -> Self:
        """A failure as Step Functions hands it on.

        ``cause`` is "Reason: message" when a step refused by token, and the Lambda runtime's JSON
        with the same words in ``errorMessage`` when it raised. A function that died says no reason:
        the state machine hands it on when three looks have ended so.
        """
        # Settle must read any text: ValueError covers broken JSON and numbers of absurd length.
        cause = cause[:_CAUSE_READ]
        with suppress(ValueError, RecursionError, AttributeError):
            cause = str(json.loads(cause).get("errorMessage", cause))
        cause = storable(cause)
        reason, colon, message = cause.partition(": ")
        if error in LOOK_DIED:
            reason = Reason.LOOK_ENDLESS
            message = f"Three looks of {state} did not finish: {cause or error}"
        elif not colon or reason not in set(Reason):
            reason, message = Reason.INTERNAL_ERROR, cause
        return cls(
            state=cut(storable(state), _WORD_KEPT),
            error=cut(storable(error), _WORD_KEPT),
            reason=reason,
            message=redact_for_record(message, _MESSAGE_KEPT),
        )


def outcome_of(failure: Failure | None, cause: Failure | None, *, changed: bool) -> Outcome:
    """How the deployment ended.

    ``failure`` is what ended it and ``cause`` what made it roll back; ``changed`` says whether
    something of the user's may have changed.
    """
    if failure is None:
        return Outcome.ROLLED_BACK if cause is not None else Outcome.SUCCEEDED
    if failure.error == Rejected.__name__ and not changed:
        return _rejection(failure.reason)
    if not changed:
        return Outcome.FAILED
    if failure.error == Broken.__name__ or cause is None:
        return Outcome.NEEDS_OPERATOR
    return Outcome.ROLLBACK_FAILED


def _rejection(reason: str) -> Outcome:
    """A reason that ends no deployment by itself has blocked this one."""
    known = MEANINGS[Reason(reason)].outcome if reason in set(Reason) else None
    return known if known in _REJECTIONS else Outcome.BLOCKED
