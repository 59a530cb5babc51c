"""What will be done, fixed and hashed before anything is changed."""

import hashlib
import json
from datetime import datetime

from slipway.domain.catalog import Environment
from slipway.domain.lane import Stable
from slipway.domain.model import Model
from slipway.domain.release import Image, Release


class LiveService(Model):
    """The service as it runs: what a new revision is derived from and where it is reached."""

    service_arn: str
    revision_arn: str
    image_uri: str
    architecture: str
    desired_count: int
    target_group_arn: str | None
    base_url: str | None
    is_registered: bool = True


class Difference(Model):
    """One line of what will change, for people."""

    what: str
    before: str
    after: str


class Plan(Model):
    """The deployment's intent: approved by hash, executed as it stands.

    ``needs_migration`` says whether the schema may have to move, ``differences`` what a person
    compares, ``settings`` the catalog's words as they were when the plan was made.
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

    @property
    def lane_id(self) -> str:
        """The lane that the plan changes."""
        return f"{self.application}/{self.environment}"

    @property
    def plan_hash(self) -> str:
        """SHA-256 of the plan's canonical JSON: what an approval is bound to."""
        document = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(document.encode()).hexdigest()


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
