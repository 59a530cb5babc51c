"""What will be done, fixed and hashed before anything is changed."""

import hashlib
import json
from datetime import datetime
from typing import Any, Final, Self

from pydantic import model_validator

from slipway.domain.catalog import Environment
from slipway.domain.lane import Stable
from slipway.domain.model import Model
from slipway.domain.release import Image, Release

# Grows with every change of what a plan holds, settings included; a test compares.
SEAL_FORMAT: Final = 1
_UNSEALED_FORMAT: Final = 0


class LiveService(Model):
    """The service as it runs: what a new revision is derived from and where it is reached.

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
    target_group_arns: tuple[str, ...] = ()

    @property
    def target_groups(self) -> tuple[str, ...]:
        """Every target group of the service; empty when no load balancer is in front of it."""
        first = (self.target_group_arn,) if self.target_group_arn else ()
        return self.target_group_arns or first


class Difference(Model):
    """One line of what will change, for people."""

    what: str
    before: str
    after: str


class Plan(Model):
    """The deployment's intent: approved by hash, executed as it stands.

    ``needs_migration`` says whether the schema may have to move, ``differences`` what a person
    compares, ``settings`` the catalog's words as they were when the plan was made. ``seal`` is the
    hash by the fields of that time, ``seal_format`` says which fields these are.
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
    seal: str = ""
    seal_format: int = SEAL_FORMAT

    @model_validator(mode="before")
    @classmethod
    def _sealed_as_stored(cls, stored: Any) -> Any:
        """Slipway 0.1.0 stored no seal: it is the hash of the document as it stands there."""
        if not isinstance(stored, dict) or "seal" in stored or not _is_json(stored):
            return stored
        return {**stored, "seal": _hash(stored), "seal_format": _UNSEALED_FORMAT}

    def sealed(self) -> Self:
        """The plan with the hash that a later Slipway, which knows more fields, has to take."""
        return self.model_copy(update={"seal": self.plan_hash})

    @property
    def lane_id(self) -> str:
        """The lane that the plan changes."""
        return f"{self.application}/{self.environment}"

    @property
    def plan_hash(self) -> str:
        """SHA-256 of the plan's canonical JSON when it was made: what an approval is bound to.

        Worked out anew where the fields are still those of that time, so that a change shows.
        """
        if self.seal_format != SEAL_FORMAT:
            return self.seal
        return _hash(self.model_dump(mode="json", exclude={"seal", "seal_format"}))


def _is_json(document: dict[str, Any]) -> bool:
    """Whether this was read from the record, and not made of the domain's own values."""
    return isinstance(document.get("release"), dict)


def _hash(document: dict[str, Any]) -> str:
    content = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


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


def differences(image: Image, live: LiveService, stable: Stable | None) -> tuple[Difference, ...]:
    """What a person compares before letting the deployment through."""
    before = {
        "image": live.image_uri,
        "version": (stable.version if stable else None) or "unknown",
        "schema": (stable.schema_revision if stable else None) or "unknown",
    }
    after = {
        "image": image.uri,
        "version": image.version or "unknown",
        "schema": image.schema_revision or "unknown",
    }
    return tuple(
        Difference(what=what, before=before[what], after=after[what])
        for what in before
        if before[what] != after[what]
    )
