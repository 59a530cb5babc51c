"""An approval: bound to deployment, digest and plan; decided once; expires."""

import hashlib
import hmac
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from slipway.domain.errors import Reason, Rejected
from slipway.domain.model import Model, Versioned
from slipway.domain.plan import Plan
from slipway.domain.text import cut

# What a link permits, and what the link to the status page is bound to.
APPROVE: Final = "approve"
VIEW: Final = "view"
STATUS: Final = "status"

_AGAIN: Final = "To request approval again, run operate deploy."


class Answer(StrEnum):
    """What a person can say."""

    APPROVE = "approve"
    REJECT = "reject"


class Decision(Model):
    """What a person said, and when."""

    answer: Answer
    by: str
    at: datetime
    comment: str = ""


class Approval(Versioned):
    """A request for a decision, and the decision."""

    deployment_id: str
    digest: str
    plan_hash: str
    approvers: tuple[str, ...]
    asked_at: datetime
    expires_at: datetime
    decision: Decision | None = None

    def decided(self, decision: Decision) -> "Approval":
        """The approval with its one decision; Rejected when it is late, taken or not theirs."""
        if self.decision is not None:
            raise Rejected(
                Reason.ALREADY_DECIDED, f"{self.decision.by} has already decided this deployment."
            )
        if decision.at >= self.expires_at:
            raise Rejected(Reason.APPROVAL_EXPIRED, f"The approval has expired. {_AGAIN}")
        if decision.by not in self.approvers:
            raise Rejected(
                Reason.NOT_AN_APPROVER,
                f"'{decision.by}' is not an approver of this lane; ask "
                f"{cut(' or '.join(self.approvers), 200)}.",
            )
        return self.model_copy(update={"decision": decision})

    def approved(self, now: datetime) -> bool:
        """Whether the deployment may go on; Rejected when it was rejected or has expired."""
        if self.decision is None:
            if now < self.expires_at:
                return False
            raise Rejected(
                Reason.APPROVAL_EXPIRED,
                f"Nobody decided by {self.expires_at:%Y-%m-%d %H:%M}Z. {_AGAIN}",
            )
        if self.decision.answer is Answer.REJECT:
            comment = f": {self.decision.comment}" if self.decision.comment else "."
            raise Rejected(Reason.APPROVAL_REJECTED, f"Rejected by {self.decision.by}{comment}")
        return True


def request_approval(plan: Plan, now: datetime) -> Approval:
    """The ticket for a plan whose environment demands one."""
    policy = plan.settings.approval
    if policy is None:
        raise Rejected(Reason.INTERNAL_ERROR, f"{plan.lane_id} requires no approval.")
    return Approval(
        deployment_id=plan.deployment_id,
        digest=plan.release.digest,
        plan_hash=plan.plan_hash,
        approvers=policy.approvers,
        asked_at=now,
        expires_at=now + timedelta(minutes=policy.expires_after_minutes),
    )


def signature(key: str, purpose: str, subject: str) -> str:
    """What a link carries: HMAC-SHA256 over what it is good for, as 64 hex digits."""
    message = f"{purpose}\n{subject}".encode()
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


def link_subject(approval: Approval) -> str:
    """What an approval link is bound to."""
    return f"{approval.deployment_id}\n{approval.digest}\n{approval.plan_hash}"


def is_signed(key: str, purpose: str, subject: str, offered: str) -> bool:
    """Whether the offered signature is ours, compared in constant time."""
    expected = signature(key, purpose, subject)
    return hmac.compare_digest(expected.encode(), offered.encode())
