"""What Slack is told, as whole values, within Slack's limits and with nothing interpreted."""

from datetime import timedelta
from typing import Any

import pytest

from slipway.domain.approval import Answer, Approval, Decision
from slipway.domain.deployment import Deployment, Outcome, Phase
from slipway.domain.message import News, escaped, line, whole
from slipway.domain.plan import Difference
from slipway.domain.wording import spoken
from tests.unit.stories import ASKED, ID, approval, deployment, ended, failure, plan, release

PAGE = "https://slipway.example.com/deployments/x?sig=1"
DECIDE = "https://slipway.example.com/approvals/x?sig=2"
FOOTER = {
    "type": "context",
    "elements": [{"type": "mrkdwn", "text": f"<{PAGE}|{ID}> · 2026-11-21 09:30:42 UTC"}],
}
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


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def fields(*texts: str) -> dict[str, Any]:
    return {"type": "section", "fields": [{"type": "mrkdwn", "text": text} for text in texts]}


RELEASE = "*Release*\nv1.1.0\n`sha256:b2b2b2b2b2b2`"
BY = "*Asked for by*\nsuccess of fastapi-rds-staging-9"


def test_the_start() -> None:
    message = whole(news(deployment(phase=Phase.PLANNING, plan=None)))

    assert message.model_dump() == {
        "deployment_id": ID,
        "state": "Planning",
        "text": "fastapi-rds in production: deployment started",
        "blocks": (
            section(":package: *fastapi-rds in production*: deployment started"),
            fields(RELEASE, BY),
            FOOTER,
        ),
    }


def test_the_question() -> None:
    message = whole(news(deployment(), approval(), DECIDE))

    assert message.blocks == (
        section(":raised_hand: *fastapi-rds in production*: waits for approval"),
        fields(RELEASE, BY),
        section(
            "• image: fastapi-rds@sha256:a1a1a1a1a1a1 → fastapi-rds@sha256:b2b2b2b2b2b2\n"
            "• version: 1.0.0 → 1.1.0\n"
            "• schema: 0001 → 0002\n"
            "• migration: alembic upgrade head\n"
            "• if it goes wrong: The code goes back to version 1.0.0; the migrated schema "
            "stays, the old code runs on it."
        ),
        section("ada or grace can decide until 2026-11-21 10:30:42 UTC (in 1 h 0 min)."),
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
        fields(RELEASE, BY, "*Approved by*\nada: tests are green"),
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
    Outcome.NEEDS_OPERATOR: ":rotating_light: *fastapi-rds in production*: NEEDS A PERSON",
    Outcome.FAILED: ":x: *fastapi-rds in production*: failed before anything changed",
    Outcome.REJECTED: ":no_entry: *fastapi-rds in production*: rejected",
    Outcome.EXPIRED: ":alarm_clock: *fastapi-rds in production*: nobody decided in time",
    Outcome.SUPERSEDED: (
        ":fast_forward: *fastapi-rds in production*: replaced by a newer deployment"
    ),
    Outcome.BLOCKED: ":no_entry: *fastapi-rds in production*: blocked by a gate",
    Outcome.CANCELLED: ":no_entry_sign: *fastapi-rds in production*: cancelled",
    Outcome.UNCHANGED: ":zzz: *fastapi-rds in production*: live already",
}
TO_DO = {
    Outcome.ROLLED_BACK: (
        "The last good release serves again and the lane is on hold. Find the cause, push a fixed "
        "release and request its deployment, or lift the hold."
    ),
    Outcome.ROLLBACK_FAILED: (
        "Look at the service now: the way back failed and the lane is on hold. Bring the last "
        "good release back by hand, then lift the hold."
    ),
    Outcome.NEEDS_OPERATOR: (
        "Look now: going back automatically could lose data, so the lane is on hold as it is. "
        "Decide between a fixed release and restoring the database, then lift the hold."
    ),
    Outcome.FAILED: (
        "Nothing of yours was changed. Remove the cause named here, then request the deployment "
        "again."
    ),
    Outcome.REJECTED: "Nothing was changed. Push another release, or request this one again.",
    Outcome.EXPIRED: "Nothing was changed. Request the deployment again to be asked again.",
    Outcome.SUPERSEDED: "Nothing: the newer deployment goes on in its place.",
    Outcome.BLOCKED: (
        "Nothing was changed. Remove what the gate names, then request the deployment, or push "
        "another release."
    ),
    Outcome.CANCELLED: "Nothing. Request the deployment again when it is wanted.",
    Outcome.UNCHANGED: "Nothing: this release is live already.",
}


@pytest.mark.parametrize(("outcome", "fault", "cause"), ENDS)
def test_every_end(outcome: Outcome, fault: Any, cause: Any) -> None:
    message = whole(news(ended(outcome, failure=fault, cause=cause)))

    reasons = [
        section(f"*{told.reason}* in {told.state}\n/health answered 500 instead of 200.")
        for told in (cause, fault)
        if told
    ]
    to_do = [section(f"*What to do*\n{TO_DO[outcome]}")] if outcome in TO_DO else []
    assert message.blocks == (
        section(HEADLINES[outcome]),
        fields(RELEASE, BY, "*Took*\n2 min 5 s"),
        *reasons,
        *to_do,
        FOOTER,
    )


def test_every_outcome_is_covered() -> None:
    assert [outcome for outcome, _, _ in ENDS] == list(Outcome)


def test_a_line_says_what_is_new() -> None:
    asked = line(news(deployment(), approval(), DECIDE))
    rolled_back = line(news(ended(Outcome.ROLLED_BACK, cause=failure())))

    assert asked.blocks == (
        section(
            ":raised_hand: *fastapi-rds in production*: waits for approval\n"
            "Until 2026-11-21 10:30:42 UTC, by ada or grace."
        ),
    )
    assert rolled_back.blocks == (
        section(
            ":leftwards_arrow_with_hook: *fastapi-rds in production*: rolled back\n"
            "/health answered 500 instead of 200."
        ),
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
    assert escaped(text, limit) == expected


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
