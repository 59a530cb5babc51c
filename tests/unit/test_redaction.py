"""What looks like a secret in text of others is taken out, at a cost that grows with it only."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from slipway.domain.errors import Reason, Unhealthy
from slipway.domain.evidence import Note, with_evidence
from slipway.domain.redaction import redact, redact_for_people
from slipway.runtime.waiting import Call
from tests.builders.stories import ASKED, deployment

# Spelled in two parts, so that no scanner takes an example for a leak.
SLACK, HOOK, GITHUB = "xox" + "b-1234567890-abcdef", "hooks.slack" + ".com/services/T0/B0/xyz", "gh"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("redis://:PW@host:6379", "redis://***@host:6379"),
        ("postgres://notes:PW@db/notes", "postgres://notes:***@db/notes"),
        ("postgres://u:S@STAIL@db", "postgres://u:***@db"),
        ("(postgres://u:a/b?c@db)", "(postgres://u:***@db)"),
        ("PGPASSWORD=PW psql", "PGPASSWORD=*** psql"),
        ('"SessionToken": "' + "Ab9/" * 200 + '"', '"SessionToken": ***'),
        ('"password":"cut in the midd', '"password":***'),
        (r"{\"password\": \"PW\"}", r"{\"password\": ***}"),
        ("AWS_SESSION_TOKEN=" + "z" * 600, "AWS_SESSION_TOKEN=***"),
        ("DB_PASS=PW", "DB_PASS=***"),
        ("'password': b'PW'", "'password': b***"),
        ("password => 'PW'", "password => ***"),
        ("TokenError: password=PW", "TokenError: password=***"),
        ("db-password:123456", "db-password:***"),
        ("db-password: 1234", "db-password: ***"),
        ("x-api-key:12ab", "x-api-key:***"),
        ("password:1234", "password:***"),
        ("dsn host=db password=PW dbname=x", "dsn host=db password=*** dbname=x"),
        ("Server=db;Password=PW;Pooling=true", "Server=db;Password=***;Pooling=true"),
        ("https://x.test/?password=PW&a=1", "https://x.test/?password=***&a=1"),
        ('{"api_key": "PW", "a": 1}', '{"api_key": ***, "a": 1}'),
        ("{'db_password': 'P W'}", "{'db_password': ***}"),
        ("Authorization: Bearer PW.PW-12345", "Authorization: ***"),
        ("sent bearer abcdef0123456789", "sent bearer ***"),
        ("aws_secret_access_key=PW/PW+x", "aws_secret_access_key=***"),
        ("AWS_SESSION_TOKEN: PW", "AWS_SESSION_TOKEN: ***"),
        (f"token is {SLACK}", "token is ***"),
        (f"POST https://{HOOK}", "POST https://***"),
        ("key " + "AKIA" + "ABCDEFGHIJKLMNOP", "key ***"),
        (f"{GITHUB}p_" + "a" * 36, "***"),
        ("k -----BEGIN " + "RSA PRIVATE KEY-----\nPW\nPW\n-----END", "k ***"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "jwt ***"),
    ],
)
def test_a_secret_is_taken_out(text: str, told: str) -> None:
    assert redact(text) == told


@pytest.mark.parametrize(
    "text",
    [
        "Running upgrade 0002 -> 0003, pinned",
        "connection to db.example.com:5432 refused",
        "https://example.com/health answered 503",
        "passwords are checked later",
        "push of token-service:v1.2.0",
        "ExpiredTokenException: The security token included in the request is expired",
        "password-reset:7",
        "arn:aws:ecs:us-east-1:123456789012:task-definition/tokens:12",
        "The secret arn:aws:secretsmanager:us-east-1:123456789012:secret:slipway/x is missing.",
        "not authorized to perform: secretsmanager:GetSecretValue on resource: x",
        "12 tokens left",
        "sqlalchemy.exc.OperationalError: (psycopg.OperationalError) timeout",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


HOSTILE = [
    "://a" * 1000,
    "://a:" * 800,
    "a-" * 2000,
    "password" * 500,
    "pwd" * 1300,
    "password=" * 450,
    "eyJ" * 1300,
    "-----BEGIN " * 360,
    "bearer " * 570,
    "a.password-" * 360,
    "https://host:1/" * 260,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:12])
def test_twenty_hostile_lines_take_no_time_worth_telling(text: str) -> None:
    """The bound is far above what it takes and far below what a function has."""
    began = time.process_time()
    for _ in range(20):
        redact(text[:4000])

    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("pass\x1b[1mword=CANARY", "password=***"),
        ("redis://:CANARY@host\n\u202e", "redis://***@host \\u202e"),
        ("-----BEGIN RSA PRIVATE KEY-----\nCANARY\nCANARY\n", "***"),
    ],
)
def test_what_is_shown_is_plain_before_it_is_redacted(text: str, told: str) -> None:
    assert redact_for_people(text) == told


@given(st.text(), st.integers(5, 60))
def test_what_is_shown_is_one_printable_line_within_its_bound(text: str, most: int) -> None:
    line = redact_for_people(text, most)

    assert line.isprintable() and len(line) <= most


def test_no_sentence_of_an_error_and_no_entry_of_a_record_keeps_a_secret() -> None:
    refusal = Unhealthy(Reason.RELEASE_UNHEALTHY, f"/health answered: {'x' * 9000}")
    quoted = Unhealthy(Reason.RELEASE_UNHEALTHY, "/health answered: redis://:CANARY@cache")
    note = Note(what="approval decided", message="by ada: redis://:CANARY@cache")
    _, entries = with_evidence(deployment(), [note], ASKED)

    assert len(refusal.message) == 4000
    assert str(quoted) == "ReleaseUnhealthy: /health answered: redis://***@cache"
    assert entries[0].message == "by ada: redis://***@cache"


def test_a_refused_request_does_not_tell_its_task_token() -> None:
    with pytest.raises(ValidationError) as refused:
        Call.model_validate({"task_token": "AQCANARY" * 20})

    assert "CANARY" not in str(refused.value)
