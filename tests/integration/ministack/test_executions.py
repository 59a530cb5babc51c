"""Executions start, end and tell of it as the Step Functions documentation says."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.ministack.cloud import Cloud, Execution, eventually

Run = Callable[..., Execution]
Work = Callable[..., dict[str, Any]]


def test_a_fail_state_ends_with_the_computed_error_and_cause(run: Run) -> None:
    execution = run(
        {
            "End": {
                "Type": "Fail",
                "Error": "{% $states.input.outcome %}",
                "Cause": "{% 'because ' & $states.input.reason %}",
            }
        },
        given={"outcome": "RolledBack", "reason": "it was unhealthy"},
    )

    ended = execution.ended()
    assert (ended["status"], ended["error"], ended["cause"]) == (
        "FAILED",
        "RolledBack",
        "because it was unhealthy",
    )


def test_a_choice_follows_its_first_true_condition(run: Run) -> None:
    execution = run(
        {
            "NeedsApproval": {
                "Type": "Choice",
                "Choices": [
                    {"Condition": "{% $states.input.count > 5 %}", "Next": "Many"},
                    {"Condition": "{% $states.input.count > 2 %}", "Next": "Some"},
                ],
                "Default": "Few",
            },
            "Many": {"Type": "Succeed", "Output": "many"},
            "Some": {"Type": "Succeed", "Output": "some"},
            "Few": {"Type": "Succeed", "Output": "few"},
        },
        given={"count": 3},
    )

    assert execution.output() == "some"


def test_a_condition_that_is_not_a_boolean_fails_the_execution(run: Run) -> None:
    execution = run(
        {
            "IsThere": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $states.input.name %}", "Next": "End"}],
                "Default": "End",
            },
            "End": {"Type": "Succeed"},
        },
        given={"name": "x"},
    )

    assert execution.ended()["error"] == "States.QueryEvaluationError"


def test_all_expressions_of_one_assign_see_the_earlier_values(run: Run) -> None:
    execution = run(
        {
            "First": {"Type": "Pass", "Assign": {"x": 1, "y": 2}, "Next": "Second"},
            "Second": {
                "Type": "Pass",
                "Assign": {"x": "{% $y %}", "y": "{% $x %}"},
                "Next": "End",
            },
            "End": {"Type": "Succeed", "Output": {"x": "{% $x %}", "y": "{% $y %}"}},
        }
    )

    assert execution.output() == {"x": 2, "y": 1}


def test_a_stopped_execution_stays_aborted_and_does_no_more(
    cloud: Cloud, run: Run, work: Work
) -> None:
    states = cloud.client("stepfunctions")
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 9}]
    execution = run({"Work": work({}, token=True, TimeoutSeconds=600, Retry=retry)})
    token = execution.tokens()[0]

    states.stop_execution(executionArn=execution.arn, error="Stopped", cause="by an operator")

    with pytest.raises(ClientError, match="TaskTimedOut"):
        states.send_task_success(taskToken=token, output="1")
    assert (execution.described()["status"], execution.history()[-1]["type"]) == (
        "ABORTED",
        "ExecutionAborted",
    )


def test_a_late_error_of_a_task_does_not_overwrite_aborted(
    cloud: Cloud, run: Run, work: Work
) -> None:
    execution = run({"Work": work({"do": "sleep", "seconds": 60})})
    eventually(lambda: any(e["type"] == "TaskStarted" for e in execution.history()))
    eventually(lambda: any(worker["busy"] for worker in cloud.ministack.workers()))

    cloud.client("stepfunctions").stop_execution(executionArn=execution.arn)
    cloud.ministack.kill(cloud.outputs["WorkerFunction"])
    eventually(lambda: not any(worker["busy"] for worker in cloud.ministack.workers()))

    assert execution.described()["status"] == "ABORTED"


def test_the_definitions_own_time_limit_ends_the_execution(
    cloud: Cloud, run: Run, work: Work
) -> None:
    execution = run({"Work": work({}, token=True)}, TimeoutSeconds=1)

    assert execution.ended()["status"] == "TIMED_OUT"
    assert execution.history()[-1]["type"] == "ExecutionTimedOut"


def test_starting_the_same_execution_twice_gives_the_same_one_while_it_runs(
    cloud: Cloud, run: Run, work: Work
) -> None:
    states = cloud.client("stepfunctions")
    running = run({"Work": work({}, token=True)}).described()
    same = {"stateMachineArn": running["stateMachineArn"], "name": running["name"]}

    again = states.start_execution(**same, input=running["input"])

    assert again["executionArn"] == running["executionArn"]
    with pytest.raises(states.exceptions.ExecutionAlreadyExists):
        states.start_execution(**same, input='{"other": 1}')
    states.stop_execution(executionArn=running["executionArn"])
    with pytest.raises(states.exceptions.ExecutionAlreadyExists):
        states.start_execution(**same, input=running["input"])


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "ABORTED"])
def test_the_end_of_an_execution_is_told_by_an_event(cloud: Cloud, status: str) -> None:
    states = cloud.client("stepfunctions")
    given = {
        "SUCCEEDED": {"do": "echo"},
        "FAILED": {"do": "raise broken"},
        "ABORTED": {"do": "sleep", "seconds": 4},
    }[status]
    arn = states.start_execution(stateMachineArn=cloud.outputs["Machine"], input=json.dumps(given))[
        "executionArn"
    ]
    if status == "ABORTED":
        states.stop_execution(executionArn=arn, error="Stopped", cause="by an operator")

    def told() -> list[Any]:
        return [e for e in cloud.heard("ListenerFunction") if e["resources"] == [arn]]

    event = eventually(told)[0]
    assert (event["source"], event["detail-type"], event["detail"]["status"]) == (
        "aws.states",
        "Step Functions Execution Status Change",
        status,
    )
    assert event["detail"]["name"] == arn.rpartition(":")[2]
    assert json.loads(event["detail"]["input"]) == given
