"""What can go wrong, as Step Functions sees it.

    ControlPlaneError
    ├── Rejected    the request is wrong or not wanted; nothing changed
    ├── Unhealthy   the release is unhealthy: roll back
    ├── Transient   the same call may succeed
    └── Broken      a call was refused and will be again; an operator has to look

The Lambda runtime reports the class *name* and ASL compares that string, so a subclass would
never match: the four are final, and detail travels in ``reason`` and ``message``.
"""

from enum import StrEnum
from typing import final

from slipway.domain.redaction import redact_for_record


class Reason(StrEnum):
    """Why, for machines; domain/reasons.py says what each of them means."""

    ALARM_FIRING = "AlarmFiring"
    ALREADY_DECIDED = "AlreadyDecided"
    APPROVAL_EXPIRED = "ApprovalExpired"
    APPROVAL_REJECTED = "ApprovalRejected"
    APPROVED = "Approved"
    AWS_REFUSED = "AwsRefused"
    AWS_UNAVAILABLE = "AwsUnavailable"
    BACKED_UP = "BackedUp"
    BACKUP_FAILED = "BackupFailed"
    BACKUP_TIMED_OUT = "BackupTimedOut"
    CALL_UNDER_WAY = "CallUnderWay"
    CANCELLED = "Cancelled"
    CAPACITY_UNAVAILABLE = "CapacityUnavailable"
    CATALOG_INVALID = "CatalogInvalid"
    CHECKS_FAIL_ALREADY = "ChecksFailAlready"
    CIRCUIT_BREAKER_TRIPPED = "CircuitBreakerTripped"
    DATABASE_BUSY = "DatabaseBusy"
    DATABASE_UNAVAILABLE = "DatabaseUnavailable"
    DEPLOYED = "Deployed"
    DEPLOYMENT_ENDED = "DeploymentEnded"
    DEPLOYMENT_TIMED_OUT = "DeploymentTimedOut"
    DEPLOYMENT_UNKNOWN = "DeploymentUnknown"
    DIGEST_BAD = "DigestBad"
    DIGEST_MOVED = "DigestMoved"
    DOWNGRADE_FAILED = "DowngradeFailed"
    EARLIER_ENVIRONMENT_MISSING = "EarlierEnvironmentMissing"
    EVENT_FOREIGN = "EventForeign"
    EVENT_MALFORMED = "EventMalformed"
    EXECUTION_RUNNING = "ExecutionRunning"
    EXECUTION_STOPPED = "ExecutionStopped"
    GATES_PASSED = "GatesPassed"
    HELD = "Held"
    IMAGE_MISSING = "ImageMissing"
    IMAGE_UNAVAILABLE = "ImageUnavailable"
    INTERNAL_ERROR = "InternalError"
    LANE_BUSY = "LaneBusy"
    LANE_LOST = "LaneLost"
    LANE_TAKEN = "LaneTaken"
    LANE_UNKNOWN = "LaneUnknown"
    LINK_INVALID = "LinkInvalid"
    LOOK_ENDLESS = "LookEndless"
    MIGRATED = "Migrated"
    MIGRATION_FAILED = "MigrationFailed"
    MIGRATION_NEVER_RAN = "MigrationNeverRan"
    MIGRATION_TIMED_OUT = "MigrationTimedOut"
    NOTHING_CHANGED = "NothingChanged"
    NOTHING_TO_ROLL_BACK_TO = "NothingToRollBackTo"
    NOT_AN_APPROVER = "NotAnApprover"
    NOT_AN_IMAGE = "NotAnImage"
    NOT_HELD = "NotHeld"
    NOT_MEANT_FOR_US = "NotMeantForUs"
    NO_ROOM_TO_ROLL = "NoRoomToRoll"
    PLAN_CHANGED = "PlanChanged"
    PLATFORM_MISMATCH = "PlatformMismatch"
    RECORD_MOVED = "RecordMoved"
    RELEASE_UNHEALTHY = "ReleaseUnhealthy"
    REQUEST_REUSED = "RequestReused"
    ROLLBACK_NOT_LIVE = "RollbackNotLive"
    ROLLBACK_TIMED_OUT = "RollbackTimedOut"
    ROLLED_BACK = "RolledBack"
    ROLLOUT_STOPPED = "RolloutStopped"
    SCAN_FAILED = "ScanFailed"
    SCAN_FINDINGS = "ScanFindings"
    SCHEMA_MOVED = "SchemaMoved"
    SCHEMA_OLDER = "SchemaOlder"
    SERVICE_UNAVAILABLE = "ServiceUnavailable"
    SETTING_MISSING = "SettingMissing"
    SKIPPED = "Skipped"
    SLACK_UNAVAILABLE = "SlackUnavailable"
    SUPERSEDED = "Superseded"
    UNCHANGED = "Unchanged"
    VERIFIED = "Verified"
    WAITING = "Waiting"
    WAITS_ALREADY = "WaitsAlready"
    WOULD_REPLACE = "WouldReplace"
    WRONG_REPOSITORY = "WrongRepository"


class ControlPlaneError(Exception):
    """A refusal or failure with a reason for machines and a sentence for people.

    The sentence goes to logs, record, Slack and pages, and may quote what others said: it is
    bounded, and holds no secret that its form gives away.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        self.reason = reason
        self.message = redact_for_record(message)
        super().__init__(f"{reason}: {self.message}")


@final
class Rejected(ControlPlaneError):
    """The request is wrong or no longer wanted; nothing changed."""


@final
class Unhealthy(ControlPlaneError):
    """The release is unhealthy: roll back."""


@final
class Transient(ControlPlaneError):
    """The same call may succeed."""


@final
class Broken(ControlPlaneError):
    """A call was refused and will be again. An operator has to look."""
