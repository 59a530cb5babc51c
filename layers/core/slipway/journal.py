"""The journal: the intent is written before a call, and a note with every write.

A function can die at any line. Because the intent is on record first, the next look knows that a
call may have been made, and looks for its effect before it makes the call again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from slipway.domain.deployment import Deployment
from slipway.domain.errors import Broken, Reason, Transient
from slipway.domain.evidence import Note, with_evidence
from slipway.domain.model import Versioned
from slipway.domain.what import What
from slipway.ports.records import Admission, Fence, Records

T = TypeVar("T")


@dataclass(frozen=True)
class Journal:
    """The record as one look writes it; all its entries carry the same time."""

    records: Records
    now: datetime

    def write(
        self,
        deployment: Deployment,
        *notes: Note,
        others: Sequence[Versioned] = (),
        admission: Admission | None = None,
        fence: Fence | None = None,
    ) -> Deployment:
        """Write the deployment with these notes in its record; the deployment as it is now stored.

        With a fence the write is also the proof that the lane is still ours: what follows it may
        change the world.
        """
        written, evidence = with_evidence(deployment, notes, self.now)
        documents = [written, *others]
        self.records.write(documents, evidence=evidence, admission=admission, fence=fence)
        return written.stored()

    def act(
        self, deployment: Deployment, note: Note | None, call: Callable[[], T]
    ) -> tuple[Deployment, T]:
        """Write the intent of a call that changes something, and make it.

        The write is fenced: it fails unless the lane is still ours. It comes before every try,
        since the lane may have been lost after an earlier one. The caller writes the end with
        ``acted(now)``; until then the call counts as under way, and Settle frees no lane under it.
        A refusal is an end. ``note`` is None for another try of a call that was put off, which
        the record has already.
        """
        notes = (note,) if note is not None else ()
        intended = self.write(deployment.acting(self.now), *notes, fence=fence_of(deployment))
        try:
            return intended, call()
        except Broken as refused:
            refusal = Note(what=What.CALL_REFUSED, reason=refused.reason, message=refused.message)
            self.write(intended.acted(self.now), refusal)
            raise


def retry_when_moved(attempt: Callable[[], T], *, attempts: int, otherwise: str) -> T:
    """The attempt's result; it is retried at once when its record was written meanwhile.

    Transient(RecordMoved) with the sentence ``otherwise`` once the attempts are used up.
    """
    for _ in range(attempts):
        try:
            return attempt()
        except Transient as error:
            if error.reason is not Reason.RECORD_MOVED:
                raise
    raise Transient(Reason.RECORD_MOVED, otherwise)


def fence_of(deployment: Deployment) -> Fence:
    """The deployment's right to change its lane; Broken before it has entered."""
    if deployment.fencing is None:
        message = f"{deployment.deployment_id} has not taken its lane."
        raise Broken(Reason.INTERNAL_ERROR, message)
    return Fence(
        lane_id=deployment.lane_id,
        deployment_id=deployment.deployment_id,
        fencing=deployment.fencing,
    )
