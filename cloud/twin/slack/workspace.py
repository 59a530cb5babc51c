"""A local Slack: what it was told it keeps, by Slack's own rules for messages and errors."""

import itertools
from dataclasses import dataclass, field, replace
from typing import Any

from cloud.twin.slack.blocks import problems_of
from cloud.twin.world import World

TOKEN = "xoxb-local-slack"
WEBHOOK_CHANNEL = "deployments"
BOT_ID = "B0SLIPWAY"
BOT_USER = "U0SLIPWAY"
TEXT_LIMIT = 40_000


class SlackError(Exception):
    """A refusal, with Slack's own error code and the sentences that explain it."""

    def __init__(self, code: str, messages: list[str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.messages = messages or []


@dataclass
class Message:
    """One message of a channel; a reply has the `thread_ts` of its parent."""

    channel_id: str
    ts: str
    content: dict[str, Any]
    thread_ts: str | None = None
    via: str = "api"
    edits: int = 0

    @property
    def is_reply(self) -> bool:
        return self.thread_ts not in (None, self.ts)

    def shown(self, with_metadata: bool = True) -> dict[str, Any]:
        """The message as Slack's API answers it."""
        content = {
            name: value
            for name, value in self.content.items()
            if with_metadata or name != "metadata"
        }
        thread = {"thread_ts": self.thread_ts} if self.thread_ts else {}
        edited = {"edited": {"user": BOT_USER}} if self.edits else {}
        return {
            "type": "message",
            "bot_id": BOT_ID,
            "user": BOT_USER,
            "ts": self.ts,
            **content,
            **thread,
            **edited,
        }


@dataclass(frozen=True)
class SlackPolicy:
    """How the next `times` requests go wrong (None: all, until changed); by default none does."""

    outage: bool = False
    rate_limited_seconds: int = 0
    error: str | None = None
    times: int | None = None

    @property
    def is_active(self) -> bool:
        return self.outage or self.rate_limited_seconds > 0 or self.error is not None


@dataclass
class SlackModel:
    """Channels and their messages, oldest first."""

    world: World
    token: str = TOKEN
    policy: SlackPolicy = SlackPolicy()
    channels: dict[str, str] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    _order: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def take_policy(self) -> SlackPolicy:
        """What happens to the request at hand; uses up one of the policy's `times`."""
        current = self.policy
        if current.is_active and current.times is not None:
            left = current.times - 1
            self.policy = replace(current, times=left) if left > 0 else SlackPolicy()
        return current

    def post_webhook(self, payload: dict[str, Any]) -> Message:
        """Take a message from an incoming webhook; it lands in the webhook's own channel."""
        channel_id = self.channel_id(WEBHOOK_CHANNEL)
        return self._add(channel_id, payload, payload.get("thread_ts"), via="webhook")

    def chat_post_message(self, params: dict[str, Any]) -> dict[str, Any]:
        channel_id = self.channel_id(params.get("channel", ""))
        message = self._add(channel_id, params, params.get("thread_ts"))
        return {"channel": channel_id, "ts": message.ts, "message": message.shown()}

    def chat_update(self, params: dict[str, Any]) -> dict[str, Any]:
        """Change a message. What is left out stays, but text without blocks removes the blocks."""
        channel_id = self.channel_id(params.get("channel", ""))
        message = self._find(channel_id, params.get("ts"), "message_not_found")
        kept = dict(message.content)
        if "text" in params and "blocks" not in params:
            kept.pop("blocks", None)
        message.content = _content({**kept, **params})
        message.edits += 1
        return {
            "channel": channel_id,
            "ts": message.ts,
            "text": message.content.get("text", ""),
            "message": message.shown(),
        }

    def conversations_history(self, params: dict[str, Any]) -> dict[str, Any]:
        """The channel's messages without replies, newest first."""
        channel_id = self.channel_id(params.get("channel", ""))
        oldest, latest = params.get("oldest", "0"), params.get("latest")
        inclusive = _flag(params.get("inclusive"))
        found = [
            message
            for message in reversed(self.messages)
            if message.channel_id == channel_id
            and not message.is_reply
            and _between(message.ts, oldest, latest, inclusive)
        ]
        limit = int(params.get("limit", 100))
        metadata = _flag(params.get("include_all_metadata"))
        shown = [self._with_thread(message, metadata) for message in found[:limit]]
        return {"messages": shown, "has_more": len(found) > limit}

    def conversations_replies(self, params: dict[str, Any]) -> dict[str, Any]:
        """A message and the replies in its thread, oldest first."""
        channel_id = self.channel_id(params.get("channel", ""))
        parent = self._find(channel_id, params.get("ts"), "thread_not_found")
        metadata = _flag(params.get("include_all_metadata"))
        replies = [reply.shown(metadata) for reply in self.replies(parent)]
        return {"messages": [self._with_thread(parent, metadata), *replies], "has_more": False}

    def auth_test(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"team": "local", "user": "slipway", "user_id": BOT_USER, "bot_id": BOT_ID}

    def channel_id(self, channel: str) -> str:
        """The id of a channel given by id or name; a new name is a new channel."""
        name = channel.removeprefix("#")
        if not name:
            raise SlackError("channel_not_found")
        if name in self.channels.values():
            return name
        return self.channels.setdefault(name, f"C{len(self.channels) + 1:08d}")

    def replies(self, parent: Message) -> list[Message]:
        """The replies below a message, oldest first."""
        return [
            message
            for message in self.messages
            if message.is_reply
            and message.thread_ts == parent.ts
            and message.channel_id == parent.channel_id
        ]

    def rows(self) -> list[dict[str, Any]]:
        """Every message with all that is known of it, oldest first."""
        names = {channel_id: name for name, channel_id in self.channels.items()}
        return [
            {
                **message.shown(),
                "channel": message.channel_id,
                "channel_name": names[message.channel_id],
                "via": message.via,
                "edits": message.edits,
            }
            for message in self.messages
        ]

    def _add(
        self, channel_id: str, params: dict[str, Any], thread_ts: str | None, via: str = "api"
    ) -> Message:
        content = _content(params)
        if thread_ts:
            parent = self._find(channel_id, thread_ts, "thread_not_found")
            parent.thread_ts = thread_ts = parent.thread_ts or parent.ts
        message = Message(channel_id, self._next_ts(), content, thread_ts, via)
        self.messages.append(message)
        return message

    def _find(self, channel_id: str, ts: str | None, error: str) -> Message:
        for message in reversed(self.messages):
            if message.channel_id == channel_id and message.ts == ts:
                return message
        raise SlackError(error)

    def _with_thread(self, message: Message, with_metadata: bool) -> dict[str, Any]:
        replies = self.replies(message)
        if not replies:
            return message.shown(with_metadata)
        return {
            **message.shown(with_metadata),
            "reply_count": len(replies),
            "latest_reply": replies[-1].ts,
        }

    def _next_ts(self) -> str:
        """A message's time is its name in the channel: six digits of it count up."""
        return f"{int(self.world.clock.now().timestamp())}.{next(self._order):06d}"


def _content(params: dict[str, Any]) -> dict[str, Any]:
    """The parts of a request that make a message; raises SlackError if they make none."""
    names = ("text", "blocks", "attachments", "metadata")
    content = {name: params[name] for name in names if params.get(name)}
    if not content.keys() & {"text", "blocks", "attachments"}:
        raise SlackError("no_text")
    if len(content.get("text", "")) > TEXT_LIMIT:
        raise SlackError("msg_too_long")
    problems = problems_of(content.get("blocks", []))
    for attachment in content.get("attachments", []):
        problems += problems_of(attachment.get("blocks", []))
    if problems:
        raise SlackError("invalid_blocks", problems)
    return content


def _between(ts: str, oldest: str, latest: str | None, inclusive: bool) -> bool:
    moment, start = float(ts), float(oldest)
    end = float(latest) if latest else float("inf")
    return start <= moment <= end if inclusive else start < moment < end


def _flag(value: Any) -> bool:
    return str(value).lower() in ("true", "1")
