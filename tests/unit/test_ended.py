"""An execution that ended without Settle is settled by its event, which is only a hint."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.domain.deployment import Phase
from slipway.domain.errors import Reason, Rejected, Transient
from slipway.steps.execution_end import request_for_lost, settle_request
from slipway.steps.settle import SettleRequest
from tests.builders.samples import sample
from tests.builders.worlds import World, caught


def stopped(**detail: Any) -> dict[str, Any]:
    """Step Functions' event for an execution that was stopped by hand."""
    event = sample("settle-stopped")
    event["detail"] |= {"name": "notes-staging-1"} | detail
    return event


def entered() -> World:
    world = World().entered()
    world.executions.ended.add("notes-staging-1")
    return world


def request_of(event: dict[str, Any], world: World | None = None) -> SettleRequest:
    world = world or entered()
    return settle_request(event, records=world.records, executions=world.executions)


def refusal(event: dict[str, Any], world: World | None = None) -> tuple[Reason, str]:
    with pytest.raises(Rejected) as refused:
        request_of(event, world)
    return refused.value.reason, refused.value.message


def made(told: str) -> SettleRequest:
    return SettleRequest(
        deployment_id="notes-staging-1",
        lane="notes/staging",
        failure=caught("AwaitingLane", "ExecutionStopped", f"ExecutionStopped: {told}"),
    )


def test_the_state_machines_own_request_is_taken_as_it_is() -> None:
    request = {"deployment_id": "a", "lane": "b", "cause": None, "failure": None}

    assert request_of(request) == SettleRequest(deployment_id="a", lane="b")


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ({}, "The execution ended as ABORTED (stopped by hand)."),
        (
            {"status": "TIMED_OUT", "cause": None},
            "The execution ended as TIMED_OUT.",
        ),
        (
            {"status": "FAILED", "error": "States.Runtime", "cause": "bad expression"},
            "The execution ended as FAILED (States.Runtime: bad expression).",
        ),
    ],
)
def test_a_dead_execution_is_settled_with_what_step_functions_says(
    detail: dict[str, Any], told: str
) -> None:
    assert request_of(stopped(**detail)) == made(told)


def test_a_holder_that_somebody_missed_is_settled() -> None:
    event = {
        "detail-type": "Holder Lost",
        "source": "slipway",
        "detail": {"deployment_id": "notes-staging-1"},
    }

    assert request_of(event) == made("The execution ended as LOST.")


def test_an_execution_that_still_runs_is_not_settled() -> None:
    assert refusal(stopped(), World().entered()) == (
        Reason.EXECUTION_RUNNING,
        "The execution of notes-staging-1 is still running.",
    )


@pytest.mark.parametrize(
    "phase",
    [
        Phase.BACKING_UP,
        Phase.MIGRATING,
        Phase.DEPLOYING,
        Phase.VERIFYING,
        Phase.ROLLING_BACK,
    ],
)
def test_a_dead_execution_waits_for_its_last_function_where_that_may_change_something(
    phase: Phase,
) -> None:
    world = entered()
    world.rewrite(phase=phase)
    world.executions.leaving.add("notes-staging-1")

    with pytest.raises(Transient) as refused:
        request_of(stopped(), world)

    assert refused.value.reason is Reason.CALL_UNDER_WAY


def test_an_execution_of_no_deployment_is_refused() -> None:
    assert refusal(stopped(name="somebody-elses"))[0] is Reason.DEPLOYMENT_UNKNOWN


@pytest.mark.parametrize("detail", [None, [], "x", {"name": 7}, {"status": {}}])
def test_an_event_that_names_no_execution_is_refused(detail: object) -> None:
    assert refusal(stopped() | {"detail": detail}) == (
        Reason.EVENT_MALFORMED,
        "The event names no execution.",
    )


def test_the_sweep_settles_in_the_same_words() -> None:
    assert request_for_lost(entered().deployment) == made("The execution ended as LOST.")


WORLD = entered()


@given(
    st.dictionaries(
        st.sampled_from(["name", "deployment_id", "status", "error", "cause"]),
        st.none() | st.integers() | st.text(max_size=20) | st.just("notes-staging-1"),
    )
)
def test_any_detail_is_a_request_or_refused(detail: dict[str, Any]) -> None:
    try:
        request = request_of({"detail-type": "Holder Lost", "detail": detail}, WORLD)
    except Rejected:
        return
    assert request.deployment_id == "notes-staging-1"
