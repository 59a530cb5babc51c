"""What RDS's words for a database's state mean, and what somebody has to do about some of them.

The words are those of "Viewing Amazon RDS DB instance status" and, for clusters, of "Viewing DB
cluster status" in the guides; what neither knows is taken for a state that passes.
"""

from typing import Final

from slipway.domain.preflight import DatabaseCondition

FREE_ITS_KEY: Final = "Make its KMS key usable again and start it"
_RESTORE_IT: Final = "Restore it from a snapshot or to a point in time"
_BRING_IT_BACK: Final = "Bring it back to 'available'"
_NAME_ANOTHER: Final = "Name another database in the catalog"
# The states that no waiting ends, and what does. {start} stands for the kind's own command.
_REMEDIES: Final = {
    "cloning-failed": _NAME_ANOTHER,
    "delete-precheck": _NAME_ANOTHER,
    "deleting": _NAME_ANOTHER,
    "failed": _RESTORE_IT,
    "inaccessible-encryption-credentials": "Restore it from a snapshot with a usable KMS key",
    "inaccessible-encryption-credentials-recoverable": FREE_ITS_KEY,
    "insufficient-capacity": _BRING_IT_BACK,
    "migration-failed": _NAME_ANOTHER,
    "restore-error": _BRING_IT_BACK,
    "stopped": "Start it ({start})",
    "stopping": "Start it ({start})",
    "storage-full": "Give it more storage",
}
_USABLE: Final = frozenset({"available", "storage-optimization"})


def is_stuck(status: str) -> bool:
    """Whether no waiting ends this state."""
    return status in _REMEDIES or status.startswith("incompatible-")


def condition_of(status: str) -> DatabaseCondition:
    """What can be done with a database of which RDS says this."""
    if is_stuck(status):
        return DatabaseCondition.STUCK
    return DatabaseCondition.USABLE if status in _USABLE else DatabaseCondition.PASSING


def remedy_for(status: str, start: str) -> str:
    """What ends a state that no waiting ends; empty for every other one."""
    if not is_stuck(status):
        return ""
    return _REMEDIES.get(status, _BRING_IT_BACK).format(start=start)
