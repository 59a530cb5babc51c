"""One-off tasks: started once in the service's own network, looked at until they stop."""

import hashlib
from typing import Any

import pytest

from slipway.adapters.ecs.one_offs import EcsOneOffs
from slipway.domain.errors import Broken, ControlPlaneError, Reason, Transient
from slipway.ports.targets import OneOff
from tests.builders.documents import TARGET
from tests.integration.adapters.ecs_answers import NEW, TASK, a_service, services
from tests.integration.adapters.stubbed import refuse, stubbed

STARTED_BY = "slipway/migrate/notes-staging-1"
COMMAND = ["alembic", "upgrade", "head"]
TOKEN = hashlib.sha256(STARTED_BY.encode()).hexdigest()


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


def _refused(*failures: dict[str, str]) -> ControlPlaneError:
    request = _request(a_service()) | {"launchType": "FARGATE"}
    with pytest.raises(ControlPlaneError) as raised:
        _run(a_service(), request, {"tasks": [], "failures": list(failures)})
    return raised.value


@pytest.mark.parametrize(
    "reason",
    [
        "Capacity is unavailable at this time. Please try again later or in a different "
        "availability zone",
        "RESOURCE:MEMORY",
        "RESOURCE:CPU",
        "RESOURCE:ENI",
        "AGENT",
        "EMPTY CAPACITY PROVIDER",
        "No Container Instances were found in your cluster.",
        "Rate exceeded",
    ],
)
def test_a_task_that_finds_no_room_may_find_some_later(reason: str) -> None:
    refused = _refused({"reason": reason, "detail": "as it is now"})

    assert (type(refused), refused.reason, refused.message) == (
        Transient,
        Reason.CAPACITY_UNAVAILABLE,
        f"ECS placed no task: {reason} as it is now.",
    )


@pytest.mark.parametrize("reason", ["MISSING", "INACTIVE", "ATTRIBUTE", "LOCATION", "newly coined"])
def test_a_task_that_ecs_never_places_is_broken_and_says_why(reason: str) -> None:
    refused = _refused({"reason": reason, "detail": "ecs.capability"})

    assert (type(refused), refused.reason, refused.message) == (
        Broken,
        Reason.AWS_REFUSED,
        f"ECS placed no task: {reason} ecs.capability.",
    )


def test_one_reason_that_does_not_pass_is_enough() -> None:
    assert type(_refused({"reason": "RESOURCE:CPU"}, {"reason": "ATTRIBUTE"})) is Broken


def test_an_answer_without_a_task_and_without_a_reason_is_broken() -> None:
    assert _refused().message == "ECS placed no task: no reason given."


def test_what_ecs_says_is_one_bounded_line() -> None:
    refused = _refused({"reason": "ATTRIBUTE\n\x1b[31m", "detail": "x" * 100_000})

    assert refused.message.startswith("ECS placed no task: ATTRIBUTE xxx")
    assert len(refused.message) < 600


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        (
            "ClientException",
            "You've reached the limit on the number of tasks you can run concurrently",
            Reason.CAPACITY_UNAVAILABLE,
        ),
        (
            "ThrottlingException",
            "You've reached the limit on the number of vCPUs you can run concurrently",
            Reason.CAPACITY_UNAVAILABLE,
        ),
        (
            "ClientException",
            "The limit of tasks in the PROVISIONING state in this cluster is reached.",
            Reason.CAPACITY_UNAVAILABLE,
        ),
        (
            "InvalidParameterException",
            "No Container Instances were found in your cluster.",
            Reason.CAPACITY_UNAVAILABLE,
        ),
        # A call that was one too many in this second, which says nothing of room.
        ("ThrottlingException", "Rate exceeded", Reason.AWS_UNAVAILABLE),
    ],
)
def test_a_quota_of_running_tasks_is_a_lack_of_room(
    code: str, message: str, reason: Reason
) -> None:
    with (
        pytest.raises(Transient) as raised,
        stubbed("ecs") as (ecs, stub),
        stubbed("logs") as (logs, _),
    ):
        stub.add_response("describe_services", services(a_service()))
        refuse(stub, "run_task", code, message)
        EcsOneOffs(ecs, logs).run(TARGET, NEW, COMMAND, STARTED_BY)

    assert raised.value.reason is reason


def test_what_was_refused_is_asked_for_under_another_token() -> None:
    tokens = []
    for attempt in (0, 1, 1, 2):
        with stubbed("ecs") as (ecs, stub), stubbed("logs") as (logs, _):
            ecs.meta.events.register(
                "provide-client-params.ecs.RunTask",
                lambda params, **_: tokens.append(params["clientToken"]),
            )
            stub.add_response("describe_services", services(a_service()))
            stub.add_response("run_task", {"tasks": [{"taskArn": TASK}]})
            EcsOneOffs(ecs, logs).run(TARGET, NEW, COMMAND, STARTED_BY, attempt)

    assert tokens[0] == TOKEN
    assert tokens[1] == tokens[2]
    assert len(set(tokens)) == 3
    assert {len(token) for token in tokens} == {64}


def test_a_start_that_ecs_knows_but_does_not_name_leaves_open_whether_it_runs() -> None:
    with (
        pytest.raises(Transient) as raised,
        stubbed("ecs") as (ecs, stub),
        stubbed("logs") as (logs, _),
    ):
        stub.add_response("describe_services", services(a_service()))
        refuse(stub, "run_task", "ConflictException")
        EcsOneOffs(ecs, logs).run(TARGET, NEW, COMMAND, STARTED_BY)

    assert raised.value.reason is Reason.AWS_UNAVAILABLE


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


def _look(answer: dict[str, Any]) -> OneOff:
    with stubbed("ecs") as (ecs, stub), stubbed("logs") as (logs, _):
        asked = {"cluster": "production", "tasks": [TASK]}
        stub.add_response("describe_tasks", answer, asked)
        return EcsOneOffs(ecs, logs).look(TARGET, TASK)


def test_a_stopped_task_tells_its_exit_code_and_its_reason() -> None:
    assert _look(_task()) == OneOff(
        task_arn=TASK,
        stopped=True,
        exit_code=3,
        reason="Essential container in task exited",
    )


def test_that_a_container_has_exited_is_no_reason_beside_its_exit_code() -> None:
    assert _look(_task(stopCode="EssentialContainerExited")).reason == ""


@pytest.mark.parametrize(
    ("stop_code", "stopped_reason", "container_reason", "exit_code", "reason"),
    [
        (
            "EssentialContainerExited",
            "Essential container in task exited",
            "OutOfMemoryError: Container killed due to memory usage",
            137,
            "OutOfMemoryError: Container killed due to memory usage",
        ),
        ("SpotInterruption", "Your Spot Task was interrupted.", None, 143, None),
        ("UserInitiated", "Task stopped by user", None, 143, None),
    ],
)
def test_a_command_that_was_killed_tells_ecss_reason(
    stop_code: str,
    stopped_reason: str,
    container_reason: str | None,
    exit_code: int,
    reason: str | None,
) -> None:
    app = {"name": "app", "exitCode": exit_code, "runtimeId": "1"}
    app |= {"reason": container_reason} if container_reason else {}
    seen = _look(_task(stopCode=stop_code, stoppedReason=stopped_reason, containers=[app]))

    assert (seen.exit_code, seen.reason) == (exit_code, reason or stopped_reason)


def test_a_reason_is_one_bounded_line() -> None:
    seen = _look(_task(stoppedReason=f"\x1b[31mno\nsecret {'x' * 100_000}"))

    assert seen.reason.startswith("no secret xxx")
    assert len(seen.reason) == 500


APP = {"name": "app", "reason": "CannotPullContainerError", "lastStatus": "STOPPED"}
PULLED = {**APP, "runtimeId": "0123456789abcdef-1"}


def test_a_task_that_never_started_has_no_exit_code_and_tells_why() -> None:
    failed = {"stopCode": "TaskFailedToStart", "stoppedReason": "Task failed to start"}

    assert _look(_task(**failed, containers=[APP])) == OneOff(
        task_arn=TASK,
        stopped=True,
        exit_code=None,
        reason="Task failed to start; CannotPullContainerError",
        never_ran=True,
    )


@pytest.mark.parametrize(
    ("stop_code", "containers"),
    [
        ("TaskFailedToStart", [PULLED]),
        ("TaskFailedToStart", [{**APP, "exitCode": 127}]),
        ("TaskFailedToStart", [{"name": "proxy"}]),
        ("InfrastructureHealth", [APP]),
        ("TerminationNotice", [APP]),
        ("SpotInterruption", [APP]),
        ("EssentialContainerExited", [APP]),
        (None, [APP]),
    ],
)
def test_a_command_may_have_run_unless_ecs_says_that_it_did_not(
    stop_code: str | None, containers: list[dict[str, Any]]
) -> None:
    code = {"stopCode": stop_code} if stop_code else {}

    assert _look(_task(**code, containers=containers)).never_ran is False


PROXY = {"name": "proxy", "lastStatus": "RUNNING"}
ENDED = {"name": "app", "lastStatus": "STOPPED", "exitCode": 1}


def test_a_command_that_has_ended_is_over_though_another_container_runs_on() -> None:
    running = _task(lastStatus="RUNNING", desiredStatus="RUNNING", containers=[PROXY, ENDED])
    del running["tasks"][0]["stoppedReason"]
    seen = _look(running)

    assert seen == OneOff(task_arn=TASK, stopped=False, exit_code=1, reason="", leftover=True)
    assert seen.ended


@pytest.mark.parametrize(
    "changes",
    [
        {"lastStatus": "RUNNING", "desiredStatus": "STOPPED", "containers": [PROXY, ENDED]},
        {"lastStatus": "STOPPING", "desiredStatus": "STOPPED", "containers": [PROXY, ENDED]},
        {"lastStatus": "RUNNING", "containers": [{**PROXY, "lastStatus": "STOPPED"}, PROXY]},
    ],
    ids=["told to stop", "stopping", "another one has ended"],
)
def test_a_task_that_stops_anyway_is_waited_for(changes: dict[str, Any]) -> None:
    seen = _look(_task(**changes))

    assert (seen.ended, seen.leftover) == (False, False)


def test_what_is_left_of_a_task_is_stopped() -> None:
    with stubbed("ecs") as (ecs, stub), stubbed("logs") as (logs, _):
        asked = {"cluster": "production", "task": TASK, "reason": "It has ended."}
        stub.add_response("stop_task", {"task": {"taskArn": TASK}}, asked)

        EcsOneOffs(ecs, logs).stop(TARGET, TASK, "It has ended.")


@pytest.mark.parametrize("status", ["PROVISIONING", "RUNNING", "DEPROVISIONING"])
def test_a_task_that_is_not_stopped_is_still_at_work(status: str) -> None:
    assert _look(_task(lastStatus=status)) == OneOff(
        task_arn=TASK, stopped=False, exit_code=None, reason=status
    )


def test_a_task_that_ecs_does_not_show_yet_is_still_at_work() -> None:
    missing = {"tasks": [], "failures": [{"arn": TASK, "reason": "MISSING"}]}

    assert _look(missing) == OneOff(
        task_arn=TASK, stopped=False, exit_code=None, reason="not visible in ECS yet"
    )


@pytest.mark.parametrize(
    ("status", "running"),
    [("PROVISIONING", True), ("RUNNING", True), ("DEPROVISIONING", True), ("STOPPED", False)],
)
def test_a_task_runs_until_it_has_stopped(status: str, *, running: bool) -> None:
    with stubbed("ecs") as (ecs, stub), stubbed("logs") as (logs, _):
        asked = {"cluster": TARGET.cluster, "tasks": [TASK]}
        stub.add_response("describe_tasks", _task(lastStatus=status), asked)

        assert EcsOneOffs(ecs, logs).running(TARGET, TASK) is running


def test_a_command_that_has_ended_runs_no_more_though_its_task_does() -> None:
    with stubbed("ecs") as (ecs, stub), stubbed("logs") as (logs, _):
        stub.add_response("describe_tasks", _task(lastStatus="RUNNING", containers=[PROXY, ENDED]))

        assert EcsOneOffs(ecs, logs).running(TARGET, TASK) is False


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


def test_the_stopped_tasks_of_a_release_that_crashes_do_not_hide_ours() -> None:
    asked = {"cluster": TARGET.cluster}
    stopped = {**asked, "family": "notes", "desiredStatus": "STOPPED"}
    crashed = [f"{TASK}{number:03}" for number in range(200)]
    with stubbed("ecs") as (ecs, stub), stubbed("logs") as (logs, _):
        stub.add_response("list_tasks", {"taskArns": []}, {**asked, "startedBy": STARTED_BY})
        for token, page, ours in (
            (None, crashed[:100], []),
            ("2", crashed[100:], []),
            ("3", [], []),
            ("4", [TASK], [{"taskArn": TASK, "startedBy": STARTED_BY}]),
        ):
            more = {"nextToken": str(int(token or 1) + 1)} if token != "4" else {}
            listed = {**stopped, "nextToken": token} if token else stopped
            stub.add_response("list_tasks", {"taskArns": page, **more}, listed)
            if page:
                others = [{"taskArn": arn, "startedBy": "ecs-svc/1"} for arn in page if not ours]
                described = {"tasks": [*others, *ours]}
                stub.add_response("describe_tasks", described, {**asked, "tasks": page})

        revision = "arn:aws:ecs:us-east-1:000000000000:task-definition/notes:8"
        assert EcsOneOffs(ecs, logs).find(TARGET, revision, STARTED_BY) == TASK
