"""Slack's HTTP side: what each answer means, over a server of the test's own."""

import json
import socket
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from slipway.adapters import slack as adapter
from slipway.adapters.slack import BotSlack, WebhookSlack, slack_from
from slipway.domain.errors import Broken, ControlPlaneError, Transient
from slipway.domain.message import Message
from slipway.ports import Delivery, SlackChannel, SlackWebhook

TOKEN = "xoxb-a-token-that-must-not-be-told"
PATH = "/services/T0/B0/a-path-that-must-not-be-told"
SINCE = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
MESSAGE = Message(
    deployment_id="fastapi-rds-production-7",
    state="Planning",
    text="started",
    blocks=({"type": "section", "text": {"type": "mrkdwn", "text": "*started*"}},),
)
METADATA = {
    "event_type": "slipway_deployment",
    "event_payload": {"deployment_id": "fastapi-rds-production-7", "state": "Planning"},
}
HANG_UP = "hang up after reading"


class Slack:
    """A server that answers what the test told it and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answers: list[Any] = []
        slack = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                slack._serve(self, dict(parse_qsl(urlsplit(self.path).query)))

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                slack._serve(self, json.loads(self.rfile.read(length)))

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _serve(self, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        self.asked.append(
            {
                "call": f"{handler.command} {urlsplit(handler.path).path}",
                "authorization": handler.headers.get("Authorization"),
                "body": body,
            }
        )
        answer = self.answers.pop(0) if self.answers else (200, "ok", {})
        if answer == HANG_UP:
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        status, content, headers = answer
        data = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slack]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    slack = Slack()
    yield slack
    slack.stop()


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.fixture
def webhook(server: Slack, session: requests.Session) -> WebhookSlack:
    return WebhookSlack(server.url + PATH, session)


@pytest.fixture
def bot(server: Slack, session: requests.Session) -> BotSlack:
    return BotSlack(TOKEN, "#deployments", session, server.url + "/api/")


def ok(**fields: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    return 200, {"ok": True, **fields}, {}


def no(error: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    return 200, {"ok": False, "error": error}, {}


def post(bot: BotSlack) -> Delivery:
    return bot.post(MESSAGE, channel=None, thread_ts=None)


def refused(kind: type[ControlPlaneError], call: Callable[[], object]) -> str:
    """The sentence of a refusal; it tells no secret, and nothing it was raised from does."""
    with pytest.raises(kind) as caught:
        call()
    told = "".join(traceback.format_exception(caught.value))
    assert TOKEN not in told and PATH not in told
    return caught.value.message


def test_both_fill_their_ports(bot: BotSlack, webhook: WebhookSlack) -> None:
    channel: SlackChannel = bot
    hook: SlackWebhook = webhook

    assert isinstance(channel, SlackChannel)
    assert not isinstance(hook, SlackChannel)


def test_a_webhook_sends_text_and_blocks(server: Slack, webhook: WebhookSlack) -> None:
    assert webhook.send(MESSAGE) == Delivery(clear=True)

    assert server.asked == [
        {
            "call": f"POST {PATH}",
            "authorization": None,
            "body": {"text": "started", "blocks": list(MESSAGE.blocks)},
        }
    ]


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        ((404, "no_service", {}), Broken, "Slack refuses: 404 no_service."),
        ((403, "invalid_token", {}), Broken, "Slack refuses: 403 invalid_token."),
        ((400, "invalid_blocks", {}), Broken, "Slack refuses: 400 invalid_blocks."),
        ((400, f"<p>{PATH}</p>", {}), Broken, "Slack refuses: 400."),
        ((302, "", {"Location": "https://example.invalid/"}), Broken, "Slack refuses: 302."),
        ((500, "rollup_error", {}), Transient, "Slack answers 500."),
        ((503, "", {}), Transient, "Slack answers 503."),
        ((429, "", {"Retry-After": "30"}), Transient, "Slack asks to wait for 30 seconds."),
    ],
)
def test_what_a_webhooks_answer_means(
    server: Slack, webhook: WebhookSlack, answer: Any, kind: type[ControlPlaneError], said: str
) -> None:
    server.answers = [answer]

    assert refused(kind, lambda: webhook.send(MESSAGE)) == said
    assert len(server.asked) == 1


def test_a_bot_posts_with_its_token_and_metadata(server: Slack, bot: BotSlack) -> None:
    server.answers = [ok(channel="C0123456789", ts="1763717400.000100")]

    assert post(bot) == Delivery(clear=True, channel="C0123456789", message_ts="1763717400.000100")
    assert server.asked == [
        {
            "call": "POST /api/chat.postMessage",
            "authorization": f"Bearer {TOKEN}",
            "body": {
                "channel": "#deployments",
                "text": "started",
                "blocks": list(MESSAGE.blocks),
                "metadata": METADATA,
                "unfurl_links": False,
            },
        }
    ]


def test_a_bot_answers_in_a_thread_of_another_channel(server: Slack, bot: BotSlack) -> None:
    server.answers = [ok(channel="C9", ts="2.0")]

    bot.post(MESSAGE, channel="C9", thread_ts="1.0")

    body = server.asked[0]["body"]
    assert (body["channel"], body["thread_ts"]) == ("C9", "1.0")


def test_a_bot_replaces_its_message(server: Slack, bot: BotSlack) -> None:
    server.answers = [ok()]

    bot.update(MESSAGE, channel="C9", message_ts="1.0")

    assert server.asked[0] | {"authorization": ""} == {
        "call": "POST /api/chat.update",
        "authorization": "",
        "body": {
            "channel": "C9",
            "ts": "1.0",
            "text": "started",
            "blocks": list(MESSAGE.blocks),
        },
    }


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (no("channel_not_found"), Broken, "Slack refuses: chat.postMessage: channel_not_found."),
        (no("invalid_auth"), Broken, "Slack refuses: chat.postMessage: invalid_auth."),
        ((200, "<html>", {}), Broken, "Slack refuses: chat.postMessage: 200."),
        (no("ratelimited"), Transient, "Slack's chat.postMessage answers ratelimited."),
        (no("service_unavailable"), Transient, "Slack's chat.postMessage answers service_unav"),
        ((502, "", {}), Transient, "Slack answers 502."),
        ((429, "", {"Retry-After": "1"}), Transient, "Slack asks to wait for 1 seconds."),
    ],
)
def test_what_a_bots_answer_means(
    server: Slack, bot: BotSlack, answer: Any, kind: type[ControlPlaneError], said: str
) -> None:
    server.answers = [answer]

    assert refused(kind, lambda: post(bot)).startswith(said)


@pytest.mark.parametrize("answer", [HANG_UP, no("internal_error"), no("fatal_error")])
def test_a_lost_answer_leaves_it_open_whether_the_message_arrived(
    server: Slack, bot: BotSlack, webhook: WebhookSlack, answer: Any
) -> None:
    server.answers = [answer, HANG_UP, HANG_UP]

    assert post(bot) == Delivery(clear=False)
    assert webhook.send(MESSAGE) == Delivery(clear=False)
    assert len(server.asked) == 2
    refused(Transient, lambda: bot.update(MESSAGE, channel="C9", message_ts="1.0"))


def test_a_slow_answer_leaves_it_open_as_well(
    webhook: WebhookSlack, monkeypatch: pytest.MonkeyPatch, session: requests.Session
) -> None:
    monkeypatch.setattr(adapter, "_TIMEOUT_SECONDS", (1.0, 0.05))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        slow = WebhookSlack(f"http://127.0.0.1:{port}{PATH}", session)

        assert slow.send(MESSAGE) == Delivery(clear=False)


def test_an_unreachable_slack_certainly_got_nothing(session: requests.Session) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    webhook = WebhookSlack(f"http://127.0.0.1:{port}{PATH}", session)
    bot = BotSlack(TOKEN, "#deployments", session, f"http://127.0.0.1:{port}")

    assert refused(Transient, lambda: webhook.send(MESSAGE)) == "Slack cannot be reached."
    assert refused(Transient, lambda: post(bot)) == "Slack cannot be reached."


@pytest.mark.parametrize("url", ["not a url " + PATH, "http://[" + PATH, "ftp://x" + PATH])
def test_an_address_that_is_none_is_named_without_telling_it(
    session: requests.Session, url: str
) -> None:
    said = refused(Broken, lambda: WebhookSlack(url, session).send(MESSAGE))

    assert said == "The address in the Slack secret is not a URL."


def test_a_bot_finds_its_message_in_the_channels_history(server: Slack, bot: BotSlack) -> None:
    other = {**METADATA, "event_payload": {"deployment_id": "x", "state": "Planning"}}
    server.answers = [
        ok(channels=[{"name": "general", "id": "C1"}], response_metadata={"next_cursor": "n"}),
        ok(channels=[{"name": "deployments", "id": "C0000002"}]),
        ok(messages=[{"ts": "3.0"}, {"ts": "2.0", "metadata": other}]),
    ]
    server.answers[2][1]["response_metadata"] = {"next_cursor": "older"}
    server.answers.append(ok(messages=[{"ts": "1.0", "metadata": METADATA}]))

    found = bot.find(MESSAGE, channel=None, thread_ts=None, since=SINCE)

    assert found == Delivery(clear=True, channel="C0000002", message_ts="1.0")
    listing = {"exclude_archived": "true", "types": "public_channel,private_channel"}
    history = {
        "channel": "C0000002",
        "include_all_metadata": "true",
        "oldest": "1795253400.000000",
    }
    assert [(asked["call"], asked["body"]) for asked in server.asked] == [
        ("GET /api/conversations.list", {**listing, "limit": "200"}),
        ("GET /api/conversations.list", {**listing, "limit": "200", "cursor": "n"}),
        ("GET /api/conversations.history", {**history, "limit": "200"}),
        ("GET /api/conversations.history", {**history, "limit": "200", "cursor": "older"}),
    ]


def test_a_bot_finds_its_line_in_a_thread(server: Slack, bot: BotSlack) -> None:
    server.answers = [ok(messages=[{"ts": "1.0"}, {"ts": "1.5", "metadata": METADATA}])]

    found = bot.find(MESSAGE, channel="C0123456789", thread_ts="1.0", since=SINCE)

    assert found == Delivery(clear=True, channel="C0123456789", message_ts="1.0")
    assert server.asked[0]["call"] == "GET /api/conversations.replies"


def test_a_bot_finds_nothing_where_nothing_is(server: Slack, bot: BotSlack) -> None:
    server.answers = [ok(messages=[])]

    assert bot.find(MESSAGE, channel="C0123456789", thread_ts=None, since=SINCE) is None


def test_a_channel_that_does_not_exist_is_named(server: Slack, bot: BotSlack) -> None:
    server.answers = [ok(channels=[])]

    said = refused(Broken, lambda: bot.find(MESSAGE, channel=None, thread_ts=None, since=SINCE))

    assert said == "Slack knows no channel #deployments."


def test_the_secret_decides_which_slack_it_is(session: requests.Session) -> None:
    token = {"bot_token": TOKEN, "channel": "#d"}

    assert isinstance(slack_from({"webhook_url": "https://x"}, session), WebhookSlack)
    assert isinstance(slack_from({**token, "webhook_url": "https://x"}, session), BotSlack)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "The Slack secret has neither 'webhook_url' nor 'bot_token' with 'channel'."),
        ({"bot_token": TOKEN}, "The Slack secret has no 'channel'."),
        ({"bot_token": TOKEN, "channel": ""}, "The Slack secret has no 'channel'."),
    ],
)
def test_a_missing_key_is_named(
    session: requests.Session, fields: dict[str, str], said: str
) -> None:
    assert refused(Broken, lambda: slack_from(fields, session)) == said
