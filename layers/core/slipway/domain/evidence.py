"""The record that cannot be changed unseen: every entry carries the hash of the one before."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from pydantic import Field, model_validator

from slipway.domain.deployment import Deployment
from slipway.domain.model import Model
from slipway.domain.redaction import redact_for_record
from slipway.domain.seal import content_hash
from slipway.domain.text import cut, storable
from slipway.domain.what import What

_MESSAGE_KEPT: Final = 2000
_WORD_KEPT: Final = 200
# Twenty lines of a log with 500 of the widest characters each.
_DATA_KEPT: Final = 44_000
_BEGINNING_KEPT: Final = 10_000
_FIRST_FORMAT: Final = 1
_FORMAT: Final = 2


class Note(Model):
    """Something worth recording: an intent, a gate, a decision, a call, an outcome."""

    what: What
    reason: str = ""
    message: str = ""
    data: dict[str, Any] = Field(default={})


class Evidence(Model):
    """One entry of a deployment's record; ``hash`` covers every other field, as it was stored.

    ``format`` says how an entry is hashed: 1 (Slipway 0.1.0, without a number) and 2 are the
    canonical JSON of what is stored beside the hash. ``stored_hash`` is the hash of an entry that
    was read.
    """

    deployment_id: str
    number: int
    at: datetime
    what: str
    reason: str
    message: str
    data: dict[str, Any]
    previous_hash: str
    format: int = _FORMAT
    hash: str = ""
    stored_hash: str = Field(default="", exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _hashed_as_stored(cls, stored: Any) -> Any:
        """Fields that this Slipway does not know count, and those that it knows since do not."""
        if not isinstance(stored, dict) or not isinstance(stored.get("at"), str):
            return stored
        content = {name: value for name, value in stored.items() if name != "hash"}
        return {"format": _FIRST_FORMAT, **stored, "stored_hash": content_hash(content)}

    def sealed(self) -> "Evidence":
        """The entry with its hash."""
        return self.model_copy(update={"hash": self.expected_hash()})

    def expected_hash(self) -> str:
        """SHA-256 of the entry as it lies in the record, or is going to."""
        hidden = {"hash"}
        return self.stored_hash or content_hash(self.model_dump(mode="json", exclude=hidden))


def with_evidence(
    deployment: Deployment, notes: Iterable[Note], at: datetime
) -> tuple[Deployment, list[Evidence]]:
    """The deployment with its chain's new head, and the entries that led there.

    A record is kept for ever, so no entry takes a secret in with the words of others.
    """
    entries: list[Evidence] = []
    count, head = deployment.evidence_count, deployment.evidence_hash
    for note in notes:
        entry = Evidence(
            deployment_id=deployment.deployment_id,
            number=count + 1,
            at=at,
            what=note.what,
            reason=cut(storable(note.reason), _WORD_KEPT),
            message=redact_for_record(note.message, _MESSAGE_KEPT),
            data=_bounded(note.data),
            previous_hash=head,
        ).sealed()
        entries.append(entry)
        count, head = entry.number, entry.hash
    update = {"evidence_count": count, "evidence_hash": head}
    return deployment.model_copy(update=update), entries


def _bounded(data: dict[str, Any]) -> dict[str, Any]:
    """The facts of a note; of those that are too many the beginning, as text."""
    text = json.dumps(data, default=str, ensure_ascii=False)
    sound = storable(text)
    if len(sound.encode()) > _DATA_KEPT:
        return {"cut": cut(sound, _BEGINNING_KEPT)}
    return data if sound == text else dict(json.loads(sound))


def chain_errors(deployment: Deployment, entries: list[Evidence]) -> list[str]:
    """What is wrong with a deployment's record; empty when it is whole."""
    errors: list[str] = []
    previous = ""
    for number, entry in enumerate(entries, start=1):
        if entry.number != number:
            errors.append(f"entry {number} is missing (found {entry.number})")
            break
        if entry.previous_hash != previous:
            errors.append(f"entry {number} does not follow entry {number - 1}")
        if entry.format > _FORMAT:
            errors.append(f"entry {number} has format {entry.format}: a newer Slipway wrote it")
        elif entry.hash != entry.expected_hash():
            errors.append(f"entry {number} was changed after it was written")
        previous = entry.hash
    if len(entries) != deployment.evidence_count:
        errors.append(f"{len(entries)} entries, but {deployment.evidence_count} were written")
    elif previous != deployment.evidence_hash:
        errors.append("the last entry is not the one that the deployment names")
    return errors
