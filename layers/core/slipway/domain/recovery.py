"""What there is to bring the data back from, when a migration went wrong."""

from datetime import datetime

from slipway.domain.database import Database
from slipway.domain.deployment import Deployment
from slipway.domain.model import Model


class RecoveryPoint(Model):
    """The data as it was before a migration: when that was, and its snapshot where there is one."""

    database: Database
    before: datetime
    snapshot_id: str | None


def recovery_point(deployment: Deployment) -> RecoveryPoint | None:
    """Where the data could be brought back from.

    None when there was no migration, or no database is known.
    """
    settings, progress = deployment.plan.settings if deployment.plan else None, deployment.progress
    started = progress.migration_requested_at if progress.migration_began else None
    if settings is None or settings.database is None or started is None:
        return None
    taken = progress.snapshot_available_at is not None
    return RecoveryPoint(
        database=settings.database,
        before=started,
        snapshot_id=progress.snapshot_id if taken else None,
    )
