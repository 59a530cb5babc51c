"""Task states follow the Step Functions developer guide: errors, timeouts, tokens and retries."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.ministack.cloud import Cloud, Execution, eventually

Run = Callable[..., Execution]
Work = Callable[..., dict[str, Any]]

CAUGHT = {"error": "{% $states.errorOutput.Error %}", "cause": "{% $states.errorOutput.Cause %}"}


def refusal(action: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        action(**arguments)
    return str(caught.value.response["Error"]["Code"])


def counted(execution: Execution) -> dict[str, int]:
    kinds = [event["type"] for event in execution.history()]
    tasks = [kind for kind in kinds if kind.startswith("Task") and "State" not in kind]
    return {kind: tasks.count(kind) for kind in tasks}


def test_an_error_of_a_function_is_caught_by_its_class_name(run: Run, work: Work) -> None:
    execution = run(
        {
            "Work": work(
                {"do": "raise broken"},
                Catch=[
                    {"ErrorEquals": ["Transient"], "Next": "Wrong"},
                    {
                        "ErrorEquals": ["Broken"],
                        "Output": {"caught": CAUGHT},
                        "Assign": {"failure": "{% $states.errorOutput.Error %}"},
                        "Next": "Right",
                    },
                ],
            ),
            "Wrong": {"Type": "Fail"},
            "Right": {"Type": "Pass", "Output": {"kept": "{% $failure %}"}, "Next": "End"},
            "End": {"Type": "Succeed", "Output": "{% $states.input %}"},
        }
    )

    assert execution.output() == {"kept": "Broken"}


def test_the_cause_of_a_function_error_is_the_json_of_its_report(run: Run, work: Work) -> None:
    catch = [{"ErrorEquals": ["Transient"], "Output": CAUGHT, "Next": "End"}]
    execution = run(
        {"Work": work({"do": "raise transient"}, Catch=catch), "End": {"Type": "Succeed"}}
    )

    caught = execution.output()
    report = json.loads(caught["cause"])
    assert (caught["error"], report["errorType"], report["errorMessage"]) == (
        "Transient",
        "Transient",
        "try again",
    )


def test_each_retry_knows_its_count(run: Run, work: Work) -> None:
    execution = run(
        {
            "Work": work(
                "{% $states.context.State.RetryCount < 2 ? {'do': 'raise transient'}"
                " : {'do': 'echo', 'tries': $states.context.State.RetryCount} %}",
                Retry=[
                    {
                        "ErrorEquals": ["Transient"],
                        "IntervalSeconds": 1,
                        "MaxDelaySeconds": 1,
                        "BackoffRate": 2,
                        "JitterStrategy": "FULL",
                        "MaxAttempts": 3,
                    }
                ],
                Output="{% $states.result.Payload.tries %}",
            )
        }
    )

    assert execution.output() == 2
    assert counted(execution) == {
        "TaskScheduled": 3,
        "TaskStarted": 3,
        "TaskFailed": 2,
        "TaskSucceeded": 1,
    }


def test_a_function_that_dies_fails_the_task(run: Run, work: Work) -> None:
    catch = [{"ErrorEquals": ["Runtime.ExitError"], "Output": "died", "Next": "End"}]
    execution = run({"Work": work({"do": "exit"}, Catch=catch), "End": {"Type": "Succeed"}})

    assert execution.output() == "died"


def test_a_function_that_takes_too_long_fails_the_task(run: Run, work: Work) -> None:
    catch = [{"ErrorEquals": ["Sandbox.Timedout"], "Output": "too long", "Next": "End"}]
    slow = work({"do": "sleep", "seconds": 30}, Catch=catch)
    execution = run({"Work": slow, "End": {"Type": "Succeed"}})

    assert execution.output() == "too long"


def test_a_callback_gives_the_task_its_result(cloud: Cloud, run: Run, work: Work) -> None:
    execution = run(
        {
            "Work": work(
                {"name": "{% $states.context.Execution.Name %}"},
                token=True,
                Assign={"answer": "{% $states.result.answer %}"},
                Next="End",
            ),
            "End": {"Type": "Succeed", "Output": "{% $answer %}"},
        }
    )
    token = execution.tokens()[0]

    cloud.client("stepfunctions").send_task_success(taskToken=token, output='{"answer": 42}')

    assert execution.output() == 42


def test_a_callback_can_fail_the_task(cloud: Cloud, run: Run, work: Work) -> None:
    catch = [{"ErrorEquals": ["Unhealthy"], "Output": CAUGHT, "Next": "End"}]
    execution = run({"Work": work({}, token=True, Catch=catch), "End": {"Type": "Succeed"}})
    token = execution.tokens()[0]

    cloud.client("stepfunctions").send_task_failure(
        taskToken=token, error="Unhealthy", cause="the release was found wanting"
    )

    assert execution.output() == {"error": "Unhealthy", "cause": "the release was found wanting"}


def test_an_error_of_the_function_fails_a_callback_task_at_once(run: Run, work: Work) -> None:
    catch = [{"ErrorEquals": ["Broken"], "Output": "broken", "Next": "End"}]
    execution = run(
        {"Work": work({"do": "raise broken"}, token=True, Catch=catch), "End": {"Type": "Succeed"}}
    )

    assert execution.output() == "broken"


def test_a_callback_that_comes_while_the_function_still_works_counts(
    cloud: Cloud, run: Run, work: Work
) -> None:
    execution = run({"Work": work({"do": "sleep", "seconds": 4}, token=True)})
    eventually(lambda: counted(execution).get("TaskStarted"))
    scheduled = next(e for e in execution.history() if e["type"] == "TaskScheduled")
    parameters = json.loads(scheduled["taskScheduledEventDetails"]["parameters"])

    cloud.client("stepfunctions").send_task_success(
        taskToken=parameters["Payload"]["token"], output='"early"'
    )

    assert execution.output() == "early"
    assert "TaskSubmitted" not in counted(execution)


def test_a_token_is_good_for_one_use(cloud: Cloud, run: Run, work: Work) -> None:
    states = cloud.client("stepfunctions")
    execution = run({"Work": work({}, token=True)})
    token = execution.tokens()[0]
    states.send_task_success(taskToken=token, output='"first"')

    assert refusal(states.send_task_success, taskToken=token, output='"again"') == "TaskTimedOut"
    assert refusal(states.send_task_failure, taskToken=token) == "TaskTimedOut"
    assert refusal(states.send_task_heartbeat, taskToken=token) == "TaskTimedOut"
    assert execution.output() == "first"


def test_a_timeout_is_retried_with_a_new_token_and_the_old_one_is_dead(
    cloud: Cloud, run: Run, work: Work
) -> None:
    states = cloud.client("stepfunctions")
    execution = run(
        {
            "Work": work(
                {},
                token=True,
                TimeoutSeconds="{% $states.input.patience %}",
                Retry=[{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1, "MaxAttempts": 5}],
            )
        },
        given={"patience": 1},
    )
    old, new = execution.tokens(2)[:2]

    assert old != new
    assert refusal(states.send_task_success, taskToken=old, output="1") == "TaskTimedOut"
    states.send_task_success(taskToken=new, output="2")
    assert execution.output() == 2
    assert counted(execution)["TaskTimedOut"] == 1


def test_patience_counts_from_the_start_of_the_function(run: Run, work: Work) -> None:
    catch = [{"ErrorEquals": ["States.Timeout"], "Output": "timed out", "Next": "End"}]
    slow = work({"do": "sleep", "seconds": 4}, token=True, TimeoutSeconds=1, Catch=catch)
    execution = run({"Work": slow, "End": {"Type": "Succeed"}})

    execution.output()
    description = execution.described()
    assert (description["stopDate"] - description["startDate"]).total_seconds() < 3


def test_a_token_that_never_was_is_invalid(cloud: Cloud) -> None:
    states = cloud.client("stepfunctions")

    assert refusal(states.send_task_success, taskToken="bogus", output="1") == "InvalidToken"


def test_an_output_that_is_not_json_is_refused_and_the_token_lives(
    cloud: Cloud, run: Run, work: Work
) -> None:
    states = cloud.client("stepfunctions")
    execution = run({"Work": work({}, token=True)})
    token = execution.tokens()[0]

    assert refusal(states.send_task_success, taskToken=token, output="{no") == "InvalidOutput"
    states.send_task_success(taskToken=token, output="1")
    assert execution.output() == 1


def test_a_throttled_function_has_the_documented_error(cloud: Cloud, run: Run, work: Work) -> None:
    function = cloud.outputs["WorkerFunction"]
    client = cloud.client("lambda")
    client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    catch = [
        {"ErrorEquals": ["Lambda.TooManyRequestsException"], "Output": "throttled", "Next": "End"}
    ]
    try:
        execution = run({"Work": work({}, Catch=catch), "End": {"Type": "Succeed"}})
        assert execution.output() == "throttled"
    finally:
        client.delete_function_concurrency(FunctionName=function)
