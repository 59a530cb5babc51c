"""What counts as deployed: our deployment, our revision, our digest; "stable" does not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.domain.binding import (
    Expected,
    judge_alarms,
    judge_answer,
    judge_rollout,
)
from slipway.domain.verdict import Finding, HttpAnswer, Rollout, RolloutState, Verdict, judge
from slipway.domain.verification import HttpCheck
from tests.builders.documents import FAMILY, FIRST_REVISION, NEW, OLD, OTHER

OURS = f"{FAMILY}:9"
EXPECTED = Expected(revision_arn=OURS, digests=(NEW, OTHER), version="2.0.0")
LIVE = Rollout(
    primary_deployment_id="ecs-svc/2",
    primary_revision_arn=OURS,
    state=RolloutState.COMPLETED,
    told="SUCCESSFUL",
    digests=(NEW,),
    desired_count=2,
    running_count=2,
)


def binding(verdict: Verdict, message: str) -> Finding:
    return Finding(what="binding", verdict=verdict, message=message)


def live(**changes: object) -> Finding:
    return judge_rollout(LIVE.model_copy(update=changes), EXPECTED)


def test_our_deployment_revision_and_digest_together_are_live() -> None:
    assert live() == binding(Verdict.SUCCESSFUL, "ecs-svc/2 is live")


def test_a_service_that_ecs_rolled_back_is_stable_and_never_a_success() -> None:
    rolled_back = live(
        primary_deployment_id="ecs-svc/3",
        primary_revision_arn=FIRST_REVISION,
        state=RolloutState.GIVEN_UP,
        digests=(OLD,),
    )

    assert rolled_back == binding(Verdict.FAILED, f"{FIRST_REVISION} is live instead.")


def test_another_deployment_of_the_same_revision_is_as_good_as_ours_once_it_is_complete() -> None:
    assert live(primary_deployment_id="ecs-svc/3") == binding(
        Verdict.SUCCESSFUL, "ecs-svc/3 is live"
    )


def test_a_rollout_under_way_decides_nothing() -> None:
    assert live(state=RolloutState.UNDERWAY, digests=()) == binding(
        Verdict.MOVING, "The rollout is still in progress."
    )


@pytest.mark.parametrize(("digests", "seen"), [((OLD,), "sha256:a1a1a1a1a1a1"), ((), "no digest")])
def test_a_revision_that_runs_another_image_is_not_ours(
    digests: tuple[str, ...], seen: str
) -> None:
    assert live(digests=digests) == binding(Verdict.FAILED, f"The running tasks report {seen}.")


def test_the_image_of_our_platform_is_as_good_as_the_index_that_was_pushed() -> None:
    assert live(digests=(OLD, OTHER)).verdict is Verdict.SUCCESSFUL


@pytest.mark.parametrize("state", [RolloutState.GIVEN_UP, RolloutState.ABSENT])
def test_only_a_completed_rollout_is_live(state: RolloutState) -> None:
    assert live(state=state, told="STOPPED: by ada") == binding(
        Verdict.FAILED, "ECS reports the rollout as STOPPED: by ada."
    )


@given(
    st.sampled_from(["ecs-svc/2", "ecs-svc/3"]),
    st.sampled_from([OURS, FIRST_REVISION]),
    st.sampled_from(RolloutState),
    st.lists(st.sampled_from([NEW, OLD, OTHER]), max_size=2),
)
def test_success_needs_everything_at_once(
    deployment: str, revision: str, state: RolloutState, digests: list[str]
) -> None:
    finding = live(
        primary_deployment_id=deployment,
        primary_revision_arn=revision,
        state=state,
        digests=tuple(digests),
    )

    everything = (revision, state) == (OURS, RolloutState.COMPLETED)
    ours = NEW in digests or OTHER in digests
    assert (finding.verdict is Verdict.SUCCESSFUL) is (everything and ours)


def test_a_rollback_is_bound_by_revision_and_digest_alone() -> None:
    back = Expected(revision_arn=FIRST_REVISION, digests=(OLD,), version="1.0.0")
    rollout = LIVE.model_copy(update={"primary_revision_arn": FIRST_REVISION, "digests": (OLD,)})

    assert judge_rollout(rollout, back).verdict is Verdict.SUCCESSFUL


CHECK = HttpCheck(path="/health", contains="ok", version_field="version")


def answered(status: int = 200, body: str = '{"status": "ok", "version": "2.0.0"}') -> Finding:
    answer = HttpAnswer(url="http://notes/health", status=status, body=body)
    return judge_answer(answer, CHECK, "2.0.0")


def test_the_expected_answer_passes() -> None:
    assert answered() == Finding(
        what="/health", verdict=Verdict.SUCCESSFUL, message="/health answers 200"
    )


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (0, "connection refused", "did not answer (connection refused)"),
        (500, "ok", "answered 500 instead of 200"),
        (200, '{"version": "2.0.0"}', "does not contain 'ok'"),
        (200, '{"status": "ok", "version": "1.0.0"}', "reports version 1.0.0 instead of 2.0.0"),
        (200, '{"status": "ok"}', "has no field 'version'"),
        (200, "ok", "is not JSON, so it has no field 'version'"),
        (200, '["ok"]', "has no field 'version'"),
        (200, '"ok"', "has no field 'version'"),
    ],
)
def test_another_answer_decides_nothing_and_is_quoted(
    status: int, body: str, sentence: str
) -> None:
    assert answered(status, body) == Finding(
        what="/health",
        verdict=Verdict.INCONCLUSIVE,
        message=f"http://notes/health {sentence}.",
    )


def test_a_version_is_compared_as_text() -> None:
    answer = HttpAnswer(url="http://notes/", status=200, body=json.dumps({"version": 2}))
    check = HttpCheck(path="/", version_field="version")

    assert judge_answer(answer, check, "2").verdict is Verdict.SUCCESSFUL


def test_a_release_without_a_version_label_is_not_asked_for_it() -> None:
    answer = HttpAnswer(url="http://notes/", status=200, body="ok")

    assert judge_answer(answer, CHECK, None).verdict is Verdict.SUCCESSFUL


@given(st.text(max_size=60))
def test_whatever_the_service_says_is_judged(body: str) -> None:
    assert answered(200, body).verdict in (Verdict.SUCCESSFUL, Verdict.INCONCLUSIVE)


def test_an_alarm_that_fires_fails() -> None:
    assert judge_alarms(["a", "b"], ["b"]) == Finding(
        what="alarms", verdict=Verdict.FAILED, message="In alarm: b."
    )
    assert judge_alarms(["a", "b"], []) == Finding(
        what="alarms", verdict=Verdict.SUCCESSFUL, message="2 alarms quiet"
    )


@given(st.lists(st.sampled_from(list(Verdict)), max_size=5))
def test_the_worst_finding_decides_and_nothing_looked_at_is_no_success(
    verdicts: list[Verdict],
) -> None:
    findings = [Finding(what="x", verdict=verdict, message="x") for verdict in verdicts]

    if Verdict.FAILED in verdicts:
        expected = Verdict.FAILED
    elif Verdict.INCONCLUSIVE in verdicts or not verdicts:
        expected = Verdict.INCONCLUSIVE
    elif Verdict.MOVING in verdicts:
        expected = Verdict.MOVING
    else:
        expected = Verdict.SUCCESSFUL
    assert judge(findings).verdict is expected


def test_a_judgement_tells_what_is_wanting_or_else_everything() -> None:
    good = Finding(what="a", verdict=Verdict.SUCCESSFUL, message="all is well")
    bad = Finding(what="b", verdict=Verdict.FAILED, message="In alarm: b.")

    assert judge([good, bad]).message == "In alarm: b."
    assert judge([good, good]).message == "all is well; all is well"
