"""How a deployment ended."""

from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """How a deployment ended; each has its heading in docs/runbook.md."""

    SUCCEEDED = "Succeeded"
    ROLLED_BACK = "RolledBack"
    ROLLBACK_FAILED = "RollbackFailed"
    NEEDS_OPERATOR = "NeedsOperator"
    FAILED = "Failed"
    REJECTED = "Rejected"
    EXPIRED = "Expired"
    SUPERSEDED = "Superseded"
    BLOCKED = "Blocked"
    CANCELLED = "Cancelled"
    UNCHANGED = "Unchanged"

    @property
    def holds_the_lane(self) -> bool:
        """Whether automation stops on the lane after this end."""
        return self in _HOLDING


_HOLDING: Final = frozenset({Outcome.ROLLED_BACK, Outcome.ROLLBACK_FAILED, Outcome.NEEDS_OPERATOR})
