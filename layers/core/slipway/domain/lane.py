"""A lane: one slot of an application in an environment, changed by one deployment at a time.

Every function returns the lane as it should be; the store writes it only over the version that
was read, so that of two writers one has to look again.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import Field

from slipway.domain.errors import Reason, Rejected
from slipway.domain.model import Model, Versioned
from slipway.domain.release import Digest, Image

# Promotion needs to know that a digest has succeeded, also after newer ones; a lane's document
# stays small.
_PROVEN_KEPT: Final = 50
_CHANGES_KEPT: Final = 20
_WORDS_KEPT: Final = 300


class Candidate(Model):
    """A release that wants into the lane."""

    deployment_id: str
    order: datetime
    digest: Digest
    explicit: bool = False


class Stable(Model):
    """The last release that was seen healthy on the lane: what a rollback goes back to."""

    deployment_id: str
    digest: Digest
    platform_digest: Digest
    revision_arn: str
    image_uri: str
    version: str | None
    schema_revision: str | None
    backward_compatible: bool = False
    verified_at: datetime


class Hold(Model):
    """Automation stopped on the lane until a person lifts it."""

    reason: str
    message: str
    by: str
    since: datetime


class Automation(StrEnum):
    """What became of automation on a lane."""

    HELD = "held"
    LIFTED = "lifted"


class HoldChange(Model):
    """A hold or its end: by whom (a person or a deployment), when and why."""

    what: Automation
    by: str
    at: datetime
    message: str


class Entry(StrEnum):
    """How a wish to take the lane was answered."""

    TAKEN = "taken"
    BUSY = "busy"


class Lane(Versioned):
    """Who may change what runs here."""

    application: str
    environment: str
    next_number: int = 1
    fencing: int = 0
    holder: str | None = None
    newest: Candidate | None = None
    hold: Hold | None = None
    stable: Stable | None = None
    bad_digests: dict[str, str] = Field(default={}, description="digest -> deployment it failed in")
    proven: tuple[str, ...] = Field(default=(), description="digests that succeeded, newest first")
    hold_history: tuple[HoldChange, ...] = Field(
        default=(), description="who held the lane and who lifted the hold, newest first"
    )

    @classmethod
    def new(cls, lane_id: str) -> "Lane":
        """The lane on which nothing was ever deployed."""
        application, _, environment = lane_id.partition("/")
        return cls(application=application, environment=environment)

    @property
    def lane_id(self) -> str:
        """The key of the lane, also in events."""
        return f"{self.application}/{self.environment}"

    def knows(self, image: Image) -> bool:
        """Whether the image has succeeded here before."""
        return image.digest in self.proven

    def next_deployment_id(self) -> str:
        """The id of the next attempt; never used twice."""
        return f"{self.application}-{self.environment}-{self.next_number}"

    def with_candidate(self, candidate: Candidate) -> "Lane":
        """Count the attempt; the candidate becomes the newest unless a newer one is known.

        A person's explicit wish is the newest by definition: an older image goes over a newer
        one only that way. EventBridge tells whole seconds, so of two pushes within one second the
        one that is admitted later wins.
        """
        newest = self.newest
        wins = newest is None or candidate.explicit or candidate.order >= newest.order
        return self.model_copy(
            update={
                "next_number": self.next_number + 1,
                "newest": candidate if wins else newest,
            }
        )

    def superseded_by(self, deployment_id: str) -> str | None:
        """The newer candidate that ends this one's wish, or None."""
        if self.newest is None or self.newest.deployment_id == deployment_id:
            return None
        return self.newest.deployment_id

    def refuse(self, deployment_id: str, digest: str, *, explicit: bool) -> None:
        """Raise Rejected when this candidate must not go on: superseded, held or known bad."""
        newer = self.superseded_by(deployment_id)
        if newer is not None:
            raise Rejected(Reason.SUPERSEDED, f"{newer} is newer and replaces this deployment.")
        if explicit:
            return
        if self.hold is not None:
            raise Rejected(
                Reason.HELD,
                f"{self.lane_id} is on hold since {self.hold.since:%Y-%m-%d %H:%M}Z by "
                f"{self.hold.by}: {self.hold.message}",
            )
        if digest in self.bad_digests:
            raise Rejected(
                Reason.DIGEST_BAD,
                f"{digest[:19]} failed here in {self.bad_digests[digest]} and is not deployed "
                "again by automation.",
            )

    def enter(self, deployment_id: str) -> tuple[Entry, "Lane"]:
        """Take the lane when it is free; taking it again is the same take."""
        if self.holder == deployment_id:
            return Entry.TAKEN, self
        if self.holder is not None:
            return Entry.BUSY, self
        taken = {"holder": deployment_id, "fencing": self.fencing + 1}
        return Entry.TAKEN, self.model_copy(update=taken)

    def leave(self, deployment_id: str) -> "Lane":
        """Free the lane if this deployment holds it."""
        if self.holder != deployment_id:
            return self
        return self.model_copy(update={"holder": None})

    def with_stable(self, stable: Stable, *, explicit: bool) -> "Lane":
        """Remember the release as last good.

        A success that a person asked for ends the hold. Otherwise the hold came while the
        deployment was under way, and only whoever placed it knows what for.
        """
        bad = {digest: by for digest, by in self.bad_digests.items() if digest != stable.digest}
        others = [digest for digest in self.proven if digest != stable.digest]
        proven = (stable.digest, *others)[:_PROVEN_KEPT]
        lane = self.model_copy(update={"stable": stable, "bad_digests": bad, "proven": proven})
        if not explicit:
            return lane
        return lane.lifted(stable.deployment_id, stable.verified_at, "It succeeded.")

    def with_bad(self, digest: str, deployment_id: str) -> "Lane":
        """The lane on which automation does not deploy this digest again."""
        return self.model_copy(update={"bad_digests": {**self.bad_digests, digest: deployment_id}})

    def held(self, hold: Hold) -> "Lane":
        """The lane with automation stopped; a hold that is there already is replaced."""
        history = self._remembering(Automation.HELD, hold.by, hold.since, hold.message)
        return self.model_copy(update={"hold": hold, "hold_history": history})

    def lifted(self, by: str, at: datetime, message: str = "") -> "Lane":
        """The lane without its hold, if it has one; digests stay marked bad."""
        if self.hold is None:
            return self
        history = self._remembering(Automation.LIFTED, by, at, message)
        return self.model_copy(update={"hold": None, "hold_history": history})

    def _remembering(
        self, what: Automation, by: str, at: datetime, message: str
    ) -> tuple[HoldChange, ...]:
        change = HoldChange(what=what, by=by, at=at, message=message[:_WORDS_KEPT])
        return (change, *self.hold_history)[:_CHANGES_KEPT]


class DatabaseSlot(Versioned):
    """A database that is being migrated, so that no second migration starts beside it."""

    database_id: str
    holder: str | None = None

    def enter(self, deployment_id: str) -> tuple[Entry, "DatabaseSlot"]:
        """Take the database when nobody else migrates it."""
        if self.holder not in (None, deployment_id):
            return Entry.BUSY, self
        return Entry.TAKEN, self.model_copy(update={"holder": deployment_id})

    def leave(self, deployment_id: str) -> "DatabaseSlot":
        """Free the database if this deployment holds it."""
        if self.holder != deployment_id:
            return self
        return self.model_copy(update={"holder": None})
