"""`waiting`: open approvals, and how long they are still open."""

from collections.abc import Iterator

from slipway.domain.approval import Approval
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.wording import moment, spoken
from slipway.operate.desk import Desk
from slipway.operate.lines import columns, release_of


def waiting(desk: Desk) -> Iterator[str]:
    """Every approval that nobody has decided, the one that expires first on top."""
    undecided = sorted(_undecided(desk), key=lambda pair: pair[1].expires_at)
    if not undecided:
        yield "No open approvals."
        return
    yield from columns([_row(deployment, approval, desk) for deployment, approval in undecided], "")


def _undecided(desk: Desk) -> Iterator[tuple[Deployment, Approval]]:
    for deployment in desk.records.unsettled():
        if deployment.phase is not Phase.AWAITING_APPROVAL:
            continue
        approval = desk.records.approval(deployment.deployment_id)
        if approval is not None and approval.decision is None:
            yield deployment, approval


def _row(deployment: Deployment, approval: Approval, desk: Desk) -> tuple[str, ...]:
    left = approval.expires_at - desk.now()
    until = (
        f"{spoken(left)} left" if left.total_seconds() > 0 else "expired, ends at the next check"
    )
    return (
        deployment.deployment_id,
        until,
        f"until {moment(approval.expires_at)}",
        release_of(deployment),
        f"for {' or '.join(approval.approvers)}",
    )
