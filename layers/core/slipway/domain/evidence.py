"""The record that cannot be changed unseen: every entry carries the hash of the one before."""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from pydantic import Field

from slipway.domain.deployment import Deployment
from slipway.domain.model import Model
from slipway.domain.text import cut

# What others say finds its way into a sentence; no entry grows with it.
_SENTENCE: Final = 2000


class Note(Model):
    """Something worth recording: an intent, a gate, a decision, a call, an outcome."""

    what: str
    reason: str = ""
    message: str = ""
    data: dict[str, Any] = Field(default={})


class Evidence(Model):
    """One entry of a deployment's record; ``hash`` covers every other field."""

    deployment_id: str
    number: int
    at: datetime
    what: str
    reason: str
    message: str
    data: dict[str, Any]
    previous_hash: str
    hash: str = ""

    def sealed(self) -> "Evidence":
        """The entry with its hash."""
        return self.model_copy(update={"hash": self.expected_hash()})

    def expected_hash(self) -> str:
        """SHA-256 over the canonical JSON of all fields but the hash itself."""
        content = self.model_dump(mode="json", exclude={"hash"})
        document = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(document.encode()).hexdigest()


def recorded(
    deployment: Deployment, notes: Iterable[Note], at: datetime
) -> tuple[Deployment, list[Evidence]]:
    """The deployment with its chain's new head, and the entries that led there."""
    entries: list[Evidence] = []
    count, head = deployment.evidence_count, deployment.evidence_hash
    for note in notes:
        entry = Evidence(
            deployment_id=deployment.deployment_id,
            number=count + 1,
            at=at,
            what=note.what,
            reason=note.reason,
            message=cut(note.message, _SENTENCE),
            data=note.data,
            previous_hash=head,
        ).sealed()
        entries.append(entry)
        count, head = entry.number, entry.hash
    update = {"evidence_count": count, "evidence_hash": head}
    return deployment.model_copy(update=update), entries


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
        if entry.hash != entry.expected_hash():
            errors.append(f"entry {number} was changed after it was written")
        previous = entry.hash
    if len(entries) != deployment.evidence_count:
        errors.append(f"{len(entries)} entries, but {deployment.evidence_count} were written")
    elif previous != deployment.evidence_hash:
        errors.append("the last entry is not the one that the deployment names")
    return errors
