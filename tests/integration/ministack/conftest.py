"""One MiniStack with the probe stack in it, shared by all tests of this folder."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud.ministack.deploy import deploy
from cloud.ministack.launch import MiniStack
from tests.integration.ministack.cloud import Cloud, Execution

FOLDER = Path(__file__).parent
PROBE = FOLDER / "probe" / "template.yaml"
TWIN_URL = "http://127.0.0.1:9"  # nothing listens there: these tests need no twin


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests in one process when several run: they share one cloud."""
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("ministack"))


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with MiniStack(tmp_path_factory.mktemp("cloud"), TWIN_URL) as ministack:
        yield Cloud(ministack, deploy(PROBE, ministack.environment(), {}, stack="probe"))


@pytest.fixture
def run(cloud: Cloud) -> Callable[..., Execution]:
    """Creates a JSONata state machine from its states, the first one first, and starts it."""
    states = cloud.client("stepfunctions")
    probe = states.describe_state_machine(stateMachineArn=cloud.outputs["Machine"])

    def start(definition: dict[str, Any], given: Any = None, **more: Any) -> Execution:
        whole = {
            "QueryLanguage": "JSONata",
            "StartAt": next(iter(definition)),
            "States": definition,
            **more,
        }
        name = f"machine-{time.time_ns()}"
        machine = states.create_state_machine(
            name=name,
            definition=json.dumps(whole),
            roleArn=probe["roleArn"],
        )["stateMachineArn"]
        started = states.start_execution(stateMachineArn=machine, input=json.dumps(given or {}))
        return Execution(states, started["executionArn"])

    return start


@pytest.fixture
def work(cloud: Cloud) -> Callable[..., dict[str, Any]]:
    """Builds a Task state that calls the worker function, with or without a task token."""

    def task(payload: Any, *, token: bool = False, **fields: Any) -> dict[str, Any]:
        suffix = ".waitForTaskToken" if token else ""
        carried = {"token": "{% $states.context.Task.Token %}"} if token else {}
        arguments = {
            "FunctionName": cloud.outputs["WorkerFunctionArn"],
            "Payload": {**payload, **carried} if isinstance(payload, dict) else payload,
        }
        ending = {} if "Next" in fields else {"End": True}
        return {
            "Type": "Task",
            "Resource": f"arn:aws:states:::lambda:invoke{suffix}",
            "Arguments": arguments,
            **ending,
            **fields,
        }

    return task
