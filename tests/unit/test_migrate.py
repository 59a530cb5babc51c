"""Migrate: the command runs once, in a task of the new image, and its exit code decides."""

import pytest

from slipway.domain.deployment import Phase
from slipway.domain.effect import Effect
from slipway.domain.errors import Broken, Reason, Rejected, Unhealthy
from slipway.domain.outcome import Outcome
from slipway.domain.progress import SchemaWork, ServiceProgress
from slipway.steps.migrate import MigrateRequest, keys
from slipway.steps.revision import revision_of
from slipway.steps.step import StepResult
from tests.builders.crashes import Crash, Crashes
from tests.builders.documents import FAMILY, NEW, REGISTRY, START, environment
from tests.builders.worlds import World

STARTED_BY = "slipway/migrate/notes-staging-1"
RUNNING = StepResult(done=False, reason=Reason.WAITING, message="the migration is running")
MIGRATED = StepResult(done=True, reason=Reason.MIGRATED, message="migrated")


def failure(world: World) -> str:
    with pytest.raises(Unhealthy) as unhealthy:
        world.migrate()
    return str(unhealthy.value)


def refusal(world: World) -> Reason:
    with pytest.raises(Rejected) as refused:
        world.migrate()
    return refused.value.reason


def test_the_command_runs_once_in_a_task_of_the_new_image() -> None:
    world = World().backed_up()

    assert world.migrate() == RUNNING
    assert world.deployment.phase is Phase.MIGRATING
    assert world.migrate() == RUNNING
    world.wait(minutes=2)
    world.task_ends("migrate", 0, "INFO done")
    assert world.migrate() == MIGRATED

    assert world.one_offs.commands == {STARTED_BY: ("alembic", "upgrade", "head")}
    revision = revision_of(world.deployment)
    assert world.service.images[revision] == f"{REGISTRY}@{NEW}"
    assert world.told[-6:] == [
        "revision requested",
        "revision registered",
        "migration requested",
        "migration started",
        "migration ended",
        "migration log",
    ]
    assert world.evidence[-2].data == {"exit_code": 0, "reason": "", "leftover": False}
    assert world.evidence[-1].data == {"log": ["INFO done"]}
    assert world.deployment.progress.schema_tasks[SchemaWork.UP].ended_at == world.now


def test_a_finished_migration_is_not_looked_at_again() -> None:
    world = World().migrated()
    before = world.deployment
    world.one_offs.seen.clear()

    assert world.migrate() == MIGRATED
    assert world.deployment == before


@pytest.mark.parametrize(
    ("exit_code", "reason", "sentence"),
    [
        (1, "", "ended with exit code 1"),
        (137, "OutOfMemoryError: killed", "ended with exit code 137 (OutOfMemoryError: killed)"),
        (
            143,
            "Your Spot Task was interrupted.",
            "ended with exit code 143 (Your Spot Task was interrupted.)",
        ),
        (
            None,
            "Host EC2 (instance i-1) terminated.",
            "ended without an exit code, so it may have run (Host EC2 (instance i-1) terminated.)",
        ),
    ],
)
def test_a_migration_that_fails_tells_how_and_keeps_the_end_of_its_log(
    exit_code: int | None, reason: str, sentence: str
) -> None:
    world = World().backed_up()
    world.migrate()
    world.task_ends("migrate", exit_code, "INFO", "ERROR no column", reason=reason, began=True)

    assert failure(world) == (
        f"MigrationFailed: The migration {sentence}. "
        "See the end of its log: operate show notes-staging-1"
    )
    ended, log = world.evidence[-2:]
    assert (ended.message, ended.data["reason"]) == (sentence, reason)
    assert (log.message, log.data) == ("ERROR no column", {"log": ["INFO", "ERROR no column"]})
    assert world.deployment.progress.schema_tasks[SchemaWork.UP].succeeded is False
    assert world.deployment.has_changed


def test_what_a_migration_said_is_in_its_record_only() -> None:
    """Its failure travels to Slack, to the hold and to the functions' own log."""
    world = World().backed_up()
    world.migrate()
    world.task_ends("migrate", 1, "ERROR canary")

    assert "canary" not in failure(world)
    assert [entry.what for entry in world.evidence if "canary" in entry.model_dump_json()] == [
        "migration log"
    ]


def test_the_end_is_on_record_before_the_log_is_read() -> None:
    world = World().backed_up()
    world.migrate()
    world.task_ends("migrate", 1, "ERROR")
    world.crashes = Crashes("InMemoryOneOffs.log_tail")
    with pytest.raises(Crash):
        world.migrate()
    world.crashes = Crashes()

    assert failure(world).startswith("MigrationFailed: The migration ended with exit code 1.")
    assert world.told.count("migration ended") == 1
    assert "InMemoryOneOffs.log_tail" not in world.crashes.calls


def test_a_failed_migration_is_never_run_again() -> None:
    world = World().backed_up()
    world.migrate()
    world.task_ends("migrate", 1)

    for _ in range(3):
        failure(world)
    assert list(world.one_offs.tasks) == [STARTED_BY]


def test_patience_with_a_migration_ends() -> None:
    world = World().backed_up()
    world.migrate()
    world.wait(minutes=15)
    assert world.migrate() == RUNNING
    world.wait(seconds=1)

    assert failure(world) == ("MigrationTimedOut: The migration is still running after 15 minutes.")


def test_a_migration_that_ended_in_time_counts_however_late_it_is_seen() -> None:
    world = World().backed_up()
    world.migrate()
    world.task_ends("migrate")
    world.wait(hours=2)

    assert world.migrate() == MIGRATED


def test_a_task_that_ecs_places_nowhere_is_broken() -> None:
    world = World().backed_up()

    def nowhere(*args: object) -> str:
        raise Broken(Reason.AWS_REFUSED, "ECS placed no task: RESOURCE:MEMORY.")

    world.one_offs.run = nowhere  # type: ignore[assignment]

    with pytest.raises(Broken):
        world.migrate()
    assert world.deployment.progress.schema_tasks[SchemaWork.UP].requested_at == START


def test_a_wish_to_cancel_before_the_command_starts_is_granted() -> None:
    world = World().backed_up()
    world.rewrite(cancel_requested_by="ada")

    assert refusal(world) is Reason.CANCELLED
    assert (world.one_offs.tasks, world.revisions.registered) == ({}, {})


def test_a_migration_that_runs_is_not_interrupted() -> None:
    world = World().backed_up()
    world.migrate()
    world.rewrite(cancel_requested_by="ada")

    assert world.migrate() == RUNNING
    world.task_ends("migrate")
    assert world.migrate() == MIGRATED


def test_a_lane_that_was_lost_starts_no_task() -> None:
    world = World().backed_up()
    world.rewrite_lane(holder="notes-staging-2", fencing=2)

    assert refusal(world) is Reason.LANE_LOST
    assert (world.one_offs.tasks, world.revisions.registered) == ({}, {})


def test_a_lane_that_was_lost_after_the_revision_was_registered_starts_no_task() -> None:
    world = World().backed_up()
    world.crashes = Crashes("InMemoryRevisions.register", after=True)
    with pytest.raises(Crash):
        world.migrate()
    world.crashes = Crashes()
    world.rewrite_lane(holder="notes-staging-2", fencing=2)

    assert refusal(world) is Reason.LANE_LOST
    assert world.one_offs.tasks == {}


def test_a_deployment_that_has_ended_starts_no_task_even_if_it_meant_to() -> None:
    world = World().backed_up()
    revision = Effect(requested_at=START, handle=f"{FAMILY}:9")
    meant = world.deployment.with_service(ServiceProgress(revision=revision))
    meant = meant.with_schema_task(SchemaWork.UP, Effect(requested_at=START))
    world.rewrite(outcome=Outcome.NEEDS_OPERATOR, progress=meant.progress)

    assert refusal(world) is Reason.DEPLOYMENT_ENDED
    assert world.one_offs.tasks == {}


def test_a_migration_is_woken_by_its_task_and_by_news_of_the_deployment() -> None:
    request = MigrateRequest(deployment_id="notes-staging-1", lane="notes/staging")

    assert keys(request) == (f"task:{STARTED_BY}", "deployment:notes-staging-1")


def test_a_migration_without_a_backup_policy_runs_all_the_same() -> None:
    world = World(environment(backup={"policy": "off"})).entered()
    world.backup()

    assert world.migrate() == RUNNING
