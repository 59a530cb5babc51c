"""One execution per deployment, under the deployment's own name."""

import pytest

from slipway.adapters.executions import StepFunctionsExecutions
from slipway.domain.errors import Broken, Transient
from tests.integration.adapters.stubbed import refuse, stubbed

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:slipway-deployment"
EXECUTION = "arn:aws:states:us-east-1:000000000000:execution:slipway-deployment:notes-staging-1"


def test_an_execution_starts_under_the_deployments_name() -> None:
    with stubbed("stepfunctions") as (client, stub):
        expected = {"stateMachineArn": MACHINE, "name": "notes-staging-1", "input": "{}"}
        stub.add_response("start_execution", {"executionArn": EXECUTION, "startDate": 0}, expected)

        StepFunctionsExecutions(client, MACHINE).start("notes-staging-1", "{}")


def test_an_execution_that_was_started_before_stays_the_one() -> None:
    with stubbed("stepfunctions") as (client, stub):
        refuse(stub, "start_execution", "ExecutionAlreadyExists")

        StepFunctionsExecutions(client, MACHINE).start("notes-staging-1", "{}")


def test_a_refused_start_is_broken() -> None:
    with pytest.raises(Broken), stubbed("stepfunctions") as (client, stub):
        refuse(stub, "start_execution", "StateMachineDoesNotExist")
        StepFunctionsExecutions(client, MACHINE).start("notes-staging-1", "{}")


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

        assert StepFunctionsExecutions(client, machine).running("notes-staging-1") is running


def test_an_execution_that_never_was_does_not_run() -> None:
    with stubbed("stepfunctions") as (client, stub):
        refuse(stub, "describe_execution", "ExecutionDoesNotExist")

        assert not StepFunctionsExecutions(client, MACHINE).running("notes-staging-1")


def test_an_execution_that_cannot_be_seen_is_not_taken_for_ended() -> None:
    with pytest.raises(Transient), stubbed("stepfunctions") as (client, stub):
        refuse(stub, "describe_execution", "ThrottlingException")
        StepFunctionsExecutions(client, MACHINE).running("notes-staging-1")
