"""Choose bot or webhook by the fields of the Slack secret."""

import re
from collections.abc import Mapping
from typing import Final

import requests

from slipway.domain.errors import Broken, Reason
from slipway.ports.people import Destination
from slipway.slack.bot import SlackBot
from slipway.slack.web_api import WebApi
from slipway.slack.webhook import IncomingWebhook, SlackWebhook

_API_URL: Final = "https://slack.com/api"
# What an HTTP header can carry; Slack's tokens are made of less.
_TOKEN: Final = re.compile(r"[!-~]{1,500}")


def slack_from(fields: Mapping[str, str], session: requests.Session) -> Destination:
    """Slack as the secret's fields describe it; a bot token is preferred to a webhook."""
    if fields.get("bot_token"):
        return SlackBot(_web_api(fields, session))
    if fields.get("webhook_url"):
        return SlackWebhook(IncomingWebhook(fields["webhook_url"], session))
    raise _unusable("The Slack secret has neither 'webhook_url' nor 'bot_token' with 'channel'.")


def _web_api(fields: Mapping[str, str], session: requests.Session) -> WebApi:
    token, channel = fields["bot_token"], fields.get("channel")
    if not channel:
        raise _unusable("The Slack secret has no 'channel'.")
    if not _TOKEN.fullmatch(token):
        raise _unusable("The 'bot_token' of the Slack secret has characters that no token has.")
    return WebApi(token, channel, session, fields.get("api_url") or _API_URL)


def _unusable(message: str) -> Broken:
    return Broken(Reason.SETTING_MISSING, message)
