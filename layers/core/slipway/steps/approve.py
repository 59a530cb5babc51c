"""Approve: publish the ticket and wait for a person's decision."""

from datetime import datetime

from slipway.domain.approval import Approval, ask
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.errors import Reason, Rejected
from slipway.domain.evidence import Note
from slipway.journal import record
from slipway.ports.records import Records
from slipway.steps.step import StepRequest, StepResult
from slipway.waits import Key, deployment_key, lane_key


class ApproveRequest(StepRequest):
    """The deployment to let through."""


def keys(request: ApproveRequest) -> tuple[Key, ...]:
    """What wakes an approval: its decision, or a newer candidate of the lane."""
    return deployment_key(request.deployment_id), lane_key(request.lane)


def approve(request: ApproveRequest, *, records: Records, now: datetime) -> StepResult:
    """Done when approved; Rejected when refused, expired or superseded meanwhile."""
    deployment = records.deployment(request.deployment_id)
    deployment.refuse_to_continue()
    lane = records.lane(deployment.application, deployment.environment)
    lane.refuse(deployment.deployment_id, deployment.release.digest, explicit=deployment.explicit)
    approval = records.approval(request.deployment_id) or _asked(deployment, records, now)
    if approval.plan_hash != deployment.planned().plan_hash:
        raise Rejected(
            Reason.PLAN_CHANGED,
            "The plan is not the one that was shown; request the release again.",
        )
    if not approval.approved(now):
        message = f"waiting for {' or '.join(approval.approvers)}"
        return StepResult(done=False, reason=Reason.WAITING, message=message)
    by = approval.decision.by if approval.decision else ""
    return StepResult(done=True, reason=Reason.GATES_PASSED, message=f"approved by {by}")


def _asked(deployment: Deployment, records: Records, now: datetime) -> Approval:
    approval = ask(deployment.planned(), now)
    note = Note(
        what="approval asked",
        message=f"of {', '.join(approval.approvers)} until {approval.expires_at:%Y-%m-%d %H:%M}Z",
        data={"plan_hash": approval.plan_hash, "digest": approval.digest},
    )
    asked = deployment.at(Phase.AWAITING_APPROVAL)
    record(records, asked, note, now=now, others=[approval])
    return approval.model_copy(update={"version": approval.version + 1})
