"""Approve: request an approval and wait for the decision."""

from slipway.domain.approval import Approval, request_approval
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.errors import Reason, Rejected
from slipway.domain.evidence import Note
from slipway.domain.what import What
from slipway.journal import Journal
from slipway.steps.step import StepRequest, StepResult
from slipway.waits import Key, deployment_key, lane_key


class ApproveRequest(StepRequest):
    """The deployment to let through."""


def keys(request: ApproveRequest) -> tuple[Key, ...]:
    """What wakes an approval: its decision, or a newer candidate of the lane."""
    return deployment_key(request.deployment_id), lane_key(request.lane)


def approve(request: ApproveRequest, *, journal: Journal) -> StepResult:
    """Done when approved; Rejected when refused, expired or superseded meanwhile."""
    records = journal.records
    deployment = records.deployment(request.deployment_id)
    deployment.refuse_to_continue()
    lane = records.lane(deployment.application, deployment.environment)
    lane.refuse(deployment.deployment_id, deployment.release.digest, explicit=deployment.explicit)
    approval = records.approval(request.deployment_id) or _ask(deployment, journal)
    if approval.plan_hash != deployment.planned().plan_hash:
        raise Rejected(
            Reason.PLAN_CHANGED,
            "The plan is not the one that approval was requested for; request the release again.",
        )
    if not approval.approved(journal.now):
        message = f"waiting for {' or '.join(approval.approvers)}"
        return StepResult(done=False, reason=Reason.WAITING, message=message)
    by = approval.decision.by if approval.decision else ""
    return StepResult(done=True, reason=Reason.APPROVED, message=f"approved by {by}")


def _ask(deployment: Deployment, journal: Journal) -> Approval:
    approval = request_approval(deployment.planned(), journal.now)
    note = Note(
        what=What.APPROVAL_REQUESTED,
        message=(
            f"from {', '.join(approval.approvers)}, until {approval.expires_at:%Y-%m-%d %H:%M}Z"
        ),
        data={"plan_hash": approval.plan_hash, "digest": approval.digest},
    )
    asked = deployment.at(Phase.AWAITING_APPROVAL)
    journal.write(asked, note, others=[approval])
    return approval.model_copy(update={"version": approval.version + 1})
