"""One execution per deployment, under the deployment's own name."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from slipway.adapters.executions import StepFunctionsExecutions
from slipway.domain.errors import Broken, Transient
from tests.integration.adapters.stubbed import refuse, stubbed

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:slipway-deployment"
EXECUTION = "arn:aws:states:us-east-1:000000000000:execution:slipway-deployment:notes-staging-1"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def executions(client: Any, machine: str) -> StepFunctionsExecutions:
    return StepFunctionsExecutions(client, machine, lambda: NOW)


def test_an_execution_starts_under_the_deployments_name() -> None:
    with stubbed("stepfunctions") as (client, stub):
        expected = {"stateMachineArn": MACHINE, "name": "notes-staging-1", "input": "{}"}
        stub.add_response("start_execution", {"executionArn": EXECUTION, "startDate": 0}, expected)

        executions(client, MACHINE).start("notes-staging-1", "{}")


def test_an_execution_that_was_started_before_stays_the_one() -> None:
    with stubbed("stepfunctions") as (client, stub):
        refuse(stub, "start_execution", "ExecutionAlreadyExists")

        executions(client, MACHINE).start("notes-staging-1", "{}")


def test_a_refused_start_is_broken() -> None:
    with pytest.raises(Broken), stubbed("stepfunctions") as (client, stub):
        refuse(stub, "start_execution", "StateMachineDoesNotExist")
        executions(client, MACHINE).start("notes-staging-1", "{}")


@pytest.mark.parametrize("machine", [MACHINE, f"{MACHINE}:7", f"{MACHINE}:live"])
@pytest.mark.parametrize(
    ("status", "running"),
    [
        ("RUNNING", True),
        ("SUCCEEDED", False),
        ("FAILED", False),
        ("TIMED_OUT", False),
        ("ABORTED", False),
    ],
)
def test_an_execution_runs_until_it_has_ended(machine: str, status: str, running: bool) -> None:
    described = {
        "executionArn": EXECUTION,
        "stateMachineArn": MACHINE,
        "status": status,
        "startDate": 0,
    }
    with stubbed("stepfunctions") as (client, stub):
        stub.add_response("describe_execution", described, {"executionArn": EXECUTION})

        assert executions(client, machine).running("notes-staging-1") is running


def test_an_execution_that_never_was_does_not_run() -> None:
    with stubbed("stepfunctions") as (client, stub):
        refuse(stub, "describe_execution", "ExecutionDoesNotExist")

        assert not executions(client, MACHINE).running("notes-staging-1")


def test_an_execution_that_cannot_be_seen_is_not_taken_for_ended() -> None:
    with pytest.raises(Transient), stubbed("stepfunctions") as (client, stub):
        refuse(stub, "describe_execution", "ThrottlingException")
        executions(client, MACHINE).running("notes-staging-1")


@pytest.mark.parametrize(("seconds_ago", "at_work"), [(0, True), (59, True), (60, False)])
def test_a_stopped_execution_is_at_work_until_its_last_function_must_have_ended(
    seconds_ago: int, at_work: bool
) -> None:
    described = {
        "executionArn": EXECUTION,
        "stateMachineArn": MACHINE,
        "status": "ABORTED",
        "startDate": 0,
        "stopDate": NOW - timedelta(seconds=seconds_ago),
    }
    with stubbed("stepfunctions") as (client, stub):
        stub.add_response("describe_execution", described, {"executionArn": EXECUTION})

        assert executions(client, MACHINE).at_work("notes-staging-1") is at_work


@pytest.mark.parametrize("machine", [MACHINE, f"{MACHINE}:live"])
def test_all_that_runs_is_listed_page_by_page(machine: str) -> None:
    def page(*names: str) -> dict[str, Any]:
        executions = [
            {
                "executionArn": f"{EXECUTION[: EXECUTION.rindex(':')]}:{name}",
                "stateMachineArn": MACHINE,
                "name": name,
                "status": "RUNNING",
                "startDate": 0,
            }
            for name in names
        ]
        return {"executions": executions}

    asked = {"stateMachineArn": MACHINE, "statusFilter": "RUNNING", "maxResults": 1000}
    with stubbed("stepfunctions") as (client, stub):
        first = page("notes-staging-2", "notes-staging-1") | {"nextToken": "more"}
        stub.add_response("list_executions", first, asked)
        stub.add_response("list_executions", page("notes-staging-0"), asked | {"nextToken": "more"})

        assert executions(client, machine).all_running() == {
            "notes-staging-0",
            "notes-staging-1",
            "notes-staging-2",
        }
