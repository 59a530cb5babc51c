"""The local Slack over HTTP: webhooks, the Web API, its refusals, and the page."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from cloud.twin.slack.text import EMOJI, mrkdwn
from cloud.twin.slack.workspace import TOKEN
from slipway.slack.blocks import ICONS
from tests.integration.twin.data_cloud import LiveData, live_data

WEBHOOK = "/slack/services/T000/B000/secret"
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*v2* is live"}}
BUTTON = {
    "type": "button",
    "style": "primary",
    "text": {"type": "plain_text", "text": "Review"},
    "url": "http://127.0.0.1:1/approvals/1?a=b&c=d",
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveData]:
    with live_data(tmp_path_factory.mktemp("twin")) as started:
        yield started


@pytest.fixture
def cloud(running: LiveData) -> LiveData:
    running.half.slack.messages.clear()
    return running


def api(cloud: LiveData, method: str, token: str = TOKEN, **arguments: Any) -> dict[str, Any]:
    response = requests.post(
        f"{cloud.url}/slack/api/{method}",
        json=arguments,
        headers={"Authorization": f"Bearer {token}"} if token else {},
        timeout=5,
    )
    found: dict[str, Any] = response.json()
    return found


def say(cloud: LiveData, text: str, **arguments: Any) -> str:
    return str(api(cloud, "chat.postMessage", channel="#deployments", text=text, **arguments)["ts"])


def page(cloud: LiveData, **query: str) -> str:
    return requests.get(f"{cloud.url}/slack/", params=query, timeout=5).text


def test_a_webhook_answers_ok_and_keeps_the_message(cloud: LiveData) -> None:
    answer = requests.post(
        cloud.url + WEBHOOK, json={"text": "hello", "blocks": [SECTION]}, timeout=5
    )

    assert (answer.status_code, answer.text) == (200, "ok")
    (kept,) = requests.get(f"{cloud.url}/slack/messages", timeout=5).json()
    assert (kept["text"], kept["blocks"]) == ("hello", [SECTION])
    assert (kept["channel_name"], kept["via"]) == ("deployments", "webhook")


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("[", "invalid_payload"),
        ("{}", "no_text"),
        ('{"blocks": [{"type": "x"}]}', "invalid_blocks"),
    ],
)
def test_a_webhook_refuses_with_slacks_own_word(cloud: LiveData, body: str, word: str) -> None:
    answer = requests.post(cloud.url + WEBHOOK, data=body, timeout=5)

    assert (answer.status_code, answer.text) == (400, word)


def test_a_message_is_updated_in_place(cloud: LiveData) -> None:
    metadata = {"event_type": "deployment", "event_payload": {"id": "a-7"}}
    ts = say(cloud, "waiting", blocks=[SECTION], metadata=metadata)

    api(cloud, "chat.update", channel="deployments", ts=ts, text="live")

    history = api(cloud, "conversations.history", channel="deployments", include_all_metadata=True)
    (message,) = history["messages"]
    assert (message["ts"], message["text"], message["metadata"]) == (ts, "live", metadata)
    assert "blocks" not in message


def test_replies_are_in_the_thread_and_not_in_the_channel(cloud: LiveData) -> None:
    parent = say(cloud, "deploying")
    replies = [say(cloud, text, thread_ts=parent) for text in ("backed up", "migrated")]
    say(cloud, "another")

    history = api(cloud, "conversations.history", channel="deployments")["messages"]
    thread = api(cloud, "conversations.replies", channel="deployments", ts=parent)["messages"]

    assert [each["text"] for each in history] == ["another", "deploying"]
    assert (history[1]["reply_count"], history[1]["latest_reply"]) == (2, replies[1])
    assert [each["ts"] for each in thread] == [parent, *replies]


def test_only_the_known_token_is_taken(cloud: LiveData) -> None:
    wrong = api(cloud, "chat.postMessage", token="xoxb-wrong", channel="c", text="x")
    missing = api(cloud, "chat.postMessage", token="", channel="c", text="x")

    assert wrong == {"ok": False, "error": "invalid_auth"}
    assert missing == {"ok": False, "error": "not_authed"}


def test_refusals_name_what_is_wrong(cloud: LiveData) -> None:
    too_long = {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}

    answer = api(cloud, "chat.postMessage", channel="c", blocks=[too_long])

    assert answer["error"] == "invalid_blocks"
    assert answer["errors"] == ["/blocks/0: header: text must have 1 to 150 characters"]
    unknown = api(cloud, "chat.update", channel="c", ts="1.0", text="x")
    assert unknown == {"ok": False, "error": "message_not_found"}
    assert api(cloud, "chat.postMessage", channel="c") == {"ok": False, "error": "no_text"}


def test_an_outage_and_a_rate_limit_last_as_long_as_told(cloud: LiveData) -> None:
    policy, hook = f"{cloud.url}/slack/_policy", cloud.url + WEBHOOK
    requests.post(policy, json={"outage": True, "times": 1}, timeout=5)
    down = requests.post(hook, json={"text": "x"}, timeout=5)
    requests.post(policy, json={"rate_limited_seconds": 30, "times": 1}, timeout=5)
    limited = requests.post(hook, json={"text": "x"}, timeout=5)
    after = requests.post(hook, json={"text": "x"}, timeout=5)

    assert [each.status_code for each in (down, limited, after)] == [503, 429, 200]
    assert limited.headers["Retry-After"] == "30"
    assert len(requests.get(f"{cloud.url}/slack/messages", timeout=5).json()) == 1


def test_the_page_shows_blocks_buttons_and_folded_threads(cloud: LiveData) -> None:
    parent = say(cloud, "fallback", blocks=[SECTION, {"type": "actions", "elements": [BUTTON]}])
    say(cloud, "snapshot <available>", thread_ts=parent)

    folded, unfolded = page(cloud), page(cloud, thread=parent)

    assert "<b>v2</b> is live" in folded
    assert 'class="button primary" href="http://127.0.0.1:1/approvals/1?a=b&amp;c=d"' in folded
    assert "1 reply" in folded
    assert "snapshot" not in folded
    assert "snapshot &lt;available&gt;" in unfolded


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*bold* _it_ ~no~ `code_*x*`", "<b>bold</b> <i>it</i> <s>no</s> <code>code_*x*</code>"),
        ("snake_case_name 2*3*4", "snake_case_name 2*3*4"),
        ("<http://a_b/c_d|the _link_>", '<a href="http://a_b/c_d">the <i>link</i></a>'),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<javascript:alert(1)|x>", "&lt;javascript:alert(1)&gt;"),
        (":x: a &amp; b", "❌ a &amp; b"),
        ("> quoted\nplain", "<q>quoted</q>plain"),
        ("```a\nb```", "<pre>a\nb</pre>"),
    ],
)
def test_markup_is_shown_as_slack_shows_it(text: str, shown: str) -> None:
    assert str(mrkdwn(text)) == shown


def test_every_icon_that_slipway_uses_is_drawn() -> None:
    assert [icon for icon in ICONS.values() if icon.strip(":") not in EMOJI] == []
