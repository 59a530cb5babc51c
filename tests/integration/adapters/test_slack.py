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

from slipway.domain.errors import Broken, ControlPlaneError, Transient
from slipway.domain.notice import MessagePlace
from slipway.ports.people import Arrival, Delivery
from slipway.slack import transport
from slipway.slack.blocks import Message
from slipway.slack.bot import SlackBot
from slipway.slack.secret import slack_from
from slipway.slack.web_api import WebApi
from slipway.slack.webhook import IncomingWebhook, SlackWebhook

TOKEN = "xoxb-a-token-that-must-not-be-told"
PATH = "/services/T0/B0/a-path-that-must-not-be-told"
SINCE = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
MESSAGE = Message(
    deployment_id="fastapi-rds-production-7",
    state="Planning",
    text="started",
    blocks=({"type": "section", "text": {"type": "mrkdwn", "text": "*started*"}},),
    plain="started; see https://slipway.example.com/x",
)
METADATA = {
    "event_type": "slipway_deployment",
    "event_payload": {"deployment_id": "fastapi-rds-production-7", "state": "Planning"},
}
HANG_UP = "hang up after reading"
TAKEN = Delivery(arrival=Arrival.ARRIVED)
MAY_BE_FOUND = Delivery(arrival=Arrival.UNCONFIRMED)
NOBODY_KNOWS = Delivery(arrival=Arrival.UNKNOWABLE)


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
def webhook(server: Slack, session: requests.Session) -> IncomingWebhook:
    return IncomingWebhook(server.url + PATH, session)


@pytest.fixture
def bot(server: Slack, session: requests.Session) -> WebApi:
    return WebApi(TOKEN, "#deployments", session, server.url + "/api/")


def ok(**fields: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    return 200, {"ok": True, **fields}, {}


def no(error: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    return 200, {"ok": False, "error": error}, {}


def at(channel: str, message: str) -> Delivery:
    return Delivery(arrival=Arrival.ARRIVED, place=MessagePlace(channel=channel, message=message))


def post(bot: WebApi) -> Delivery:
    return bot.post(MESSAGE, channel=None, thread_ts=None)


def refused(kind: type[ControlPlaneError], call: Callable[[], object]) -> str:
    """The sentence of a refusal; it tells no secret, and nothing it was raised from does."""
    with pytest.raises(kind) as caught:
        call()
    told = "".join(traceback.format_exception(caught.value))
    assert TOKEN not in told and PATH not in told
    return caught.value.message


def test_a_webhook_sends_text_and_blocks(server: Slack, webhook: IncomingWebhook) -> None:
    assert webhook.post(MESSAGE) == TAKEN

    assert server.asked == [
        {
            "call": f"POST {PATH}",
            "authorization": None,
            "body": {
                "text": "started",
                "blocks": list(MESSAGE.blocks),
                "unfurl_links": False,
            },
        }
    ]


NEW_HOOK = "Put a valid 'webhook_url' into the Slack secret."
NEW_TOKEN = "Put a valid 'bot_token' into the Slack secret."
OTHER_CHANNEL = "or name another one in the catalog or the Slack secret."


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        ((404, "no_service", {}), Broken, f"Slack refused: 404 no_service. {NEW_HOOK}"),
        ((403, "invalid_token", {}), Broken, f"Slack refused: 403 invalid_token. {NEW_HOOK}"),
        (
            (410, "channel_is_archived", {}),
            Broken,
            f"Slack refused: 410 channel_is_archived. Unarchive the channel, {OTHER_CHANNEL}",
        ),
        (
            (403, "action_prohibited", {}),
            Broken,
            "Slack refused: 403 action_prohibited. Allow the webhook to post in its channel, or "
            "make a new one.",
        ),
        ((400, f"<p>{PATH}</p>", {}), Broken, "Slack refused: 400."),
        ((302, "", {"Location": "https://example.invalid/"}), Broken, "Slack refused: 302."),
        (
            (429, "", {"Retry-After": "30"}),
            Transient,
            "Slack is rate limiting: retry after 30 seconds.",
        ),
    ],
)
def test_what_a_webhooks_answer_means(
    server: Slack, webhook: IncomingWebhook, answer: Any, kind: type[ControlPlaneError], said: str
) -> None:
    server.answers = [answer]

    assert refused(kind, lambda: webhook.post(MESSAGE)) == said
    assert len(server.asked) == 1


NOT_SLACKS: list[Any] = [
    (500, "rollup_error", {}),
    (502, "<html>", {}),
    (503, "", {}),
    (504, "", {}),
    (200, "<html>a proxy says hello</html>", {}),
]


@pytest.mark.parametrize("answer", NOT_SLACKS)
def test_a_message_may_have_arrived_when_a_gateway_answers(
    server: Slack, webhook: IncomingWebhook, bot: WebApi, answer: Any
) -> None:
    server.answers = [answer, answer, answer]

    assert webhook.post(MESSAGE) == NOBODY_KNOWS
    assert post(bot) == MAY_BE_FOUND
    refused(Transient, lambda: bot.update(MESSAGE, MessagePlace(channel="C9", message="1.0")))
    assert len(server.asked) == 3


LAYOUT = ["invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"]


@pytest.mark.parametrize("error", [*LAYOUT, "invalid_attachments", "no_text"])
def test_what_slack_refuses_as_it_is_laid_out_is_told_in_plain_text_at_once(
    server: Slack, webhook: IncomingWebhook, bot: WebApi, error: str
) -> None:
    server.answers = [(400, error, {}), (200, "ok", {})]
    server.answers += [no(error), ok(channel="C9", ts="2.0"), no(error), ok()]

    assert webhook.post(MESSAGE) == TAKEN
    assert post(bot) == at("C9", "2.0")
    bot.update(MESSAGE, MessagePlace(channel="C9", message="2.0"))

    plain = {"text": "started; see https://slipway.example.com/x"}
    again = [asked["body"] for asked in server.asked[1::2]]
    assert again == [
        {**plain, "unfurl_links": False},
        {**plain, "channel": "#deployments", "metadata": METADATA, "unfurl_links": False},
        {**plain, "channel": "C9", "ts": "2.0"},
    ]


def test_what_may_have_arrived_in_plain_text_is_not_clear(
    server: Slack, webhook: IncomingWebhook, bot: WebApi
) -> None:
    server.answers = [(400, "invalid_payload", {}), HANG_UP, no("invalid_blocks"), (504, "", {})]

    assert webhook.post(MESSAGE) == NOBODY_KNOWS
    assert post(bot) == MAY_BE_FOUND


def test_what_is_refused_in_plain_text_as_well_is_refused(
    server: Slack, webhook: IncomingWebhook, bot: WebApi
) -> None:
    server.answers = [(400, "no_text", {})] * 2 + [no("msg_too_long")] * 4

    refused(Broken, lambda: webhook.post(MESSAGE))
    refused(Broken, lambda: post(bot))
    refused(Broken, lambda: bot.update(MESSAGE, MessagePlace(channel="C9", message="2.0")))

    assert len(server.asked) == 6


@pytest.mark.parametrize(
    ("error", "what_to_do"),
    [
        ("channel_not_found", "Create the channel or invite the app to it"),
        ("is_archived", "Unarchive the channel"),
        ("not_in_channel", "Invite the app to the channel"),
        ("restricted_action", "Allow the app to post there"),
        ("restricted_action_read_only_channel", "Allow the app to post there"),
    ],
)
def test_a_channel_that_takes_nothing_is_made_up_for_by_the_default_one(
    server: Slack, bot: WebApi, error: str, what_to_do: str
) -> None:
    server.answers = [no(error), ok(channel="C0DEFAULT", ts="2.0")]

    told = bot.post(MESSAGE, channel="#payments", thread_ts=None)

    why = f"This message is for #payments, but Slack refused it there ({error}). {what_to_do}, "
    body = server.asked[1]["body"]
    assert told == at("C0DEFAULT", "2.0")
    assert (body["channel"], body["blocks"][1:]) == ("#deployments", list(MESSAGE.blocks))
    assert body["blocks"][0]["text"]["text"] == why + OTHER_CHANNEL
    assert body["metadata"] == METADATA


def test_where_the_default_channel_takes_nothing_either_it_is_refused(
    server: Slack, bot: WebApi
) -> None:
    server.answers = [no("is_archived"), no("not_in_channel"), no("is_archived")]

    said = refused(Broken, lambda: bot.post(MESSAGE, channel="#payments", thread_ts=None))
    refused(Broken, lambda: post(bot))

    assert said == (
        "Slack refused: chat.postMessage: not_in_channel. "
        f"Invite the app to the channel, {OTHER_CHANNEL}"
    )
    assert len(server.asked) == 3


def test_a_line_of_a_thread_goes_nowhere_else(server: Slack, bot: WebApi) -> None:
    server.answers = [no("restricted_action_thread_locked")]

    refused(Broken, lambda: bot.post(MESSAGE, channel="C9", thread_ts="1.0"))

    assert len(server.asked) == 1


def test_a_bot_posts_with_its_token_and_metadata(server: Slack, bot: WebApi) -> None:
    server.answers = [ok(channel="C0123456789", ts="1763717400.000100")]

    assert post(bot) == at("C0123456789", "1763717400.000100")
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


def test_a_bot_answers_in_a_thread_of_another_channel(server: Slack, bot: WebApi) -> None:
    server.answers = [ok(channel="C9", ts="2.0")]

    bot.post(MESSAGE, channel="C9", thread_ts="1.0")

    body = server.asked[0]["body"]
    assert (body["channel"], body["thread_ts"]) == ("C9", "1.0")


def test_a_bot_replaces_its_message(server: Slack, bot: WebApi) -> None:
    server.answers = [ok()]

    bot.update(MESSAGE, MessagePlace(channel="C9", message="1.0"))

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
        (no("channel_not_found"), Broken, "Slack refused: chat.postMessage: channel_not_found."),
        (no("invalid_auth"), Broken, f"Slack refused: chat.postMessage: invalid_auth. {NEW_TOKEN}"),
        (no("token_revoked"), Broken, "Slack refused: chat.postMessage: token_revoked."),
        (no("missing_scope"), Broken, "Slack refused: chat.postMessage: missing_scope. Give the"),
        ((404, "<html>", {}), Broken, "Slack refused: chat.postMessage: 404."),
        (no("ratelimited"), Transient, "Slack's chat.postMessage returned ratelimited."),
        (no("service_unavailable"), Transient, "Slack's chat.postMessage returned service_una"),
        (
            (429, "", {"Retry-After": "1"}),
            Transient,
            "Slack is rate limiting: retry after 1 seconds.",
        ),
    ],
)
def test_what_a_bots_answer_means(
    server: Slack, bot: WebApi, answer: Any, kind: type[ControlPlaneError], said: str
) -> None:
    server.answers = [answer]

    assert refused(kind, lambda: post(bot)).startswith(said)


@pytest.mark.parametrize("answer", [HANG_UP, no("internal_error"), no("fatal_error")])
def test_a_lost_answer_leaves_it_open_whether_the_message_arrived(
    server: Slack, bot: WebApi, webhook: IncomingWebhook, answer: Any
) -> None:
    server.answers = [answer, HANG_UP, HANG_UP]

    assert post(bot) == MAY_BE_FOUND
    assert webhook.post(MESSAGE) == NOBODY_KNOWS
    assert len(server.asked) == 2
    refused(Transient, lambda: bot.update(MESSAGE, MessagePlace(channel="C9", message="1.0")))


def test_a_slow_answer_leaves_it_open_as_well(
    webhook: IncomingWebhook, monkeypatch: pytest.MonkeyPatch, session: requests.Session
) -> None:
    monkeypatch.setattr(transport, "_TIMEOUT_SECONDS", (1.0, 0.05))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        slow = IncomingWebhook(f"http://127.0.0.1:{port}{PATH}", session)

        assert slow.post(MESSAGE) == NOBODY_KNOWS


def test_an_unreachable_slack_certainly_got_nothing(session: requests.Session) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    webhook = IncomingWebhook(f"http://127.0.0.1:{port}{PATH}", session)
    bot = WebApi(TOKEN, "#deployments", session, f"http://127.0.0.1:{port}")

    assert refused(Transient, lambda: webhook.post(MESSAGE)) == "Slack is unreachable."
    assert refused(Transient, lambda: post(bot)) == "Slack is unreachable."


@pytest.mark.parametrize("url", ["not a url " + PATH, "http://[" + PATH, "ftp://x" + PATH])
def test_an_address_that_is_none_is_named_without_telling_it(
    session: requests.Session, url: str
) -> None:
    said = refused(Broken, lambda: IncomingWebhook(url, session).post(MESSAGE))

    assert said == "The address in the Slack secret is not a URL."


def test_a_bot_finds_its_message_in_the_channels_history(server: Slack, bot: WebApi) -> None:
    other = {**METADATA, "event_payload": {"deployment_id": "x", "state": "Planning"}}
    server.answers = [
        ok(channels=[{"name": "general", "id": "C1"}], response_metadata={"next_cursor": "n"}),
        ok(channels=[{"name": "deployments", "id": "C0000002"}]),
        ok(messages=[{"ts": "3.0"}, {"ts": "2.0", "metadata": other}]),
    ]
    server.answers[2][1]["response_metadata"] = {"next_cursor": "older"}
    server.answers.append(ok(messages=[{"ts": "1.0", "metadata": METADATA}]))

    found = bot.find(MESSAGE, channel=None, thread_ts=None, since=SINCE)

    assert found == at("C0000002", "1.0")
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


def test_a_bot_finds_its_line_in_a_thread(server: Slack, bot: WebApi) -> None:
    server.answers = [ok(messages=[{"ts": "1.0"}, {"ts": "1.5", "metadata": METADATA}])]

    found = bot.find(MESSAGE, channel="C0123456789", thread_ts="1.0", since=SINCE)

    assert found == at("C0123456789", "1.0")
    assert server.asked[0]["call"] == "GET /api/conversations.replies"


def test_a_bot_finds_nothing_where_nothing_is(server: Slack, bot: WebApi) -> None:
    server.answers = [ok(messages=[]), ok(channels=[{"name": "deployments", "id": "C0000002"}])]
    server.answers.append(ok(messages=[]))

    assert bot.find(MESSAGE, channel="C0123456789", thread_ts=None, since=SINCE) is None


@pytest.mark.parametrize("gone", [no("channel_not_found"), ok(messages=[])])
def test_a_bot_finds_in_the_default_channel_what_its_own_did_not_take(
    server: Slack, bot: WebApi, gone: Any
) -> None:
    server.answers = [gone, ok(channels=[{"name": "deployments", "id": "C0000002"}])]
    server.answers.append(ok(messages=[{"ts": "1.0", "metadata": METADATA}]))

    found = bot.find(MESSAGE, channel="C0123456789", thread_ts=None, since=SINCE)

    assert found == at("C0000002", "1.0")


@pytest.mark.parametrize("error", ["not_in_channel", "missing_scope"])
def test_a_bot_that_may_not_read_says_so(server: Slack, bot: WebApi, error: str) -> None:
    server.answers = [no(error)]

    refused(Broken, lambda: bot.find(MESSAGE, channel="C0123456789", thread_ts=None, since=SINCE))


def test_a_channel_that_does_not_exist_is_named(server: Slack, bot: WebApi) -> None:
    server.answers = [ok(channels=[])]

    said = refused(Broken, lambda: bot.find(MESSAGE, channel=None, thread_ts=None, since=SINCE))

    assert said.startswith("Slack has no channel #deployments. Create the channel or invite the")


def test_the_secret_decides_which_slack_it_is(session: requests.Session) -> None:
    token = {"bot_token": TOKEN, "channel": "#d"}

    assert isinstance(slack_from({"webhook_url": "https://x"}, session), SlackWebhook)
    assert isinstance(slack_from({**token, "webhook_url": "https://x"}, session), SlackBot)


@pytest.mark.parametrize("token", ["xoxb-grün", "xoxb-1\n", "xoxb 1", "\u202exoxb", "x" * 501])
def test_a_token_that_no_header_carries_is_named_without_telling_it(
    session: requests.Session, token: str
) -> None:
    said = refused(Broken, lambda: slack_from({"bot_token": token, "channel": "#d"}, session))

    assert said == "The 'bot_token' of the Slack secret has characters that no token has."


def test_a_messages_time_is_a_name_and_no_number(server: Slack, bot: WebApi) -> None:
    answer = '{"ok": true, "channel": "C9", "ts": 1700000000.000100}'
    server.answers = [(200, answer, {}), ok()]

    assert post(bot) == at("C9", "1700000000.000100")
    assert post(bot) == TAKEN


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
