"""News as Slack shows it: Block Kit, within Slack's limits.

Text of others goes into ``plain_text`` objects, which Slack shows as they are; our own words may be
``mrkdwn``, with ``verbatim`` so that Slack makes no link or mention of a word. The limits are
those of https://docs.slack.dev/reference/block-kit/blocks: 50 blocks, 3,000 characters in a
section's text, 10 fields of 2,000, 75 on a button and 3,000 in its address.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from slipway.domain.deployment import Phase
from slipway.domain.model import Model
from slipway.domain.news import News, Question, detail, facts, question, reasons, to_do
from slipway.domain.outcome import Outcome
from slipway.domain.text import cut
from slipway.domain.wording import moment, short_digest
from slipway.slack.text import escape

_TEXT_LIMIT: Final = 3000
_SENTENCE_LIMIT: Final = 1000
_URL_LIMIT: Final = 3000

ICONS: Final[dict[str, str]] = {
    Phase.PLANNING: ":package:",
    Phase.AWAITING_APPROVAL: ":raised_hand:",
    Phase.AWAITING_LANE: ":hourglass_flowing_sand:",
    Phase.BACKING_UP: ":floppy_disk:",
    Phase.MIGRATING: ":card_file_box:",
    Phase.DEPLOYING: ":rocket:",
    Phase.VERIFYING: ":mag:",
    Phase.ROLLING_BACK: ":rewind:",
    Outcome.SUCCEEDED: ":white_check_mark:",
    Outcome.ROLLED_BACK: ":leftwards_arrow_with_hook:",
    Outcome.ROLLBACK_FAILED: ":rotating_light:",
    Outcome.NEEDS_OPERATOR: ":rotating_light:",
    Outcome.FAILED: ":x:",
    Outcome.REJECTED: ":no_entry:",
    Outcome.EXPIRED: ":alarm_clock:",
    Outcome.SUPERSEDED: ":fast_forward:",
    Outcome.BLOCKED: ":no_entry:",
    Outcome.CANCELLED: ":no_entry_sign:",
    Outcome.UNCHANGED: ":zzz:",
}


class Message(Model):
    """A message about one state of one deployment.

    ``text`` is what a notification shows; ``plain`` is sent instead of the blocks where Slack
    refuses them.
    """

    deployment_id: str
    state: str
    text: str
    blocks: tuple[dict[str, Any], ...]
    plain: str = ""


def whole(news: News) -> Message:
    """Everything about the deployment as it stands: its own message."""
    blocks = [_own(_title(news)), {"type": "section", "fields": list(_fields(news))}]
    asked = question(news)
    if asked is not None:
        blocks.extend(_question(asked, news))
    blocks.extend(_others(reason) for reason in reasons(news))
    if to_do(news):
        blocks.append(_own(f"*What to do*\n{to_do(news)}"))
    blocks.append({"type": "context", "elements": [_mrkdwn(_footer(news))]})
    return _message(news, blocks)


def line(news: News) -> Message:
    """One line for the thread under the deployment's own message."""
    blocks = [_own(_title(news))]
    if detail(news):
        blocks.append(_others(detail(news)))
    return _message(news, blocks)


def with_redirect_note(message: Message, why: str) -> Message:
    """The message as it is sent to another channel than its own."""
    note = escape(why, _SENTENCE_LIMIT)
    return message.model_copy(
        update={
            "blocks": (_others(why), *message.blocks),
            "plain": f"{note}\n{message.plain}",
        }
    )


def _message(news: News, blocks: list[dict[str, Any]]) -> Message:
    text = escape(f"{news.name}: {news.headline}")
    return Message(
        deployment_id=news.deployment.deployment_id,
        state=news.state,
        text=text,
        blocks=tuple(blocks),
        plain=_plain(news, text),
    )


def _plain(news: News, text: str) -> str:
    """The message without blocks: what to know and where to look, in our own words alone."""
    release = f"Release {short_digest(news.deployment.release.digest)}"
    lines = [text, f"{release}, deployment {escape(news.deployment.deployment_id)}."]
    if _asks(news):
        lines.append(f"Review and decide: {news.approval_url}")
    elif news.page_url:
        lines.append(f"Details: {news.page_url}")
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
    return {"type": "section", "text": _literal(escape(text, _SENTENCE_LIMIT) or "-")}


def _title(news: News) -> str:
    return f"{ICONS[news.state]} *{escape(news.name)}*: {news.headline}"


def _fields(news: News) -> Iterator[dict[str, Any]]:
    """Label and value in turn: Slack sets fields in two columns, ten in a section at most."""
    for label, text in facts(news):
        yield _mrkdwn(f"*{label}*")
        yield _literal(escape(text) or "-")


def _question(asked: Question, news: News) -> Iterator[dict[str, Any]]:
    yield _lines(asked.changes)
    yield from (_others(note) for note in asked.overridden)
    if asked.way_back:
        yield _own("*If it fails*")
        yield _others(asked.way_back)
    if asked.decision:
        yield _others(asked.decision)
    if _asks(news):
        yield {"type": "actions", "elements": [_button(news.approval_url)]}


def _asks(news: News) -> bool:
    """Whether the message asks for a decision, by a link that Slack takes."""
    asks = news.state == Phase.AWAITING_APPROVAL and news.approval_url != ""
    return asks and len(news.approval_url) <= _URL_LIMIT


def _button(url: str) -> dict[str, Any]:
    label = {"type": "plain_text", "text": "Review and decide"}
    return {"type": "button", "text": label, "url": url, "style": "primary"}


def _lines(lines: Sequence[str]) -> dict[str, Any]:
    """A section with a list of others' texts: only we begin a line, with a bullet."""
    text = ""
    for each in lines:
        added = f"• {escape(each)}\n"
        if len(text) + len(added) > _TEXT_LIMIT:
            break
        text += added
    return {"type": "section", "text": _literal(text.rstrip("\n"))}


def _footer(news: News) -> str:
    name = escape(news.deployment.deployment_id)
    fits = news.page_url and len(news.page_url) <= _URL_LIMIT // 2
    place = f"<{news.page_url}|{name}>" if fits else name
    return f"{place} · {moment(news.at)}"
