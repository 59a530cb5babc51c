"""Slack: an incoming webhook, or a bot that keeps its messages up to date.

What Slack's answers mean follows https://docs.slack.dev/reference/methods/chat.postMessage and
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks. The webhook's URL and
the bot's token are secrets: no error names them, and none is raised from one that could.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from slipway.adapters.secrets import required
from slipway.domain.errors import Broken, Reason, Transient
from slipway.domain.message import Message
from slipway.ports import Delivery

_TIMEOUT_SECONDS: Final = (3.05, 10.0)
_API_URL: Final = "https://slack.com/api"
_EVENT_TYPE: Final = "slipway_deployment"
# Slack said no, and the same call may succeed; nothing of it took effect.
_LATER: Final = frozenset({"ratelimited", "request_timeout", "service_unavailable"})
# "It's possible some aspect of the operation succeeded before the error was raised."
_UNCLEAR: Final = frozenset({"fatal_error", "internal_error"})
_PAGES: Final = 20


class _Unclear(Exception):
    """The call may or may not have taken effect."""


class WebhookSlack:
    """An incoming webhook: it sends, and hears only whether Slack took the message."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self._url = url
        self._session = session

    def send(self, message: Message) -> Delivery:
        """Send a message; Transient when it certainly did not arrive, Broken when refused."""
        body = {"text": message.text, "blocks": list(message.blocks)}
        try:
            response = _sent(self._session, requests.Request("POST", self._url, json=body))
        except _Unclear:
            return Delivery(clear=False)
        if response.status_code != requests.codes.ok:
            raise _refused(f"{response.status_code} {_word(response.text)}")
        return Delivery(clear=True)


class BotSlack:
    """A bot: needs chat:write, and channels:history and channels:read to find messages again."""

    def __init__(self, token: str, channel: str, session: requests.Session, api_url: str) -> None:
        self._token = token
        self._channel = channel
        self._session = session
        self._api_url = api_url.rstrip("/")

    def post(self, message: Message, *, channel: str | None, thread_ts: str | None) -> Delivery:
        """A new message, or a line in a thread; the delivery is not clear after a lost answer."""
        body: dict[str, Any] = {
            "channel": channel or self._channel,
            "text": message.text,
            "blocks": list(message.blocks),
            "metadata": {"event_type": _EVENT_TYPE, "event_payload": _payload(message)},
            "unfurl_links": False,
        }
        if thread_ts is not None:
            body["thread_ts"] = thread_ts
        try:
            answer = self._called("chat.postMessage", json=body)
        except _Unclear:
            return Delivery(clear=False)
        return Delivery(clear=True, channel=str(answer["channel"]), message_ts=str(answer["ts"]))

    def update(self, message: Message, *, channel: str, message_ts: str) -> None:
        """Replace a message; an unclear end is worth another try, since it changes nothing more."""
        body = {
            "channel": channel,
            "ts": message_ts,
            "text": message.text,
            "blocks": list(message.blocks),
        }
        self._asked("chat.update", json=body)

    def find(
        self, message: Message, *, channel: str | None, thread_ts: str | None, since: datetime
    ) -> Delivery | None:
        """The message with this deployment and state in its metadata."""
        channel_id = self._channel_id(channel or self._channel)
        method = "conversations.replies" if thread_ts else "conversations.history"
        params = {"channel": channel_id, "include_all_metadata": "true"}
        params |= {"ts": thread_ts} if thread_ts else {"oldest": f"{since.timestamp():.6f}"}
        wanted = {"event_type": _EVENT_TYPE, "event_payload": _payload(message)}
        for found in self._pages(method, params, "messages"):
            if found.get("metadata") == wanted:
                ts = thread_ts or str(found["ts"])
                return Delivery(clear=True, channel=channel_id, message_ts=ts)
        return None

    def _channel_id(self, channel: str) -> str:
        """The history is only read by id, while posting takes a name as well."""
        if re.fullmatch(r"[CDG][A-Z0-9]{7,}", channel):
            return channel
        name = channel.removeprefix("#")
        params = {"exclude_archived": "true", "types": "public_channel,private_channel"}
        for found in self._pages("conversations.list", params, "channels"):
            if found.get("name") == name:
                return str(found["id"])
        raise Broken(Reason.SERVICE_UNAVAILABLE, f"Slack knows no channel {channel}.")

    def _pages(self, method: str, params: dict[str, str], key: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = ""
        for _ in range(_PAGES):
            answer = self._asked(method, params={**params, "limit": "200", "cursor": cursor})
            found.extend(answer.get(key, []))
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return found
        raise Broken(Reason.SERVICE_UNAVAILABLE, f"Slack's {method} has more than {_PAGES} pages.")

    def _asked(self, method: str, **arguments: Any) -> dict[str, Any]:
        """A call that may be made again: an unclear end is Transient."""
        try:
            return self._called(method, **arguments)
        except _Unclear:
            raise Transient(Reason.SERVICE_UNAVAILABLE, f"Slack's {method} got lost.") from None

    def _called(self, method: str, **arguments: Any) -> dict[str, Any]:
        verb = "POST" if "json" in arguments else "GET"
        headers = {"Authorization": f"Bearer {self._token}"}
        url = f"{self._api_url}/{method}"
        response = _sent(self._session, requests.Request(verb, url, headers=headers, **arguments))
        answer = _json(response)
        if answer.get("ok") is True:
            return answer
        error = _word(str(answer.get("error", "")))
        if error in _UNCLEAR:
            raise _Unclear
        if error in _LATER:
            raise Transient(Reason.SERVICE_UNAVAILABLE, f"Slack's {method} answers {error}.")
        raise _refused(f"{method}: {error or response.status_code}")


def slack_from(fields: Mapping[str, str], session: requests.Session) -> BotSlack | WebhookSlack:
    """Slack as the secret's fields describe it; a bot token is preferred to a webhook."""
    known = dict(fields)
    if known.get("bot_token"):
        channel = required(known, "channel", "Slack")
        return BotSlack(known["bot_token"], channel, session, known.get("api_url") or _API_URL)
    if known.get("webhook_url"):
        return WebhookSlack(known["webhook_url"], session)
    raise Broken(
        Reason.SETTING_MISSING,
        "The Slack secret has neither 'webhook_url' nor 'bot_token' with 'channel'.",
    )


def _payload(message: Message) -> dict[str, str]:
    return {"deployment_id": message.deployment_id, "state": message.state}


def _sent(session: requests.Session, request: requests.Request) -> requests.Response:
    """Slack's answer; Transient when it certainly did nothing, _Unclear when nobody knows."""
    try:
        prepared = session.prepare_request(request)
        settings = session.merge_environment_settings(prepared.url, {}, None, None, None)
        response = session.send(
            prepared, timeout=_TIMEOUT_SECONDS, allow_redirects=False, **settings
        )
    except requests.RequestException as error:
        if _never_left(error):
            raise Transient(Reason.SERVICE_UNAVAILABLE, "Slack cannot be reached.") from None
        if isinstance(error, ValueError):
            # A URL that cannot be one: the sentence must not repeat it.
            message = "The address in the Slack secret is not a URL."
            raise Broken(Reason.SETTING_MISSING, message) from None
        raise _Unclear from None
    if response.status_code == requests.codes.too_many_requests:
        after = _word(response.headers.get("Retry-After", "?"))
        message = f"Slack asks to wait for {after} seconds."
        raise Transient(Reason.SERVICE_UNAVAILABLE, message)
    if response.status_code >= requests.codes.internal_server_error:
        message = f"Slack answers {response.status_code}."
        raise Transient(Reason.SERVICE_UNAVAILABLE, message)
    return response


def _never_left(error: requests.RequestException) -> bool:
    """Whether the connection failed before anything could be sent."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.SSLError):
        return True
    inner = error.args[0] if error.args else None
    reason = inner.reason if isinstance(inner, MaxRetryError) else inner
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except requests.exceptions.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _word(text: str) -> str:
    """One of Slack's error words; anything else is not repeated."""
    return text if re.fullmatch(r"[a-zA-Z0-9_]{1,60}", text) else ""


def _refused(what: str) -> Broken:
    return Broken(Reason.SERVICE_UNAVAILABLE, f"Slack refuses: {what.strip()}.")
