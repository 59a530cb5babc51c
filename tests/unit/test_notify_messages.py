"""What Slack is told, as whole values, within Slack's limits and with nothing interpreted."""

from datetime import timedelta
from typing import Any

import pytest

from slipway.domain.approval import Answer, Approval, Decision
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.news import HEADLINES as WORDS
from slipway.domain.news import News
from slipway.domain.outcome import Outcome
from slipway.domain.plan import Difference
from slipway.domain.wording import spoken
from slipway.slack.blocks import ICONS, line, whole
from slipway.slack.text import escape
from tests.builders.stories import ASKED, ID, approval, deployment, ended, failure, plan, release

PAGE = "https://slipway.example.com/deployments/x?sig=1"
DECIDE = "https://slipway.example.com/approvals/x?sig=2"
FOOTER = {
    "type": "context",
    "elements": [
        {
            "type": "mrkdwn",
            "text": f"<{PAGE}|{ID}> · 2026-11-21 09:30:42 UTC",
            "verbatim": True,
        }
    ],
}
DIGEST = "sha256:" + "b2" * 32
EVIL = "<!channel> & <https://evil.example|click>"
SAFE = "&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;"


def news(about: Deployment, ticket: Approval | None = None, approval_url: str = "") -> News:
    state = about.outcome or about.phase
    return News(
        deployment=about,
        state=state,
        approval=ticket,
        page_url=PAGE,
        approval_url=approval_url,
        at=ASKED,
    )


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def literal(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def section(text: str) -> dict[str, Any]:
    """A section in Slipway's own words."""
    return {"type": "section", "text": mrkdwn(text)}


def others(text: str) -> dict[str, Any]:
    """A section in others' words."""
    return {"type": "section", "text": literal(text)}


def fields(**facts: str) -> dict[str, Any]:
    """The facts of a message: label and value in turn."""
    pairs = [(mrkdwn(f"*{name.replace('_', ' ')}*"), literal(text)) for name, text in facts.items()]
    return {"type": "section", "fields": [one for pair in pairs for one in pair]}


RELEASE = "v1.1.0 sha256:b2b2b2b2b2b2"
BY = "success of fastapi-rds-staging-9"


def test_the_start() -> None:
    message = whole(news(deployment(phase=Phase.PLANNING, plan=None)))

    assert message.model_dump() == {
        "deployment_id": ID,
        "state": "Planning",
        "text": "fastapi-rds in production: deployment started",
        "blocks": (
            section(":package: *fastapi-rds in production*: deployment started"),
            fields(Release=RELEASE, Requested_by=BY),
            FOOTER,
        ),
        "plain": (
            "fastapi-rds in production: deployment started\n"
            f"Release sha256:b2b2b2b2b2b2, deployment {ID}.\n"
            f"Details: {PAGE}"
        ),
    }


def test_the_question() -> None:
    message = whole(news(deployment(), approval(), DECIDE))

    assert message.blocks == (
        section(":raised_hand: *fastapi-rds in production*: waiting for approval"),
        fields(Release=RELEASE, Requested_by=BY),
        others(
            "• image: fastapi-rds@sha256:a1a1a1a1a1a1 → fastapi-rds@sha256:b2b2b2b2b2b2\n"
            "• version: 1.0.0 → 1.1.0\n"
            "• schema: 0001 → 0002\n"
            "• migration: alembic upgrade head"
        ),
        section("*If it fails*"),
        others(
            "The code is rolled back to version 1.0.0; the migrated schema stays, and the "
            "old code runs on it. A migration that fails partway is not reversed: the old code "
            "keeps running, and an operator has to check the schema."
        ),
        others("ada or grace can decide until 2026-11-21 10:30:42 UTC (in 1 h 0 min)."),
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "text": {"type": "plain_text", "text": "Review and decide"},
                    "url": DECIDE,
                    "style": "primary",
                }
            ],
        },
        FOOTER,
    )


def test_after_the_decision_the_message_says_who_made_it() -> None:
    decision = Decision(answer=Answer.APPROVE, by="ada", at=ASKED, comment="tests are green")
    about = deployment(phase=Phase.DEPLOYING)

    message = whole(news(about, approval(decision=decision)))

    assert message.blocks == (
        section(":rocket: *fastapi-rds in production*: deploying"),
        fields(Release=RELEASE, Requested_by=BY, Approved_by="ada: tests are green"),
        FOOTER,
    )


ENDS = [
    (Outcome.SUCCEEDED, None, None),
    (Outcome.ROLLED_BACK, None, failure()),
    (Outcome.ROLLBACK_FAILED, failure("Rollback", reason="RollbackTimedOut"), failure()),
    (Outcome.NEEDS_OPERATOR, failure("Rollback", reason="SchemaMoved"), failure()),
    (Outcome.FAILED, failure("Plan", reason="ServiceUnavailable"), None),
    (Outcome.REJECTED, failure("Approve", reason="ApprovalRejected"), None),
    (Outcome.EXPIRED, failure("Approve", reason="ApprovalExpired"), None),
    (Outcome.SUPERSEDED, failure("Approve", reason="Superseded"), None),
    (Outcome.BLOCKED, failure("Check", reason="ScanFindings"), None),
    (Outcome.CANCELLED, failure("Enter", reason="Cancelled"), None),
    (Outcome.UNCHANGED, failure("Plan", reason="Unchanged"), None),
]
HEADLINES = {
    Outcome.SUCCEEDED: ":white_check_mark: *fastapi-rds in production*: live and verified",
    Outcome.ROLLED_BACK: ":leftwards_arrow_with_hook: *fastapi-rds in production*: rolled back",
    Outcome.ROLLBACK_FAILED: ":rotating_light: *fastapi-rds in production*: ROLLBACK FAILED",
    Outcome.NEEDS_OPERATOR: ":rotating_light: *fastapi-rds in production*: NEEDS AN OPERATOR",
    Outcome.FAILED: ":x: *fastapi-rds in production*: failed before anything changed",
    Outcome.REJECTED: ":no_entry: *fastapi-rds in production*: rejected",
    Outcome.EXPIRED: ":alarm_clock: *fastapi-rds in production*: approval expired",
    Outcome.SUPERSEDED: (
        ":fast_forward: *fastapi-rds in production*: replaced by a newer deployment"
    ),
    Outcome.BLOCKED: ":no_entry: *fastapi-rds in production*: blocked by a gate",
    Outcome.CANCELLED: ":no_entry_sign: *fastapi-rds in production*: cancelled",
    Outcome.UNCHANGED: ":zzz: *fastapi-rds in production*: already live",
}
AGAIN = f"operate deploy fastapi-rds/production --digest {DIGEST} --reason ..."
FIXED = "operate deploy fastapi-rds/production --tag TAG --reason ..."
LIFT = "operate lift fastapi-rds/production"
TO_DO = {
    Outcome.ROLLED_BACK: (
        "The last good release is serving again. The lane is on hold: nothing deploys "
        f"automatically until the hold is lifted. Fix the cause, lift the hold with `{LIFT}` and "
        f"push a fixed release; to try this one again: `{AGAIN}`."
    ),
    Outcome.ROLLBACK_FAILED: (
        "Check the service now: the rollback failed too, and the lane is on hold. Bring back a "
        f"release that works with `{FIXED}`, or repair the service and lift the hold with `{LIFT}`."
    ),
    Outcome.NEEDS_OPERATOR: (
        "Check now: Slipway left everything as it is, because continuing or rolling back "
        "could do harm, and "
        f"the lane is on hold. Deploy a release that fits the schema with `{FIXED}`, or restore "
        f"the database; then lift the hold with `{LIFT}`."
    ),
    Outcome.FAILED: f"Nothing was changed. Fix the cause, then: `{AGAIN}`.",
    Outcome.REJECTED: f"Nothing was changed. Push another release, or request it again: `{AGAIN}`.",
    Outcome.EXPIRED: f"Nothing was changed. To request it again: `{AGAIN}`.",
    Outcome.SUPERSEDED: (
        "Nothing: the newer deployment continues in its place. To deploy this one anyway: "
        f"`{AGAIN}`."
    ),
    Outcome.BLOCKED: (
        f"Nothing was changed. Resolve what the message names, then: `{AGAIN}`. Or push another "
        "release."
    ),
    Outcome.CANCELLED: f"Nothing was changed. To deploy it anyway: `{AGAIN}`.",
    Outcome.UNCHANGED: "Nothing: this release is already live.",
}


@pytest.mark.parametrize(("outcome", "fault", "cause"), ENDS)
def test_every_end(outcome: Outcome, fault: Any, cause: Any) -> None:
    message = whole(news(ended(outcome, failure=fault, cause=cause)))

    reasons = [
        others(f"{told.reason} in {told.state}: /health answered 500 instead of 200.")
        for told in (cause, fault)
        if told
    ]
    to_do = [section(f"*What to do*\n{TO_DO[outcome]}")] if outcome in TO_DO else []
    assert message.blocks == (
        section(HEADLINES[outcome]),
        fields(Release=RELEASE, Requested_by=BY, Took="2 min 5 s"),
        *reasons,
        *to_do,
        FOOTER,
    )


def test_every_outcome_is_covered() -> None:
    assert [outcome for outcome, _, _ in ENDS] == list(Outcome)


def test_every_state_has_a_headline_and_an_icon() -> None:
    states = {*(phase for phase in Phase if phase is not Phase.SETTLED), *Outcome}

    assert set(WORDS) == set(ICONS) == states


def test_a_line_says_what_is_new() -> None:
    asked = line(news(deployment(), approval(), DECIDE))
    rolled_back = line(news(ended(Outcome.ROLLED_BACK, cause=failure())))

    assert asked.blocks == (
        section(":raised_hand: *fastapi-rds in production*: waiting for approval"),
        others("Until 2026-11-21 10:30:42 UTC, by ada or grace."),
    )
    assert rolled_back.blocks == (
        section(":leftwards_arrow_with_hook: *fastapi-rds in production*: rolled back"),
        others("/health answered 500 instead of 200."),
    )


def evil_news(state: Phase | Outcome) -> News:
    differences = tuple(Difference(what=EVIL, before=EVIL, after=EVIL * 200) for _ in range(99))
    planned = plan(EVIL).model_copy(update={"differences": differences})
    decision = Decision(answer=Answer.REJECT, by=EVIL, at=ASKED, comment=EVIL * 50)
    asked = approval(approvers=(EVIL,) * 200, decision=decision)
    told = failure(EVIL, reason=EVIL, message=EVIL * 500)
    common = {
        "requested_by": EVIL * 100,
        "release": release(EVIL * 20),
        "plan": planned,
        "failure": told,
        "cause": told.model_copy(update={"state": "x"}),
    }
    about = (
        ended(state, **common) if isinstance(state, Outcome) else deployment(phase=state, **common)
    )
    return news(about, asked, DECIDE)


def texts(block: Any) -> list[str]:
    if isinstance(block, dict):
        own = [block["text"]] if isinstance(block.get("text"), str) else []
        return own + [text for value in block.values() for text in texts(value)]
    return [text for value in block for text in texts(value)] if isinstance(block, list) else []


@pytest.mark.parametrize("state", [*[p for p in Phase if p is not Phase.SETTLED], *Outcome])
def test_nothing_of_others_is_interpreted_and_slacks_limits_hold(state: Phase | Outcome) -> None:
    for message in (whole(evil_news(state)), line(evil_news(state))):
        assert len(message.blocks) <= 50
        assert "<!channel>" not in message.text
        for block in message.blocks:
            assert len(block.get("fields", [])) <= 10
            assert all(len(found["text"]) <= 2000 for found in block.get("fields", []))
            for text in texts(block):
                # The one link is ours.
                assert "<" not in text.replace(f"<{PAGE}|", "")
                assert 0 < len(text) <= 3000


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        (EVIL, 300, SAFE),
        ("a" * 300, 300, "a" * 300),
        ("a" * 301, 300, "a" * 299 + "…"),
        ("abc&def", 6, "abc…"),
        ("abc&def", 9, "abc&amp;…"),
        ("<<<<", 8, "&lt;…"),
    ],
)
def test_text_is_escaped_and_cut_between_characters(text: str, limit: int, expected: str) -> None:
    assert escape(text, limit) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0.0 s"),
        (-3, "0.0 s"),
        (0.42, "0.4 s"),
        (9.9, "9.9 s"),
        (42.4, "42 s"),
        (59.6, "1 min 0 s"),
        (252, "4 min 12 s"),
        (11_100, "3 h 5 min"),
        (176_400, "2 d 1 h"),
    ],
)
def test_durations_read_well(seconds: float, expected: str) -> None:
    assert spoken(timedelta(seconds=seconds)) == expected
