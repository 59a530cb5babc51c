"""What there is to bring the data back from, when a migration went wrong."""

from datetime import datetime

from slipway.domain.database import Database
from slipway.domain.deployment import Deployment
from slipway.domain.model import Model
from slipway.domain.progress import SchemaWork


class RecoveryPoint(Model):
    """The data as it was before a migration: when that was, and its snapshot where there is one."""

    database: Database
    before: datetime
    snapshot_id: str | None


def recovery_point(deployment: Deployment) -> RecoveryPoint | None:
    """Where the data could be brought back from.

    None when there was no migration, or no database is known.
    """
    settings = deployment.plan.settings if deployment.plan else None
    migration = deployment.progress.schema_tasks.get(SchemaWork.UP)
    if settings is None or settings.database is None or migration is None:
        return None
    if not migration.may_have_begun:
        return None
    backup = deployment.progress.backups.get(settings.database.database_id)
    return RecoveryPoint(
        database=settings.database,
        before=migration.requested_at,
        snapshot_id=backup.handle if backup and backup.succeeded else None,
    )
