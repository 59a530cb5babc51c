"""How a deployment ends, and how a failure is read from what Step Functions hands on."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.domain.deployment import Deployment, Phase
from slipway.domain.effect import Effect
from slipway.domain.errors import Broken, Reason, Rejected, Transient, Unhealthy
from slipway.domain.failure import Failure, outcome_of
from slipway.domain.outcome import Outcome
from slipway.domain.progress import Progress, SchemaWork
from tests.builders.documents import START
from tests.builders.worlds import World

# What a state can end with: our four classes, and names of Step Functions and Lambda.
ERRORS = [
    *(kind.__name__ for kind in (Rejected, Unhealthy, Transient, Broken)),
    "States.Timeout",
    "States.Runtime",
    "ExecutionStopped",
    "KeyError",
]
ENDS_BEFORE_ANYTHING_CHANGED = {
    Reason.SUPERSEDED: Outcome.SUPERSEDED,
    Reason.APPROVAL_REJECTED: Outcome.REJECTED,
    Reason.APPROVAL_EXPIRED: Outcome.EXPIRED,
    Reason.CANCELLED: Outcome.CANCELLED,
    Reason.UNCHANGED: Outcome.UNCHANGED,
}


def failure(error: str = "Unhealthy", reason: str = Reason.RELEASE_UNHEALTHY) -> Failure:
    return Failure(state="Verify", error=error, reason=reason, message="It is ill.")


def test_without_failure_it_succeeded() -> None:
    assert outcome_of(None, None, changed=True) is Outcome.SUCCEEDED


def test_a_rollback_that_went_well_is_rolled_back() -> None:
    assert outcome_of(None, failure(), changed=True) is Outcome.ROLLED_BACK


@pytest.mark.parametrize("reason", list(Reason))
def test_a_refusal_before_any_change_ends_by_its_reason(reason: Reason) -> None:
    expected = ENDS_BEFORE_ANYTHING_CHANGED.get(reason, Outcome.BLOCKED)

    assert outcome_of(failure("Rejected", reason), None, changed=False) is expected


@pytest.mark.parametrize("error", [name for name in ERRORS if name != "Rejected"])
def test_another_failure_before_any_change_is_failed(error: str) -> None:
    assert outcome_of(failure(error), None, changed=False) is Outcome.FAILED


@pytest.mark.parametrize("error", ERRORS)
def test_a_failure_after_a_change_without_rollback_needs_an_operator(error: str) -> None:
    assert outcome_of(failure(error), None, changed=True) is Outcome.NEEDS_OPERATOR


@pytest.mark.parametrize("error", ERRORS)
def test_a_rollback_that_failed_says_so_and_one_that_only_a_person_can_decide_asks(
    error: str,
) -> None:
    expected = Outcome.NEEDS_OPERATOR if error == "Broken" else Outcome.ROLLBACK_FAILED

    assert outcome_of(failure(error), failure(), changed=True) is expected


@given(
    st.none() | st.builds(failure, st.sampled_from(ERRORS), st.sampled_from(list(Reason))),
    st.none() | st.just(failure()),
    st.booleans(),
)
def test_success_is_only_said_when_nothing_failed(
    ended_by: Failure | None, cause: Failure | None, changed: bool
) -> None:
    outcome = outcome_of(ended_by, cause, changed=changed or cause is not None)

    assert (outcome is Outcome.SUCCEEDED) is (ended_by is None and cause is None)
    if ended_by is not None and (changed or cause is not None):
        assert outcome.holds_the_lane


def test_three_ends_hold_the_lane() -> None:
    holding = {outcome for outcome in Outcome if outcome.holds_the_lane}

    assert holding == {Outcome.ROLLED_BACK, Outcome.ROLLBACK_FAILED, Outcome.NEEDS_OPERATOR}


def parsed(cause: str, error: str = "Unhealthy") -> Failure:
    return Failure.parsed("Deploy", error, cause)


def told(reason: str, message: str, error: str = "Unhealthy") -> Failure:
    return Failure(state="Deploy", error=error, reason=reason, message=message)


def test_a_refusal_by_token_is_read() -> None:
    assert parsed("CircuitBreakerTripped: ECS: tasks failed to start.") == told(
        "CircuitBreakerTripped", "ECS: tasks failed to start."
    )


def test_an_exception_of_the_lambda_runtime_is_read() -> None:
    cause = json.dumps(
        {
            "errorMessage": "ImageMissing: notes has no image.",
            "errorType": "Rejected",
            "stackTrace": ["..."],
        }
    )

    assert parsed(cause, "Rejected") == told("ImageMissing", "notes has no image.", "Rejected")


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        ("", ""),
        ("out of memory", "out of memory"),
        ("KeyError: 'plan'", "KeyError: 'plan'"),
        ('{"errorMessage": "boom"}', "boom"),
        ('{"errorType": "Runtime.ExitError"}', '{"errorType": "Runtime.ExitError"}'),
        ("[1, 2]", "[1, 2]"),
        ("null", "null"),
        ('"Superseded: quoted"', '"Superseded: quoted"'),
        ("9" * 5000, f"{'9' * 1999}…"),
        ("[" * 30_000, f"{'[' * 1999}…"),
        ("connecting to redis://:PW@cache", "connecting to redis://***@cache"),
    ],
    ids=lambda text: text[:12],
)
def test_a_foreign_cause_is_an_internal_error_in_its_own_words(cause: str, message: str) -> None:
    assert parsed(cause) == told("InternalError", message)


@pytest.mark.parametrize(
    "error", ["Lambda.Unknown", "Runtime.ExitError", "Runtime.OutOfMemory", "Sandbox.Timedout"]
)
@pytest.mark.parametrize(
    ("cause", "message"),
    [
        (
            '{"errorMessage": "Task timed out after 60.00 seconds"}',
            "Task timed out after 60.00 seconds",
        ),
        ("Cancelled: looks like one of ours", "Cancelled: looks like one of ours"),
        ("", ""),
    ],
)
def test_a_look_that_died_three_times_is_told_as_such(error: str, cause: str, message: str) -> None:
    sentence = f"Three looks of Deploy did not finish: {message or error}"

    assert parsed(cause, error) == told("LookEndless", sentence, error)


@given(st.text(max_size=200))
def test_any_cause_is_read(cause: str) -> None:
    assert parsed(cause).reason in set(Reason)


@given(st.sampled_from(list(Reason)), st.text(max_size=60))
def test_both_forms_of_one_refusal_read_the_same(reason: Reason, message: str) -> None:
    raised = Unhealthy(reason, message)

    assert parsed(json.dumps({"errorMessage": str(raised)})) == told(reason, message)
    if message.strip():
        assert parsed(str(raised)) == told(reason, message)


def deployment(**fields: object) -> Deployment:
    world = World()
    world.admit()
    return world.deployment.model_copy(update=fields)


def test_a_deployment_that_has_ended_does_not_go_on() -> None:
    with pytest.raises(Rejected) as refused:
        deployment(outcome=Outcome.SUPERSEDED).refuse_to_continue()
    assert str(refused.value) == ("DeploymentEnded: notes-staging-1 has ended: Superseded.")


def test_a_cancelled_deployment_does_not_go_on() -> None:
    with pytest.raises(Rejected) as refused:
        deployment(cancel_requested_by="ada").refuse_to_continue()
    assert str(refused.value) == "Cancelled: Cancelled by ada."


def test_a_step_before_the_plan_is_broken() -> None:
    with pytest.raises(Broken) as broken:
        deployment().planned()
    assert str(broken.value) == "InternalError: notes-staging-1 has no plan yet."


def test_a_deployment_knows_more_without_forgetting() -> None:
    asked = Effect(requested_at=START, handle="s")
    first = deployment().with_backup("rds:notes", asked).at(Phase.BACKING_UP)
    second = first.with_schema_task(SchemaWork.UP, Effect(requested_at=START))

    assert second.progress == Progress(
        backups={"rds:notes": asked},
        schema_tasks={SchemaWork.UP: Effect(requested_at=START)},
    )
    assert second.phase is Phase.BACKING_UP
