"""What Slack is told of a deployment: Block Kit, within Slack's limits.

Text of others goes into ``plain_text`` objects, which Slack shows as they are; our own words may be
``mrkdwn``, with ``verbatim`` so that Slack makes no link or mention of a word. The limits are
those of https://docs.slack.dev/reference/block-kit/blocks: 50 blocks, 3,000 characters in a
section's text, 10 fields of 2,000, 75 on a button and 3,000 in its address.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from slipway.domain.approval import Answer, Approval
from slipway.domain.deployment import Deployment, Failure, Outcome, Phase
from slipway.domain.guidance import overridden, way_back, what_next
from slipway.domain.lane import Lane
from slipway.domain.model import Model
from slipway.domain.redaction import shown
from slipway.domain.text import cut
from slipway.domain.wording import distance, moment, short_digest, short_image, spoken

_TEXT_LIMIT: Final = 3000
_WORD_LIMIT: Final = 300
_SENTENCE_LIMIT: Final = 1000
_URL_LIMIT: Final = 3000
_DIFFERENCES_SHOWN: Final = 15

HEADLINES: Final[dict[str, tuple[str, str]]] = {
    Phase.PLANNING: (":package:", "deployment started"),
    Phase.AWAITING_APPROVAL: (":raised_hand:", "waits for approval"),
    Phase.AWAITING_LANE: (":hourglass_flowing_sand:", "waits for its turn"),
    Phase.BACKING_UP: (":floppy_disk:", "backing up the database"),
    Phase.MIGRATING: (":card_file_box:", "migrating the database"),
    Phase.DEPLOYING: (":rocket:", "deploying"),
    Phase.VERIFYING: (":mag:", "verifying"),
    Phase.ROLLING_BACK: (":rewind:", "rolling back"),
    Outcome.SUCCEEDED: (":white_check_mark:", "live and verified"),
    Outcome.ROLLED_BACK: (":leftwards_arrow_with_hook:", "rolled back"),
    Outcome.ROLLBACK_FAILED: (":rotating_light:", "ROLLBACK FAILED"),
    Outcome.NEEDS_OPERATOR: (":rotating_light:", "NEEDS AN OPERATOR"),
    Outcome.FAILED: (":x:", "failed before anything changed"),
    Outcome.REJECTED: (":no_entry:", "rejected"),
    Outcome.EXPIRED: (":alarm_clock:", "nobody decided in time"),
    Outcome.SUPERSEDED: (":fast_forward:", "replaced by a newer deployment"),
    Outcome.BLOCKED: (":no_entry:", "blocked by a gate"),
    Outcome.CANCELLED: (":no_entry_sign:", "cancelled"),
    Outcome.UNCHANGED: (":zzz:", "live already"),
}


class Message(Model):
    """A message about one state of one deployment.

    ``text`` is what a notification shows; ``plain`` is told instead of the blocks where Slack
    refuses them.
    """

    deployment_id: str
    state: str
    text: str
    blocks: tuple[dict[str, Any], ...]
    plain: str = ""


@dataclass(frozen=True)
class News:
    """A deployment that has just reached a state, and where people look at it.

    A link is empty when there is no address that people could open. ``lane`` is known where the
    message asks to let a person's request through.
    """

    deployment: Deployment
    state: str
    approval: Approval | None
    page_url: str
    approval_url: str
    at: datetime
    lane: Lane | None = None


def escaped(text: str, limit: int = _WORD_LIMIT) -> str:
    """One line of text as Slack shows it literally, in at most ``limit`` characters.

    Slack reads &, < and > as control characters; an entity is never cut in two.
    """
    line = shown(text, limit)
    safe = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(safe) <= limit:
        return safe
    return re.sub(r"&[a-z]*$", "", safe[: limit - 1]) + "…"


def whole(news: News) -> Message:
    """Everything about the deployment as it stands: its own message."""
    blocks = [_own(_title(news)), {"type": "section", "fields": list(_fields(news))}]
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
    blocks = [_own(_title(news))]
    detail = _detail(news)
    if detail:
        blocks.append(_others(detail))
    return _message(news, blocks)


def redirected(message: Message, why: str) -> Message:
    """The message as it is told in another channel than the one it is meant for."""
    note = escaped(why, _SENTENCE_LIMIT)
    return message.model_copy(
        update={
            "blocks": (_others(why), *message.blocks),
            "plain": f"{note}\n{message.plain}",
        }
    )


def _message(news: News, blocks: list[dict[str, Any]]) -> Message:
    deployment = news.deployment
    _, headline = HEADLINES[news.state]
    text = escaped(f"{deployment.application} in {deployment.environment}: {headline}")
    return Message(
        deployment_id=deployment.deployment_id,
        state=news.state,
        text=text,
        blocks=tuple(blocks),
        plain=_plain(news, text),
    )


def _plain(news: News, text: str) -> str:
    """The message without blocks: what to know and where to look, in our own words alone."""
    release = f"Release {short_digest(news.deployment.release.digest)}"
    lines = [text, f"{release}, deployment {escaped(news.deployment.deployment_id)}."]
    if _asks(news):
        lines.append(f"Review and decide: {news.approval_url}")
    elif news.page_url:
        lines.append(f"More: {news.page_url}")
    return "\n".join(lines)


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _literal(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _own(text: str) -> dict[str, Any]:
    """A section in our own words, which may be bold or hold a command."""
    return {"type": "section", "text": _mrkdwn(cut(text, _TEXT_LIMIT))}


def _others(text: str) -> dict[str, Any]:
    """A section with text of others: one line, shown as it is."""
    return {"type": "section", "text": _literal(escaped(text, _SENTENCE_LIMIT) or "-")}


def _title(news: News) -> str:
    deployment = news.deployment
    icon, headline = HEADLINES[news.state]
    name = escaped(f"{deployment.application} in {deployment.environment}")
    return f"{icon} *{name}*: {headline}"


def _fields(news: News) -> Iterator[dict[str, Any]]:
    """Label and value in turn: Slack sets fields in two columns."""
    for label, text in _facts(news):
        yield _mrkdwn(f"*{label}*")
        yield _literal(escaped(text, _WORD_LIMIT) or "-")


def _facts(news: News) -> Iterator[tuple[str, str]]:
    """At most five, since a section takes ten fields."""
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
    named = f"{cut(release.tag, _WORD_LIMIT // 3)} {short_digest(release.digest)}"
    if version is None or version == release.tag.removeprefix("v"):
        return named
    return f"{named} (version {cut(version, _WORD_LIMIT // 3)})"


def _asks(news: News) -> bool:
    """Whether the message asks for a decision, by a link that Slack takes."""
    asks = news.state == Phase.AWAITING_APPROVAL and news.approval_url != ""
    return asks and len(news.approval_url) <= _URL_LIMIT


def _question(news: News) -> list[dict[str, Any]]:
    blocks = [_lines(_changes(news.deployment))]
    blocks.extend(_others(note) for note in _overridden(news))
    if news.deployment.plan is not None:
        blocks.append(_own("*If it goes wrong*"))
        blocks.append(_others(way_back(news.deployment.plan)))
    if news.approval is not None:
        until = f"until {moment(news.approval.expires_at)}"
        wait = distance(news.approval.expires_at, news.at)
        blocks.append(_others(f"{_approvers(news.approval)} can decide {until} ({wait})."))
    if _asks(news):
        blocks.append({"type": "actions", "elements": [_button(news.approval_url)]})
    return blocks


def _overridden(news: News) -> Sequence[str]:
    notes = overridden(news.deployment, news.lane) if news.lane else ()
    return [_without_log(note) for note in notes]


def _approvers(approval: Approval) -> str:
    return cut(" or ".join(approval.approvers), _SENTENCE_LIMIT // 2)


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
    shown_lines = lines[:_DIFFERENCES_SHOWN] or ["No difference to what is running."]
    if hidden > 0:
        shown_lines.append(f"… and {hidden} more")
    if plan.needs_migration and plan.settings.migration is not None:
        shown_lines.append(f"migration: {shlex.join(plan.settings.migration.command)}")
    return shown_lines


def _lines(lines: Sequence[str]) -> dict[str, Any]:
    """A section with a list of others' texts: only we begin a line, with a bullet."""
    text = ""
    for each in lines:
        added = f"• {escaped(each)}\n"
        if len(text) + len(added) > _TEXT_LIMIT:
            break
        text += added
    return {"type": "section", "text": _literal(text.rstrip("\n"))}


def _reason(failure: Failure | None) -> list[dict[str, Any]]:
    return [_others(f"{failure.reason} in {failure.state}: {_said(failure)}")] if failure else []


# How the sentence of a task's end goes on with the last line of its log (steps/schema_task.py).
_LOG_LINE: Final = re.compile(
    r"(\bended with exit code -?\d{1,20}(?: \([^()]{0,500}\))?): .*", re.DOTALL
)


def _without_log(sentence: str) -> str:
    """The sentence without the log line that it may quote: Slack is read by many."""
    return _LOG_LINE.sub(r"\1. Its log is on the deployment's page.", sentence)


def _said(failure: Failure) -> str:
    return _without_log(failure.message)


def _ending(news: News) -> list[dict[str, Any]]:
    deployment = news.deployment
    # What made it roll back is the news; what happened to the rollback comes on top.
    blocks = _reason(deployment.cause)
    if deployment.failure != deployment.cause:
        blocks.extend(_reason(deployment.failure))
    if deployment.outcome is not Outcome.SUCCEEDED:
        blocks.append(_own(f"*What to do*\n{what_next(deployment)}"))
    return blocks


def _detail(news: News) -> str:
    deployment = news.deployment
    if news.state == Phase.AWAITING_APPROVAL and news.approval is not None:
        return f"Until {moment(news.approval.expires_at)}, by {_approvers(news.approval)}."
    if news.state == Phase.ROLLING_BACK:
        return _said(deployment.cause) if deployment.cause else ""
    failure = deployment.failure or deployment.cause
    if deployment.outcome is not None and failure is not None:
        return _said(failure)
    return ""


def _footer(news: News) -> str:
    name = escaped(news.deployment.deployment_id)
    fits = news.page_url and len(news.page_url) <= _URL_LIMIT // 2
    place = f"<{news.page_url}|{name}>" if fits else name
    return f"{place} · {moment(news.at)}"
