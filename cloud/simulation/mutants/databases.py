"""Seeded design bugs of backups, migrations and databases that are shared."""

from cloud.simulation.mutants.mutant import Mutant, edit

DATABASES = (
    Mutant(
        "a required backup is left out when it fails",
        (edit("steps.backup:backup", "if policy is BackupPolicy.REQUIRED:", "if False:"),),
        ("snapshot-failure",),
    ),
    Mutant(
        "a snapshot counts as soon as it exists",
        (
            edit("steps.backup:_judge", "snapshot.state is SnapshotState.UNDERWAY", "False"),
            edit(
                "steps.backup:_fault",
                "if snapshot.state is not SnapshotState.AVAILABLE:",
                "if False:",
                "if snapshot.created_at is None or snapshot.created_at < earliest:",
                "if False:",
            ),
        ),
        ("success",),
    ),
    Mutant(
        "the migration's task is started without a client token",
        (
            edit(
                "adapters.ecs.one_offs:EcsOneOffs.run",
                '"clientToken": _token(started_by, attempt),',
                "",
            ),
        ),
        ("success|migrate/ecs/RunTask/1=lost", "success|migrate/ecs/RunTask/1=crash-after"),
    ),
    Mutant(
        "two applications migrate one database at once",
        (edit("steps.enter:_slot", "if database_id is not None", "if False"),),
        ("shared-database",),
    ),
    Mutant(
        "a database is freed while a migration runs in it",
        (edit("steps.settle:_documents_after", "or deployment.may_be_migrating", ""),),
        ("stopped-migration", "endless-migration"),
    ),
    Mutant(
        "a kept database is freed without looking at the migration",
        (
            edit(
                "chores.databases:_is_at_work",
                "or may_change_schema(holder, one_offs, now)",
                "",
            ),
        ),
        ("stopped-migration", "endless-migration"),
    ),
    Mutant(
        "a kept database is never freed",
        (edit("chores.databases:_free", "if slot.holder is None or", "if True or"),),
        ("stopped-migration",),
    ),
    Mutant(
        "a migration that failed does not count as a change",
        (edit("steps.settle:_settle", "changed=deployment.has_changed", "changed=False"),),
        ("abort@Deploy", "abort@Verify", "abort@Migrate"),
    ),
)
