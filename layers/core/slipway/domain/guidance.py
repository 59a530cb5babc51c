"""What a person is told to expect of a deployment, and to do after its end."""

import shlex
from typing import Final

from slipway.domain.catalog import Rolling
from slipway.domain.deployment import Deployment, Outcome
from slipway.domain.plan import Plan
from slipway.domain.wording import short_digest

_NEXT: Final = {
    Outcome.SUCCEEDED: "Nothing: the release is live and verified.",
    Outcome.ROLLED_BACK: (
        "The last good release serves again and the lane is on hold. Find the cause, push a fixed "
        "release and request its deployment, or lift the hold."
    ),
    Outcome.ROLLBACK_FAILED: (
        "Look at the service now: the way back failed and the lane is on hold. Bring the last "
        "good release back by hand, then lift the hold."
    ),
    Outcome.NEEDS_OPERATOR: (
        "Look now: going back automatically could lose data, so the lane is on hold as it is. "
        "Decide between a fixed release and restoring the database, then lift the hold."
    ),
    Outcome.FAILED: (
        "Nothing of yours was changed. Remove the cause named here, then request the deployment "
        "again."
    ),
    Outcome.REJECTED: "Nothing was changed. Push another release, or request this one again.",
    Outcome.EXPIRED: "Nothing was changed. Request the deployment again to be asked again.",
    Outcome.SUPERSEDED: "Nothing: the newer deployment goes on in its place.",
    Outcome.BLOCKED: (
        "Nothing was changed. Remove what the gate names, then request the deployment, or push "
        "another release."
    ),
    Outcome.CANCELLED: "Nothing. Request the deployment again when it is wanted.",
    Outcome.UNCHANGED: "Nothing: this release is live already.",
}


def what_next(outcome: Outcome) -> str:
    """What a person has to do after this end."""
    return _NEXT[outcome]


def way_back(plan: Plan) -> str:
    """What a rollback of this plan would do."""
    stable = plan.rollback_target
    if stable is None:
        return (
            "Nothing to go back to: this is the lane's first deployment. A failure asks a person."
        )
    named = f"version {stable.version}" if stable.version else short_digest(stable.digest)
    code = f"The code goes back to {named}"
    if not plan.needs_migration:
        return f"{code}; the database is not touched."
    if plan.image.backward_compatible:
        return f"{code}; the migrated schema stays, the old code runs on it."
    migration = plan.settings.migration
    if migration is None or migration.downgrade is None or stable.schema_revision is None:
        return "The code does not go back by itself once the schema has moved: a person decides."
    words = (word.replace("{schema}", stable.schema_revision) for word in migration.downgrade)
    return f"The schema goes back first ({shlex.join(words)}). {code}."


def manner(strategy: Rolling) -> str:
    """How the tasks are replaced."""
    return (
        f"Rolling: between {strategy.minimum_healthy_percent} % and {strategy.maximum_percent} % "
        "of the desired tasks run meanwhile; the circuit breaker is on."
    )


def restore_commands(deployment: Deployment) -> tuple[str, ...]:
    """How to get the data from before the migration, into a new database; never over the live one.

    Empty when there was no migration, or no database is known.
    """
    settings = deployment.plan.settings if deployment.plan else None
    progress = deployment.progress
    started = progress.migration_requested_at if progress.migration_began else None
    if settings is None or settings.database is None or started is None:
        return ()
    live = settings.database.identifier
    restored = f"{live}-restored"
    in_time = (
        f"aws rds restore-db-instance-to-point-in-time --source-db-instance-identifier {live} "
        f"--target-db-instance-identifier {restored} --restore-time {started:%Y-%m-%dT%H:%M:%SZ}"
    )
    if deployment.progress.snapshot_available_at is None:
        return (in_time,)
    from_snapshot = (
        f"aws rds restore-db-instance-from-db-snapshot --db-instance-identifier {restored} "
        f"--db-snapshot-identifier {deployment.progress.snapshot_id}"
    )
    return from_snapshot, in_time
