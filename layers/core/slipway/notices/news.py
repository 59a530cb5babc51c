"""Collect the news about a change: the approval, the links and the lane, as they are now."""

from datetime import datetime

from slipway.domain.approval import Approval, request_approval
from slipway.domain.catalog import Catalog, Notifications
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.lane import Lane
from slipway.domain.news import News
from slipway.ports.people import Links
from slipway.ports.records import Records


def news_of(
    deployment: Deployment,
    state: str,
    *,
    records: Records,
    links: Links,
    catalog: Catalog,
    now: datetime,
) -> News:
    """The news that the deployment has reached this state."""
    # The stream hands on a deployment as it is stored: without its plan.
    deployment = deployment.read_with(records.plan(deployment.deployment_id))
    approval = _approval(deployment, state, records, now)
    decides = approval if links.absolute else None
    return News(
        deployment=deployment,
        state=state,
        approval=approval,
        page_url=links.deployment(deployment.deployment_id) if links.absolute else "",
        approval_url=links.approval(decides) if decides else "",
        at=now,
        lane=_lane_in_question(deployment, state, records),
        notifications=_notifications(deployment, catalog),
    )


def _approval(
    deployment: Deployment, state: str, records: Records, now: datetime
) -> Approval | None:
    """The ticket; while it is asked for, at least what its link is bound to."""
    if deployment.plan is None or not deployment.plan.needs_approval:
        return None
    approval = records.approval(deployment.deployment_id)
    if approval is None and state == Phase.AWAITING_APPROVAL:
        return request_approval(deployment.plan, now)
    return approval


def _lane_in_question(deployment: Deployment, state: str, records: Records) -> Lane | None:
    """The lane whose hold a person's request may go over, while it is asked for."""
    if not deployment.explicit or state != Phase.AWAITING_APPROVAL:
        return None
    return records.lane(deployment.application, deployment.environment)


def _notifications(deployment: Deployment, catalog: Catalog) -> Notifications:
    """What the catalog says now, not what it said when the plan was made."""
    settings = catalog.environment(deployment.application, deployment.environment)
    return settings.notifications if settings else Notifications()
