"""One-off tasks: started once in the service's own network, looked at until they stop."""

import hashlib
from typing import Any

import pytest

from slipway.adapters.ecs.one_offs import EcsOneOffs
from slipway.domain.errors import Broken, Reason, Transient
from slipway.ports import OneOff
from tests.integration.adapters.ecs_answers import NEW, TASK, a_definition, a_service, services
from tests.integration.adapters.examples import TARGET
from tests.integration.adapters.stubbed import refuse, stubbed

STARTED_BY = "slipway/migrate/notes-staging-1"
COMMAND = ["alembic", "upgrade", "head"]
TOKEN = hashlib.sha256(STARTED_BY.encode()).hexdigest()
STREAM = "run/app/0123456789abcdef"


def _request(service: dict[str, Any]) -> dict[str, Any]:
    request: dict[str, Any] = {
        "cluster": "production",
        "taskDefinition": NEW,
        "count": 1,
        "overrides": {"containerOverrides": [{"name": "app", "command": COMMAND}]},
        "startedBy": STARTED_BY,
        "clientToken": TOKEN,
        "platformVersion": "1.4.0",
        "networkConfiguration": service["networkConfiguration"],
    }
    return request


def _run(service: dict[str, Any], request: dict[str, Any], answer: dict[str, Any]) -> str:
    with stubbed("ecs") as (ecs, stub), stubbed("logs") as (logs, _):
        stub.add_response("describe_services", services(service))
        stub.add_response("run_task", answer, request)
        return EcsOneOffs(ecs, logs).run(TARGET, NEW, COMMAND, STARTED_BY)


def test_a_task_starts_in_the_services_network_with_its_launch_type() -> None:
    service = a_service()
    request = _request(service) | {"launchType": "FARGATE"}

    assert _run(service, request, {"tasks": [{"taskArn": TASK}], "failures": []}) == TASK


def test_capacity_providers_take_the_place_of_the_launch_type() -> None:
    spot = [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]
    service = a_service(capacityProviderStrategy=spot)
    request = _request(service) | {"capacityProviderStrategy": spot}

    assert _run(service, request, {"tasks": [{"taskArn": TASK}], "failures": []}) == TASK


def test_the_client_token_fits_ecs_and_is_the_same_for_the_same_wish() -> None:
    assert len(TOKEN) == 64


def test_a_task_that_was_started_with_other_parameters_is_the_task() -> None:
    with stubbed("ecs") as (ecs, stub), stubbed("logs") as (logs, _):
        stub.add_response("describe_services", services(a_service()))
        refuse(stub, "run_task", "ConflictException", resourceIds=[TASK])

        assert EcsOneOffs(ecs, logs).run(TARGET, NEW, COMMAND, STARTED_BY) == TASK


def test_a_task_that_ecs_does_not_place_is_broken_and_says_why() -> None:
    failures = [{"reason": "RESOURCE:MEMORY", "detail": "no instance has 2048 MiB"}]

    with pytest.raises(Broken) as raised:
        _run(
            a_service(),
            _request(a_service()) | {"launchType": "FARGATE"},
            {"tasks": [], "failures": failures},
        )

    assert (raised.value.reason, raised.value.message) == (
        Reason.AWS_REFUSED,
        "ECS placed no task: RESOURCE:MEMORY no instance has 2048 MiB.",
    )


def test_a_throttled_start_is_transient() -> None:
    with (
        pytest.raises(Transient),
        stubbed("ecs") as (ecs, stub),
        stubbed("logs") as (logs, _),
    ):
        stub.add_response("describe_services", services(a_service()))
        refuse(stub, "run_task", "ThrottlingException")
        EcsOneOffs(ecs, logs).run(TARGET, NEW, COMMAND, STARTED_BY)


def _task(**changes: Any) -> dict[str, Any]:
    task: dict[str, Any] = {
        "taskArn": TASK,
        "taskDefinitionArn": NEW,
        "lastStatus": "STOPPED",
        "stoppedReason": "Essential container in task exited",
        "containers": [{"name": "proxy", "exitCode": 0}, {"name": "app", "exitCode": 3}],
    }
    return {"tasks": [task | changes], "failures": []}


def _look(
    answer: dict[str, Any],
    definition: dict[str, Any] | None = None,
    log: dict[str, Any] | None = None,
) -> OneOff:
    with stubbed("ecs") as (ecs, stub), stubbed("logs") as (logs, log_stub):
        asked = {"cluster": "production", "tasks": [TASK]}
        stub.add_response("describe_tasks", answer, asked)
        if definition is not None:
            stub.add_response("describe_task_definition", definition, {"taskDefinition": NEW})
        if log is not None:
            log_stub.add_response(
                "get_log_events",
                log,
                {
                    "logGroupName": "/ecs/notes",
                    "logStreamName": STREAM,
                    "limit": 20,
                    "startFromHead": False,
                },
            )
        return EcsOneOffs(ecs, logs).look(TARGET, TASK)


def test_a_stopped_task_tells_its_exit_code_its_reason_and_its_last_lines() -> None:
    log = {"events": [{"message": "upgrading\n"}, {"message": "no such column"}]}

    assert _look(_task(), a_definition(NEW), log) == OneOff(
        task_arn=TASK,
        stopped=True,
        exit_code=3,
        reason="Essential container in task exited",
        log_tail=("upgrading", "no such column"),
    )


def test_a_task_that_never_started_has_no_exit_code_and_tells_why() -> None:
    containers = [{"name": "app", "reason": "CannotPullContainerError"}]
    answer = _task(stoppedReason="Task failed to start", containers=containers)

    seen = _look(answer, a_definition(NEW), {"events": []})

    assert (seen.stopped, seen.exit_code, seen.reason) == (
        True,
        None,
        "Task failed to start; CannotPullContainerError",
    )


@pytest.mark.parametrize("status", ["PROVISIONING", "RUNNING", "DEPROVISIONING"])
def test_a_task_that_is_not_stopped_is_still_at_work(status: str) -> None:
    assert _look(_task(lastStatus=status)) == OneOff(
        task_arn=TASK, stopped=False, exit_code=None, reason=status
    )


def test_a_task_that_ecs_does_not_show_yet_is_still_at_work() -> None:
    missing = {"tasks": [], "failures": [{"arn": TASK, "reason": "MISSING"}]}

    assert _look(missing) == OneOff(
        task_arn=TASK, stopped=False, exit_code=None, reason="not visible in ECS"
    )


@pytest.mark.parametrize(
    ("code", "tail"),
    [
        ("ResourceNotFoundException", ()),
        ("AccessDeniedException", ("(Slipway may not read the log group /ecs/notes)",)),
    ],
)
def test_a_log_that_cannot_be_read_does_not_decide_how_the_task_ended(
    code: str, tail: tuple[str, ...]
) -> None:
    with stubbed("ecs") as (ecs, stub), stubbed("logs") as (logs, log_stub):
        stub.add_response("describe_tasks", _task())
        stub.add_response("describe_task_definition", a_definition(NEW))
        refuse(log_stub, "get_log_events", code)

        seen = EcsOneOffs(ecs, logs).look(TARGET, TASK)

    assert (seen.exit_code, seen.log_tail) == (3, tail)


@pytest.mark.parametrize(
    "logging",
    [
        {"logDriver": "awsfirelens"},
        {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/notes"}},
        {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": "/ecs/notes",
                "awslogs-region": "eu-west-1",
                "awslogs-stream-prefix": "run",
            },
        },
    ],
    ids=["another driver", "no stream prefix", "another region"],
)
def test_a_task_that_logs_elsewhere_has_no_tail(logging: dict[str, Any]) -> None:
    containers = [{"name": "app", "image": "x", "logConfiguration": logging}]

    assert _look(_task(), a_definition(NEW, containerDefinitions=containers)).log_tail == ()


def test_a_long_line_is_cut() -> None:
    seen = _look(_task(), a_definition(NEW), {"events": [{"message": "x" * 10_000}]})

    assert seen.log_tail == ("x" * 500,)


def test_a_password_in_a_log_line_is_not_shown_to_people() -> None:
    said = "cannot reach postgresql://notes:s3cr3t@db.example.com/notes"
    with stubbed("ecs") as (ecs, stub), stubbed("logs") as (logs, log_stub):
        stub.add_response("describe_tasks", _task())
        stub.add_response("describe_task_definition", a_definition(NEW))
        log_stub.add_response("get_log_events", {"events": [{"message": said}]})

        seen = EcsOneOffs(ecs, logs).look(TARGET, TASK)

    assert seen.log_tail == ("cannot reach postgresql://notes:***@db.example.com/notes",)


@pytest.mark.parametrize(
    ("status", "running"),
    [("PROVISIONING", True), ("RUNNING", True), ("DEPROVISIONING", True), ("STOPPED", False)],
)
def test_a_task_runs_until_it_has_stopped(status: str, *, running: bool) -> None:
    with stubbed("ecs") as (ecs, stub), stubbed("logs") as (logs, _):
        asked = {"cluster": TARGET.cluster, "tasks": [TASK]}
        stub.add_response("describe_tasks", _task(lastStatus=status), asked)

        assert EcsOneOffs(ecs, logs).running(TARGET, TASK) is running


def test_a_task_that_ecs_has_forgotten_does_not_run() -> None:
    with stubbed("ecs") as (ecs, stub), stubbed("logs") as (logs, _):
        missing = {"tasks": [], "failures": [{"arn": TASK, "reason": "MISSING"}]}
        stub.add_response("describe_tasks", missing)

        assert EcsOneOffs(ecs, logs).running(TARGET, TASK) is False


def test_where_the_cluster_is_gone_no_task_runs_and_none_is_found() -> None:
    with stubbed("ecs") as (ecs, stub), stubbed("logs") as (logs, _):
        refuse(stub, "describe_tasks", "ClusterNotFoundException")
        refuse(stub, "list_tasks", "ClusterNotFoundException")

        assert EcsOneOffs(ecs, logs).running(TARGET, TASK) is False
        assert EcsOneOffs(ecs, logs).find(TARGET, NEW, STARTED_BY) is None


def test_whether_a_task_runs_is_not_answered_when_ecs_refuses() -> None:
    with pytest.raises(Broken), stubbed("ecs") as (ecs, stub), stubbed("logs") as (logs, _):
        refuse(stub, "describe_tasks", "AccessDeniedException")
        EcsOneOffs(ecs, logs).running(TARGET, TASK)


def test_a_task_that_has_stopped_is_found_by_its_family_and_who_started_it() -> None:
    # startedBy must be the only filter of ListTasks, and lists no stopped task by itself.
    other, ours = f"{TASK}0", TASK
    described = [
        {"taskArn": other, "startedBy": "ecs-svc/1"},
        {"taskArn": ours, "startedBy": STARTED_BY},
    ]
    with stubbed("ecs") as (ecs, stub), stubbed("logs") as (logs, _):
        asked = {"cluster": TARGET.cluster}
        stub.add_response("list_tasks", {"taskArns": []}, {**asked, "startedBy": STARTED_BY})
        stub.add_response(
            "list_tasks",
            {"taskArns": [other, ours]},
            {**asked, "family": "notes", "desiredStatus": "STOPPED"},
        )
        stub.add_response("describe_tasks", {"tasks": described}, {**asked, "tasks": [other, ours]})

        revision = "arn:aws:ecs:us-east-1:000000000000:task-definition/notes:8"
        assert EcsOneOffs(ecs, logs).find(TARGET, revision, STARTED_BY) == ours
