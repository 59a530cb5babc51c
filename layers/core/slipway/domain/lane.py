"""A lane: one application in one environment, changed by one deployment at a time.

Every method returns the lane as it should be. The store writes it only over the version that was
read (put if absent, for a new one): of two writers that read the same lane one fails and has to
look again, which is all the locking there is.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, field_validator

from slipway.domain.commands import deploy_command, lift_command
from slipway.domain.errors import Reason, Rejected
from slipway.domain.model import Model, Versioned
from slipway.domain.release import Digest, Image, label_name
from slipway.domain.schemas import SchemaHistory
from slipway.domain.text import plain

# Promotion needs to know that a digest has succeeded, also after newer ones; a lane's document
# stays small.
_PROVEN_KEPT: Final = 50
_BAD_KEPT: Final = 100
_CHANGES_KEPT: Final = 20
_WORDS_KEPT: Final = 300
# A name with an AWS identity beside it, as operate/desk.py signs.
_NAME_KEPT: Final = 150
_MESSAGE_KEPT: Final = 1000

BY_HAND: Final = "ByHand"


def _newest_bad(marked: dict[str, str]) -> dict[str, str]:
    """The digests that were marked last; an older Slipway kept all of them."""
    return dict(list(marked.items())[-_BAD_KEPT:])


Message = Annotated[str, AfterValidator(lambda text: plain(text, _MESSAGE_KEPT))]
Words = Annotated[str, AfterValidator(lambda text: plain(text, _WORDS_KEPT))]
Doer = Annotated[str, AfterValidator(lambda text: plain(text, _NAME_KEPT))]


class Candidate(Model):
    """A release that is to be deployed on the lane."""

    deployment_id: str
    order: datetime
    digest: Digest
    explicit: bool = False


class Stable(Model):
    """The last good release of the lane, seen healthy: the rollback target.

    ``schema_revision`` is the schema that its database was left at, ``database_id`` which database
    that was: empty where the catalog named no migration, None where an older Slipway wrote it.
    """

    deployment_id: str
    digest: Digest
    platform_digest: Digest
    revision_arn: str
    image_uri: str
    version: str | None
    schema_revision: str | None
    backward_compatible: bool = False
    verified_at: datetime
    service_arn: str | None = None
    database_id: str | None = None

    @field_validator("version", "schema_revision", mode="after")
    @classmethod
    def _says_something(cls, name: str | None) -> str | None:
        """An older Slipway kept labels that are blank or no names at all."""
        return label_name(name)

    @property
    def repository(self) -> str:
        """The ECR repository of its image."""
        return self.image_uri.partition("/")[2].partition("@")[0]

    def is_of_another(self, database_id: str) -> bool:
        """Whether its schema is known to be that of another database than this one."""
        return bool(database_id and self.database_id) and self.database_id != database_id

    def on(self, database_id: str) -> "Stable":
        """The release as something to go back to: another database is not taken to its schema."""
        if not self.is_of_another(database_id):
            return self
        return self.model_copy(update={"schema_revision": None})


class Hold(Model):
    """A stop of all automatic deployments on the lane, until a person lifts it.

    ``earlier`` is the hold that was there before a deployment failed over it.
    """

    reason: Doer
    message: Message
    by: Doer
    since: datetime
    earlier: "Hold | None" = None

    @property
    def began(self) -> datetime:
        """Since when automation stands still."""
        return self.earlier.since if self.earlier is not None else self.since

    @property
    def told(self) -> str:
        """Who holds the lane since when and why, the first hold last."""
        words = f"since {self.since:%Y-%m-%d %H:%M}Z by {self.by}: {self.message}"
        return f"{words} (before that {self.earlier.told})" if self.earlier else words

    def over(self, first: "Hold | None") -> Self:
        """This hold over one that is there: the first one's reason is not lost."""
        if first is None:
            return self
        kept = first.earlier or first
        short = kept.model_copy(update={"message": plain(kept.message, _WORDS_KEPT)})
        return self.model_copy(update={"earlier": short})


class Automation(StrEnum):
    """What became of automation on a lane."""

    HELD = "held"
    LIFTED = "lifted"


class HoldChange(Model):
    """A hold or its end: by whom (a person or a deployment), when and why."""

    what: Automation
    by: Doer
    at: datetime
    message: Words


class EnterResult(StrEnum):
    """Whether the lane or the database could be taken."""

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
    bad_digests: Annotated[dict[str, str], AfterValidator(_newest_bad)] = Field(
        default={}, description="digest -> deployment it failed in, the last 100, newest last"
    )
    proven: tuple[str, ...] = Field(default=(), description="digests that succeeded, newest first")
    hold_history: tuple[HoldChange, ...] = Field(
        default=(), description="who held the lane and who lifted the hold, newest first"
    )
    schemas: SchemaHistory = SchemaHistory()

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

    def schema_now(self, schema_at: str | None = None, database_id: str = "") -> str | None:
        """The schema that this database is at: as a person says, else as the record has it."""
        if schema_at is not None or self.stable is None or self.stable.is_of_another(database_id):
            return schema_at
        return self.stable.schema_revision

    def has_left(self, image: Image, schema_now: str | None) -> bool:
        """Whether the image is known to be of an older schema than the database is at."""
        return self.schemas.older(image.schema_revision, schema_now, proven=self.knows(image))

    def next_deployment_id(self) -> str:
        """The id of the next attempt; never used twice."""
        return self._deployment_id(self.next_number)

    def newest_ids(self, limit: int) -> list[str]:
        """The ids of the newest attempts, newest first: they are numbered without a gap."""
        oldest = max(1, self.next_number - limit)
        return [
            self._deployment_id(number) for number in range(self.next_number - 1, oldest - 1, -1)
        ]

    def _deployment_id(self, number: int) -> str:
        return f"{self.application}-{self.environment}-{number}"

    def with_candidate(self, candidate: Candidate) -> "Lane":
        """Count the attempt; the candidate becomes the newest unless a newer one is known.

        A person's explicit wish is the newest by definition. Of two pushes at the same moment the
        one that is admitted later wins; Admit asks the registry for the fraction of the second
        that ECR's events do not carry.
        """
        newest = self.newest
        wins = newest is None or candidate.explicit or candidate.order >= newest.order
        return self.model_copy(
            update={
                "next_number": self.next_number + 1,
                "newest": candidate if wins else newest,
            }
        )

    def wanted_again(self, order: datetime, *, explicit: bool) -> "Lane":
        """The lane whose newest candidate was requested once more, at ``order``.

        What was pushed in between is older than this wish.
        """
        if self.newest is None:
            return self
        again = {
            "order": max(self.newest.order, order),
            "explicit": self.newest.explicit or explicit,
        }
        return self.model_copy(update={"newest": self.newest.model_copy(update=again)})

    def superseded_by(self, deployment_id: str) -> str | None:
        """The newer candidate that supersedes this one, or None.

        To supersede means that only the newest candidate of a lane is worth deploying.
        """
        if self.newest is None or self.newest.deployment_id == deployment_id:
            return None
        return self.newest.deployment_id

    def refuse(self, deployment_id: str, digest: str, *, explicit: bool) -> None:
        """Raise Rejected when this candidate must not go on: superseded, held or known bad."""
        request = deploy_command(self.lane_id, digest)
        newer = self.superseded_by(deployment_id)
        if newer is not None:
            raise Rejected(Reason.SUPERSEDED, superseded_message(newer, request))
        if explicit:
            return
        if self.hold is not None:
            why = plain(self.hold.told, _WORDS_KEPT).rstrip(".")
            raise Rejected(
                Reason.HELD,
                f"{self.lane_id} has been on hold {why}. To go on, lift the hold "
                f"({lift_command(self.lane_id)}) or request this release ({request}).",
            )
        if digest in self.bad_digests:
            raise Rejected(Reason.DIGEST_BAD, self.told_bad(digest))

    def told_bad(self, digest: str) -> str:
        """Why automation does not deploy a digest again, and how a person does."""
        return (
            f"{digest[:19]} failed here in {self.bad_digests[digest]} and is not deployed again by "
            f"automation. To try it again, request it: {deploy_command(self.lane_id, digest)}"
        )

    def enter(self, deployment_id: str) -> tuple[EnterResult, "Lane"]:
        """Take the lane when it is free; taking it again is the same take."""
        if self.holder == deployment_id:
            return EnterResult.TAKEN, self
        if self.holder is not None:
            return EnterResult.BUSY, self
        taken = {"holder": deployment_id, "fencing": self.fencing + 1}
        return EnterResult.TAKEN, self.model_copy(update=taken)

    def leave(self, deployment_id: str) -> "Lane":
        """Free the lane if this deployment holds it."""
        if self.holder != deployment_id:
            return self
        return self.model_copy(update={"holder": None})

    def with_stable(self, stable: Stable, *, explicit: bool) -> "Lane":
        """Remember the release as last good.

        A success that a person requested ends the hold. Otherwise the hold came while the
        deployment was under way, and only whoever placed it knows what for.
        """
        bad = {digest: by for digest, by in self.bad_digests.items() if digest != stable.digest}
        others = [digest for digest in self.proven if digest != stable.digest]
        proven = (stable.digest, *others)[:_PROVEN_KEPT]
        # A lane that an older Slipway wrote has no history yet: it begins with what was live.
        schemas = self.schemas if self.schemas.live else self.schemas.reaching(self.schema_now())
        schemas = schemas.reaching(stable.schema_revision)
        changes = {"stable": stable, "bad_digests": bad, "proven": proven, "schemas": schemas}
        lane = self.model_copy(update=changes)
        if not explicit:
            return lane
        return lane.lifted(stable.deployment_id, stable.verified_at, "It succeeded.")

    def with_bad(self, digest: str, deployment_id: str) -> "Lane":
        """The lane on which automation does not deploy this digest again."""
        others = {bad: failed for bad, failed in self.bad_digests.items() if bad != digest}
        return self.model_copy(
            update={"bad_digests": _newest_bad({**others, digest: deployment_id})}
        )

    def held(self, hold: Hold) -> "Lane":
        """The lane with automation stopped; the first hold is not lost.

        A person's words over a hold that is there go into the history only. What a deployment ended
        with says more of the service than the hold that it went over, and stands before it.
        """
        history = self._remembering(Automation.HELD, hold.by, hold.since, hold.message)
        kept = self.hold if self.hold and hold.reason == BY_HAND else hold.over(self.hold)
        return self.model_copy(update={"hold": kept, "hold_history": history})

    def lifted(self, by: str, at: datetime, message: str = "") -> "Lane":
        """The lane without its hold, if it has one; digests stay marked bad."""
        if self.hold is None:
            return self
        history = self._remembering(Automation.LIFTED, by, at, message)
        return self.model_copy(update={"hold": None, "hold_history": history})

    def _remembering(
        self, what: Automation, by: str, at: datetime, message: str
    ) -> tuple[HoldChange, ...]:
        change = HoldChange(what=what, by=by, at=at, message=message)
        return (change, *self.hold_history)[:_CHANGES_KEPT]


def superseded_message(newer: str, request: str) -> str:
    """That a newer deployment takes this one's place, and how to ask for this one all the same."""
    return (
        f"{newer} is newer and replaces this deployment. To deploy this release anyway, request "
        f"it: {request}"
    )


class DatabaseSlot(Versioned):
    """A database that is being migrated, so that no second migration starts beside it."""

    database_id: str
    holder: str | None = None

    def enter(self, deployment_id: str) -> tuple[EnterResult, "DatabaseSlot"]:
        """Take the database when nobody else migrates it."""
        if self.holder not in (None, deployment_id):
            return EnterResult.BUSY, self
        return EnterResult.TAKEN, self.model_copy(update={"holder": deployment_id})

    def leave(self, deployment_id: str) -> "DatabaseSlot":
        """Free the database if this deployment holds it."""
        if self.holder != deployment_id:
            return self
        return self.model_copy(update={"holder": None})
