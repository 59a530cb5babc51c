"""Slack's Web API, as far as a bot needs it."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import requests

from slipway.domain.errors import Broken, Reason, Transient
from slipway.domain.notice import MessagePlace
from slipway.ports.people import Arrival, Delivery
from slipway.slack.blocks import Message, with_redirect_note
from slipway.slack.refusals import ABSENT, LATER, UNCLEAR, Refused, concerns_channel, remedy, word
from slipway.slack.transport import Unclear, send_laid_out, send_request

_EVENT_TYPE: Final = "slipway_deployment"
_PAGES: Final = 20


class WebApi:
    """Slack as a bot sees it: messages can be changed, answered and found again.

    Needs chat:write, and channels:history and channels:read to find messages. Every method raises
    Transient when the call certainly had no effect and may later, and Broken when Slack refuses
    it for good, in plain text as well.
    """

    def __init__(self, token: str, channel: str, session: requests.Session, api_url: str) -> None:
        self._token = token
        self._channel = channel
        self._session = session
        self._api_url = api_url.rstrip("/")

    def post(self, message: Message, *, channel: str | None, thread_ts: str | None) -> Delivery:
        """A new message, or a line in a thread; unconfirmed when the answer was lost.

        A channel that Slack does not let us post to is made up for by the default one.
        """
        wanted = channel or self._channel
        try:
            return self._post(message, wanted, thread_ts)
        except Refused as refused:
            if thread_ts is not None or wanted == self._channel:
                raise refused.broken() from None
            if not concerns_channel(refused.error):
                raise refused.broken() from None
            redirected = with_redirect_note(message, _redirect_note(wanted, refused.error))
        try:
            return self._post(redirected, self._channel, None)
        except Refused as refused:
            raise refused.broken() from None

    def update(self, message: Message, place: MessagePlace) -> None:
        """Replace a message; an unclear end is worth another try, since it changes nothing more."""
        there = {"channel": place.channel, "ts": place.message}
        try:
            send_laid_out(
                message, lambda body: self._call_again("chat.update", json={**there, **body})
            )
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
                found = self._find_in(place, message, thread_ts, since)
                if found is not None or thread_ts is not None:
                    return found
        except Refused as refused:
            raise refused.broken() from None
        return None

    def _find_in(
        self, channel: str, message: Message, thread_ts: str | None, since: datetime
    ) -> Delivery | None:
        try:
            channel_id = self._channel_id(channel)
            for found in self._history(channel_id, thread_ts, since):
                if found.get("metadata") == _metadata(message):
                    place = MessagePlace(channel=channel_id, message=thread_ts or str(found["ts"]))
                    return Delivery(arrival=Arrival.ARRIVED, place=place)
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
        raise Refused("", "channel_not_found", f"Slack has no channel {channel}.")

    def _pages(self, method: str, params: dict[str, str], key: str) -> Iterator[dict[str, Any]]:
        cursor = ""
        for _ in range(_PAGES):
            answer = self._call_again(method, params={**params, "limit": "200", "cursor": cursor})
            yield from answer.get(key, [])
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return
        raise Broken(Reason.SLACK_UNAVAILABLE, f"Slack's {method} has more than {_PAGES} pages.")

    def _post(self, message: Message, channel: str, thread_ts: str | None) -> Delivery:
        more: dict[str, Any] = {"metadata": _metadata(message), "unfurl_links": False}
        there = {"channel": channel} | ({"thread_ts": thread_ts} if thread_ts else {})

        def call(body: dict[str, Any]) -> dict[str, Any]:
            return self._call("chat.postMessage", json={**there, **body, **more})

        try:
            answer = send_laid_out(message, call)
        except Unclear:
            return Delivery(arrival=Arrival.UNCONFIRMED)
        where, ts = answer.get("channel") or "", answer.get("ts") or ""
        place = MessagePlace(channel=str(where), message=str(ts)) if ts else None
        return Delivery(arrival=Arrival.ARRIVED, place=place)

    def _call_again(self, method: str, **arguments: Any) -> dict[str, Any]:
        """A call that may be made again: an unclear end is Transient."""
        try:
            return self._call(method, **arguments)
        except Unclear:
            raise Transient(
                Reason.SLACK_UNAVAILABLE, f"The response to Slack's {method} was lost."
            ) from None

    def _call(self, method: str, **arguments: Any) -> dict[str, Any]:
        verb = "POST" if "json" in arguments else "GET"
        headers = {"Authorization": f"Bearer {self._token}"}
        url = f"{self._api_url}/{method}"
        response = send_request(
            self._session, requests.Request(verb, url, headers=headers, **arguments)
        )
        answer = _json(response)
        if answer.get("ok") is True:
            return answer
        error = word(str(answer.get("error", "")))
        if error in UNCLEAR:
            raise Unclear
        if error in LATER:
            raise Transient(Reason.SLACK_UNAVAILABLE, f"Slack's {method} returned {error}.")
        if answer.get("ok") is not False and response.status_code == requests.codes.ok:
            # Not Slack's own words: what it answered got lost on the way.
            raise Unclear
        raise Refused(f"{method}:", error or str(response.status_code))


def _metadata(message: Message) -> dict[str, Any]:
    payload = {"deployment_id": message.deployment_id, "state": message.state}
    return {"event_type": _EVENT_TYPE, "event_payload": payload}


def _redirect_note(channel: str, error: str) -> str:
    """Why a message stands in the default channel, and what to do about it."""
    return f"This message is for {channel}, but Slack refused it there ({error}). {remedy(error)}"


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        # A message's time is its name: as a number it would lose digits.
        answer = json.loads(response.content, parse_float=str)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
