"""The partners beside AWS's big services: secrets, logs, Slack, the deployed web sites."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from cloud.simulation.clients import CallFailed
from cloud.simulation.faults import CallKind
from cloud.twin.errors import AwsError

Params = dict[str, Any]
SLACK_SECRET = "slipway-SlackSecretArn"
LINK_SECRET = "slipway-LinkSecret"
CHANNEL = "C0DEPLOYS"
_CHANNELS = {"deploys": CHANNEL, "ledger": "C0LEDGER1"}
_STATUS = {CallKind.PERMANENT: 404, CallKind.THROTTLE: 429, CallKind.SERVER_ERROR: 503}


class Secrets:
    """Secrets Manager with Slipway's two secrets."""

    def __init__(self, *, webhook: bool = False) -> None:
        self.webhook = webhook
        bot = {"bot_token": "xoxb-1", "channel": CHANNEL}
        hook = {"webhook_url": "https://hooks.slack.com/services/T/B/x"}
        self._kept = {SLACK_SECRET: hook if webhook else bot, LINK_SECRET: {"link_key": "k" * 48}}

    def get_secret_value(self, params: Params) -> Params:
        if params["SecretId"] not in self._kept:
            message = "Secrets Manager can't find the specified secret."
            raise AwsError("ResourceNotFoundException", message)
        return {"SecretString": json.dumps(self._kept[params["SecretId"]])}


class Logs:
    """CloudWatch Logs, with what every task has written."""

    def __init__(self, lines: Callable[[str], tuple[str, ...]]) -> None:
        self._lines = lines

    def get_log_events(self, params: Params) -> Params:
        task_id = params["logStreamName"].rsplit("/", 1)[-1]
        return {"events": [{"message": line} for line in self._lines(task_id)]}


class Slack:
    """Slack's methods as far as the bot and the webhook use them."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.seen: Callable[[dict[str, Any]], None] | None = None
        self.down = False
        self.busy = False
        # What is answered to a call in place of Slack: status and body.
        self.odd: Callable[[str, Params], Params | None] | None = None

    def post(self, params: Params) -> Params:
        ts = f"{1_700_000_000 + len(self.messages)}.000100"
        channel = _channel_id(params.get("channel", CHANNEL))
        message = {**params, "channel": channel, "ts": ts}
        self.messages.append(message)
        self._show(message)
        return {"ok": True, "channel": channel, "ts": ts}

    def update(self, params: Params) -> Params:
        for message in self.messages:
            if message["ts"] == params["ts"]:
                message.update(text=params["text"], blocks=params.get("blocks", []))
                self._show(message)
                return {"ok": True}
        return {"ok": False, "error": "message_not_found"}

    def history(self, params: Params) -> Params:
        thread = params.get("ts")
        here = [m for m in self.messages if m["channel"] == params["channel"]]
        found = [m for m in here if m.get("thread_ts") == thread]
        return {"ok": True, "messages": found}

    def channels(self, params: Params) -> Params:
        found = [{"id": channel, "name": name} for name, channel in _CHANNELS.items()]
        return {"ok": True, "channels": found}

    def _show(self, message: dict[str, Any]) -> None:
        if self.seen is not None:
            self.seen(message)


def _channel_id(channel: str) -> str:
    return _CHANNELS.get(channel.removeprefix("#"), channel)


_METHODS = {
    "chat.postMessage": Slack.post,
    "chat.update": Slack.update,
    "conversations.history": Slack.history,
    "conversations.replies": Slack.history,
    "conversations.list": Slack.channels,
}


class _Raw:
    """urllib3's response, as far as it is read."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def read1(self, amount: int, decode_content: bool) -> bytes:
        return self._content.read(amount)


class Answer:
    """A response as the adapters read it."""

    def __init__(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.status_code = status
        self.content = content
        self.headers = {"Retry-After": "30", **(headers or {})}
        self.raw = _Raw(content)

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        try:
            return json.loads(self.content)
        except ValueError as error:
            raise requests.exceptions.JSONDecodeError(str(error), self.text, 0) from None

    def iter_content(self, size: int) -> Iterator[bytes]:
        yield self.content

    def close(self) -> None:
        pass

    def __enter__(self) -> "Answer":
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Session:
    """A requests.Session that goes nowhere: registry, web sites and Slack answer in process."""

    def __init__(self, perform: Callable[[str, str, Params], Params]) -> None:
        self._perform = perform
        self.cookies = requests.cookies.RequestsCookieJar()

    def get(self, url: str, hooks: dict[str, Any] | None = None, **_: Any) -> Answer:
        registry = ".dkr.ecr." in url
        service, operation = ("registry", "GetBlob") if registry else ("website", "Get")
        answer = self._asked(service, operation, {"url": url})
        for hook in (hooks or {}).values():
            hook(answer)
        return answer

    def prepare_request(self, request: requests.Request) -> requests.Request:
        return request

    def merge_environment_settings(self, *_: object) -> dict[str, Any]:
        return {}

    def send(self, request: requests.Request, **_: Any) -> Answer:
        method = request.url.rsplit("/", 1)[-1]
        if "hooks.slack.com" in request.url:
            return self._asked("slack", "webhook", dict(request.json or {}))
        params = dict(request.json or {}) | {k: v for k, v in dict(request.params).items() if v}
        return self._asked("slack", method, params)

    def _asked(self, service: str, operation: str, params: Params) -> Answer:
        try:
            answer = self._perform(service, operation, params)
        except CallFailed as failed:
            return _failed(service, failed.kind)
        return Answer(answer["status"], answer["body"], answer.get("headers"))


def _failed(service: str, kind: CallKind) -> Answer:
    if kind is CallKind.TIMEOUT:
        raise requests.ConnectTimeout("injected")
    if kind is CallKind.LOST:
        raise requests.ReadTimeout("injected")
    if service == "slack" and kind is CallKind.PERMANENT:
        return Answer(200, b'{"ok": false, "error": "invalid_auth"}')
    return Answer(_STATUS[kind], b"injected")


def slack_answer(slack: Slack, operation: str, params: Params) -> Params:
    """What Slack answers over HTTP."""
    if slack.down:
        return {"status": 503, "body": b"down"}
    if slack.busy:
        return {"status": 429, "body": b"busy"}
    if slack.odd is not None and (odd := slack.odd(operation, params)) is not None:
        return odd
    if operation == "webhook":
        slack.post(params)
        return {"status": 200, "body": b"ok"}
    return {"status": 200, "body": json.dumps(_METHODS[operation](slack, params)).encode()}


def links_in(message: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(deployment id, signature) of every approval button in a message."""
    for block in message.get("blocks", []):
        for element in block.get("elements", []):
            url = urlsplit(element.get("url", "") if isinstance(element, dict) else "")
            if url.path.startswith("/approvals/"):
                yield url.path.rsplit("/", 1)[-1], parse_qs(url.query)["sig"][0]
