"""The page of the local Slack: a channel as Slack draws it, without JavaScript."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, Template

from cloud.twin.slack.text import mrkdwn, plain
from cloud.twin.slack.workspace import Message, SlackModel

FOLDER = Path(__file__).parent
REFRESH_SECONDS = 3


def render(slack: SlackModel, channel: str | None, open_thread: str | None) -> str:
    """The page of one channel (by default the first), with one thread unfolded."""
    name = channel or next(iter(slack.channels), "deployments")
    channel_id = slack.channels.get(name)
    messages = [
        _shown(slack, message, message.ts == open_thread)
        for message in slack.messages
        if message.channel_id == channel_id and not message.is_reply
    ]
    return _template().render(
        channel=name,
        channels=list(slack.channels) or [name],
        messages=messages,
        open_thread=open_thread,
        refresh_seconds=REFRESH_SECONDS,
    )


def _shown(slack: SlackModel, message: Message, is_open: bool) -> dict[str, Any]:
    replies = slack.replies(message)
    return {
        **_body(message),
        "reply_count": len(replies),
        "last_reply": _clock_time(replies[-1].ts) if replies else "",
        "replies": [_body(reply) for reply in replies] if is_open else [],
        "is_open": is_open,
    }


def _body(message: Message) -> dict[str, Any]:
    return {
        "ts": message.ts,
        "time": _clock_time(message.ts),
        "edited": message.edits > 0,
        "text": message.content.get("text", ""),
        "blocks": message.content.get("blocks", []),
        "attachments": message.content.get("attachments", []),
    }


def _clock_time(ts: str) -> str:
    return datetime.fromtimestamp(float(ts), UTC).strftime("%H:%M")


def _text(value: dict[str, Any] | str) -> str:
    """A text object, or the text of a message, as HTML."""
    if isinstance(value, str):
        return mrkdwn(value)
    return plain(value["text"]) if value["type"] == "plain_text" else mrkdwn(value["text"])


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["slack"] = _text
    return environment.get_template("page.html")
