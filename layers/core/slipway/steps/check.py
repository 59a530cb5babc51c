"""Check: judge the gates, before an approval is requested and again once the lane is taken."""

from collections.abc import Iterable
from typing import Final

from slipway.domain.approval import Approval
from slipway.domain.binding import judge_answers
from slipway.domain.commands import deploy_command
from slipway.domain.deployment import Deployment
from slipway.domain.errors import Reason, Rejected
from slipway.domain.evidence import Note
from slipway.domain.gates import (
    GateState,
    GateVerdict,
    alarm_gate,
    checks_gate,
    digest_gate,
    earlier_gate,
    first_failure,
    image_gate,
    platform_gate,
    rollback_gate,
    scan_gate,
)
from slipway.domain.lane import Lane
from slipway.domain.plan import Plan, pending_migration
from slipway.domain.preflight import older_schema
from slipway.domain.verdict import Finding, Verdict
from slipway.domain.verification import HttpCheck
from slipway.domain.what import of_gate
from slipway.journal import Journal
from slipway.ports.observation import Alarms, Website
from slipway.ports.records import Records
from slipway.ports.registry import ImageRegistry
from slipway.steps.address import requests_for
from slipway.steps.step import StepRequest, StepResult
from slipway.waits import Key, deployment_key, scan_key

# A request in a hundred fails on any site: three in a row, within half a minute, do not.
_TRIES: Final = 3
_SECONDS_PER_TRY: Final = 8.0


class CheckRequest(StepRequest):
    """The deployment to check; ``scanned_image`` is repository@digest of its platform's image."""

    scanned_image: str


def keys(request: CheckRequest) -> tuple[Key, ...]:
    """What wakes a check: the end of the image's scan, or news of the deployment."""
    return scan_key(request.scanned_image), deployment_key(request.deployment_id)


def check(
    request: CheckRequest,
    *,
    journal: Journal,
    registry: ImageRegistry,
    alarms: Alarms,
    website: Website,
) -> StepResult:
    """Judge every gate; Rejected by the first that fails, not done while a scan runs."""
    records = journal.records
    deployment = records.deployment(request.deployment_id)
    deployment.refuse_to_continue()
    lane = records.lane(deployment.application, deployment.environment)
    lane.refuse(deployment.deployment_id, deployment.release.digest, explicit=deployment.explicit)
    _refuse_unapproved(deployment, records)
    _refuse_stale_migration(deployment, lane)
    judged = tuple(_verdicts(deployment, lane, journal, registry, alarms))
    waiting = next((one for one in judged if one.state is GateState.WAITING), None)
    if waiting is not None:
        return StepResult(done=False, reason=Reason.WAITING, message=waiting.message)
    # The site is checked last, so that a long scan does not make every look send requests.
    verdicts = (*judged, _live_checks_gate(deployment, lane, website))
    journal.write(deployment, *(_note(verdict) for verdict in verdicts))
    failed = first_failure(verdicts)
    if failed is not None:
        raise Rejected(failed.reason, failed.message)
    return StepResult(
        done=True, reason=Reason.GATES_PASSED, message=f"{len(verdicts)} gates passed"
    )


def _note(verdict: GateVerdict) -> Note:
    return Note(
        what=of_gate(verdict.gate),
        reason=verdict.reason,
        message=verdict.message,
        data={"state": verdict.state},
    )


def _refuse_unapproved(deployment: Deployment, records: Records) -> None:
    """Once the lane is taken, the approval must stand, for this digest and this plan."""
    plan = deployment.planned()
    if plan.plan_hash != deployment.plan_hash:
        raise Rejected(
            Reason.PLAN_CHANGED,
            "The plan has changed since it was made; request the release again.",
        )
    if not plan.needs_approval or deployment.fencing is None:
        return
    approval = records.approval(deployment.deployment_id)
    if approval is None or not _is_approval_of(approval, plan):
        raise Rejected(
            Reason.PLAN_CHANGED, "The approval is for another plan; request the release again."
        )


def _refuse_stale_migration(deployment: Deployment, lane: Lane) -> None:
    """Another release may have become live since the plan was made, and moved the schema.

    A migration that is no longer needed changes nothing; one that is missing, or that would start
    from a newer schema than its own, would.
    """
    plan, schema_at = deployment.planned(), deployment.schema_at
    older = older_schema(plan.image, lane, plan.settings, schema_at)
    if older is not None:
        raise Rejected(older.reason, older.message)
    now = lane.schema_now(schema_at, plan.settings.database_id(lane.lane_id))
    missing = pending_migration(plan.settings, plan.image, lane, schema_at)
    stale = lane.has_left(plan.image, now) if plan.needs_migration else missing
    if stale:
        again = deploy_command(deployment.lane_id, deployment.release.digest)
        raise Rejected(
            Reason.PLAN_CHANGED,
            f"The plan has {'a' if plan.needs_migration else 'no'} migration, and "
            f"{lane.lane_id} is at schema {now or 'unknown'} now. Request it again: {again}",
        )


def _is_approval_of(approval: Approval, plan: Plan) -> bool:
    asked = (approval.digest, approval.plan_hash)
    return asked == (plan.release.digest, plan.plan_hash) and approval.approved(plan.planned_at)


def _verdicts(
    deployment: Deployment,
    lane: Lane,
    journal: Journal,
    registry: ImageRegistry,
    alarms: Alarms,
) -> Iterable[GateVerdict]:
    plan = deployment.planned()
    release, gates = plan.release, plan.settings.gates
    explicit = deployment.explicit
    # Looked up again: an image can be archived or deleted while an approval is pending.
    reference = release.digest if explicit else release.tag
    found = registry.status(release.repository, reference)
    yield digest_gate(found, release.digest, release.tag, explicit=explicit)
    yield image_gate(found)
    yield platform_gate(plan.image, plan.live.architecture, plan.live.operating_system)
    if gates.scan is not None:
        scan = registry.scan(release.repository, plan.image.platform_digest)
        yield scan_gate(scan, gates.scan, deployment.requested_at, journal.now)
    yield earlier_gate(
        plan.settings.after,
        _has_succeeded_earlier(plan, journal.records),
        release.digest,
        explicit=explicit,
    )
    # An alarm may be named for both.
    names = tuple(dict.fromkeys((*gates.alarms, *plan.settings.verification.alarms)))
    seen = alarms.look(names)
    yield alarm_gate(names, seen.firing, seen.without_data)
    yield _rollback_verdict(deployment, lane, registry)


def _rollback_verdict(deployment: Deployment, lane: Lane, registry: ImageRegistry) -> GateVerdict:
    """Whether the last good release can be pulled now; the plan may be days old."""
    plan, stable = deployment.planned(), lane.stable
    image = registry.status(stable.repository, stable.digest) if stable else None
    return rollback_gate(
        stable,
        image,
        plan.why_no_way_back_to(stable),
        explicit=deployment.explicit,
        ask_anew=deploy_command(plan.lane_id, plan.release.digest),
    )


def _has_succeeded_earlier(plan: Plan, records: Records) -> bool:
    if plan.settings.after is None:
        return True
    earlier = records.lane(plan.application, plan.settings.after)
    return plan.release.digest in earlier.proven


def _live_checks_gate(deployment: Deployment, lane: Lane, website: Website) -> GateVerdict:
    """Whether the checks pass on the live release: broken checks would roll any release back."""
    plan = deployment.planned()
    findings = _check_findings(plan, website) if lane.stable is not None else None
    way_on = deploy_command(plan.lane_id, plan.release.digest)
    return checks_gate(findings, way_on, explicit=deployment.explicit)


def _check_findings(plan: Plan, website: Website) -> tuple[Finding, ...]:
    """The finding of every check, without the version; a failed check is retried."""
    checks = plan.settings.verification.checks
    found: dict[HttpCheck, Finding] = {}
    for _ in range(_TRIES):
        wanting = [one for one in checks if not _is_good(found.get(one))]
        if not wanting:
            break
        answers = website.get_all(requests_for(wanting, plan.live), _SECONDS_PER_TRY)
        found |= zip(wanting, judge_answers(answers, wanting, None), strict=True)
    return tuple(found.values())


def _is_good(finding: Finding | None) -> bool:
    return finding is not None and finding.verdict is Verdict.SUCCESSFUL
