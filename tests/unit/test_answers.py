"""What an answer of the site proves, and what it does not."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.domain.binding import judge_answer, judge_answers
from slipway.domain.verdict import Finding, HttpAnswer, Verdict
from slipway.domain.verification import HttpCheck

URL = "https://notes.example.com/health"


def answer(body: str = "ok", status: int = 200, **more: str) -> HttpAnswer:
    return HttpAnswer(url=URL, status=status, body=body, **more)


def judged(given: HttpAnswer, version: str | None = "2.0.0", **check: object) -> Finding:
    return judge_answer(given, HttpCheck.model_validate({"path": "/health", **check}), version)


def wrong(given: HttpAnswer, version: str | None = "2.0.0", **check: object) -> str:
    """The sentence about an answer that is not good, without the URL that it begins with."""
    found = judged(given, version, **check)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.message.startswith(f"{URL} ")
    assert len(found.message) < 1000
    return found.message.removeprefix(f"{URL} ")


@pytest.mark.parametrize(
    ("body", "field", "version"),
    [
        ('\ufeff{"version": "2.0.0"}', "version", "2.0.0"),
        ('{"version": 1.10}', "version", "1.10"),
        ('{"version": 2}', "version", "2"),
        ('{"version": 1e3}', "version", "1e3"),
        (f'{{"build": {"9" * 6000}}}', "build", "9" * 6000),
        ('{"build": {"version": "2.0.0"}}', "build.version", "2.0.0"),
        ('{"a": {"b": {"c": 3.50}}}', "a.b.c", "3.50"),
        # A key that itself has dots comes before a path of keys.
        ('{"build.version": "2.0.0", "build": {"version": "1.0.0"}}', "build.version", "2.0.0"),
        ('{"app": {"build.version": "2.0.0"}}', "app.build.version", "2.0.0"),
        ('{"version": "2.0.0 \\u00fc"}', "version", "2.0.0 \u00fc"),
    ],
)
def test_a_version_is_read_as_the_service_wrote_it(body: str, field: str, version: str) -> None:
    assert judged(answer(body), version, version_field=field).verdict is Verdict.SUCCESSFUL


DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        ('{"version": 1.1}', "version", "reports version 1.1 instead of 1.10."),
        ('{"other": "1.10"}', "version", "has no field 'version'."),
        ('{"build": {"number": 7}}', "build.version", "has no field 'build.version'."),
        ('{"build": "1.10"}', "build.version", "has no field 'build.version'."),
        ('{"build": null}', "build.version", "has no field 'build.version'."),
        (
            '{"version": null}',
            "version",
            "has null in the field 'version', which is not a version.",
        ),
        (
            '{"version": true}',
            "version",
            "has true in the field 'version', which is not a version.",
        ),
        (
            '{"version": {"major": 1}}',
            "version",
            "has an object in the field 'version', which is not a version.",
        ),
        (
            '{"version": ["1.10"]}',
            "version",
            "has a list in the field 'version', which is not a version.",
        ),
        ('["version"]', "version", "has no field 'version'."),
        ('"version"', "version", "has no field 'version'."),
        ("1.10", "version", "has no field 'version'."),
        ("version 1.10", "version", "is not JSON, so it has no field 'version'."),
        ('{"version": "1.10"', "version", "is not JSON, so it has no field 'version'."),
        (DEEP, "version", "is not JSON, so it has no field 'version'."),
        ('{"version": NaN}', "version", "reports version NaN instead of 1.10."),
        ("", "version", "answered 200 with an empty body, which has no field 'version'."),
    ],
)
def test_what_is_no_version_is_told_as_what_it_is(body: str, field: str, sentence: str) -> None:
    assert wrong(answer(body), "1.10", version_field=field) == sentence


@pytest.mark.parametrize("version", ["None", "null", "true", "{'major': 1}", "NaN", ""])
def test_no_word_for_nothing_is_ever_a_version(version: str) -> None:
    for body in ('{"version": null}', '{"version": true}', '{"version": {"major": 1}}', "{}", ""):
        assert judged(answer(body), version, version_field="version").verdict is not (
            Verdict.SUCCESSFUL
        )


def test_a_login_page_where_json_is_expected_is_told_by_its_type() -> None:
    page = answer("<html>Sign in</html>", media_type="text/html")

    assert wrong(page, version_field="version") == (
        "is not JSON (text/html), so it has no field 'version'."
    )


def test_a_page_that_somebody_else_answered_is_not_healthy() -> None:
    page = answer("<html>Sign in</html>", answered_by="https://notes.example.com/login?next=/")

    assert wrong(page) == (
        "redirects to /login, which is another page (it answered 200); check that path, or allow "
        "it with redirects_to in the catalog."
    )


def test_a_page_that_is_allowed_to_answer_is_judged_like_the_page_itself() -> None:
    led = answer('{"version": "2.0.0"}', answered_by="https://notes.example.com/v2/health")
    check = {"redirects_to": "/v2/health", "version_field": "version"}

    assert judged(led, **check).verdict is Verdict.SUCCESSFUL
    assert wrong(led, "3.0.0", **check) == "reports version 2.0.0 instead of 3.0.0."


def test_a_redirect_that_is_expected_must_be_there() -> None:
    assert wrong(answer(), redirects_to="/v2") == "redirects to /health, not to /v2."


def test_the_same_path_behind_a_redirect_is_the_same_page() -> None:
    secure = HttpAnswer(url="http://n/health", status=200, body="", answered_by="https://n/health")
    query = answer(answered_by=f"{URL}?locale=en")

    assert judged(secure).verdict is Verdict.SUCCESSFUL
    assert judged(query).verdict is Verdict.SUCCESSFUL


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_that_is_expected_is_the_answer(status: int) -> None:
    led = answer("", status, location="https://notes.example.com/login?x=1")

    assert judged(led, status=status).verdict is Verdict.SUCCESSFUL
    assert judged(led, status=status, redirects_to="/login").verdict is Verdict.SUCCESSFUL
    assert wrong(led, status=status, redirects_to="/home") == ("redirects to /login, not to /home.")
    assert wrong(led) == (
        f"answered {status} instead of 200 and redirects to https://notes.example.com/login?x=1."
    )


@pytest.mark.parametrize("status", [200, 204, 205])
def test_an_empty_body_contains_nothing(status: int) -> None:
    assert judged(answer("", status), status=status).verdict is Verdict.SUCCESSFUL
    assert wrong(answer("", status), status=status, contains="ok") == (
        "has an empty body and does not contain 'ok'."
    )


def test_every_check_has_a_finding_also_without_an_answer() -> None:
    checks = [HttpCheck(path="/a"), HttpCheck(path="/b")]

    found = judge_answers([HttpAnswer(url="http://n/a", status=200, body="")], checks, None)

    assert [one.verdict for one in found] == [Verdict.SUCCESSFUL, Verdict.INCONCLUSIVE]


@given(
    st.one_of(
        st.text(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["version", "build", "a.b", ""]), inner, max_size=3
                )
            ),
        ).map(json.dumps),
    ),
    st.sampled_from(["version", "build.version", "a.b", ".", "..", "build."]),
)
def test_whatever_is_answered_is_judged_and_told_in_one_bounded_line(body: str, field: str) -> None:
    found = judged(answer(body), version_field=field)

    assert found.message.isprintable()
    assert len(found.message) < 1000
    if found.verdict is Verdict.SUCCESSFUL:
        assert '"2.0.0"' in body


def test_texts_of_the_site_are_cut_and_made_plain() -> None:
    nasty = "\x1b[31m\n*forged*\u202e" + "x" * 60_000

    for found in (
        judged(answer(json.dumps({"version": nasty})), version_field="version"),
        judged(answer("", 302, location="https://n/" + nasty)),
        judged(answer("", answered_by="https://n/" + "x" * 60_000)),
        judged(answer(nasty, 0)),
        judged(answer("<", media_type=nasty), version_field="version"),
    ):
        assert found.message.isprintable()
        assert len(found.message) < 1000


@pytest.mark.parametrize(
    "body", ['{"a":' * 10_000, "{" + '"a":1,' * 10_000, "9" * 65_536, '"' + "\\u0041" * 10_000]
)
def test_a_large_answer_is_judged_at_once(body: str) -> None:
    began = time.perf_counter()
    judged(answer(body), version_field=".".join("a" * 100))

    assert time.perf_counter() - began < 1
