"""The status of a database in RDS: whether it is usable, temporary, or needs an operator.

The statuses are those of "Viewing Amazon RDS DB instance status" in the RDS user guide and of
"Viewing DB cluster status" in the Aurora user guide. An unknown status counts as temporary.
"""

from typing import Final

from slipway.domain.preflight import DatabaseCondition

RESTORE_KEY_ACCESS: Final = "Make its KMS key accessible again and start it"
_RESTORE_IT: Final = "Restore it from a snapshot or to a point in time"
_BRING_IT_BACK: Final = "Bring it back to 'available'"
_NAME_ANOTHER: Final = "Name another database in the catalog"
# The statuses that do not end by waiting, and what ends them. {start} is the command of the kind.
_REMEDIES: Final = {
    "cloning-failed": _NAME_ANOTHER,
    "delete-precheck": _NAME_ANOTHER,
    "deleting": _NAME_ANOTHER,
    "failed": _RESTORE_IT,
    "inaccessible-encryption-credentials": "Restore it from a snapshot with a usable KMS key",
    "inaccessible-encryption-credentials-recoverable": RESTORE_KEY_ACCESS,
    "insufficient-capacity": _BRING_IT_BACK,
    "migration-failed": _NAME_ANOTHER,
    "restore-error": _BRING_IT_BACK,
    "stopped": "Start it ({start})",
    "stopping": "Start it ({start})",
    "storage-full": "Increase its allocated storage",
}
_USABLE: Final = frozenset({"available", "storage-optimization"})


def is_stuck(status: str) -> bool:
    """Whether this status does not end by waiting."""
    return status in _REMEDIES or status.startswith("incompatible-")


def condition_of(status: str) -> DatabaseCondition:
    """Whether a database with this status can be used."""
    if is_stuck(status):
        return DatabaseCondition.STUCK
    return DatabaseCondition.USABLE if status in _USABLE else DatabaseCondition.PASSING


def remedy_for(status: str, start: str) -> str:
    """What an operator has to do about a status that does not end by waiting; else empty."""
    if not is_stuck(status):
        return ""
    return _REMEDIES.get(status, _BRING_IT_BACK).format(start=start)
