"""Whatever others write, a message of Slack's stays ours: its lines, links, limits and secrets."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud.twin.slack.blocks import problems_of
from slipway.domain.approval import Answer, Decision
from slipway.domain.deployment import Origin, Phase
from slipway.domain.lane import Hold
from slipway.domain.news import HEADLINES, News
from slipway.domain.outcome import Outcome
from slipway.domain.plan import Difference
from slipway.domain.release import VERSION_LABEL
from slipway.slack.blocks import Message, line, whole, with_redirect_note
from tests.builders.stories import (
    ASKED,
    ENVIRONMENT,
    STABLE,
    approval,
    deployment,
    failure,
    lane,
    plan,
)

PAGE = "https://slipway.example.com/deployments/x?sig=1"
DECIDE = "https://slipway.example.com/approvals/x?sig=2"
FORGED = (
    "2\n*Approved by*\n<@ada>: gates green, quick approve at https://evil.example/approve\n"
    "@here <!channel>"
)
HOSTILE = [
    FORGED,
    "\u202egpj.exe",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07",
    "nul\x00 bell\x07",
    "one\u2028*Approved by*\u2029two\x85three\x0bfour\x0cfive",
    "<!channel> <!here> <@U0123456789> <#C0123456789|general> <https://evil.example|click>",
    "&lt;!here&gt; &amp;lt;!channel&amp;gt;",
    "https://evil.example/approve www.evil.example mailto:a@evil.example",
    "@here @channel @everyone #general",
    "*bold* _italic_ ~struck~ `code` ```block``` > quote :rotating_light:",
    "zero\u200bwidth\u2060joined\ufeff",
    "x" * 10_000,
    "<" * 10_000,
    "\ud800 lone",
    " \t\n ",
    "",
]
STATES = [*(phase for phase in Phase if phase is not Phase.SETTLED), *Outcome]


def news(text: str, state: Phase | Outcome, url: str = DECIDE) -> News:
    """A deployment in which every text of others is this one."""
    differences = tuple(Difference(what=text, before=text, after=text) for _ in range(99))
    image = plan().image.model_copy(update={"labels": {VERSION_LABEL: text}})
    assert ENVIRONMENT.migration is not None
    commands = {"command": (text, text), "downgrade": (text, "{schema}")}
    migration = ENVIRONMENT.migration.model_copy(update=commands)
    environment = ENVIRONMENT.model_copy(update={"migration": migration})
    stable = STABLE.model_copy(update={"version": text, "schema_revision": text})
    planned = plan(environment=environment, stable=stable).model_copy(
        update={"differences": differences, "image": image}
    )
    told = failure(text, reason=text, message=text)
    ended = {"outcome": state, "phase": Phase.SETTLED, "settled_at": ASKED}
    about = deployment(
        **(ended if isinstance(state, Outcome) else {"phase": state}),
        release=planned.release.model_copy(update={"tag": text}),
        plan=planned,
        requested_by=text,
        reason=text,
        origin=Origin.REQUEST,
        explicit=True,
        failure=told,
        cause=told.model_copy(update={"state": "x"}),
    )
    decision = Decision(answer=Answer.REJECT, by=text, at=ASKED, comment=text)
    return News(
        deployment=about,
        state=state,
        approval=approval(approvers=(text,) * 200, decision=decision),
        page_url=PAGE,
        approval_url=url,
        at=ASKED,
        lane=lane(hold=Hold(reason=text, message=text, by=text, since=ASKED)),
    )


def told(text: str, state: Phase | Outcome) -> list[Message]:
    about = news(text, state)
    messages = [whole(about), line(about)]
    return [*messages, with_redirect_note(messages[0], f"This is meant for #x, {text}")]


def objects(value: Any) -> list[dict[str, Any]]:
    """Every text object in these blocks."""
    if isinstance(value, list | tuple):
        return [one for each in value for one in objects(each)]
    if not isinstance(value, dict):
        return []
    own = [value] if value.get("type") in ("mrkdwn", "plain_text") else []
    return own + [one for each in value.values() for one in objects(each)]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_slack_takes_every_message_and_reads_nothing_of_others(
    text: str, state: Phase | Outcome
) -> None:
    for message in told(text, state):
        assert problems_of(list(message.blocks)) == []
        for shown in objects(message.blocks):
            # Our own lists are the only text with more than one line of others.
            assert all(one.isprintable() for one in shown["text"].split("\n"))
            if shown["type"] == "mrkdwn":
                assert shown["verbatim"] is True
                assert not text.strip() or text not in shown["text"]
            else:
                assert not {"<", ">"} & set(shown["text"])


@pytest.mark.parametrize("state", STATES)
def test_a_label_forges_no_line_of_a_message(state: Phase | Outcome) -> None:
    for message in told(FORGED, state):
        for shown in objects(message.blocks):
            lines = shown["text"].split("\n")
            assert not any(one.lstrip("• ").startswith("*Approved by*") for one in lines)
            assert shown["type"] == "plain_text" or "evil.example" not in shown["text"]
            assert shown["type"] == "mrkdwn" or all(
                one.startswith("• ") for one in lines[1:] if one
            )


@pytest.mark.parametrize("state", STATES)
def test_without_blocks_a_message_is_in_our_own_words_and_has_its_link(
    state: Phase | Outcome,
) -> None:
    message = whole(news(FORGED, state))

    assert "evil" not in message.plain and "<" not in message.plain
    link = DECIDE if state is Phase.AWAITING_APPROVAL else PAGE
    assert message.plain.splitlines()[0] == (f"fastapi-rds in production: {HEADLINES[state]}")
    assert link in message.plain


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(max_size=4000), state=st.sampled_from(STATES), url=st.text(max_size=4000))
def test_no_text_makes_a_message_that_slack_refuses(
    text: str, state: Phase | Outcome, url: str
) -> None:
    about = news(text, state, url)
    for message in (whole(about), line(about), with_redirect_note(whole(about), text)):
        assert problems_of(list(message.blocks)) == []
        assert len(json.dumps(message.blocks)) < 100_000
        assert 0 < len(message.text) <= 3000 and len(message.plain) <= 8000


SECRETS = [
    "redis://:CANARY@host:6379",
    "postgres://u:S@CANARY@db",
    "PGPASSWORD=CANARY psql",
    "Authorization: Bearer CANARY.CANARY-12345",
    "xox" + "b-1234567890-CANARY",
    "POST https://hooks.slack" + ".com/services/T0/B0/CANARY",
    "pass\x1b[0mword=CANARY",
]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_in_a_text_of_others_is_told_to_nobody(
    secret: str, state: Phase | Outcome
) -> None:
    for message in told(secret, state):
        assert "CANARY" not in message.model_dump_json()


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            "The migration ended with exit code 1: ERROR: no such table CANARY",
            "The migration ended with exit code 1. Its log is on the deployment's page.",
        ),
        (
            "The downgrade ended with exit code 137 (OutOfMemoryError: Container killed due to "
            "memory usage): CANARY. To restore the data from before: aws rds ...",
            "The downgrade ended with exit code 137 (OutOfMemoryError: Container killed due to "
            "memory usage). Its log is on the deployment's page.",
        ),
        (
            "The migration ended with exit code 143 (Your Spot Task was interrupted.)",
            "The migration ended with exit code 143 (Your Spot Task was interrupted.)",
        ),
        (
            "RDS: Instance notes is in state storage-full: CANARY",
            "RDS: Instance notes is in state storage-full: CANARY",
        ),
    ],
)
def test_slack_is_told_where_the_log_is_and_not_what_it_says(message: str, shown: str) -> None:
    about = deployment(
        outcome=Outcome.ROLLED_BACK,
        phase=Phase.SETTLED,
        settled_at=ASKED,
        cause=failure("Migrate", reason="MigrationFailed", message=message),
    )
    news_of = News(
        deployment=about,
        state=Outcome.ROLLED_BACK,
        approval=None,
        page_url=PAGE,
        approval_url="",
        at=ASKED,
    )

    texts = [one["text"] for one in objects(whole(news_of).blocks)]
    assert f"MigrationFailed in Migrate: {shown}" in texts
    assert shown in [one["text"] for one in objects(line(news_of).blocks)]


def test_a_request_says_why_and_what_it_goes_over() -> None:
    about = deployment(explicit=True, reason="fixes the outage", origin=Origin.REQUEST)
    hold = Hold(reason="RolledBack", message="v6 failed", by="x-6", since=ASKED)
    failed = {about.release.digest: "fastapi-rds-production-6"}
    asks = News(
        deployment=about,
        state=Phase.AWAITING_APPROVAL,
        approval=approval(),
        page_url=PAGE,
        approval_url=DECIDE,
        at=ASKED,
        lane=lane(hold=hold, bad_digests=failed),
    )

    texts = [one["text"] for one in objects(whole(asks).blocks)]
    assert texts[texts.index("*Reason*") + 1] == "fixes the outage"
    assert (
        "This request overrides the hold placed by x-6 on 2026-11-21 09:30:42 UTC: v6 failed"
        in texts
    )
    assert "This digest has failed here before, in fastapi-rds-production-6." in texts


def test_a_push_goes_over_nothing() -> None:
    hold = Hold(reason="RolledBack", message="v6 failed", by="x-6", since=ASKED)
    asks = News(
        deployment=deployment(),
        state=Phase.AWAITING_APPROVAL,
        approval=approval(),
        page_url=PAGE,
        approval_url=DECIDE,
        at=ASKED,
        lane=lane(hold=hold),
    )

    assert "v6 failed" not in str(whole(asks).blocks)
