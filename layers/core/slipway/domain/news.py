"""The news about a deployment that has just reached a state, before any formatting.

Slack and every other destination render the same news. Text from outside is passed on as it was
written: whoever renders it redacts, bounds and escapes it, because each destination has its own
control characters and limits.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from slipway.domain.approval import Answer, Approval
from slipway.domain.catalog import Notifications
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.failure import Failure
from slipway.domain.guidance import override_notes, way_back, what_next
from slipway.domain.lane import Lane
from slipway.domain.outcome import Outcome
from slipway.domain.text import cut
from slipway.domain.wording import distance, moment, short_digest, short_image, spoken

_LABEL_LIMIT: Final = 100
_APPROVERS_LIMIT: Final = 500
_DIFFERENCES_SHOWN: Final = 15
# Records of 0.1.0 quote the last log line after a task's exit code; a channel must not show it.
_LOG_LINE: Final = re.compile(
    r"(\bended with exit code -?\d{1,20}(?: \([^()]{0,500}\))?): .*", re.DOTALL
)

HEADLINES: Final[dict[str, str]] = {
    Phase.PLANNING: "deployment started",
    Phase.AWAITING_APPROVAL: "waiting for approval",
    Phase.AWAITING_LANE: "waiting for its turn",
    Phase.BACKING_UP: "backing up the database",
    Phase.MIGRATING: "migrating the database",
    Phase.DEPLOYING: "deploying",
    Phase.VERIFYING: "verifying",
    Phase.ROLLING_BACK: "rolling back",
    Outcome.SUCCEEDED: "live and verified",
    Outcome.ROLLED_BACK: "rolled back",
    Outcome.ROLLBACK_FAILED: "ROLLBACK FAILED",
    Outcome.NEEDS_OPERATOR: "NEEDS AN OPERATOR",
    Outcome.FAILED: "failed before anything changed",
    Outcome.REJECTED: "rejected",
    Outcome.EXPIRED: "approval expired",
    Outcome.SUPERSEDED: "replaced by a newer deployment",
    Outcome.BLOCKED: "blocked by a gate",
    Outcome.CANCELLED: "cancelled",
    Outcome.UNCHANGED: "already live",
}


@dataclass(frozen=True)
class News:
    """A deployment that has just reached a state, and where people look at it.

    A link is empty when there is no address that people could open. ``lane`` is known where a
    person is asked to let a request through; ``notifications`` is what the catalog says of telling.
    """

    deployment: Deployment
    state: str
    approval: Approval | None
    page_url: str
    approval_url: str
    at: datetime
    lane: Lane | None = None
    notifications: Notifications = field(default_factory=Notifications)

    @property
    def name(self) -> str:
        """What is deployed where."""
        return f"{self.deployment.application} in {self.deployment.environment}"

    @property
    def headline(self) -> str:
        """What has happened, in a few words."""
        return HEADLINES[self.state]


@dataclass(frozen=True)
class Question:
    """What a person needs to know to approve or reject a deployment."""

    changes: tuple[str, ...]
    overridden: tuple[str, ...]
    way_back: str
    decision: str


def facts(news: News) -> Iterator[tuple[str, str]]:
    """What is deployed, by whom and why, as label and value: five at most."""
    deployment = news.deployment
    yield "Release", _release(deployment)
    yield "Requested by", deployment.requested_by
    if deployment.reason:
        yield "Reason", deployment.reason
    decision = news.approval.decision if news.approval else None
    if decision is not None:
        verb = "Approved" if decision.answer is Answer.APPROVE else "Rejected"
        comment = f": {decision.comment}" if decision.comment else ""
        yield f"{verb} by", f"{decision.by}{comment}"
    if deployment.outcome is not None and deployment.settled_at is not None:
        yield "Took", spoken(deployment.settled_at - deployment.requested_at)


def _release(deployment: Deployment) -> str:
    release, plan = deployment.release, deployment.plan
    version = plan.image.version if plan else None
    named = f"{cut(release.tag, _LABEL_LIMIT)} {short_digest(release.digest)}"
    if version is None or version == release.tag.removeprefix("v"):
        return named
    return f"{named} (version {cut(version, _LABEL_LIMIT)})"


def question(news: News) -> Question | None:
    """What a person is asked; None unless the deployment waits for approval."""
    if news.state != Phase.AWAITING_APPROVAL:
        return None
    deployment, lane = news.deployment, news.lane
    return Question(
        changes=tuple(_changes(deployment)),
        overridden=tuple(map(without_log, override_notes(deployment, lane))) if lane else (),
        way_back=way_back(deployment.plan) if deployment.plan else "",
        decision=_decision(news.approval, news.at) if news.approval else "",
    )


def _changes(deployment: Deployment) -> list[str]:
    plan = deployment.plan
    if plan is None:
        return ["The plan is not available."]
    lines = [
        f"{d.what}: {short_image(d.before)} → {short_image(d.after)}" for d in plan.differences
    ]
    hidden = len(lines) - _DIFFERENCES_SHOWN
    shown_lines = lines[:_DIFFERENCES_SHOWN] or ["No difference from what is running."]
    if hidden > 0:
        shown_lines.append(f"… and {hidden} more")
    if plan.needs_migration and plan.settings.migration is not None:
        shown_lines.append(f"migration: {shlex.join(plan.settings.migration.command)}")
    return shown_lines


def _decision(approval: Approval, now: datetime) -> str:
    until = f"until {moment(approval.expires_at)}"
    return f"{_approvers(approval)} can decide {until} ({distance(approval.expires_at, now)})."


def _approvers(approval: Approval) -> str:
    return cut(" or ".join(approval.approvers), _APPROVERS_LIMIT)


def reasons(news: News) -> tuple[str, ...]:
    """Why the deployment rolls back, or how it came to its end: what began it first."""
    deployment = news.deployment
    if news.state == Phase.ROLLING_BACK:
        found = [deployment.cause]
    elif deployment.outcome is None:
        found = []
    else:
        found = [deployment.cause]
        # What made it roll back is the news; what happened to the rollback comes on top.
        if deployment.failure != deployment.cause:
            found.append(deployment.failure)
    return tuple(f"{one.reason} in {one.state}: {_failure_text(one)}" for one in found if one)


def detail(news: News) -> str:
    """The news in one sentence, for whoever sees no more than that; empty without one."""
    deployment = news.deployment
    if news.state == Phase.AWAITING_APPROVAL and news.approval is not None:
        return f"Until {moment(news.approval.expires_at)}, by {_approvers(news.approval)}."
    if news.state == Phase.ROLLING_BACK:
        return _failure_text(deployment.cause) if deployment.cause else ""
    failure = deployment.failure or deployment.cause
    if deployment.outcome is not None and failure is not None:
        return _failure_text(failure)
    return ""


def to_do(news: News) -> str:
    """What a person does now; empty while the deployment goes on and after a success."""
    succeeded = news.deployment.outcome is Outcome.SUCCEEDED
    return "" if succeeded else what_next(news.deployment)


def without_log(sentence: str) -> str:
    """The sentence without the log line that it may quote: a channel has many readers."""
    return _LOG_LINE.sub(r"\1. Its log is on the deployment's page.", sentence)


def _failure_text(failure: Failure) -> str:
    return without_log(failure.message)
