"""Backup: snapshot the database before its schema is migrated, and check the snapshot."""

from datetime import datetime, timedelta

from slipway.domain.catalog import BackupPolicy
from slipway.domain.database import Database
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.effect import Effect
from slipway.domain.errors import Broken, Reason, Transient
from slipway.domain.evidence import Note
from slipway.domain.what import What
from slipway.journal import Journal, fence_of
from slipway.ports.databases import Databases, Snapshot, SnapshotState
from slipway.steps.step import StepRequest, StepResult
from slipway.waits import Key, deployment_key, snapshot_key


class BackupRequest(StepRequest):
    """The deployment whose database is to be backed up."""


def snapshot_id(deployment_id: str) -> str:
    """The snapshot's name: lower case, no double hyphen, as RDS wants it."""
    return f"slipway-{deployment_id}"


def keys(request: BackupRequest) -> tuple[Key, ...]:
    """What wakes a backup: RDS's news of the snapshot, or of the deployment."""
    return (
        snapshot_key(snapshot_id(request.deployment_id)),
        deployment_key(request.deployment_id),
    )


def backup(request: BackupRequest, *, journal: Journal, databases: Databases) -> StepResult:
    """Done when the snapshot is available and sound, or when the policy does not require it.

    Broken when there is no usable snapshot: nothing has been changed yet.
    """
    deployment = journal.records.deployment(request.deployment_id)
    deployment.refuse_to_continue()
    settings = deployment.planned().settings
    database, policy = settings.database, settings.backup.policy
    if database is None or policy is BackupPolicy.OFF:
        return _skip(deployment, "the catalog asks for no backup", journal)
    try:
        return _back_up(deployment, database, journal, databases)
    except Broken as error:
        if policy is BackupPolicy.REQUIRED:
            raise
        # The record has moved on: the request for the snapshot stands in it.
        deployment = journal.records.deployment(request.deployment_id)
        return _skip(deployment, f"best effort: {error.message}", journal)


def _skip(deployment: Deployment, why: str, journal: Journal) -> StepResult:
    note = Note(what=What.BACKUP_SKIPPED, message=why)
    journal.write(deployment, note, fence=fence_of(deployment))
    return StepResult(done=True, reason=Reason.SKIPPED, message=f"no backup: {why}")


def _back_up(
    deployment: Deployment, database: Database, journal: Journal, databases: Databases
) -> StepResult:
    name = snapshot_id(deployment.deployment_id)
    known = deployment.progress.backups.get(database.database_id)
    if known is not None and known.succeeded:
        return StepResult(done=True, reason=Reason.BACKED_UP, message=f"{name} is available")
    snapshot = databases.snapshot(database, name) if known is not None else None
    if snapshot is None:
        deployment, snapshot = _request_snapshot(deployment, database, journal, databases)
    return _judge(deployment, database, snapshot, journal)


def _request_snapshot(
    deployment: Deployment, database: Database, journal: Journal, databases: Databases
) -> tuple[Deployment, Snapshot | None]:
    """The snapshot just requested; None while the database is busy, with its own backup say."""
    name, database_id = snapshot_id(deployment.deployment_id), database.database_id
    asked = Effect(requested_at=journal.now).known_as(name)
    effect = deployment.progress.backups.get(database_id, asked)
    before = effect.put_off_by
    deployment, put_off = journal.act(
        deployment.at(Phase.BACKING_UP).with_backup(database_id, effect),
        Note(what=What.SNAPSHOT_REQUESTED, message=name) if before is None else None,
        lambda: _create_snapshot(database, deployment.deployment_id, databases),
    )
    if put_off is None:
        news = [Note(what=What.SNAPSHOT_STARTED, message=name)]
    else:
        news = [Note(what=What.DATABASE_BUSY, message=put_off)] if put_off != before else []
    answered = deployment.acted(journal.now).with_backup(database_id, effect.put_off(put_off))
    deployment = journal.write(answered, *news)
    return deployment, databases.snapshot(database, name) if put_off is None else None


def _create_snapshot(database: Database, deployment_id: str, databases: Databases) -> str | None:
    """None once RDS has accepted the request; RDS's words while the database is busy."""
    try:
        databases.create_snapshot(database, snapshot_id(deployment_id), deployment_id)
    except Transient as error:
        if error.reason is not Reason.DATABASE_BUSY:
            raise
        return error.message
    return None


def _judge(
    deployment: Deployment, database: Database, snapshot: Snapshot | None, journal: Journal
) -> StepResult:
    name = snapshot_id(deployment.deployment_id)
    effect = deployment.progress.backups[database.database_id]
    if snapshot is None or snapshot.state is SnapshotState.UNDERWAY:
        _refuse_late(deployment, effect, journal.now)
        doing = f"is being created ({snapshot.percent} %)" if snapshot else "cannot be created yet"
        message = f"{name} {doing}{_because(effect)}"
        return StepResult(done=False, reason=Reason.WAITING, message=message)
    fault = _fault(snapshot, database, effect)
    if fault is not None:
        raise Broken(Reason.BACKUP_FAILED, f"Snapshot {name} {fault}.")
    verified = effect.ended(journal.now, succeeded=True)
    data = {"size_gib": snapshot.size_gib, "encrypted": snapshot.encrypted}
    note = Note(what=What.SNAPSHOT_VERIFIED, message=name, data=data)
    deployment = deployment.with_backup(database.database_id, verified)
    journal.write(deployment, note, fence=fence_of(deployment))
    return StepResult(done=True, reason=Reason.BACKED_UP, message=f"{name} is available")


def _fault(snapshot: Snapshot, database: Database, effect: Effect) -> str | None:
    """What makes a finished snapshot useless, or None; available is not enough."""
    if snapshot.state is not SnapshotState.AVAILABLE:
        return f"ended as {snapshot.told}"
    if database.encrypted and not snapshot.encrypted:
        return "is not encrypted, but the catalog requires it"
    if snapshot.size_gib == 0:
        return "is empty"
    # RDS's clock and ours may differ a little; a minute is far less than two deployments' distance.
    earliest = effect.requested_at - timedelta(minutes=1)
    if snapshot.created_at is None or snapshot.created_at < earliest:
        return "is older than the request for it"
    return None


def _refuse_late(deployment: Deployment, effect: Effect, now: datetime) -> None:
    minutes = deployment.planned().settings.backup.timeout_minutes
    if now - effect.requested_at > timedelta(minutes=minutes):
        raise Broken(
            Reason.BACKUP_TIMED_OUT,
            f"The snapshot was not available after {minutes} minutes{_because(effect)}.",
        )


def _because(effect: Effect) -> str:
    """What RDS said when it last put the snapshot off, if it was the last that it said."""
    return f": {effect.put_off_by.rstrip('.')}" if effect.put_off_by else ""
