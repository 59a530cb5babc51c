"""How Slack is called over HTTP, and what is known of a call afterwards.

A message that was sent and not clearly refused may have arrived: after a lost answer, one that is
not Slack's, or a server error. The webhook's URL and the bot's token are secrets: no error names
them, and none is raised from one that could.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from slipway.domain.errors import Broken, Reason, Transient
from slipway.slack.blocks import Message
from slipway.slack.refusals import LAYOUT, Refused, word

T = TypeVar("T")

_TIMEOUT_SECONDS: Final = (3.05, 10.0)


class Unclear(Exception):
    """The call may or may not have taken effect."""


def send_laid_out(message: Message, call: Callable[[dict[str, Any]], T]) -> T:
    """What the call answers to the message with its blocks, or without where Slack refuses them."""
    try:
        return call({"text": message.text, "blocks": list(message.blocks)})
    except Refused as refused:
        if refused.error not in LAYOUT:
            raise
    return call({"text": message.plain or message.text})


def send_request(session: requests.Session, request: requests.Request) -> requests.Response:
    """Slack's answer; Transient when it certainly did nothing, Unclear when nobody knows."""
    try:
        prepared = session.prepare_request(request)
        settings = session.merge_environment_settings(prepared.url, {}, None, None, None)
        response = session.send(
            prepared, timeout=_TIMEOUT_SECONDS, allow_redirects=False, **settings
        )
    except requests.RequestException as error:
        if _never_left(error):
            raise Transient(Reason.SLACK_UNAVAILABLE, "Slack is unreachable.") from None
        if isinstance(error, ValueError):
            # A URL that cannot be one: the sentence must not repeat it.
            message = "The address in the Slack secret is not a URL."
            raise Broken(Reason.SETTING_MISSING, message) from None
        raise Unclear from None
    if response.status_code == requests.codes.too_many_requests:
        after = word(response.headers.get("Retry-After", "?"))
        message = f"Slack is rate limiting: retry after {after} seconds."
        raise Transient(Reason.SLACK_UNAVAILABLE, message)
    if response.status_code >= requests.codes.internal_server_error:
        # A gateway gives up on what Slack may have taken already.
        raise Unclear
    return response


def _never_left(error: requests.RequestException) -> bool:
    """Whether the connection failed before anything could be sent."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.SSLError):
        return True
    inner = error.args[0] if error.args else None
    reason = inner.reason if isinstance(inner, MaxRetryError) else inner
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)
