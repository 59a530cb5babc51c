"""Snapshots of instances and of clusters: the states and errors that both kinds share."""

from typing import Final

from botocore.exceptions import ClientError

from slipway.adapters.errors import code_of, message_of
from slipway.adapters.rds.conditions import RESTORE_KEY_ACCESS, is_stuck, remedy_for
from slipway.domain.errors import Broken, ControlPlaneError, Reason, Transient
from slipway.ports.databases import SnapshotState

DEPLOYMENT_TAG: Final = "slipway:deployment"
_STATES: Final = {
    "copying": SnapshotState.UNDERWAY,
    "creating": SnapshotState.UNDERWAY,
    "pending": SnapshotState.UNDERWAY,
    "available": SnapshotState.AVAILABLE,
}


def state_of(status: str) -> SnapshotState:
    """The state behind a status; an unknown status counts as failed, not as available."""
    return _STATES.get(status, SnapshotState.FAILED)


def stuck_status(words: str, identifier: str) -> str:
    """The status named in RDS's message that does not end by waiting; empty without one."""
    found = (word.strip(".,:;()'\"") for word in words.replace(identifier, " ").split())
    return next((word for word in found if is_stuck(word)), "")


def state_error(identifier: str, words: str, status: str, start: str) -> ControlPlaneError:
    """The error for a database whose status allows no snapshot: temporary, or for an operator."""
    message = f"{words.rstrip('.')} ({status})" if status and status not in words else words
    remedy = remedy_for(status, start)
    if remedy:
        return Broken(
            Reason.DATABASE_UNAVAILABLE,
            f"No snapshot of {identifier} can be taken in its current state. RDS says: "
            f"{message.rstrip('.')}. {remedy}, then deploy again.",
        )
    return Transient(Reason.DATABASE_BUSY, f"{identifier} is busy: {message}")


def missing_error(name: str) -> Broken:
    """The error for a database that does not exist."""
    return Broken(
        Reason.DATABASE_UNAVAILABLE,
        f"There is no {name}; correct database.identifier in the catalog.",
    )


def other_error(error: ClientError, identifier: str) -> ControlPlaneError | ClientError:
    """The errors that both kinds share; any other error unchanged."""
    match code_of(error):
        case "KMSKeyNotAccessibleFault":
            return Broken(
                Reason.DATABASE_UNAVAILABLE,
                f"No snapshot of {identifier} can be taken: its KMS key is not accessible. RDS "
                f"says: {message_of(error).rstrip('.')}. {RESTORE_KEY_ACCESS}, then deploy again.",
            )
        case "SnapshotQuotaExceeded":
            return Broken(
                Reason.BACKUP_FAILED,
                f"No snapshot of {identifier} can be taken: the quota of manual snapshots in this "
                "region is exhausted. Delete snapshots that are no longer needed or raise the "
                "quota, then deploy again.",
            )
    return error
