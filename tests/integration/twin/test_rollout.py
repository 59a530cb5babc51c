"""Rolling deployments as ECS documents them, played on the model in virtual time."""

import time
from typing import Any

import pytest

from cloud.twin.ecs.circuit_breaker import threshold
from cloud.twin.engines import TaskSpec
from cloud.twin.errors import AwsError
from cloud.twin.scripted import TaskScript
from tests.integration.twin.virtual import VirtualCloud

BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
NO_BREAKER = {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}
STATE_CHANGE = "ECS Deployment State Change"


def revision_fails(revision: int, **script: Any) -> Any:
    """A script in which only the tasks of one revision misbehave."""
    return lambda task: TaskScript(**script) if task.revision == revision else TaskScript()


def crashing(revision: int) -> Any:
    return revision_fails(revision, exits_after=1.0, exit_code=3)


def statuses(cloud: VirtualCloud) -> dict[str, int]:
    """How many tasks are wanted to run, by the tag of their image."""
    tasks = cloud.model.state()["tasks"]
    tags = [
        each["containers"][0]["image"].rpartition(":")[2]
        for each in tasks
        if each["desiredStatus"] == "RUNNING"
    ]
    return {tag: tags.count(tag) for tag in sorted(set(tags))}


def told(cloud: VirtualCloud) -> list[tuple[str, str, str]]:
    """Name, deployment and reason of each deployment event so far."""
    return [
        (each["eventName"], each["deploymentId"], each["reason"])
        for each in cloud.details(STATE_CHANGE)
    ]


def test_new_tasks_are_healthy_before_old_ones_are_drained_and_stopped() -> None:
    cloud = VirtualCloud()
    cloud.live_service(cloud.register("v1"))
    cloud.update(taskDefinition=cloud.register("v2"))
    seen = [statuses(cloud)]
    while cloud.deployment()["status"] != "SUCCESSFUL":
        cloud.clock.run_next()
        if seen[-1] != statuses(cloud):
            seen.append(statuses(cloud))

    assert seen == [{"v1": 2}, {"v1": 2, "v2": 2}, {"v2": 2}]
    lives = {
        task["taskArn"]: [
            each["lastStatus"]
            for each in cloud.details("ECS Task State Change")
            if each["taskArn"] == task["taskArn"]
        ]
        for task in cloud.model.state()["tasks"]
        if task["desiredStatus"] == "STOPPED"
    }
    whole = ["PROVISIONING", "PENDING", "RUNNING", "DEACTIVATING"]
    assert list(lives.values()) == [[*whole, "STOPPING", "DEPROVISIONING", "STOPPED"]] * 2


@pytest.mark.parametrize(
    ("desired", "most", "least", "expected"),
    [
        # maximumPercent is rounded down, minimumHealthyPercent up.
        (3, 150, 100, [{"v1": 3}, {"v1": 3, "v2": 1}]),
        (3, 100, 50, [{"v1": 3}, {"v1": 2}]),
        (4, 100, 50, [{"v1": 4}, {"v1": 2}]),
    ],
)
def test_the_percentages_bound_how_many_tasks_run(
    desired: int, most: int, least: int, expected: list[dict[str, int]]
) -> None:
    cloud = VirtualCloud()
    limits = {"maximumPercent": most, "minimumHealthyPercent": least}
    cloud.live_service(cloud.register("v1"), desired=desired, deploymentConfiguration=limits)
    cloud.update(taskDefinition=cloud.register("v2"))
    seen, totals = [statuses(cloud)], []
    while cloud.deployment()["status"] != "SUCCESSFUL":
        cloud.clock.run_next()
        totals.append(sum(statuses(cloud).values()))
        if seen[-1] != statuses(cloud):
            seen.append(statuses(cloud))

    assert seen[: len(expected)] == expected
    assert max(totals) <= desired * most // 100
    assert min(totals) >= -(-desired * least // 100)
    assert seen[-1] == {"v2": desired}


def test_a_completed_deployment_tells_its_beginning_its_end_and_the_steady_state() -> None:
    cloud = VirtualCloud()
    service = cloud.live_service(cloud.register("v1"))
    deployment = service["deployments"][0]["id"]

    assert told(cloud) == [
        (
            "SERVICE_DEPLOYMENT_IN_PROGRESS",
            deployment,
            f"ECS deployment {deployment} in progress.",
        ),
        ("SERVICE_DEPLOYMENT_COMPLETED", deployment, f"ECS deployment {deployment} completed."),
    ]
    event = next(each for each in cloud.events if each["detail-type"] == STATE_CHANGE)
    assert event == {
        "version": "0",
        "id": event["id"],
        "detail-type": STATE_CHANGE,
        "source": "aws.ecs",
        "account": "000000000000",
        "time": "2026-01-05T09:00:01Z",
        "region": "us-east-1",
        "resources": [service["serviceArn"]],
        "detail": {
            "eventType": "INFO",
            "eventName": "SERVICE_DEPLOYMENT_IN_PROGRESS",
            "clusterArn": "arn:aws:ecs:us-east-1:000000000000:cluster/main",
            "deploymentId": deployment,
            "updatedAt": "2026-01-05T09:00:00.000Z",
            "reason": f"ECS deployment {deployment} in progress.",
        },
    }
    actions = cloud.details("ECS Service Action")
    assert [each["eventName"] for each in actions] == ["SERVICE_STEADY_STATE"]


def test_the_breaker_trips_at_its_threshold_and_the_last_good_deployment_comes_back() -> None:
    cloud = VirtualCloud()
    good = cloud.live_service(cloud.register("v1"), deploymentConfiguration=BREAKER)
    good_id = good["deployments"][0]["id"]
    cloud.script = crashing(2)
    bad_id = cloud.update(taskDefinition=cloud.register("v2"))["deployments"][0]["id"]
    earlier = len(told(cloud))
    cloud.settle()

    deployment = cloud.deployment()
    reason = "Service deployment rolled back because the circuit breaker threshold was exceeded."
    assert (deployment["status"], deployment["statusReason"]) == ("ROLLBACK_SUCCESSFUL", reason)
    assert deployment["deploymentCircuitBreaker"] == {
        "status": "TRIGGERED",
        "failureCount": 3,
        "threshold": 3,
    }
    assert deployment["rollback"] == {
        "reason": reason,
        "startedAt": deployment["rollback"]["startedAt"],
        "serviceRevisionArn": deployment["sourceServiceRevisions"][0]["arn"],
    }
    assert told(cloud)[earlier:] == [
        ("SERVICE_DEPLOYMENT_IN_PROGRESS", bad_id, f"ECS deployment {bad_id} in progress."),
        (
            "SERVICE_DEPLOYMENT_FAILED",
            bad_id,
            "ECS deployment circuit breaker: tasks failed to start.",
        ),
        (
            "SERVICE_DEPLOYMENT_IN_PROGRESS",
            good_id,
            f"ECS deployment circuit breaker: rolling back to deploymentId {good_id}.",
        ),
        ("SERVICE_DEPLOYMENT_COMPLETED", good_id, f"ECS deployment {good_id} completed."),
    ]


def test_a_service_that_was_rolled_back_looks_stable() -> None:
    cloud = VirtualCloud()
    first = cloud.register("v1")
    cloud.live_service(first, deploymentConfiguration=BREAKER)
    cloud.script = crashing(2)
    cloud.update(taskDefinition=cloud.register("v2"))
    cloud.settle()

    service = cloud.describe()

    assert len(service["deployments"]) == 1
    assert (service["runningCount"], service["desiredCount"]) == (2, 2)
    assert service["taskDefinition"] == first


def rolling_back() -> tuple[VirtualCloud, Any]:
    """A service that ECS has just begun to roll back, and its good deployment."""
    cloud = VirtualCloud()
    good = cloud.live_service(cloud.register("v1"), deploymentConfiguration=BREAKER)
    cloud.script = crashing(2)
    cloud.update(taskDefinition=cloud.register("v2"))
    assert cloud.clock.run_until(lambda: cloud.deployment()["status"] == "ROLLBACK_IN_PROGRESS")
    return cloud, good["deployments"][0]


def test_a_rollback_takes_as_long_as_recorded_and_starts_tasks_of_its_own() -> None:
    cloud, good = rolling_back()
    begun = cloud.clock.now()

    primary, failed = cloud.describe()["deployments"]
    cloud.clock.run_for(2)
    pending = cloud.describe()["deployments"][0]["pendingCount"]
    serving = cloud.describe()["runningCount"]
    cloud.settle()

    assert (primary["id"], primary["createdAt"], primary["runningCount"]) == (good["id"], begun, 0)
    assert (failed["status"], pending, serving) == ("ACTIVE", 2, 2)
    assert 79 <= (cloud.clock.now() - begun).total_seconds() <= 106


def test_a_failed_deployment_is_shown_for_over_a_minute_first_in_progress_and_then_failed() -> None:
    cloud, _ = rolling_back()
    shown = []
    for _ in range(120):
        others = [each for each in cloud.describe()["deployments"] if each["status"] == "ACTIVE"]
        shown += [each["rolloutState"] for each in others]
        cloud.clock.run_for(1)

    first, last = shown.count("IN_PROGRESS"), shown.count("FAILED")
    assert shown == ["IN_PROGRESS"] * first + ["FAILED"] * last
    assert (first > 0, last > 60) == (True, True)


def decided_as_ecs_deploy(cloud: VirtualCloud) -> str:
    """What `ecs deploy` makes of a deployment, asking once a second.

    It gives up when the PRIMARY deployment has FAILED, or when the service says since its
    creation that something is "unable"; it is content with one deployment that runs in full.
    """
    for _ in range(300):
        service = cloud.describe()
        primary = next(each for each in service["deployments"] if each["status"] == "PRIMARY")
        for event in service["events"]:
            if "unable" in event["message"] and event["createdAt"] > primary["createdAt"]:
                return f"ERROR: {event['message']}"
        if primary["rolloutState"] == "FAILED":
            return f"Deployment Failed! {primary['rolloutStateReason']}"
        running = cloud.ecs("ListTasks", cluster="main", serviceName="notes")["taskArns"]
        if len(service["deployments"]) == 1 and len(running) == service["desiredCount"]:
            return "Deployment successful"
        cloud.clock.run_for(1)
    return "timeout"


@pytest.mark.parametrize("desired", [1, 2, 10])
@pytest.mark.parametrize("rollback", [True, False])
def test_a_tool_that_polls_sees_that_a_crashing_image_has_failed(
    desired: int, rollback: bool
) -> None:
    cloud = VirtualCloud()
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": rollback}}
    cloud.live_service(cloud.register("v1"), desired=desired, deploymentConfiguration=breaker)
    cloud.script = crashing(2)
    cloud.update(taskDefinition=cloud.register("v2"))

    decided = decided_as_ecs_deploy(cloud)

    assert decided.startswith(("ERROR: (service notes) is unable", "Deployment Failed!")), decided


def test_a_tool_that_polls_is_content_with_a_good_image() -> None:
    cloud = VirtualCloud()
    cloud.live_service(cloud.register("v1"), deploymentConfiguration=BREAKER)
    cloud.update(taskDefinition=cloud.register("v2"))

    assert decided_as_ecs_deploy(cloud) == "Deployment successful"


def test_a_rollback_whose_own_tasks_fail_has_failed() -> None:
    cloud, _ = rolling_back()
    cloud.script = lambda task: TaskScript(exits_after=1.0, exit_code=1)
    cloud.settle()

    assert cloud.deployment()["status"] == "ROLLBACK_FAILED"
    assert cloud.deployment()["deploymentCircuitBreaker"]["failureCount"] == 3


def test_a_failing_health_check_trips_the_breaker_too() -> None:
    cloud = VirtualCloud()
    cloud.live_service(cloud.register("v1"), deploymentConfiguration=BREAKER)
    cloud.script = revision_fails(2, passes_checks=False)
    cloud.update(taskDefinition=cloud.register("v2"))
    cloud.settle()

    assert cloud.deployment()["status"] == "ROLLBACK_SUCCESSFUL"
    stopped = [each for each in cloud.model.state()["tasks"] if each.get("stoppedReason", "")]
    group = cloud.describe()["loadBalancers"][0]["targetGroupArn"]
    words = f"Task failed ELB health checks in (target-group {group})"
    assert words in [each["stoppedReason"] for each in stopped]


def test_without_the_breaker_a_bad_deployment_neither_ends_nor_is_told_of() -> None:
    cloud = VirtualCloud()
    cloud.live_service(cloud.register("v1"), deploymentConfiguration=NO_BREAKER)
    cloud.script = crashing(2)
    cloud.update(taskDefinition=cloud.register("v2"))
    cloud.clock.run_for(3600)

    assert cloud.deployment()["status"] == "IN_PROGRESS"
    assert "SERVICE_DEPLOYMENT_FAILED" not in [name for name, _, _ in told(cloud)]
    primary, old = cloud.describe()["deployments"]
    assert (primary["rolloutState"], primary["failedTasks"] > 3) == ("IN_PROGRESS", True)
    assert old["runningCount"] == 2


def test_without_rollback_a_failed_deployment_stops_and_the_old_tasks_stay() -> None:
    cloud = VirtualCloud()
    only_stop = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
    cloud.live_service(cloud.register("v1"), deploymentConfiguration=only_stop)
    cloud.script = crashing(2)
    cloud.update(taskDefinition=cloud.register("v2"))
    cloud.settle()
    cloud.clock.run_for(600)

    assert cloud.deployment()["status"] == "STOPPED"
    primary, old = cloud.describe()["deployments"]
    assert (primary["rolloutState"], primary["runningCount"]) == ("FAILED", 0)
    assert primary["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."
    assert old["runningCount"] == 2


def test_a_first_deployment_that_fails_has_nowhere_to_go_back_to_and_stalls() -> None:
    cloud = VirtualCloud(lambda task: TaskScript(exits_after=1.0, exit_code=1))
    cloud.service(cloud.register("v1"), deploymentConfiguration=BREAKER)
    cloud.settle()
    started = len(cloud.model.state()["tasks"])
    cloud.clock.run_for(3600)

    deployment = cloud.deployment()
    words = "No rollback candidate was found to run the rollback."
    assert (deployment["status"], deployment["statusReason"]) == ("ROLLBACK_FAILED", words)
    assert cloud.describe()["deployments"][0]["rolloutState"] == "FAILED"
    assert len(cloud.model.state()["tasks"]) == started


def test_a_healthy_task_resets_the_count_unless_the_service_keeps_it() -> None:
    def every_third_is_good(task: TaskSpec) -> TaskScript:
        bad = task.revision == 2 and task.attempt % 3 != 0
        return TaskScript(cannot_start="OutOfMemory") if bad else TaskScript()

    counts = {}
    for keeps in (False, True):
        cloud = VirtualCloud()
        breaker = {"enable": True, "rollback": True, "resetOnHealthyTask": not keeps}
        # One at a time, so that failures and successes come one after the other.
        limits = {"maximumPercent": 125, "minimumHealthyPercent": 100}
        cloud.live_service(
            cloud.register("v1"),
            desired=4,
            deploymentConfiguration={"deploymentCircuitBreaker": breaker, **limits},
        )
        cloud.script = every_third_is_good
        cloud.update(taskDefinition=cloud.register("v2"))
        cloud.settle()
        counts[keeps] = cloud.deployment()["status"]

    assert counts == {False: "SUCCESSFUL", True: "ROLLBACK_SUCCESSFUL"}


@pytest.mark.parametrize(
    ("configuration", "desired", "expected"),
    [
        ({}, 1, 3),
        ({}, 25, 13),
        ({}, 400, 200),
        ({}, 800, 200),
        ({"type": "COUNT", "value": 1}, 10, 1),
        ({"type": "BOUNDED_PERCENT", "value": 100}, 2, 3),
        ({"type": "UNBOUNDED_PERCENT", "value": 100}, 800, 800),
    ],
)
def test_the_threshold_follows_the_desired_count(
    configuration: dict[str, Any], desired: int, expected: int
) -> None:
    assert threshold(configuration, desired) == expected


def test_a_missing_image_fails_its_tasks_with_the_reason_ecs_gives() -> None:
    cloud = VirtualCloud()
    cloud.live_service(cloud.register("v1"), deploymentConfiguration=BREAKER)
    cloud.update(taskDefinition=cloud.register("missing"))
    cloud.settle()

    assert cloud.deployment()["status"] == "ROLLBACK_SUCCESSFUL"
    failed = next(
        each
        for each in cloud.details("ECS Task State Change")
        if each.get("stopCode") == "TaskFailedToStart"
    )
    assert failed["stoppedReason"].startswith("CannotPullContainerError: ")
    assert "exitCode" not in failed["containers"][0]


def test_a_newer_deployment_replaces_one_under_way() -> None:
    cloud = VirtualCloud()
    cloud.live_service(cloud.register("v1"))
    cloud.update(taskDefinition=cloud.register("v2"))
    cloud.clock.run_for(10)
    cloud.update(taskDefinition=cloud.register("v3"))
    cloud.settle()

    listed = cloud.ecs("ListServiceDeployments", cluster="main", service="notes")
    found = [each["status"] for each in listed["serviceDeployments"]]
    assert found == ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]
    assert statuses(cloud) == {"v3": 2}


def test_a_deployment_that_is_stopped_by_hand_is_rolled_back() -> None:
    cloud = VirtualCloud()
    cloud.live_service(cloud.register("v1"), deploymentConfiguration=NO_BREAKER)
    cloud.update(taskDefinition=cloud.register("v2"))
    cloud.clock.run_for(5)
    arn = cloud.deployment()["serviceDeploymentArn"]

    answer = cloud.ecs("StopServiceDeployment", serviceDeploymentArn=arn, stopType="ROLLBACK")
    assert answer == {"serviceDeploymentArn": arn}
    started = cloud.deployment()["rollback"]["startedAt"]
    # "Continues the rollback operation", the documentation says of a second request.
    cloud.clock.run_for(20)
    assert cloud.ecs("StopServiceDeployment", serviceDeploymentArn=arn) == answer
    assert cloud.deployment()["status"] == "ROLLBACK_IN_PROGRESS"
    assert cloud.deployment()["rollback"]["startedAt"] == started
    cloud.settle()

    assert cloud.deployment()["status"] == "ROLLBACK_SUCCESSFUL"
    assert statuses(cloud) == {"v1": 2}
    with pytest.raises(AwsError) as again:
        cloud.ecs("StopServiceDeployment", serviceDeploymentArn=arn)
    assert again.value.code == "ConflictException"


def test_what_ecs_rolls_back_by_itself_may_be_stopped_as_well() -> None:
    cloud = VirtualCloud()
    cloud.live_service(cloud.register("v1"), deploymentConfiguration=BREAKER)
    cloud.script = crashing(2)
    cloud.update(taskDefinition=cloud.register("v2"))
    assert cloud.clock.run_until(lambda: cloud.deployment()["status"] == "ROLLBACK_IN_PROGRESS")
    arn = cloud.deployment()["serviceDeploymentArn"]

    assert cloud.ecs("StopServiceDeployment", serviceDeploymentArn=arn) == {
        "serviceDeploymentArn": arn
    }
    cloud.settle()

    assert cloud.deployment()["status"] == "ROLLBACK_SUCCESSFUL"


def alarmed(cloud: VirtualCloud, state: str) -> dict[str, Any]:
    cloud.cloudwatch(
        "PutMetricAlarm",
        AlarmName="errors",
        Namespace="N",
        MetricName="M",
        Period=60,
        EvaluationPeriods=2,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    set_alarm(cloud, state)
    return {"alarms": {"alarmNames": ["errors"], "enable": True, "rollback": True}}


def set_alarm(cloud: VirtualCloud, state: str) -> None:
    cloud.cloudwatch("SetAlarmState", AlarmName="errors", StateValue=state, StateReason="test")


def test_an_alarm_that_fires_during_the_bake_rolls_the_deployment_back() -> None:
    cloud = VirtualCloud()
    alarms = alarmed(cloud, "OK")
    cloud.live_service(cloud.register("v1"), deploymentConfiguration=alarms)
    cloud.update(taskDefinition=cloud.register("v2"))
    assert cloud.clock.run_until(lambda: statuses(cloud) == {"v2": 2})
    cloud.clock.run_for(60)
    assert cloud.deployment()["status"] == "IN_PROGRESS"
    set_alarm(cloud, "ALARM")
    cloud.settle()

    deployment = cloud.deployment()
    assert deployment["status"] == "ROLLBACK_SUCCESSFUL"
    assert deployment["alarms"] == {
        "status": "TRIGGERED",
        "alarmNames": ["errors"],
        "triggeredAlarmNames": ["errors"],
    }
    assert statuses(cloud) == {"v1": 2}


def test_an_alarm_that_fires_already_is_ignored_for_the_whole_deployment() -> None:
    cloud = VirtualCloud()
    alarms = alarmed(cloud, "OK")
    cloud.live_service(cloud.register("v1"), deploymentConfiguration=alarms)
    set_alarm(cloud, "ALARM")
    cloud.update(taskDefinition=cloud.register("v2"))
    cloud.clock.run_for(5)
    set_alarm(cloud, "OK")
    set_alarm(cloud, "ALARM")
    cloud.settle()

    assert cloud.deployment()["status"] == "SUCCESSFUL"


def test_without_load_balancer_a_task_is_healthy_forty_seconds_after_it_runs() -> None:
    cloud = VirtualCloud()
    cloud.service(cloud.register("v1"), loadBalancers=[])
    assert cloud.clock.run_until(lambda: cloud.describe()["runningCount"] == 2)
    running_at = cloud.clock.elapsed
    cloud.settle()

    assert 40 <= cloud.clock.elapsed - running_at <= 42


def test_a_task_that_dies_later_is_replaced() -> None:
    cloud = VirtualCloud(lambda task: TaskScript(exits_after=500.0 if task.attempt == 1 else None))
    cloud.live_service(cloud.register("v1"))
    cloud.clock.run_for(700)

    assert cloud.describe()["runningCount"] == 2
    assert len(cloud.model.state()["tasks"]) == 3
    assert cloud.describe()["deployments"][0]["rolloutState"] == "COMPLETED"


def test_the_grace_period_lets_a_slow_start_pass() -> None:
    cloud = VirtualCloud(lambda task: TaskScript(passes_checks=False))
    cloud.service(
        cloud.register("v1"), healthCheckGracePeriodSeconds=300, deploymentConfiguration=BREAKER
    )
    cloud.clock.run_for(290)
    assert cloud.describe()["deployments"][0]["failedTasks"] == 0
    cloud.clock.run_for(30)

    assert cloud.describe()["deployments"][0]["failedTasks"] > 0


def test_a_task_event_is_the_task_with_iso_times_and_a_growing_version() -> None:
    cloud = VirtualCloud()
    cloud.live_service(cloud.register("v1"))
    details = cloud.details("ECS Task State Change")
    last = details[-1]

    assert [each["version"] for each in details if each["taskArn"] == last["taskArn"]] == [1, 2, 3]
    assert last["group"] == "service:notes"
    assert last["startedBy"] == cloud.describe()["deployments"][0]["id"]
    times = {name: value for name, value in last.items() if name.endswith("At")}
    assert times == {
        "createdAt": "2026-01-05T09:00:01.000Z",
        "startedAt": "2026-01-05T09:00:09.000Z",
        "updatedAt": "2026-01-05T09:00:09.000Z",
    }


def test_the_same_seed_plays_the_same_rollout() -> None:
    def play() -> list[Any]:
        cloud = VirtualCloud(crashing(2))
        cloud.live_service(cloud.register("v1"), deploymentConfiguration=BREAKER)
        cloud.update(taskDefinition=cloud.register("v2"))
        cloud.settle()
        return cloud.events

    assert play() == play()


def test_a_simulated_rollout_costs_about_a_millisecond() -> None:
    cloud = VirtualCloud()
    cloud.live_service(cloud.register("v1"))
    costs = []
    for number in range(50):
        definition = cloud.register(f"v{number}")
        begun = time.process_time()
        cloud.update(taskDefinition=definition)
        cloud.clock.run_until(lambda: "SERVICE_STEADY_STATE" in str(cloud.events[-1]["detail"]))
        cloud.clock.run_for(100)
        costs.append(time.process_time() - begun)

    assert cloud.deployment()["status"] == "SUCCESSFUL"
    # The goal is 2 ms; a shared machine gets some room.
    assert sorted(costs)[25] < 0.005


def test_a_deployment_being_rolled_back_to_is_no_target_of_another_rollback() -> None:
    cloud = VirtualCloud()
    cloud.live_service(cloud.register("v1"), deploymentConfiguration=BREAKER)
    cloud.script = lambda task: (
        TaskScript(exits_after=1.0, exit_code=3) if task.revision > 1 else TaskScript()
    )
    cloud.update(taskDefinition=cloud.register("v2"))
    assert cloud.clock.run_until(lambda: cloud.deployment()["status"] == "ROLLBACK_IN_PROGRESS")
    cloud.update(taskDefinition=cloud.register("v3"))
    cloud.settle()
    cloud.clock.run_for(60)

    listed = cloud.ecs("ListServiceDeployments", cluster="main", service="notes")
    found = [each["status"] for each in listed["serviceDeployments"]]
    assert found == ["ROLLBACK_FAILED", "STOPPED", "SUCCESSFUL"]
    assert statuses(cloud) == {"v1": 2}
