"""Backup: a snapshot of the database before its schema moves, waited for and verified."""

from datetime import datetime, timedelta

from slipway.domain.catalog import BackupPolicy
from slipway.domain.database import Database
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.errors import Broken, Reason, Transient
from slipway.domain.evidence import Note
from slipway.journal import act, fence_of, record
from slipway.ports.databases import Databases, Snapshot, SnapshotState
from slipway.ports.records import Records
from slipway.steps.step import StepRequest, StepResult


class BackupRequest(StepRequest):
    """The deployment whose database is to be backed up."""


def snapshot_id(deployment_id: str) -> str:
    """The snapshot's name: lower case, no double hyphen, as RDS wants it."""
    return f"slipway-{deployment_id}"


def keys(request: BackupRequest) -> tuple[str, ...]:
    """What wakes a backup: RDS's news of the snapshot, or of the deployment."""
    return (
        f"snapshot:{snapshot_id(request.deployment_id)}",
        f"deployment:{request.deployment_id}",
    )


def backup(
    request: BackupRequest, *, records: Records, databases: Databases, now: datetime
) -> StepResult:
    """Done when the snapshot is available and sound, or when the policy lets it go.

    Broken when it cannot be had: nothing has been changed yet.
    """
    deployment = records.deployment(request.deployment_id)
    deployment.refuse_to_continue()
    settings = deployment.planned().settings
    database, policy = settings.database, settings.backup.policy
    if database is None or policy is BackupPolicy.OFF:
        return _without(deployment, "the catalog asks for no backup", records, now)
    try:
        return _backed_up(deployment, database, records, databases, now)
    except Broken as error:
        if policy is BackupPolicy.REQUIRED:
            raise
        # The record has moved on: the request for the snapshot stands in it.
        deployment = records.deployment(request.deployment_id)
        return _without(deployment, f"best effort: {error.message}", records, now)


def _without(deployment: Deployment, why: str, records: Records, now: datetime) -> StepResult:
    note = Note(what="backup skipped", message=why)
    record(records, deployment, note, now=now, fence=fence_of(deployment))
    return StepResult(done=True, reason=Reason.SKIPPED, message=f"no backup: {why}")


def _backed_up(
    deployment: Deployment,
    database: Database,
    records: Records,
    databases: Databases,
    now: datetime,
) -> StepResult:
    name = snapshot_id(deployment.deployment_id)
    if deployment.progress.snapshot_available_at is not None:
        return StepResult(done=True, reason=Reason.VERIFIED, message=f"{name} is available")
    asked = deployment.progress.snapshot_requested_at is not None
    snapshot = databases.snapshot(database, name) if asked else None
    if snapshot is None:
        deployment, snapshot = _created(deployment, database, records, databases, now)
    return _judged(deployment, database, snapshot, records, now)


def _created(
    deployment: Deployment,
    database: Database,
    records: Records,
    databases: Databases,
    now: datetime,
) -> tuple[Deployment, Snapshot | None]:
    """The snapshot just asked for; None while the database is busy, its own backup for one."""
    name, before = snapshot_id(deployment.deployment_id), deployment.progress.snapshot_put_off_by
    deployment, put_off = act(
        deployment.at(Phase.BACKING_UP),
        Note(what="snapshot requested", message=name) if before is None else None,
        lambda: _asked(database, deployment.deployment_id, databases),
        records=records,
        now=now,
        snapshot_id=name,
        snapshot_requested_at=deployment.progress.snapshot_requested_at or now,
    )
    if put_off is None:
        news = [Note(what="snapshot started", message=name)]
    else:
        news = [Note(what="database busy", message=put_off)] if put_off != before else []
    known = deployment.acted(now).knowing(snapshot_put_off_by=put_off)
    deployment = record(records, known, *news, now=now)
    return deployment, databases.snapshot(database, name) if put_off is None else None


def _asked(database: Database, deployment_id: str, databases: Databases) -> str | None:
    """None when RDS has taken the wish; what it says while the database is busy."""
    try:
        databases.create_snapshot(database, snapshot_id(deployment_id), deployment_id)
    except Transient as error:
        if error.reason is not Reason.DATABASE_BUSY:
            raise
        return error.message
    return None


def _judged(
    deployment: Deployment,
    database: Database,
    snapshot: Snapshot | None,
    records: Records,
    now: datetime,
) -> StepResult:
    name = snapshot_id(deployment.deployment_id)
    if snapshot is None or snapshot.state is SnapshotState.UNDERWAY:
        _refuse_late(deployment, now)
        doing = f"is being created ({snapshot.percent} %)" if snapshot else "cannot be created yet"
        message = f"{name} {doing}{_because(deployment)}"
        return StepResult(done=False, reason=Reason.WAITING, message=message)
    wrong = _wrong_with(snapshot, database, deployment)
    if wrong is not None:
        raise Broken(Reason.BACKUP_FAILED, f"Snapshot {name} {wrong}.")
    known = deployment.knowing(snapshot_available_at=now)
    data = {"size_gib": snapshot.size_gib, "encrypted": snapshot.encrypted}
    note = Note(what="snapshot verified", message=name, data=data)
    record(records, known, note, now=now, fence=fence_of(deployment))
    return StepResult(done=True, reason=Reason.VERIFIED, message=f"{name} is available")


def _wrong_with(snapshot: Snapshot, database: Database, deployment: Deployment) -> str | None:
    """What makes a finished snapshot useless, or None; available is not enough."""
    requested = deployment.progress.snapshot_requested_at
    if snapshot.state is not SnapshotState.AVAILABLE:
        return f"ended as {snapshot.told}"
    if database.encrypted and not snapshot.encrypted:
        return "is not encrypted, which the catalog demands"
    if snapshot.size_gib == 0:
        return "is empty"
    # RDS's clock and ours may differ a little; a minute is far less than two deployments' distance.
    early = timedelta(minutes=1)
    if snapshot.created_at is None or (requested and snapshot.created_at < requested - early):
        return "is older than the request for it"
    return None


def _refuse_late(deployment: Deployment, now: datetime) -> None:
    requested = deployment.progress.snapshot_requested_at
    minutes = deployment.planned().settings.backup.timeout_minutes
    if requested is not None and now - requested > timedelta(minutes=minutes):
        raise Broken(
            Reason.BACKUP_TIMED_OUT,
            f"The snapshot was not available after {minutes} minutes{_because(deployment)}.",
        )


def _because(deployment: Deployment) -> str:
    """What RDS said when it last put the snapshot off, if it was the last that it said."""
    put_off = deployment.progress.snapshot_put_off_by
    return f": {put_off.rstrip('.')}" if put_off else ""
