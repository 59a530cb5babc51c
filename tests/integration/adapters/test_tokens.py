"""Answers to states that wait with a task token."""

import pytest

from slipway.adapters.tokens import TaskTokens
from slipway.domain.errors import Broken, Transient
from tests.integration.adapters.stubbed import refuse, stubbed

GONE = ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"]


def test_a_success_is_told_with_its_output() -> None:
    with stubbed("stepfunctions") as (client, stub):
        expected = {"taskToken": "t", "output": '{"done": true}'}
        stub.add_response("send_task_success", {}, expected)

        assert TaskTokens(client).success("t", '{"done": true}')


def test_a_failure_is_told_within_step_functions_limits() -> None:
    with stubbed("stepfunctions") as (client, stub):
        expected = {"taskToken": "t", "error": "E" * 256, "cause": "c" * 32_768}
        stub.add_response("send_task_failure", {}, expected)

        assert TaskTokens(client).failure("t", "E" * 300, "c" * 40_000)


@pytest.mark.parametrize("code", GONE)
def test_a_state_that_nobody_waits_in_any_more_is_answered_with_false(code: str) -> None:
    with stubbed("stepfunctions") as (client, stub):
        refuse(stub, "send_task_success", code)
        refuse(stub, "send_task_failure", code)
        tokens = TaskTokens(client)

        assert (tokens.success("t", "{}"), tokens.failure("t", "Broken", "x")) == (False, False)


def test_an_answer_that_did_not_arrive_is_not_taken_for_given() -> None:
    with pytest.raises(Transient), stubbed("stepfunctions") as (client, stub):
        refuse(stub, "send_task_success", "ThrottlingException")
        TaskTokens(client).success("t", "{}")


def test_an_answer_that_step_functions_refuses_is_broken() -> None:
    with pytest.raises(Broken), stubbed("stepfunctions") as (client, stub):
        refuse(stub, "send_task_success", "InvalidOutput")
        TaskTokens(client).success("t", "not JSON")
