"""What Slack's error codes mean, and what to do about them.

The words are those of https://docs.slack.dev/reference/methods/chat.postMessage and of
https://docs.slack.dev/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks.
"""

import re
from typing import Final

from slipway.domain.errors import Broken, Reason

# Slack said no, and the same call may succeed; nothing of it took effect.
LATER: Final = frozenset(
    {"rate_limited", "ratelimited", "message_limit_exceeded", "request_timeout"}
    | {"service_unavailable", "team_added_to_org"}
)
# "It's possible some aspect of the operation succeeded before the error was raised."
UNCLEAR: Final = frozenset({"fatal_error", "internal_error"})
# Slack takes the message, but not as it is laid out.
LAYOUT: Final = frozenset(
    {"attachment_payload_limit_exceeded", "invalid_attachments", "invalid_blocks"}
    | {"invalid_blocks_format", "invalid_payload", "missing_text_or_fallback"}
    | {"missing_text_or_fallback_or_attachments", "msg_blocks_too_long", "msg_too_long"}
    | {"no_text", "slack_connect_blocks_not_supported", "too_many_attachments"}
)
_CHANNEL: Final = {
    "channel_not_found": "create the channel or invite the app to it",
    "channel_type_not_supported": "choose another kind of channel",
    "channel_is_archived": "unarchive the channel",
    "is_archived": "unarchive the channel",
    "not_in_channel": "invite the app to the channel",
    "restricted_action": "allow the app to post there",
    "restricted_action_non_threadable_channel": "allow the app to post there",
    "restricted_action_read_only_channel": "allow the app to post there",
    "restricted_action_thread_locked": "allow the app to post there",
    "restricted_action_thread_only_channel": "allow the app to post there",
    "not_allowed": "allow the app to post there",
}
# From these nothing of ours can be in the channel, so there is no message to look for.
ABSENT: Final = frozenset({"channel_not_found"})
_SECRET: Final = {
    "access_denied": "bot_token",
    "account_inactive": "bot_token",
    "invalid_auth": "bot_token",
    "not_authed": "bot_token",
    "token_expired": "bot_token",
    "token_revoked": "bot_token",
    "invalid_token": "webhook_url",
    "no_active_hooks": "webhook_url",
    "no_service": "webhook_url",
    "no_service_id": "webhook_url",
    "no_team": "webhook_url",
    "team_disabled": "webhook_url",
}
_SCOPES: Final = "give the app chat:write, channels:history and channels:read, and install it again"
_APP: Final = {
    "action_prohibited": "allow the webhook to post in its channel, or make a new one",
    "ekm_access_denied": "ask the workspace's administrators to allow posting",
    "missing_scope": _SCOPES,
    "no_permission": _SCOPES,
}


def word(text: str) -> str:
    """One of Slack's error words; anything else is not repeated."""
    return text if re.fullmatch(r"[a-zA-Z0-9_]{1,60}", text) else ""


def concerns_channel(error: str) -> bool:
    """Whether Slack would take the message in another channel."""
    return error in _CHANNEL


def remedy(error: str) -> str:
    """What a person does about an error word, as a sentence; empty for one without a remedy."""
    if error in _CHANNEL:
        said = f"{_CHANNEL[error]}, or name another one in the catalog or the Slack secret"
    elif error in _SECRET:
        said = f"put a valid '{_SECRET[error]}' into the Slack secret"
    else:
        said = _APP.get(error, "")
    return f"{said[:1].upper()}{said[1:]}." if said else ""


class Refused(Exception):
    """Slack said no for good; ``what`` is the call or the status, ``error`` Slack's own word."""

    def __init__(self, what: str, error: str, told: str = "") -> None:
        super().__init__(what)
        self.error = error
        said = told or f"Slack refused: {' '.join(part for part in (what, error) if part)}."
        self.message = f"{said} {remedy(error)}".rstrip()

    def broken(self) -> Broken:
        """The same as a step hears it."""
        return Broken(Reason.SLACK_UNAVAILABLE, self.message)
