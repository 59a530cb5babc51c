"""What Slack is told of a deployment: Block Kit, escaped and within Slack's limits.

The limits are those of https://docs.slack.dev/reference/block-kit/blocks: 3,000 characters in a
section's text, 2,000 in a field, 75 on a button.
"""

import re
import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from slipway.domain.approval import Answer, Approval
from slipway.domain.deployment import Deployment, Failure, Outcome, Phase
from slipway.domain.guidance import way_back, what_next
from slipway.domain.model import Model
from slipway.domain.wording import distance, moment, short_digest, short_image, spoken

_TEXT_LIMIT: Final = 3000
_FIELD_LIMIT: Final = 2000
_WORD_LIMIT: Final = 300
_DIFFERENCES_SHOWN: Final = 15

HEADLINES: Final[dict[str, tuple[str, str]]] = {
    Phase.PLANNING: (":package:", "deployment started"),
    Phase.AWAITING_APPROVAL: (":raised_hand:", "waits for approval"),
    Phase.AWAITING_LANE: (":hourglass_flowing_sand:", "waits for its turn"),
    Phase.BACKING_UP: (":floppy_disk:", "backing the database up"),
    Phase.MIGRATING: (":card_file_box:", "migrating the database"),
    Phase.DEPLOYING: (":rocket:", "deploying"),
    Phase.VERIFYING: (":mag:", "verifying"),
    Phase.ROLLING_BACK: (":rewind:", "rolling back"),
    Outcome.SUCCEEDED: (":white_check_mark:", "live and verified"),
    Outcome.ROLLED_BACK: (":leftwards_arrow_with_hook:", "rolled back"),
    Outcome.ROLLBACK_FAILED: (":rotating_light:", "ROLLBACK FAILED"),
    Outcome.NEEDS_OPERATOR: (":rotating_light:", "NEEDS A PERSON"),
    Outcome.FAILED: (":x:", "failed before anything changed"),
    Outcome.REJECTED: (":no_entry:", "rejected"),
    Outcome.EXPIRED: (":alarm_clock:", "nobody decided in time"),
    Outcome.SUPERSEDED: (":fast_forward:", "replaced by a newer deployment"),
    Outcome.BLOCKED: (":no_entry:", "blocked by a gate"),
    Outcome.CANCELLED: (":no_entry_sign:", "cancelled"),
    Outcome.UNCHANGED: (":zzz:", "live already"),
}


class Message(Model):
    """A message about one state of one deployment; ``text`` is what a notification shows."""

    deployment_id: str
    state: str
    text: str
    blocks: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class News:
    """A deployment that has just reached a state, and where people look at it.

    A link is empty when there is no address that people could open.
    """

    deployment: Deployment
    state: str
    approval: Approval | None
    page_url: str
    approval_url: str
    at: datetime


def escaped(text: str, limit: int = _WORD_LIMIT) -> str:
    """Text as mrkdwn shows it literally, in at most ``limit`` characters.

    Slack reads &, < and > as control characters; an entity is never cut in two.
    """
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(safe) <= limit:
        return safe
    return re.sub(r"&[a-z]*$", "", safe[: limit - 1]) + "…"


def whole(news: News) -> Message:
    """Everything about the deployment as it stands: its own message."""
    blocks = [_section(_title(news))]
    blocks.append({"type": "section", "fields": [_mrkdwn(text) for text in _fields(news)]})
    if news.state == Phase.AWAITING_APPROVAL:
        blocks.extend(_question(news))
    if news.state == Phase.ROLLING_BACK:
        blocks.extend(_reason(news.deployment.cause))
    if news.deployment.outcome is not None:
        blocks.extend(_ending(news))
    blocks.append({"type": "context", "elements": [_mrkdwn(_footer(news))]})
    return _message(news, blocks)


def line(news: News) -> Message:
    """One line for the thread under the deployment's own message."""
    said = _title(news)
    detail = _detail(news)
    text = f"{said}\n{escaped(detail, _FIELD_LIMIT)}" if detail else said
    return _message(news, [_section(text)])


def _message(news: News, blocks: list[dict[str, Any]]) -> Message:
    deployment = news.deployment
    _, headline = HEADLINES[news.state]
    text = escaped(f"{deployment.application} in {deployment.environment}: {headline}")
    return Message(
        deployment_id=deployment.deployment_id, state=news.state, text=text, blocks=tuple(blocks)
    )


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(text)}


def _title(news: News) -> str:
    deployment = news.deployment
    icon, headline = HEADLINES[news.state]
    name = escaped(f"{deployment.application} in {deployment.environment}")
    return f"{icon} *{name}*: {headline}"


def _fields(news: News) -> list[str]:
    deployment = news.deployment
    fields = [
        f"*Release*\n{_release(deployment)}",
        f"*Asked for by*\n{escaped(deployment.requested_by)}",
    ]
    decision = news.approval.decision if news.approval else None
    if decision is not None:
        verb = "Approved" if decision.answer is Answer.APPROVE else "Rejected"
        comment = f": {escaped(decision.comment)}" if decision.comment else ""
        fields.append(f"*{verb} by*\n{escaped(decision.by)}{comment}")
    if deployment.outcome is not None and deployment.settled_at is not None:
        took = deployment.settled_at - deployment.requested_at
        fields.append(f"*Took*\n{spoken(took)}")
    return fields


def _release(deployment: Deployment) -> str:
    release, plan = deployment.release, deployment.plan
    version = plan.image.version if plan else None
    named = escaped(release.tag)
    if version is not None and version != release.tag.removeprefix("v"):
        named = f"{named} (version {escaped(version)})"
    return f"{named}\n`{short_digest(release.digest)}`"


def _question(news: News) -> list[dict[str, Any]]:
    blocks = [_section(escaped_lines(_changes(news.deployment)))]
    if news.approval is not None:
        until = f"until {moment(news.approval.expires_at)}"
        who = " or ".join(news.approval.approvers)
        wait = distance(news.approval.expires_at, news.at)
        blocks.append(_section(escaped(f"{who} can decide {until} ({wait}).", _TEXT_LIMIT)))
    if news.approval_url:
        blocks.append({"type": "actions", "elements": [_button(news.approval_url)]})
    return blocks


def _button(url: str) -> dict[str, Any]:
    label = {"type": "plain_text", "text": "Review and decide"}
    return {"type": "button", "text": label, "url": url, "style": "primary"}


def _changes(deployment: Deployment) -> list[str]:
    plan = deployment.plan
    if plan is None:
        return ["The plan is not known."]
    lines = [
        f"{d.what}: {short_image(d.before)} → {short_image(d.after)}" for d in plan.differences
    ]
    hidden = len(lines) - _DIFFERENCES_SHOWN
    shown = lines[:_DIFFERENCES_SHOWN] or ["No difference to what runs."]
    if hidden > 0:
        shown.append(f"… and {hidden} more")
    if plan.needs_migration and plan.settings.migration is not None:
        shown.append(f"migration: {shlex.join(plan.settings.migration.command)}")
    return [*shown, f"if it goes wrong: {way_back(plan)}"]


def escaped_lines(lines: list[str]) -> str:
    """Lines of mrkdwn in one section: each escaped and cut, and together within its limit."""
    text = ""
    for each in lines:
        added = f"• {escaped(' '.join(each.split()))}\n"
        if len(text) + len(added) > _TEXT_LIMIT:
            break
        text += added
    return text.rstrip("\n")


def _reason(failure: Failure | None) -> list[dict[str, Any]]:
    if failure is None:
        return []
    head = f"*{escaped(failure.reason)}* in {escaped(failure.state)}"
    return [_section(f"{head}\n{escaped(failure.message, _FIELD_LIMIT)}")]


def _ending(news: News) -> list[dict[str, Any]]:
    deployment = news.deployment
    # What made it roll back is the news; what happened to the rollback comes on top.
    blocks = _reason(deployment.cause)
    if deployment.failure != deployment.cause:
        blocks.extend(_reason(deployment.failure))
    if deployment.outcome is not None and deployment.outcome is not Outcome.SUCCEEDED:
        blocks.append(_section(f"*What to do*\n{what_next(deployment.outcome)}"))
    return blocks


def _detail(news: News) -> str:
    deployment = news.deployment
    if news.state == Phase.AWAITING_APPROVAL and news.approval is not None:
        return (
            f"Until {moment(news.approval.expires_at)}, by {' or '.join(news.approval.approvers)}."
        )
    if news.state == Phase.ROLLING_BACK:
        return deployment.cause.message if deployment.cause else ""
    failure = deployment.failure or deployment.cause
    if deployment.outcome is not None and failure is not None:
        return failure.message
    return ""


def _footer(news: News) -> str:
    name = escaped(news.deployment.deployment_id)
    place = f"<{news.page_url}|{name}>" if news.page_url else name
    return f"{place} · {moment(news.at)}"
