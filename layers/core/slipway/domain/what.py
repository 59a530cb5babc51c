"""What an entry of the record is about: an intent, a gate, a decision, a call, an end.

People read these words on the pages and in `operate show`. Old records keep the words of their
time.
"""

from enum import StrEnum

from slipway.domain.progress import SchemaWork


class What(StrEnum):
    """The subject of one entry; one meaning each."""

    # The request and the plan.
    ADMITTED = "admitted"
    REQUESTED_AGAIN = "requested again"
    PLANNED = "planned"
    CANCEL_REQUESTED = "cancel requested"

    # The gates, as domain/gates.py names them.
    DIGEST_GATE = "gate: digest"
    IMAGE_GATE = "gate: image"
    PLATFORM_GATE = "gate: platform"
    SCAN_GATE = "gate: scan"
    EARLIER_ENVIRONMENT_GATE = "gate: earlier environment"
    ALARMS_GATE = "gate: alarms"
    ROLLBACK_TARGET_GATE = "gate: rollback target"
    CHECKS_GATE = "gate: checks"

    # The decision and the lane.
    APPROVAL_REQUESTED = "approval requested"
    APPROVAL_DECIDED = "approval decided"
    LANE_BUSY = "lane busy"
    LANE_TAKEN = "lane taken"

    # The snapshot.
    SNAPSHOT_REQUESTED = "snapshot requested"
    SNAPSHOT_STARTED = "snapshot started"
    SNAPSHOT_VERIFIED = "snapshot verified"
    DATABASE_BUSY = "database busy"
    BACKUP_SKIPPED = "backup skipped"

    # The tasks about the schema; of_task() picks the one of a task.
    MIGRATION_REQUESTED = "migration requested"
    MIGRATION_DELAYED = "migration delayed"
    MIGRATION_STARTED = "migration started"
    MIGRATION_ENDED = "migration ended"
    MIGRATION_STOPPED = "migration task stopped"
    MIGRATION_LOG = "migration log"
    MIGRATION_ABANDONED = "migration abandoned"
    MIGRATION_NEVER_PLACED = "migration never placed"
    DOWNGRADE_REQUESTED = "downgrade requested"
    DOWNGRADE_DELAYED = "downgrade delayed"
    DOWNGRADE_STARTED = "downgrade started"
    DOWNGRADE_ENDED = "downgrade ended"
    DOWNGRADE_STOPPED = "downgrade task stopped"
    DOWNGRADE_LOG = "downgrade log"
    SCHEMA_QUERY_REQUESTED = "schema query requested"
    SCHEMA_QUERY_DELAYED = "schema query delayed"
    SCHEMA_QUERY_STARTED = "schema query started"
    SCHEMA_QUERY_ENDED = "schema query ended"
    SCHEMA_QUERY_STOPPED = "schema query task stopped"
    SCHEMA_QUERY_LOG = "schema query log"
    SCHEMA_UNCHANGED = "schema unchanged"
    SCHEMA_UNKNOWN = "schema unknown"

    # The rollout and the way back.
    REVISION_REQUESTED = "revision requested"
    REVISION_REGISTERED = "revision registered"
    ROLLOUT_REQUESTED = "rollout requested"
    ROLLOUT_STARTED = "rollout started"
    ROLLOUT_COMPLETED = "rollout completed"
    ROLLOUT_FAILED = "rollout failed"
    ROLLING_BACK = "rolling back"
    RETURN_REVISION_REQUESTED = "rollback revision requested"
    RETURN_REVISION_REGISTERED = "rollback revision registered"
    ROLLBACK_REQUESTED = "rollback requested"
    ROLLBACK_STARTED = "rollback started"

    # The looks of a verification.
    RELEASE_BAKING = "release baking"
    RELEASE_IN_TRANSITION = "release in transition"
    RELEASE_UNHEALTHY = "release unhealthy"
    RELEASE_VERIFIED = "release verified"
    ROLLBACK_IN_TRANSITION = "rollback in transition"
    ROLLBACK_UNHEALTHY = "rollback unhealthy"
    ROLLBACK_VERIFIED = "rollback verified"

    # The end.
    CALL_REFUSED = "call refused"
    ENDING = "ending"
    SETTLED = "settled"


class TaskEvent(StrEnum):
    """What can happen to a one-off task."""

    REQUESTED = "requested"
    DELAYED = "delayed"
    STARTED = "started"
    ENDED = "ended"
    STOPPED = "task stopped"
    LOG = "log"


_SUBJECTS = {
    SchemaWork.UP: "migration",
    SchemaWork.DOWN: "downgrade",
    SchemaWork.CURRENT: "schema query",
}


def of_task(work: SchemaWork, event: TaskEvent) -> What:
    """What the record says of a task about the schema."""
    return What(f"{_SUBJECTS[work]} {event}")


def of_gate(gate: str) -> What:
    """What the record says of a gate's verdict."""
    return What(f"gate: {gate}")
