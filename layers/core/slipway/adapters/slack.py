"""Slack: an incoming webhook, or a bot that keeps its messages up to date.

What Slack's words mean is in slack_refusals.py. A message that was sent and not clearly refused may
have arrived: after a lost answer, one that is not Slack's, or a server error. The webhook's URL and
the bot's token are secrets: no error names them, and none is raised from one that could.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from slipway.adapters.secrets import required
from slipway.adapters.slack_refusals import (
    ABSENT,
    LATER,
    LAYOUT,
    UNCLEAR,
    Refused,
    concerns_channel,
    remedy,
    word,
)
from slipway.domain.errors import Broken, Reason, Transient
from slipway.domain.message import Message, redirected
from slipway.ports.people import Delivery

T = TypeVar("T")

_TIMEOUT_SECONDS: Final = (3.05, 10.0)
_API_URL: Final = "https://slack.com/api"
_EVENT_TYPE: Final = "slipway_deployment"
_PAGES: Final = 20
# What an HTTP header can carry; Slack's tokens are made of less.
_TOKEN: Final = re.compile(r"[!-~]{1,500}")


class _Unclear(Exception):
    """The call may or may not have taken effect."""


class WebhookSlack:
    """An incoming webhook: it sends, and hears only whether Slack took the message."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self._url = url
        self._session = session

    def send(self, message: Message) -> Delivery:
        """Send a message; Transient when it certainly did not arrive, Broken when refused.

        What Slack refuses as it is laid out is told in plain text at once.
        """
        try:
            _laid_out(message, self._taken)
        except _Unclear:
            return Delivery(clear=False)
        except Refused as refused:
            raise refused.broken() from None
        return Delivery(clear=True)

    def _taken(self, body: dict[str, Any]) -> None:
        asked = {**body, "unfurl_links": False}
        response = _sent(self._session, requests.Request("POST", self._url, json=asked))
        if response.status_code != requests.codes.ok:
            raise Refused(str(response.status_code), word(response.text))
        if response.text.strip() != "ok":
            # Something between Slack and us has answered.
            raise _Unclear


class BotSlack:
    """A bot: needs chat:write, and channels:history and channels:read to find messages again."""

    def __init__(self, token: str, channel: str, session: requests.Session, api_url: str) -> None:
        self._token = token
        self._channel = channel
        self._session = session
        self._api_url = api_url.rstrip("/")

    def post(self, message: Message, *, channel: str | None, thread_ts: str | None) -> Delivery:
        """A new message, or a line in a thread; the delivery is not clear after a lost answer.

        A channel that Slack does not let us post to is made up for by the default one.
        """
        wanted = channel or self._channel
        try:
            return self._posted(message, wanted, thread_ts)
        except Refused as refused:
            if thread_ts is not None or wanted == self._channel:
                raise refused.broken() from None
            if not concerns_channel(refused.error):
                raise refused.broken() from None
            told = redirected(message, _misdirected(wanted, refused.error))
        try:
            return self._posted(told, self._channel, None)
        except Refused as refused:
            raise refused.broken() from None

    def update(self, message: Message, *, channel: str, message_ts: str) -> None:
        """Replace a message; an unclear end is worth another try, since it changes nothing more."""
        place = {"channel": channel, "ts": message_ts}
        try:
            _laid_out(message, lambda body: self._asked("chat.update", json={**place, **body}))
        except Refused as refused:
            raise refused.broken() from None

    def find(
        self, message: Message, *, channel: str | None, thread_ts: str | None, since: datetime
    ) -> Delivery | None:
        """The message with this deployment and state in its metadata.

        Where its channel did not take it, it may be in the default one. Broken when the bot may
        not read where the message may be.
        """
        try:
            for place in dict.fromkeys((channel or self._channel, self._channel)):
                found = self._found_in(place, message, thread_ts, since)
                if found is not None or thread_ts is not None:
                    return found
        except Refused as refused:
            raise refused.broken() from None
        return None

    def _found_in(
        self, channel: str, message: Message, thread_ts: str | None, since: datetime
    ) -> Delivery | None:
        try:
            channel_id = self._channel_id(channel)
            for found in self._history(channel_id, thread_ts, since):
                if found.get("metadata") == _metadata(message):
                    ts = thread_ts or str(found["ts"])
                    return Delivery(clear=True, channel=channel_id, message_ts=ts)
        except Refused as refused:
            if refused.error not in ABSENT or channel == self._channel:
                raise
        return None

    def _history(
        self, channel_id: str, thread_ts: str | None, since: datetime
    ) -> Iterator[dict[str, Any]]:
        method = "conversations.replies" if thread_ts else "conversations.history"
        params = {"channel": channel_id, "include_all_metadata": "true"}
        params |= {"ts": thread_ts} if thread_ts else {"oldest": f"{since.timestamp():.6f}"}
        return self._pages(method, params, "messages")

    def _channel_id(self, channel: str) -> str:
        """The history is only read by id, while posting takes a name as well."""
        if re.fullmatch(r"[CDG][A-Z0-9]{7,}", channel):
            return channel
        name = channel.removeprefix("#")
        params = {"exclude_archived": "true", "types": "public_channel,private_channel"}
        for found in self._pages("conversations.list", params, "channels"):
            if found.get("name") == name:
                return str(found["id"])
        raise Refused("", "channel_not_found", f"Slack knows no channel {channel}.")

    def _pages(self, method: str, params: dict[str, str], key: str) -> Iterator[dict[str, Any]]:
        cursor = ""
        for _ in range(_PAGES):
            answer = self._asked(method, params={**params, "limit": "200", "cursor": cursor})
            yield from answer.get(key, [])
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return
        raise Broken(Reason.SLACK_UNAVAILABLE, f"Slack's {method} has more than {_PAGES} pages.")

    def _posted(self, message: Message, channel: str, thread_ts: str | None) -> Delivery:
        more: dict[str, Any] = {"metadata": _metadata(message), "unfurl_links": False}
        place = {"channel": channel} | ({"thread_ts": thread_ts} if thread_ts else {})

        def called(body: dict[str, Any]) -> dict[str, Any]:
            return self._called("chat.postMessage", json={**place, **body, **more})

        try:
            answer = _laid_out(message, called)
        except _Unclear:
            return Delivery(clear=False)
        where, ts = answer.get("channel") or "", answer.get("ts") or ""
        return Delivery(clear=True, channel=str(where), message_ts=str(ts))

    def _asked(self, method: str, **arguments: Any) -> dict[str, Any]:
        """A call that may be made again: an unclear end is Transient."""
        try:
            return self._called(method, **arguments)
        except _Unclear:
            raise Transient(
                Reason.SLACK_UNAVAILABLE, f"The answer to Slack's {method} was lost."
            ) from None

    def _called(self, method: str, **arguments: Any) -> dict[str, Any]:
        verb = "POST" if "json" in arguments else "GET"
        headers = {"Authorization": f"Bearer {self._token}"}
        url = f"{self._api_url}/{method}"
        response = _sent(self._session, requests.Request(verb, url, headers=headers, **arguments))
        answer = _json(response)
        if answer.get("ok") is True:
            return answer
        error = word(str(answer.get("error", "")))
        if error in UNCLEAR:
            raise _Unclear
        if error in LATER:
            raise Transient(Reason.SLACK_UNAVAILABLE, f"Slack's {method} answers {error}.")
        if answer.get("ok") is not False and response.status_code == requests.codes.ok:
            # Not Slack's own words: what it answered got lost on the way.
            raise _Unclear
        raise Refused(f"{method}:", error or str(response.status_code))


def slack_from(fields: Mapping[str, str], session: requests.Session) -> BotSlack | WebhookSlack:
    """Slack as the secret's fields describe it; a bot token is preferred to a webhook."""
    known = dict(fields)
    if known.get("bot_token"):
        channel = required(known, "channel", "Slack")
        if not _TOKEN.fullmatch(known["bot_token"]):
            message = "The 'bot_token' of the Slack secret has characters that no token has."
            raise Broken(Reason.SETTING_MISSING, message)
        return BotSlack(known["bot_token"], channel, session, known.get("api_url") or _API_URL)
    if known.get("webhook_url"):
        return WebhookSlack(known["webhook_url"], session)
    raise Broken(
        Reason.SETTING_MISSING,
        "The Slack secret has neither 'webhook_url' nor 'bot_token' with 'channel'.",
    )


def _metadata(message: Message) -> dict[str, Any]:
    payload = {"deployment_id": message.deployment_id, "state": message.state}
    return {"event_type": _EVENT_TYPE, "event_payload": payload}


def _laid_out(message: Message, call: Callable[[dict[str, Any]], T]) -> T:
    """What the call answers to the message with its blocks, or without where Slack refuses them."""
    try:
        return call({"text": message.text, "blocks": list(message.blocks)})
    except Refused as refused:
        if refused.error not in LAYOUT:
            raise
    return call({"text": message.plain or message.text})


def _misdirected(channel: str, error: str) -> str:
    """Why a message stands in the default channel, and what to do about it."""
    return f"This is meant for {channel}, where Slack does not take it ({error}). {remedy(error)}"


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
            raise Transient(Reason.SLACK_UNAVAILABLE, "Slack cannot be reached.") from None
        if isinstance(error, ValueError):
            # A URL that cannot be one: the sentence must not repeat it.
            message = "The address in the Slack secret is not a URL."
            raise Broken(Reason.SETTING_MISSING, message) from None
        raise _Unclear from None
    if response.status_code == requests.codes.too_many_requests:
        after = word(response.headers.get("Retry-After", "?"))
        message = f"Slack asks to wait for {after} seconds."
        raise Transient(Reason.SLACK_UNAVAILABLE, message)
    if response.status_code >= requests.codes.internal_server_error:
        # A gateway gives up on what Slack may have taken already.
        raise _Unclear
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
        # A message's time is its name: as a number it would lose digits.
        answer = json.loads(response.content, parse_float=str)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
