"""What people can expect of a deployment, and what they have to do after its end."""

import shlex
from typing import Final, assert_never

from slipway.domain.commands import deploy_command, lift_command
from slipway.domain.deployment import Deployment
from slipway.domain.errors import Reason
from slipway.domain.lane import Lane, Stable
from slipway.domain.outcome import Outcome
from slipway.domain.plan import Plan
from slipway.domain.strategy import BlueGreen, Rolling, Strategy
from slipway.domain.wording import moment, short_digest

# {again} requests this release once more, {fixed} another one, {good} the last good one; {lift}
# ends the hold.
_NEXT: Final = {
    Outcome.SUCCEEDED: "Nothing: the release is live and verified.",
    Outcome.ROLLED_BACK: (
        "The last good release is serving again. The lane is on hold: nothing deploys "
        "automatically until the hold is lifted. Fix the cause, lift the hold with `{lift}` and "
        "push a fixed release; to try this one again: `{again}`."
    ),
    Outcome.ROLLBACK_FAILED: (
        "Check the service now: the rollback failed too, and the lane is on hold. Bring back a "
        "release that works with `{good}`, or repair the service and lift the hold with `{lift}`."
    ),
    Outcome.NEEDS_OPERATOR: (
        "Check now: Slipway left everything as it is, because continuing or rolling back "
        "could do harm, and "
        "the lane is on hold. Deploy a release that fits the schema with `{fixed}`, or restore the "
        "database; then lift the hold with `{lift}`."
    ),
    Outcome.FAILED: "Nothing was changed. Fix the cause, then: `{again}`.",
    Outcome.REJECTED: "Nothing was changed. Push another release, or request it again: `{again}`.",
    Outcome.EXPIRED: "Nothing was changed. To request it again: `{again}`.",
    Outcome.SUPERSEDED: (
        "Nothing: the newer deployment continues in its place. To deploy this one anyway: "
        "`{again}`."
    ),
    Outcome.BLOCKED: (
        "Nothing was changed. Resolve what the message names, then: `{again}`. Or push another "
        "release."
    ),
    Outcome.CANCELLED: "Nothing was changed. To deploy it anyway: `{again}`.",
    Outcome.UNCHANGED: "Nothing: this release is already live.",
}
# Where the reason of the end says more.
_NEXT_BY_REASON: Final[dict[tuple[str, str], str]] = {
    (Outcome.NEEDS_OPERATOR, Reason.NOTHING_TO_ROLL_BACK_TO): (
        "Check now: there was no release to roll back to, so everything was left as it is and the "
        "lane is on hold. Deploy a release that works with `{fixed}`, or repair the service and "
        "lift the hold with `{lift}`."
    ),
    (Outcome.BLOCKED, Reason.HELD): (
        "Nothing was changed. The lane is on hold: lift the hold with `{lift}`, or deploy this "
        "release over it with `{again}`."
    ),
    (Outcome.BLOCKED, Reason.DIGEST_BAD): (
        "Nothing was changed. Push a fixed release; to try this one again all the same: `{again}`."
    ),
    (Outcome.BLOCKED, Reason.NOT_AN_IMAGE): (
        "Nothing was changed, and a retry would not help. Push a container image."
    ),
}
_MIGRATION_FAILURES: Final = (Reason.MIGRATION_FAILED, Reason.MIGRATION_TIMED_OUT)


def what_next(deployment: Deployment) -> str:
    """What a person has to do after this deployment's end; empty before it.

    Names commands of the operator's command line in backquotes, with the real lane and digest.
    """
    if deployment.outcome is None:
        return ""
    reason = deployment.failure.reason if deployment.failure else ""
    text = _NEXT_BY_REASON.get((deployment.outcome, reason), _NEXT[deployment.outcome])
    text += _half_migration_note(deployment)
    lane_id, target = deployment.lane_id, deployment.rollback_target
    at = ("--schema-at", deployment.schema_at) if deployment.schema_at is not None else ()
    again = deploy_command(lane_id, deployment.release.digest, *at)
    fixed = deploy_command(lane_id, "TAG")
    good = deploy_command(lane_id, target.digest) if target else fixed
    return text.format(again=again, fixed=fixed, good=good, lift=lift_command(lane_id))


def _half_migration_note(deployment: Deployment) -> str:
    """What a rollback that had no downgrade left to a person."""
    progress, cause = deployment.progress, deployment.cause
    failed = cause is not None and cause.reason in _MIGRATION_FAILURES
    settled = progress.has_migrated or progress.has_downgraded or progress.schema_unmoved_at
    if not failed or settled:
        return ""
    return " The migration failed partway and was not reversed: check the schema."


def way_back(plan: Plan) -> str:
    """What happens if this plan's release fails once something has changed.

    As steps/rollback.py and steps/schema_back.py do it; a test plays each of these stories.
    """
    stable = plan.rollback_target
    if plan.no_way_back is not None:
        return (
            f"Rollback is not possible: {plan.no_way_back.why}. Changes stay in place, the lane is "
            "put on hold and an operator is paged."
        )
    if stable is None:
        return (
            "There is no release to roll back to: changes stay in place, the lane is put on hold "
            "and an operator decides."
        )
    return _way_back_to(stable, plan)


def _way_back_to(stable: Stable, plan: Plan) -> str:
    named = f"version {stable.version}" if stable.version else short_digest(stable.digest)
    if plan.way_back_is_deregistered:
        named += ", whose task definition was deregistered and is registered again"
    if not plan.needs_migration:
        return f"The code is rolled back to {named}; the database is not touched."
    downgrade = _downgrade(plan, stable)
    if plan.image.backward_compatible:
        return (
            f"The code is rolled back to {named}; the migrated schema stays, and the old code "
            f"runs on it. {_half_migration_fate(downgrade)}"
        )
    if downgrade is None:
        return (
            "Once the migration has started, nothing is rolled back automatically: "
            f"{_why_no_downgrade(plan)}. The lane is put on hold and an operator decides."
        )
    return (
        f"The schema is downgraded first ({downgrade}), then the code is rolled back to {named}. "
        "If the downgrade fails, the lane is put on hold and an operator decides."
    )


def _downgrade(plan: Plan, stable: Stable) -> str | None:
    """The command that takes the schema back; None when there is none that could be run."""
    migration = plan.settings.migration
    if migration is None or migration.downgrade is None or stable.schema_revision is None:
        return None
    words = (word.replace("{schema}", stable.schema_revision) for word in migration.downgrade)
    return shlex.join(words)


def _half_migration_fate(downgrade: str | None) -> str:
    if downgrade is not None:
        return f"A migration that fails partway is reversed ({downgrade}), before the code changes."
    return (
        "A migration that fails partway is not reversed: the old code keeps running, and an "
        "operator has to check the schema."
    )


def _why_no_downgrade(plan: Plan) -> str:
    migration = plan.settings.migration
    if migration is None or migration.downgrade is None:
        return "the catalog has no downgrade command"
    return "the schema of the last good release is not known"


def override_notes(deployment: Deployment, lane: Lane) -> tuple[str, ...]:
    """What stops automation on this lane and not the person's request that is to be approved."""
    if not deployment.explicit:
        return ()
    found = []
    if lane.hold is not None:
        placed = f"placed by {lane.hold.by} on {moment(lane.hold.since)}"
        found.append(f"This request overrides the hold {placed}: {lane.hold.message}")
        if lane.hold.earlier is not None:
            found.append(f"The lane was on hold before that, {lane.hold.earlier.told}")
    failed_in = lane.bad_digests.get(deployment.release.digest)
    if failed_in is not None:
        found.append(f"This digest has failed here before, in {failed_in}.")
    return tuple(found)


def manner(strategy: Strategy) -> str:
    """How the tasks are replaced."""
    match strategy:
        case Rolling():
            return (
                f"Rolling: between {strategy.minimum_healthy_percent} % and "
                f"{strategy.maximum_percent} % of the desired tasks keep running; the circuit "
                "breaker is on."
            )
        case BlueGreen():
            return (
                "Blue/green: all new tasks start beside the old ones, then traffic shifts; the "
                f"old ones stay for {strategy.bake_minutes} more minutes."
            )
        case _:
            assert_never(strategy)
