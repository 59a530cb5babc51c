"""What every reason means: how a deployment ends with it, how severe it is, where to read on.

docs/runbook.md has the same table for people; a test holds the two together.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from slipway.domain.errors import Reason
from slipway.domain.outcome import Outcome


class Level(StrEnum):
    """How much a reason asks of people."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Meaning(NamedTuple):
    """``outcome`` is how a deployment ends for this reason, None where no deployment ends for it;
    ``heading`` is where docs/runbook.md goes on, empty where nobody has anything to do.
    """

    says: str
    level: Level
    outcome: Outcome | None = None
    heading: str = ""


def _ends(outcome: Outcome, level: Level, says: str) -> Meaning:
    return Meaning(says, level, outcome, outcome)


def _info(says: str, heading: str = "") -> Meaning:
    return Meaning(says, Level.INFO, None, heading)


def _blocks(says: str) -> Meaning:
    return _ends(Outcome.BLOCKED, Level.WARNING, says)


def _fails(says: str) -> Meaning:
    return _ends(Outcome.FAILED, Level.WARNING, says)


def _rolls_back(says: str) -> Meaning:
    return _ends(Outcome.ROLLED_BACK, Level.CRITICAL, says)


def _needs_operator(says: str) -> Meaning:
    return _ends(Outcome.NEEDS_OPERATOR, Level.CRITICAL, says)


MEANINGS: Final[dict[Reason, Meaning]] = {
    # A gate, or what can be known before anything changes.
    Reason.ALARM_FIRING: _blocks("a named alarm is firing"),
    Reason.CHECKS_FAIL_ALREADY: _blocks("the HTTP checks fail on the release that is live now"),
    Reason.DIGEST_BAD: _blocks("this digest has failed on the lane before"),
    Reason.DIGEST_MOVED: _blocks("the tag names another digest by now"),
    Reason.EARLIER_ENVIRONMENT_MISSING: _blocks(
        "the digest has not succeeded in the environment before this one"
    ),
    Reason.HELD: _blocks("the lane is on hold"),
    Reason.IMAGE_MISSING: _blocks("the registry does not have the image"),
    Reason.IMAGE_UNAVAILABLE: _blocks("the registry has the image, but it cannot be pulled"),
    Reason.NOT_AN_IMAGE: _ends(Outcome.BLOCKED, Level.INFO, "the artifact is no container image"),
    Reason.NO_ROOM_TO_ROLL: _blocks(
        "the strategy leaves ECS no room to start or stop a task of this service"
    ),
    Reason.PLAN_CHANGED: _blocks("what was planned is not what would be done now"),
    Reason.PLATFORM_MISMATCH: _blocks("the image is built for another platform than the service's"),
    Reason.SCAN_FAILED: _blocks("the vulnerability scan failed or did not finish in time"),
    Reason.SCAN_FINDINGS: _blocks("the scan found something at or above the threshold"),
    Reason.SCHEMA_OLDER: _blocks("the image expects an older schema than the database has"),
    # A decision, or a newer release.
    Reason.APPROVAL_EXPIRED: _ends(Outcome.EXPIRED, Level.INFO, "nobody decided in time"),
    Reason.APPROVAL_REJECTED: _ends(Outcome.REJECTED, Level.INFO, "a person rejected it"),
    Reason.CANCELLED: _ends(Outcome.CANCELLED, Level.INFO, "a person cancelled it"),
    Reason.SUPERSEDED: _ends(Outcome.SUPERSEDED, Level.INFO, "a newer deployment replaces it"),
    Reason.UNCHANGED: _ends(Outcome.UNCHANGED, Level.INFO, "the release is already live"),
    # What broke before anything had changed.
    Reason.AWS_REFUSED: _fails("AWS refused a call; the message is AWS's own"),
    Reason.AWS_UNAVAILABLE: _fails("AWS did not answer, or throttled, for too long"),
    Reason.BACKUP_FAILED: _fails("the snapshot failed, or is not what the catalog demands"),
    Reason.BACKUP_TIMED_OUT: _fails("the snapshot was not available in time"),
    Reason.CAPACITY_UNAVAILABLE: _fails("ECS had no capacity for a task in time"),
    Reason.CATALOG_INVALID: _fails("the deployed catalog cannot be read"),
    Reason.DATABASE_BUSY: _fails("the database's state allows no snapshot for now"),
    Reason.DATABASE_UNAVAILABLE: _fails("the database's state allows no snapshot, and will not"),
    Reason.INTERNAL_ERROR: _fails("Slipway itself is at fault"),
    Reason.LOOK_ENDLESS: _fails("three attempts at one step ran out of time or memory"),
    Reason.MIGRATION_NEVER_RAN: _fails("ECS could not start the migration's task"),
    Reason.SERVICE_UNAVAILABLE: _fails("the ECS service is missing, or cannot be deployed to"),
    Reason.SETTING_MISSING: _fails("the stack lacks a setting or a secret"),
    # What failed after something had changed.
    Reason.CIRCUIT_BREAKER_TRIPPED: _rolls_back("the ECS circuit breaker stopped the rollout"),
    Reason.DEPLOYMENT_TIMED_OUT: _rolls_back("ECS did not finish the rollout in time"),
    Reason.MIGRATION_FAILED: _rolls_back("the migration's command failed"),
    Reason.RELEASE_UNHEALTHY: _rolls_back("the verification found the release unhealthy"),
    Reason.ROLLOUT_STOPPED: _rolls_back("ECS or a person stopped the rollout"),
    Reason.ROLLBACK_NOT_LIVE: _ends(
        Outcome.ROLLBACK_FAILED, Level.CRITICAL, "the last good release did not come back healthy"
    ),
    Reason.ROLLBACK_TIMED_OUT: _ends(
        Outcome.ROLLBACK_FAILED, Level.CRITICAL, "ECS did not finish the rollback in time"
    ),
    Reason.DOWNGRADE_FAILED: _needs_operator(
        "the downgrade command failed, never started, found no room in ECS, or took too long"
    ),
    Reason.EXECUTION_STOPPED: _needs_operator(
        "the execution was stopped, timed out or failed inside Step Functions"
    ),
    Reason.MIGRATION_TIMED_OUT: _needs_operator("the migration's task did not end in time"),
    Reason.NOTHING_TO_ROLL_BACK_TO: _needs_operator("there is no last good release to go back to"),
    Reason.SCHEMA_MOVED: _needs_operator(
        "the old code is not declared to run on the new schema, and there is no downgrade command"
    ),
    # What a step has done.
    Reason.APPROVED: _info("a person approved it"),
    Reason.BACKED_UP: _info("the snapshot is available and sound"),
    Reason.DEPLOYED: _info("the rollout is complete"),
    Reason.GATES_PASSED: _info("every gate passed"),
    Reason.LANE_TAKEN: _info("the deployment holds its lane"),
    Reason.MIGRATED: _info("the migration succeeded"),
    Reason.NOTHING_CHANGED: _info("nothing was changed, so there is nothing to roll back"),
    Reason.ROLLED_BACK: _info("the last good release is back"),
    Reason.SKIPPED: _info("the catalog asks for none"),
    Reason.VERIFIED: _info("the release was healthy for as long as asked"),
    # What a step waits for.
    Reason.CALL_UNDER_WAY: _info("a call that changes something may still be on its way"),
    Reason.LANE_BUSY: _info("another deployment holds the lane or the database"),
    Reason.RECORD_MOVED: _info("somebody else wrote the record in between"),
    Reason.WAITING: _info("what the step waits for has not happened yet"),
    # A function that came too late.
    Reason.DEPLOYMENT_ENDED: _info("the deployment has ended, is ending or is rolling back"),
    Reason.EXECUTION_RUNNING: _info("the execution is still running: there is nothing to settle"),
    Reason.LANE_LOST: Meaning(
        "another deployment holds the lane now", Level.CRITICAL, None, Outcome.NEEDS_OPERATOR
    ),
    # Requests and events that were refused.
    Reason.ALREADY_DECIDED: _info("the approval was decided before"),
    Reason.DEPLOYMENT_UNKNOWN: _info("there is no such deployment"),
    Reason.EVENT_FOREIGN: Meaning("the event is of another account or region", Level.WARNING),
    Reason.EVENT_MALFORMED: Meaning("the event or the form cannot be read", Level.WARNING),
    Reason.LANE_UNKNOWN: Meaning("the catalog has no such lane", Level.WARNING),
    Reason.LINK_INVALID: Meaning("the link is invalid or no longer valid", Level.WARNING),
    Reason.NOT_AN_APPROVER: Meaning("this person is not an approver of the lane", Level.WARNING),
    Reason.NOT_HELD: _info("the lane is not on hold", "Hold a lane, lift a hold"),
    Reason.NOT_MEANT_FOR_US: _info("no environment matches this event"),
    Reason.REQUEST_REUSED: Meaning("the request id was used for another request", Level.WARNING),
    Reason.WAITS_ALREADY: _info("a deployment in progress already serves this request"),
    Reason.WOULD_REPLACE: _info("another release is waiting, and would be replaced"),
    Reason.WRONG_REPOSITORY: Meaning(
        "the environment runs images of another repository", Level.WARNING
    ),
    # Notifications.
    Reason.SLACK_UNAVAILABLE: Meaning(
        "Slack cannot be reached, or refuses", Level.WARNING, None, "Nobody was notified"
    ),
}
