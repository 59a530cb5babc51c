"""What snapshots of instances and of clusters have in common: their states and their refusals."""

from typing import Final

from botocore.exceptions import ClientError

from slipway.adapters.errors import code_of, message_of
from slipway.adapters.rds.conditions import FREE_ITS_KEY, is_stuck, remedy_for
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
    """What RDS's word means; one that it does not name yet is none of a sound snapshot."""
    return _STATES.get(status, SnapshotState.FAILED)


def stuck_word(words: str, identifier: str) -> str:
    """A state that no waiting ends, where RDS's sentence names one; the identifier is none."""
    found = (word.strip(".,:;()'\"") for word in words.replace(identifier, " ").split())
    return next((word for word in found if is_stuck(word)), "")


def wrong_state(identifier: str, words: str, status: str, start: str) -> ControlPlaneError:
    """RDS's usual words are "not currently in the available state", which may pass or not."""
    told = f"{words.rstrip('.')} ({status})" if status and status not in words else words
    remedy = remedy_for(status, start)
    if remedy:
        return Broken(
            Reason.DATABASE_UNAVAILABLE,
            f"No snapshot of {identifier} is possible, and waiting does not help. RDS says: "
            f"{told.rstrip('.')}. {remedy}, then deploy again.",
        )
    return Transient(Reason.DATABASE_BUSY, f"{identifier} is busy: {told}")


def missing(name: str) -> Broken:
    """There is no database of that name."""
    return Broken(
        Reason.DATABASE_UNAVAILABLE,
        f"There is no {name}; correct database.identifier in the catalog.",
    )


def other_refusal(error: ClientError, identifier: str) -> ControlPlaneError | ClientError:
    """What RDS refuses of either kind alike, or its error as it is."""
    match code_of(error):
        case "KMSKeyNotAccessibleFault":
            return Broken(
                Reason.DATABASE_UNAVAILABLE,
                f"No snapshot of {identifier} is possible: its KMS key cannot be used. RDS says: "
                f"{message_of(error).rstrip('.')}. {FREE_ITS_KEY}, then deploy again.",
            )
        case "SnapshotQuotaExceeded":
            return Broken(
                Reason.BACKUP_FAILED,
                f"No snapshot of {identifier} is possible: the quota of manual snapshots in this "
                "region is used up. Delete snapshots that are no longer needed or raise the "
                "quota, then deploy again.",
            )
    return error
