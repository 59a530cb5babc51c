"""The pages behind the Function URL: GET shows and never writes, POST decides."""

import base64
import hashlib
import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest

from functions.web.app import lambda_handler
from slipway.adapters.links import Links
from slipway.domain.approval import Answer, Approval, Decision, link_subject, signature
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.effect import Effect
from slipway.domain.errors import Broken, Reason, Transient
from slipway.domain.evidence import Note, with_evidence
from slipway.domain.lane import Hold
from slipway.domain.outcome import Outcome
from slipway.domain.progress import Progress, SchemaWork
from slipway.runtime import wiring
from tests.builders.fakes.control import InMemoryAnnouncements
from tests.builders.fakes.records import InMemoryRecords, SpiedRecords
from tests.builders.stories import (
    ASKED,
    CATALOG,
    ENVIRONMENT,
    ID,
    KEY,
    approval,
    deployment,
    ended,
    failure,
    lane,
    plan,
    release,
    stored,
)

NOW = ASKED + timedelta(minutes=5)
SIG = signature(KEY, "approve", link_subject(approval()))
VIEW_SIG = signature(KEY, "view", ID)
STATUS_SIG = signature(KEY, "view", "status")
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>&amp;'


class Site:
    """The web function over records in memory."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, records: InMemoryRecords) -> None:
        self.records = SpiedRecords(records)
        self.announcements = InMemoryAnnouncements()
        monkeypatch.setattr(wiring, "records", lambda: self.records)
        monkeypatch.setattr(wiring, "announcements", lambda: self.announcements)
        monkeypatch.setattr(wiring, "catalog", lambda: CATALOG)
        monkeypatch.setattr(wiring, "link_key", lambda: KEY)
        monkeypatch.setattr(wiring, "links", lambda: Links("", KEY))
        monkeypatch.setattr(wiring, "now", lambda: NOW)

    def ask(
        self, method: str, path: str, query: dict[str, str] | None = None, **event: Any
    ) -> dict[str, Any]:
        """Invoke the function as a Function URL does (payload format 2.0)."""
        headers = {"content-type": "application/x-www-form-urlencoded", "host": "x.on.aws"}
        asked = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": "",
            "headers": headers,
            "requestContext": {
                "stage": "$default",
                "http": {"method": method, "path": path},
                "requestId": "1",
            },
            "isBase64Encoded": False,
            **({"queryStringParameters": query} if query else {}),
            **event,
        }
        return lambda_handler(asked, _Context())  # type: ignore[arg-type]

    def decide(self, deployment_id: str = ID, **fields: str) -> dict[str, Any]:
        """Send the form, base64-encoded as AWS hands on what is not known to be text."""
        form = {"answer": "approve", "by": "ada", "comment": "", "sig": SIG, **fields}
        body = base64.b64encode(urlencode(form).encode()).decode()
        path = f"/approvals/{deployment_id}"
        return self.ask("POST", path, body=body, isBase64Encoded=True)


class _Context:
    function_name = "web"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:web"
    aws_request_id = "1"


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def parsed(answer: dict[str, Any]) -> _Tags:
    tags = _Tags()
    tags.feed(answer["body"])
    return tags


def words(answer: dict[str, Any]) -> str:
    return " ".join(" ".join(parsed(answer).said).split())


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(monkeypatch, stored())


PAGES = [
    ("/", {"sig": STATUS_SIG}),
    ("/health", {}),
    (f"/deployments/{ID}", {"sig": VIEW_SIG}),
    (f"/approvals/{ID}", {"sig": SIG}),
    ("/nothing", {}),
]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize(("path", "query"), PAGES)
def test_reading_never_writes(site: Site, method: str, path: str, query: dict[str, str]) -> None:
    form = urlencode({"answer": "approve", "by": "ada", "sig": SIG})

    site.ask(method, path, {**query, "answer": "approve", "by": "ada"}, body=form)

    assert site.records.writes == 0
    assert site.announcements.published == []


@pytest.mark.parametrize(("path", "query"), PAGES)
def test_every_answer_forbids_scripts_caches_and_referrers(
    site: Site, path: str, query: dict[str, str]
) -> None:
    answer = site.ask("GET", path, query)

    style = re.search(r"<style>(.*?)</style>", answer["body"], re.DOTALL)
    policy = answer["headers"]["Content-Security-Policy"]
    if style:
        digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "script-src" not in policy and "unsafe" not in policy
    assert (
        answer["headers"]
        | {
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
            "X-Frame-Options": "DENY",
            "X-Content-Type-Options": "nosniff",
            "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        }
        == answer["headers"]
    )


def test_a_head_request_has_no_body(site: Site) -> None:
    answer = site.ask("HEAD", f"/approvals/{ID}", {"sig": SIG})

    assert (answer["statusCode"], answer["body"]) == (200, "")


def test_the_approval_page_shows_what_is_approved(site: Site) -> None:
    answer = site.ask("GET", f"/approvals/{ID}", {"sig": SIG})

    said = words(answer)
    assert answer["statusCode"] == 200
    for expected in (
        "Deploy fastapi-rds v1.1.0 to production?",
        "Until 2026-11-21 10:30:42 UTC, 55 min 0 s left.",
        "success of fastapi-rds-staging-9, 2026-11-21 09:30:00 UTC",
        "fastapi-rds:v1.1.0, pushed 2026-11-21 09:25:00 UTC",
        "sha256:" + "b2" * 32,
        "Commit 5d1f0c2",
        "version 1.0.0 1.1.0",
        "schema 0001 0002",
        "alembic upgrade head",
        "runs: the release declares itself backward compatible",
        "snapshot of fastapi-rds-production (required)",
        "between 100 % and 200 % of the desired tasks",
        "version 1.0.0 of fastapi-rds-production-6 sha256:a1a1a1a1a1a1",
        "The code is rolled back to version 1.0.0; the migrated schema stays",
        "A migration that fails partway is not reversed",
        "scan nothing at or above HIGH",
        "choose your name ada grace",
    ):
        assert expected in said
    assert "123456789012" not in answer["body"]


def test_the_form_carries_the_signature_and_no_script(site: Site) -> None:
    answer = site.ask("GET", f"/approvals/{ID}", {"sig": SIG})

    assert f'<input type="hidden" name="sig" value="{SIG}">' in answer["body"]
    assert '<form method="post" action="?">' in answer["body"]
    assert "script" not in parsed(answer).tags


def test_nothing_on_a_page_leads_from_looking_to_deciding(site: Site) -> None:
    pages = [site.ask("GET", path, query) for path, query in PAGES[:3]]

    assert all("/approvals/" not in page["body"] and SIG not in page["body"] for page in pages)


def test_an_approval_is_made_by_the_form(site: Site) -> None:
    answer = site.decide(comment="ship it")

    written = site.records.approval(ID)
    assert answer["statusCode"] == 200
    assert "You have approved fastapi-rds-production-7" in words(answer)
    assert f"/deployments/{ID}?sig={VIEW_SIG}" in answer["body"]
    assert written is not None
    assert written.decision == Decision(answer=Answer.APPROVE, by="ada", at=NOW, comment="ship it")
    assert site.records.writes == 1


def test_a_form_that_comes_as_text_is_read_as_well(site: Site) -> None:
    body = urlencode({"answer": "reject", "by": "grace", "comment": "später", "sig": SIG})

    answer = site.ask("POST", f"/approvals/{ID}", body=body)

    written = site.records.approval(ID)
    assert "You have rejected fastapi-rds-production-7" in words(answer)
    assert written is not None and written.decision is not None
    assert written.decision.comment == "später"


def test_the_second_decision_is_told_who_was_first(site: Site) -> None:
    site.decide()

    answer = site.decide(by="grace", answer="reject")

    assert answer["statusCode"] == 409
    assert "ada has already approved this deployment, on 2026-11-21 09:35:42 UTC." in words(answer)
    assert site.records.writes == 1


def test_a_decided_approval_shows_its_decision_and_no_form(site: Site) -> None:
    site.decide()

    answer = site.ask("GET", f"/approvals/{ID}", {"sig": SIG})

    assert "Approved by ada on 2026-11-21 09:35:42 UTC." in words(answer)
    assert "form" not in parsed(answer).tags


@pytest.mark.parametrize("sig", ["", "0" * 64, VIEW_SIG, "\ud800", "é" * 64, "0" * 100_000])
def test_a_wrong_link_is_refused_plainly(site: Site, sig: str) -> None:
    shown = site.ask("GET", f"/approvals/{ID}", {"sig": "x"} | {"sig": sig[:70]})
    viewed = site.ask("GET", f"/deployments/{ID}", {"sig": sig[:70].replace(VIEW_SIG, SIG)})
    status = site.ask("GET", "/", {"sig": sig[:70]})

    assert [page["statusCode"] for page in (shown, viewed, status)] == [403, 403, 403]
    assert "This link is invalid" in words(shown)


@pytest.mark.parametrize("sig", ["", "0" * 64, VIEW_SIG, "zz"])
def test_a_decision_through_a_wrong_link_changes_nothing(site: Site, sig: str) -> None:
    answer = site.decide(sig=sig)

    assert (answer["statusCode"], site.records.writes) == (403, 0)


def test_a_name_that_is_no_approver_changes_nothing(site: Site) -> None:
    answer = site.decide(by=EVIL)

    assert (answer["statusCode"], site.records.writes) == (403, 0)
    assert not {"script", "img"} & set(parsed(answer).tags)


@pytest.mark.parametrize(
    "deployment_id", ["fastapi-rds-production-99", "..%2f", "A", "a" * 200, "<b>", "%F0%9F"]
)
def test_an_unknown_deployment_is_not_found(site: Site, deployment_id: str) -> None:
    view = signature(KEY, "view", deployment_id)

    answer = site.ask("GET", f"/deployments/{deployment_id}", {"sig": view})

    assert answer["statusCode"] == 404


@pytest.mark.parametrize(
    "deployment_id", ["fastapi-rds-production-99", "..%2f", "A", "a" * 200, "<b>", "%F0%9F"]
)
def test_nobody_hears_which_approvals_there_are(site: Site, deployment_id: str) -> None:
    wrong = "0" * 64
    for name in (ID, deployment_id):
        shown = site.ask("GET", f"/approvals/{name}", {"sig": wrong})
        decided = site.decide(name, sig=wrong)

        expected = site.ask("GET", f"/approvals/{ID}", {"sig": "1" * 64})
        assert (shown["statusCode"], shown["body"]) == (403, expected["body"])
        assert (decided["statusCode"], decided["body"]) == (403, expected["body"])
        assert shown["headers"] == decided["headers"] == expected["headers"]
    # Not even with the signature of another approval.
    assert site.ask("GET", f"/approvals/{deployment_id}", {"sig": SIG})["statusCode"] == 403
    assert site.records.writes == 0


@pytest.mark.parametrize(
    ("records", "said"),
    [
        (stored(ticket=approval(expires_at=NOW)), "The approval has expired."),
        (stored(ended(Outcome.SUPERSEDED)), "fastapi-rds-production-7 has ended: Superseded."),
        (stored(deployment(cancel_requested_by="grace")), "Cancelled by grace."),
    ],
)
def test_a_link_that_came_too_late_is_gone(
    monkeypatch: pytest.MonkeyPatch, records: InMemoryRecords, said: str
) -> None:
    site = Site(monkeypatch, records)

    shown = site.ask("GET", f"/approvals/{ID}", {"sig": SIG})
    decided = site.decide()

    assert (shown["statusCode"], decided["statusCode"], site.records.writes) == (410, 410, 0)
    assert said in words(shown) and said in words(decided)
    assert "form" not in parsed(shown).tags


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"body": "answer=maybe&by=ada&sig=" + SIG}, "The field 'answer' must be 'approve' or"),
        ({"body": "answer=approve&sig=" + SIG}, "The field 'by' must be the name of an approver."),
        ({"body": "answer=approve&by=ada&x=1&sig=" + SIG}, "unexpected fields"),
        ({"body": "answer=approve&answer=reject&by=ada&sig=" + SIG}, "unexpected"),
        ({"body": "&".join(["by=ada"] * 40)}, "The form cannot be read."),
        ({"body": "by=%ff%fe&sig=" + SIG}, "The form cannot be read."),
        ({"body": "\ud800"}, "The form cannot be read."),
        ({"body": "not base64!", "isBase64Encoded": True}, "The form cannot be read."),
        ({"body": "a" * 16_385}, "The form is too large (limit 16384 bytes)."),
        (
            {
                "body": urlencode(
                    {"answer": "approve", "by": "ada", "sig": SIG, "comment": "x" * 501}
                )
            },
            "The field 'comment' takes at most 500 characters.",
        ),
        (
            {"body": json.dumps({"answer": "approve"}), "headers": {"content-type": "text/json"}},
            "Send the decision with the form on the approval page.",
        ),
    ],
)
def test_a_form_that_is_none_changes_nothing(site: Site, event: dict[str, Any], said: str) -> None:
    answer = site.ask("POST", f"/approvals/{ID}", **event)

    assert (answer["statusCode"], site.records.writes) == (400, 0)
    assert said in words(answer)


OTHER_METHODS = ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "CONNECT", "get", "Get", "head", "X"]
ALLOWED = {
    "/": "GET, HEAD",
    "/health": "GET, HEAD",
    f"/deployments/{ID}": "GET, HEAD",
    f"/approvals/{ID}": "GET, HEAD, POST",
}


@pytest.mark.parametrize("method", [*OTHER_METHODS, "post", "POST"])
@pytest.mark.parametrize("path", ALLOWED)
def test_a_page_names_the_methods_that_it_answers_to(site: Site, path: str, method: str) -> None:
    if (path, method) == (f"/approvals/{ID}", "POST"):
        return
    sigs = {"/": STATUS_SIG, f"/deployments/{ID}": VIEW_SIG}

    answer = site.ask(method, path, {"sig": sigs.get(path, SIG)}, body=f"sig={SIG}")

    assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, ALLOWED[path])
    assert "This page does not accept that method." in words(answer)
    assert answer["headers"]["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert site.records.writes == 0


@pytest.mark.parametrize("method", [*OTHER_METHODS, "GET", "POST"])
@pytest.mark.parametrize("path", ["/nothing", f"/deployments/{ID}/x", "/approvals/"])
def test_what_is_no_page_is_not_found_by_any_method(site: Site, path: str, method: str) -> None:
    answer = site.ask(method, path)

    assert answer["statusCode"] == 404
    assert "Allow" not in answer["headers"]


def evil_story() -> Deployment:
    environment = ENVIRONMENT.model_copy(
        update={"approval": ENVIRONMENT.approval.model_copy(update={"approvers": (EVIL, "ada")})}
        if ENVIRONMENT.approval
        else {}
    )
    return ended(
        Outcome.NEEDS_OPERATOR,
        requested_by=EVIL,
        release=release(EVIL),
        plan=plan(EVIL, environment),
        cause=failure(message=EVIL, reason=EVIL, state=EVIL),
        failure=failure(message=EVIL + "2"),
        progress=Progress(
            backups={"rds:notes": Effect(requested_at=ASKED, handle=EVIL)},
            schema_tasks={SchemaWork.UP: Effect(requested_at=ASKED)},
        ),
    )


def every_page(site: Site, asked: Approval) -> list[dict[str, Any]]:
    """The answers of the three pages, and of a decision."""
    sig = signature(KEY, "approve", link_subject(asked))
    return [
        site.ask("GET", "/", {"sig": STATUS_SIG}),
        site.ask("GET", f"/deployments/{ID}", {"sig": VIEW_SIG}),
        site.ask("GET", f"/approvals/{ID}", {"sig": sig}),
        site.decide(sig=sig),
    ]


def test_no_text_of_others_becomes_html(monkeypatch: pytest.MonkeyPatch) -> None:
    evil = evil_story()
    hold = Hold(reason=EVIL, message=EVIL, by=EVIL, since=ASKED)
    asked = approval(
        approvers=(EVIL,),
        plan_hash=evil.planned().plan_hash,
        decision=Decision(answer=Answer.APPROVE, by=EVIL, at=ASKED, comment=EVIL),
    )
    site = Site(monkeypatch, stored(evil, asked, lane(hold=hold, holder=ID)))

    answers = every_page(site, asked)

    assert [answer["statusCode"] for answer in answers] == [200, 200, 200, 409]
    for answer in answers:
        assert "alert(1)" in answer["body"]
        assert not {"script", "img"} & set(parsed(answer).tags)


UNSEEN = "".join(map(chr, (*range(32), 127, *range(0x80, 0xA0), 0x200B, 0x202E, 0x2028, 0xFEFF)))


def test_no_text_of_others_moves_a_cursor_or_tells_a_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hostile = f"a{UNSEEN}\x1b[31mz redis://:CANARY@cache"
    told = failure(message=hostile, reason=hostile, state=hostile)
    labels = {name: hostile for name in plan().image.labels}
    planned = plan(hostile).model_copy(
        update={"image": plan().image.model_copy(update={"labels": labels})}
    )
    evil = ended(
        Outcome.NEEDS_OPERATOR,
        requested_by=hostile,
        reason=hostile,
        release=release(hostile),
        plan=planned,
        cause=told,
    )
    hold = Hold(reason=hostile, message=hostile, by=hostile, since=ASKED)
    decision = Decision(answer=Answer.APPROVE, by=hostile, at=ASKED, comment=hostile)
    asked = approval(approvers=(hostile,), plan_hash=planned.plan_hash, decision=decision)
    site = Site(monkeypatch, stored(evil, asked, lane(hold=hold, holder=ID)))

    answers = every_page(site, asked)

    assert [answer["statusCode"] for answer in answers] == [200, 200, 200, 409]
    for answer in answers:
        assert "a\\x00\\x01" in answer["body"]
        assert all(one.isprintable() or one == "\n" for one in answer["body"])
        assert "CANARY" not in answer["body"]


def test_a_failed_tasks_log_is_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    records = stored(ended(Outcome.ROLLED_BACK, cause=failure()))
    note = Note(what="migration ended", data={"log": ["INFO 0002", "ERROR no such table"]})
    found, more = with_evidence(records.deployment(ID), [note], ASKED)
    records.write([found], evidence=more)
    site = Site(monkeypatch, records)

    said = words(site.ask("GET", f"/deployments/{ID}", {"sig": VIEW_SIG}))

    assert "migration ended the end of its log INFO 0002 ERROR no such table" in said


def test_an_approver_reads_why_and_what_the_request_goes_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hold = Hold(reason="RolledBack", message="v6 failed.", by="x-6", since=ASKED)
    asks = deployment(explicit=True, reason="fixes the outage", requested_by="grace")
    site = Site(monkeypatch, stored(asks, where=lane(hold=hold)))

    said = words(site.ask("GET", f"/approvals/{ID}", {"sig": SIG}))

    assert "Requested by grace, 2026-11-21 09:30:00 UTC Reason fixes the outage" in said
    assert (
        "This request overrides the hold placed by x-6 on 2026-11-21 09:30:42 UTC: v6 failed."
        in said
    )


def test_a_comment_is_shown_as_it_was_written(site: Site) -> None:
    answer = site.decide(comment=EVIL)

    assert not {"script", "img"} & set(parsed(answer).tags)
    assert EVIL in words(answer)


def test_a_running_deployment_shows_its_timeline_and_reloads(site: Site) -> None:
    answer = site.ask("GET", f"/deployments/{ID}", {"sig": VIEW_SIG})

    said = words(answer)
    assert answer["statusCode"] == 200
    assert '<meta http-equiv="refresh" content="5">' in answer["body"]
    assert "2026-11-21 09:30:01 +1.0 s planned" in said
    assert "2026-11-21 09:30:42 +40 s approval requested of ada, grace" in said
    assert "5 min 42 s so far" in said


def test_an_ended_deployment_says_what_to_do_and_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = Effect(requested_at=ASKED, handle="slipway-7").ended(ASKED, succeeded=True)
    migration = Effect(requested_at=ASKED + timedelta(seconds=30))
    progress = Progress(
        backups={"rds:fastapi-rds-production": snapshot}, schema_tasks={SchemaWork.UP: migration}
    )
    told = failure("Rollback", "Broken", "SchemaMoved", "The schema has moved.")
    end = ended(Outcome.NEEDS_OPERATOR, failure=told, cause=failure(), progress=progress)
    site = Site(monkeypatch, stored(end))

    answer = site.ask("GET", f"/deployments/{ID}", {"sig": VIEW_SIG})

    said = words(answer)
    assert "refresh" not in answer["body"]
    for expected in (
        "2 min 5 s in all",
        "ReleaseUnhealthy in Verify: /health answered 500 instead of 200.",
        "SchemaMoved in Rollback: The schema has moved.",
        "Deploy a release that fits the schema with operate deploy fastapi-rds/production --tag "
        "TAG --reason ... , or restore the database; then lift the hold with operate lift "
        "fastapi-rds/production .",
        "aws rds restore-db-instance-from-db-snapshot --db-instance-identifier "
        "fastapi-rds-production-restored --db-snapshot-identifier slipway-7",
        "aws rds restore-db-instance-to-point-in-time --source-db-instance-identifier "
        "fastapi-rds-production --target-db-instance-identifier fastapi-rds-production-restored "
        "--restore-time 2026-11-21T09:31:12Z",
        'docs/runbook.md, under "NeedsOperator"',
        "The record is intact: 5 entries",
    ):
        assert expected in said


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_its_page(monkeypatch: pytest.MonkeyPatch, outcome: Outcome) -> None:
    site = Site(monkeypatch, stored(ended(outcome, plan=None)))

    answer = site.ask("GET", f"/deployments/{ID}", {"sig": VIEW_SIG})

    assert answer["statusCode"] == 200
    assert f'under "{outcome}"' in words(answer)


@pytest.mark.parametrize("phase", list(Phase))
def test_every_phase_has_its_page(monkeypatch: pytest.MonkeyPatch, phase: Phase) -> None:
    site = Site(monkeypatch, stored(deployment(phase=phase)))

    answer = site.ask("GET", f"/deployments/{ID}", {"sig": VIEW_SIG})

    assert answer["statusCode"] == 200
    assert phase in words(answer)


def test_a_record_that_was_tampered_with_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    records = stored(ended(Outcome.SUCCEEDED))
    place = next(place for place in records._stored if place[0] == "evidence")
    records._stored[place] = records._stored[place].replace("v1.1.0", "v6.6.6")
    site = Site(monkeypatch, records)

    answer = site.ask("GET", f"/deployments/{ID}", {"sig": VIEW_SIG})

    assert "record damaged" in words(answer)


def test_the_status_page_shows_every_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    hold = Hold(reason="RolledBack", message="It was bad.", by="x-1", since=ASKED)
    site = Site(monkeypatch, stored(where=lane(hold=hold, holder=ID)))

    answer = site.ask("GET", "/", {"sig": STATUS_SIG})

    said = words(answer)
    assert answer["statusCode"] == 200
    for expected in (
        "Live 1.0.0 sha256:a1a1a1a1a1a1 verified 2026-11-18 09:30:00 UTC",
        f"In progress {ID}",
        f"Newest {ID}",
        "On hold RolledBack since 2026-11-21 09:30:42 UTC by x-1: It was bad.",
        f"{ID} v1.1.0 AwaitingApproval 2026-11-21 09:30:00 UTC",
    ):
        assert expected in said
    assert f"/deployments/{ID}?sig={VIEW_SIG}" in answer["body"]


def test_health_touches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("records", "link_key", "links", "catalog"):
        monkeypatch.setattr(wiring, name, _forbidden)
    site = Site.__new__(Site)

    answer = site.ask("GET", "/health")

    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"status": "ok"})


def _forbidden() -> None:
    raise AssertionError("not needed")


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (Transient(Reason.AWS_UNAVAILABLE, "arn:aws:secret"), 503, "temporarily unavailable"),
        (Broken(Reason.AWS_REFUSED, "arn:aws:secret"), 500, "Slipway could not answer."),
        (KeyError("arn:aws:secret"), 500, "Slipway could not answer."),
    ],
)
def test_trouble_is_told_plainly_without_its_details(
    site: Site, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, said: str
) -> None:
    def trouble() -> None:
        raise error

    monkeypatch.setattr(wiring, "records", trouble)

    answer = site.ask("GET", f"/deployments/{ID}", {"sig": VIEW_SIG})

    assert answer["statusCode"] == status
    assert said in words(answer)
    assert "arn:aws" not in answer["body"] and "Traceback" not in answer["body"]


def test_links_lead_to_the_public_url() -> None:
    links = Links("https://slipway.example.com/", KEY)

    assert links.absolute
    assert links.approval(approval()) == f"https://slipway.example.com/approvals/{ID}?sig={SIG}"
    assert links.deployment(ID) == f"https://slipway.example.com/deployments/{ID}?sig={VIEW_SIG}"
    assert links.status() == f"https://slipway.example.com/?sig={STATUS_SIG}"
    assert not Links("", KEY).absolute
