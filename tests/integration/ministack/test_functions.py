"""Functions run as the Lambda developer guide says: environment, errors, logs, crashes."""

import os
import sys
from typing import Any

import pytest

from tests.integration.ministack.cloud import Cloud, eventually


@pytest.fixture
def described(cloud: Cloud) -> dict[str, Any]:
    answer, error = cloud.invoke("WorkerFunction", {"do": "describe"})
    assert error is None
    surroundings: dict[str, Any] = answer
    return surroundings


def test_a_function_runs_on_the_version_it_was_deployed_for(
    cloud: Cloud, described: dict[str, Any]
) -> None:
    configuration = cloud.client("lambda").get_function_configuration(
        FunctionName=cloud.outputs["WorkerFunction"]
    )

    assert f"python{described['version']}" == configuration["Runtime"]


def test_nothing_of_the_host_reaches_a_function(described: dict[str, Any]) -> None:
    assert set(described["environment"]) == {
        "ABSENT",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_CLOUDWATCH",
        "AWS_ENDPOINT_URL_ECR",
        "AWS_ENDPOINT_URL_ECS",
        "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2",
        "AWS_ENDPOINT_URL_RDS",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_FORMAT",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SDK_UA_APP_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "HOME",
        "LAMBDA_TASK_ROOT",
        "LANG",
        "LENT",
        "PATH",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONPATH",
        "TABLE",
        "TMPDIR",
        "TZ",
        "_HANDLER",
    } | (set(described["environment"]) & {"PWD", "LC_CTYPE", "OLDPWD", "SHLVL", "_"})
    assert not [path for path in described["path"] if path.startswith(f"{sys.prefix}{os.sep}")]


def test_a_function_finds_the_twin_and_ministack(cloud: Cloud, described: dict[str, Any]) -> None:
    environment = described["environment"]

    assert environment["AWS_ENDPOINT_URL"] == cloud.ministack.endpoint_url
    assert environment["AWS_ENDPOINT_URL_ECS"] == "http://127.0.0.1:9"
    assert environment["AWS_SDK_UA_APP_ID"] == cloud.outputs["WorkerFunction"]
    assert environment["TABLE"] == cloud.outputs["Table"]


def test_a_function_finds_the_modules_and_files_of_its_layers(described: dict[str, Any]) -> None:
    assert (described["lent_module"], described["lent_file"]) == ("layer", "from the layer\n")
    assert described["environment"]["ABSENT"] == "/opt/absent.txt"


def test_the_context_is_that_of_the_function(cloud: Cloud, described: dict[str, Any]) -> None:
    assert described["function_name"] == cloud.outputs["WorkerFunction"]
    assert described["function_arn"] == cloud.outputs["WorkerFunctionArn"]
    assert described["memory"] == "128"
    assert 0 < described["remaining"] <= 5000


def test_an_error_is_reported_under_its_class_name(cloud: Cloud) -> None:
    answer, error = cloud.invoke("WorkerFunction", {"do": "raise transient"})

    assert (error, answer["errorType"], answer["errorMessage"]) == (
        "Unhandled",
        "Transient",
        "try again",
    )


def test_what_a_function_prints_is_in_its_log(cloud: Cloud) -> None:
    cloud.invoke("ListenerFunction", {"detail": "a unique line"})

    assert {"detail": "a unique line"} in cloud.heard("ListenerFunction")


def test_a_killed_function_starts_again(cloud: Cloud) -> None:
    cloud.invoke("WorkerFunction", {"do": "echo"})
    killed = cloud.ministack.kill(cloud.outputs["WorkerFunction"])
    eventually(lambda: not {w["pid"] for w in cloud.ministack.workers()} & set(killed))

    answer, error = cloud.invoke("WorkerFunction", {"do": "echo"})

    assert (len(killed) > 0, answer, error) == (True, {"do": "echo"}, None)


def test_a_function_gets_no_more_than_its_reserved_concurrency(cloud: Cloud) -> None:
    client = cloud.client("lambda")

    answer = client.get_function_concurrency(FunctionName=cloud.outputs["WebFunction"])

    assert answer["ReservedConcurrentExecutions"] == 2
