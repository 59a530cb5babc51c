"""Real processes behind the real load balancer: rollouts, failures, one-off tasks, the end."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.twin.live_cloud import LiveTwin, Load, fetch, live_twin, wait_for


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveTwin]:
    with live_twin(tmp_path_factory.mktemp("twin")) as running:
        yield running


def started(twin: LiveTwin, name: str, image: str, **settings: Any) -> tuple[str, str]:
    """A service that runs the image, ready: its definition and its URL."""
    group, url = twin.load_balancer(name)
    definition = twin.register(image, family=name)
    twin.service(definition, group, name, **settings)
    twin.wait_for_deployment("SUCCESSFUL", name)
    return definition, url


def finished(twin: LiveTwin, arn: str) -> Any:
    def stopped() -> Any:
        task = twin.ecs.describe_tasks(cluster="main", tasks=[arn])["tasks"][0]
        return task if task["lastStatus"] == "STOPPED" else None

    return wait_for(stopped, "the end of the task")


def command(*words: str) -> dict[str, Any]:
    return {"containerOverrides": [{"name": "web", "command": list(words)}]}


def test_a_rollout_under_load_loses_no_request(twin: LiveTwin) -> None:
    _, url = started(twin, "loaded", twin.push("1"))
    second = twin.register(twin.push("2", START_SECONDS="0.5"), family="loaded")

    with Load(url) as load:
        wait_for(lambda: len(load.answers) > 50, "some traffic")
        twin.ecs.update_service(cluster="main", service="loaded", taskDefinition=second)
        twin.wait_for_deployment("SUCCESSFUL", "loaded")
        before = len(load.answers)
        wait_for(lambda: len(load.answers) > before + 50, "some more traffic")

    assert load.failures == []
    assert (load.answers[0], load.answers[-1]) == ("1", "2")
    assert set(load.answers) == {"1", "2"}


def test_a_crash_at_the_start_trips_the_breaker_and_the_old_version_keeps_serving(
    twin: LiveTwin,
) -> None:
    good, url = started(twin, "crashing", twin.push("1"))
    bad = twin.register(twin.push("3", CRASH="3"), family="crashing")

    with Load(url) as load:
        twin.ecs.update_service(cluster="main", service="crashing", taskDefinition=bad)
        twin.wait_for_deployment("ROLLBACK_SUCCESSFUL", "crashing")

    assert (load.failures, set(load.answers)) == ([], {"1"})
    service = twin.ecs.describe_services(cluster="main", services=["crashing"])["services"][0]
    assert service["taskDefinition"] == good
    codes = [
        each["detail"]["containers"][0].get("exitCode")
        for each in twin.events
        if each["detail-type"] == "ECS Task State Change"
        and each["detail"]["taskDefinitionArn"] == bad
        and each["detail"]["lastStatus"] == "STOPPED"
        and each["detail"]["stopCode"] == "EssentialContainerExited"
    ]
    assert set(codes) == {3}


def test_a_bad_answer_to_the_health_check_rolls_back(twin: LiveTwin) -> None:
    _, url = started(twin, "sick", twin.push("1"))
    bad = twin.register(twin.push("4", HEALTH="500"), family="sick")
    twin.ecs.update_service(cluster="main", service="sick", taskDefinition=bad)
    twin.wait_for_deployment("ROLLBACK_SUCCESSFUL", "sick")

    assert fetch(url) == "1"
    service = twin.ecs.describe_services(cluster="main", services=["sick"])["services"][0]
    messages = " ".join(each["message"] for each in service["events"])
    assert "Health checks failed with these codes: [500]" in messages


def test_a_one_off_task_runs_its_command_and_leaves_its_lines_and_exit_code(
    twin: LiveTwin,
) -> None:
    twin.ecs.create_cluster(clusterName="main")
    logs = {
        "logDriver": "awslogs",
        "options": {"awslogs-group": "/ecs/jobs", "awslogs-stream-prefix": "job"},
    }
    definition = twin.register(
        twin.push("1"),
        family="job",
        logConfiguration=logs,
        environment=[{"name": "COLOUR", "value": "blue"}, {"name": "SIZE", "value": "small"}],
    )
    script = (
        "import os; print(os.environ['VERSION'], os.environ['COLOUR'], os.environ['SIZE'],"
        " os.path.exists('program.py')); raise SystemExit(4)"
    )
    overrides = command("python", "-c", script)
    overrides["containerOverrides"][0]["environment"] = [{"name": "SIZE", "value": "large"}]
    answer = twin.ecs.run_task(cluster="main", taskDefinition=definition, overrides=overrides)
    task = finished(twin, answer["tasks"][0]["taskArn"])

    assert task["containers"][0]["exitCode"] == 4
    stream = f"/ecs/jobs:job/web/{task['taskArn'].rpartition('/')[2]}"
    assert json.loads(fetch(f"{twin.url}/_twin/logs"))[stream] == ["1 blue large True"]


def test_a_program_or_an_image_that_is_not_there_never_starts(twin: LiveTwin) -> None:
    twin.ecs.create_cluster(clusterName="main")
    image = twin.push("1")
    reasons = {}
    for name, uri in (("program", image), ("image", image.partition("@")[0] + ":none")):
        definition = twin.register(uri, family=f"absent-{name}")
        answer = twin.ecs.run_task(
            cluster="main", taskDefinition=definition, overrides=command("no-such-program")
        )
        task = finished(twin, answer["tasks"][0]["taskArn"])
        assert (task["stopCode"], task["containers"][0].get("exitCode")) == (
            "TaskFailedToStart",
            None,
        )
        reasons[name] = task["stoppedReason"].partition(":")[0]

    assert reasons == {
        "program": "CannotStartContainerError",
        "image": "CannotPullContainerError",
    }


def test_a_program_that_ignores_sigterm_is_killed_after_its_stop_timeout(
    twin: LiveTwin,
) -> None:
    twin.ecs.create_cluster(clusterName="main")
    definition = twin.register(twin.push("1"), family="stubborn", stopTimeout=1)
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True)"
    answer = twin.ecs.run_task(
        cluster="main",
        taskDefinition=definition,
        overrides=command("python", "-c", f"{script}; time.sleep(600)"),
    )
    arn = answer["tasks"][0]["taskArn"]
    wait_for(lambda: "up" in fetch(f"{twin.url}/_twin/logs"), "the program's first line")
    twin.ecs.stop_task(cluster="main", task=arn)

    task = finished(twin, arn)
    # 137 is 128 + SIGKILL, as a container engine shows it.
    assert (task["containers"][0]["exitCode"], task["stopCode"]) == (137, "UserInitiated")


def test_a_container_health_check_decides_without_a_load_balancer(twin: LiveTwin) -> None:
    twin.ecs.create_cluster(clusterName="main")
    check = {"command": ["CMD-SHELL", "test -f program.py"], "interval": 5, "retries": 2}
    definition = twin.register(twin.push("1"), family="checked", healthCheck=check)
    twin.ecs.create_service(
        cluster="main", serviceName="checked", taskDefinition=definition, desiredCount=1
    )
    twin.wait_for_deployment("SUCCESSFUL", "checked")

    arns = twin.ecs.list_tasks(cluster="main", serviceName="checked")["taskArns"]
    task = twin.ecs.describe_tasks(cluster="main", tasks=arns)["tasks"][0]
    assert task["healthStatus"] == "HEALTHY"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_the_twin_ends(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", TWIN_WITH_A_TASK, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    assert running(pid)
    process.send_signal(number)
    process.wait(20)
    process.stdout.close()

    wait_for(lambda: not running(pid), "the end of the task's process")


# Starts the twin's own command in this process, runs a task and prints its process id.
TWIN_WITH_A_TASK = """
import sys, threading
from pathlib import Path
import cloud.live.__main__ as command
from cloud.live.harness import LiveCloud
from tests.integration.twin.live_cloud import LiveTwin, wait_for
import builtins, json

def drive(cloud):
    twin = LiveTwin.__new__(LiveTwin)
    twin.cloud, twin.url = cloud, address
    for name in ("ecs", "ecr"):
        setattr(twin, name, twin.client(name))
    twin.ecs.create_cluster(clusterName="main")
    definition = twin.register(twin.push("1"))
    word = {"name": "web", "command": ["python", "-c",
        "import os, time; print('pid', os.getpid(), flush=True); time.sleep(600)"]}
    twin.ecs.run_task(cluster="main", taskDefinition=definition,
        overrides={"containerOverrides": [word]})
    tails = cloud.tasks._outside.line.__self__
    lines = wait_for(lambda: [x for tail in tails.all().values() for x in tail], "a line")
    print(lines[0].split()[1], flush=True)

original = LiveCloud.start
def start(cloud):
    global address
    cloud.tasks._outside.image_bin = Path(sys.executable).parent
    address = original(cloud)
    threading.Thread(target=drive, args=(cloud,), daemon=True).start()
    return address
LiveCloud.start = start
command.print = lambda *args, **options: None
sys.argv = ["twin", "--state", sys.argv[1], "--speed", "20"]
sys.exit(command.main())
"""


def running(pid: int) -> bool:
    """Whether the process is there and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_body_is_carried_to_the_target_and_back(twin: LiveTwin) -> None:
    _, url = started(twin, "posted", twin.push("1"))
    body = os.urandom(200_000).hex().encode()

    assert fetch(url, body) == body.decode()
    # A request in chunks has no length; the load balancer gives it one.
    request = urllib.request.Request(url, iter([b"one ", b"two"]))
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.read() == b"one two"
