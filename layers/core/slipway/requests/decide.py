"""Decide: record the one decision on an approval, made through a signed link."""

from contextlib import suppress
from typing import Annotated, Final

from pydantic import StringConstraints

from slipway.domain.approval import APPROVE, Answer, Approval, Decision, is_signed, link_subject
from slipway.domain.commands import deploy_command
from slipway.domain.deployment import Deployment
from slipway.domain.errors import Reason, Rejected, Transient
from slipway.domain.evidence import Note
from slipway.domain.lane import superseded_message
from slipway.domain.model import Model
from slipway.domain.redaction import redact_for_record
from slipway.domain.what import What
from slipway.domain.wording import moment
from slipway.journal import Journal, retry_when_moved
from slipway.ports.control import Announcements
from slipway.ports.records import Records

# The steps write the same record; whoever loses the race reads it again.
_ATTEMPTS: Final = 5


class DecideRequest(Model):
    """What a person sent: their answer, and the signature of the link that they opened."""

    deployment_id: str
    answer: Answer
    by: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    comment: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    sig: str


def ticket(deployment_id: str, sig: str, *, records: Records, key: str) -> Approval:
    """The approval that a link opens.

    Rejected alike when there is none and when the link is not ours: a link is bound to deployment,
    digest and plan, and reveals nothing about other deployments.
    """
    approval = records.approval(deployment_id)
    subject = link_subject(approval) if approval else deployment_id
    if not is_signed(key, APPROVE, subject, sig) or approval is None:
        raise Rejected(Reason.LINK_INVALID, "This link is invalid or no longer valid.")
    return approval


def decide(
    request: DecideRequest,
    *,
    journal: Journal,
    announcements: Announcements,
    key: str,
) -> Approval:
    """Write the decision, once, and wake the step that waits for it; Rejected when it is too late.

    Every refusal leaves the record as it was.
    """
    approval, deployment = retry_when_moved(
        lambda: _write_decision(request, journal, key),
        attempts=_ATTEMPTS,
        otherwise=f"{request.deployment_id} is being written too often.",
    )
    _announce(deployment, announcements)
    return approval


def _write_decision(
    request: DecideRequest, journal: Journal, key: str
) -> tuple[Approval, Deployment]:
    records = journal.records
    approval = ticket(request.deployment_id, request.sig, records=records, key=key)
    if approval.decision is not None:
        deployment = records.deployment(request.deployment_id)
        raise Rejected(Reason.ALREADY_DECIDED, _already_message(approval.decision, deployment))
    deployment = records.deployment(request.deployment_id)
    _refuse_unwanted(deployment, records)
    comment = redact_for_record(request.comment)
    decision = Decision(answer=request.answer, by=request.by, at=journal.now, comment=comment)
    decided = approval.decided(decision)
    note = Note(
        what=What.APPROVAL_DECIDED,
        reason=decision.answer,
        message=f"by {decision.by}" + (f": {decision.comment}" if decision.comment else ""),
        data={"digest": approval.digest, "plan_hash": approval.plan_hash},
    )
    return decided, journal.write(deployment, note, others=[decided])


def _already_message(decision: Decision, deployment: Deployment) -> str:
    approved = decision.answer is Answer.APPROVE
    verb = "approved" if approved else "rejected"
    message = f"{decision.by} has already {verb} this deployment, on {moment(decision.at)}."
    again = deploy_command(deployment.lane_id, deployment.release.digest)
    return message if approved else f"{message} To request approval again: {again}"


def _refuse_unwanted(deployment: Deployment, records: Records) -> None:
    """An answer for a deployment that has ended or was replaced would mean nothing."""
    deployment.refuse_to_continue()
    lane = records.lane(deployment.application, deployment.environment)
    newer = lane.superseded_by(deployment.deployment_id)
    if newer is not None:
        request = deploy_command(deployment.lane_id, deployment.release.digest)
        raise Rejected(Reason.SUPERSEDED, superseded_message(newer, request))


def _announce(deployment: Deployment, announcements: Announcements) -> None:
    detail = {"deployment_id": deployment.deployment_id, "lane": deployment.lane_id}
    # The decision is written: if the event gets lost, the sweep wakes the waiting step.
    with suppress(Transient):
        announcements.publish("Approval Decided", detail)
