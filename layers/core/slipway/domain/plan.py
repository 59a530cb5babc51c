"""What will be done, fixed and hashed before anything is changed."""

import json
from datetime import datetime
from typing import Any, Final, Self

from pydantic import Field, model_validator

from slipway.domain.catalog import Environment
from slipway.domain.lane import Lane, Stable
from slipway.domain.model import Model
from slipway.domain.release import SCHEMA_LABEL, VERSION_LABEL, Image, Release
from slipway.domain.seal import content_hash

_SEALS: Final = frozenset({"seal", "seal_format"})


class LiveService(Model):
    """The service as it runs: what a new revision is derived from and where it is reached.

    ``operating_system`` is in ECS's words (LINUX); ``scheduling`` (replica or daemon) and
    ``strategy`` (a kind of the catalog's or another one) are in the catalog's, though an older
    Slipway recorded ECS's. ``zone_rebalancing`` says whether ECS moves tasks between availability
    zones.
    ``target_group_arns`` are all of its target groups, those of the release's container first;
    an older Slipway recorded the first one only.
    """

    service_arn: str
    revision_arn: str
    image_uri: str
    architecture: str
    desired_count: int
    target_group_arn: str | None
    base_url: str | None
    is_registered: bool = True
    operating_system: str = "LINUX"
    scheduling: str = "replica"
    strategy: str = "rolling"
    zone_rebalancing: bool = False
    target_group_arns: tuple[str, ...] = ()

    @property
    def target_groups(self) -> tuple[str, ...]:
        """Every target group of the service; empty when no load balancer is in front of it."""
        first = (self.target_group_arn,) if self.target_group_arn else ()
        return self.target_group_arns or first


class NoWayBack(Model):
    """Why the last good release could not be brought back; ``deployment_id`` says which one."""

    deployment_id: str
    why: str


class Difference(Model):
    """One line of what will change, for people."""

    what: str
    before: str
    after: str


class Plan(Model):
    """The deployment's intent: approved by hash, executed as it stands.

    ``needs_migration`` says whether the schema may have to move, ``differences`` what a person
    compares, ``settings`` the catalog's words as they were when the plan was made. Where there is
    a last good release that could not be brought back, ``no_way_back`` says why and there is no
    ``rollback_target``; ``way_back_is_deregistered`` when its revision has to be registered again
    first. ``schema_before`` is the schema that the database is at, where it is known.
    ``sealed_text`` is the plan as it was sealed, and as it lies in the record ever after: a later
    Slipway that knows more fields still takes the hash of the same text.
    """

    deployment_id: str
    application: str
    environment: str
    release: Release
    image: Image
    settings: Environment
    live: LiveService
    rollback_target: Stable | None
    needs_migration: bool
    needs_approval: bool
    differences: tuple[Difference, ...]
    planned_at: datetime
    no_way_back: NoWayBack | None = None
    way_back_is_deregistered: bool = False
    schema_before: str | None = None
    sealed_text: str = Field(default="", exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _sealed_as_stored(cls, stored: Any) -> Any:
        """Read from the record, a plan is what stands there, whatever fields this Slipway knows."""
        if not isinstance(stored, dict) or not isinstance(stored.get("release"), dict):
            return stored
        content = _content(stored)
        return {**content, "sealed_text": _text(content)}

    def sealed(self) -> Self:
        """The plan once it is complete."""
        return self.model_copy(update={"sealed_text": _text(self.model_dump(mode="json"))})

    @property
    def lane_id(self) -> str:
        """The lane that the plan changes."""
        return f"{self.application}/{self.environment}"

    @property
    def keeps_schema(self) -> bool:
        """Whether the schema stays what it is known to be, whatever the release's label says."""
        moves = self.needs_migration or self.settings.migration is None
        return not moves and self.schema_before is not None

    def why_no_way_back_to(self, stable: Stable | None) -> str | None:
        """Why this last good release could not be brought back, as far as the plan knows."""
        known = self.no_way_back
        return (
            known.why if known and stable and known.deployment_id == stable.deployment_id else None
        )

    @property
    def text(self) -> str:
        """The plan as it lies in the record, or is going to."""
        return self.sealed_text or self.sealed().sealed_text

    @property
    def plan_hash(self) -> str:
        """What an approval is bound to: SHA-256 of the sealed plan, as 64 hex digits."""
        return content_hash(json.loads(self.text))


def stored_plan_hash(document: dict[str, Any]) -> str:
    """The hash of a plan as it lies in the record."""
    return content_hash(_content(document))


def _text(content: dict[str, Any]) -> str:
    """Letters as they are: most of what people write is shorter so."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _content(document: dict[str, Any]) -> dict[str, Any]:
    """The plan without its own hash, which was stored beside it for a time."""
    return {name: value for name, value in document.items() if name not in _SEALS}


def needs_migration(settings: Environment, image: Image, stable: Stable | None) -> bool:
    """Whether the release may have a migration to run.

    Nothing is pending only when both releases name the same schema: an image that does not say
    is treated as one that has something to migrate.
    """
    if settings.migration is None:
        return False
    if stable is None or image.schema_revision is None:
        return True
    return image.schema_revision != stable.schema_revision


def pending_migration(
    settings: Environment, image: Image, lane: Lane, schema_at: str | None
) -> bool:
    """needs_migration() with all that the lane knows; ``schema_at`` is where a person says it is.

    An image that has succeeded here before has nothing to migrate where labels say nothing; they
    say nothing of another database, of another repository's images, or of a time without
    migrations.
    """
    if settings.migration is None:
        return False
    now = lane.schema_now(schema_at, settings.database_id(lane.lane_id))
    if lane.has_left(image, now):
        return False
    if schema_at is not None:
        return image.schema_revision != now
    stable, database_id = lane.stable, settings.database_id(lane.lane_id)
    if stable is not None and (stable.database_id == "" or stable.is_of_another(database_id)):
        return True
    foreign = stable is not None and stable.image_uri.partition("@")[0] != image.repository_uri
    silent = image.schema_revision is None or now is None
    return foreign or (
        needs_migration(settings, image, stable) and not (silent and lane.knows(image))
    )


def differences(
    image: Image, live: LiveService, stable: Stable | None, schema_at: str | None = None
) -> tuple[Difference, ...]:
    """What a person compares before letting the deployment through."""
    before = {
        "image": live.image_uri,
        "version": (stable.version if stable else None) or "unknown",
        "schema": schema_at or (stable.schema_revision if stable else None) or "unknown",
    }
    after = {
        "image": image.uri,
        "version": _label_value(image.version, image, VERSION_LABEL, "version"),
        "schema": _label_value(image.schema_revision, image, SCHEMA_LABEL, "schema"),
    }
    return tuple(
        Difference(what=what, before=before[what], after=after[what])
        for what in before
        if before[what] != after[what]
    )


def _label_value(name: str | None, image: Image, label: str, what: str) -> str:
    """The name, or why there is none; what is no name is not shown, since anybody may write it."""
    if image.misnames(label):
        return f"unknown: the image's label is not a {what}"
    return name or "unknown"
