"""What the tasks need of other services: log delivery, secrets, and the program to run."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cloud.live.logs import LogForwarder, LogTails, stream_of
from cloud.live.programs import CannotStartError, pinned, program
from cloud.live.secrets import SecretError, Secrets, no_secrets
from cloud.twin.engines import ContainerSpec
from tests.integration.twin.live_cloud import wait_for

DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def client() -> Iterator[Callable[[str], Any]]:
    session: Any = boto3.Session("test", "test", region_name="us-east-1")
    with mock_aws():
        yield session.client


def test_lines_reach_their_stream_and_stay_as_a_tail(client: Callable[[str], Any]) -> None:
    logs = client("logs")
    forwarder = LogForwarder(logs)
    tails = LogTails(forwarder.put)
    for number in range(3):
        tails.put(("/ecs/notes", "web/web/1"), f"line {number}")
    tails.put(("/ecs/notes", "web/web/1"), "")
    forwarder.flush(10)

    found = wait_for(
        lambda: logs.get_log_events(logGroupName="/ecs/notes", logStreamName="web/web/1")["events"],
        "the lines",
    )
    assert [each["message"] for each in found] == ["line 0", "line 1", "line 2", " "]
    assert tails.all() == {"/ecs/notes:web/web/1": ["line 0", "line 1", "line 2", ""]}


def test_the_awslogs_driver_names_the_stream_by_prefix_container_and_task() -> None:
    options = {"awslogs-group": "/ecs/notes", "awslogs-stream-prefix": "migrate"}
    definition = {"name": "web", "logConfiguration": {"logDriver": "awslogs", "options": options}}
    assert stream_of(definition, "77") == ("/ecs/notes", "migrate/web/77")
    assert stream_of({"name": "web"}, "77") is None


def test_a_secret_is_read_whole_or_by_its_key(client: Callable[[str], Any]) -> None:
    secrets_manager, ssm = client("secretsmanager"), client("ssm")
    text = '{"password": "p", "port": 5432}'
    arn = secrets_manager.create_secret(Name="notes/db", SecretString=text)["ARN"]
    ssm.put_parameter(Name="/notes/key", Value="k", Type="SecureString")
    secrets = Secrets(secrets_manager, ssm)

    assert secrets(arn) == text
    assert (secrets(f"{arn}:password::"), secrets(f"{arn}:port::")) == ("p", "5432")
    assert secrets("/notes/key") == "k"
    assert secrets("arn:aws:ssm:us-east-1:000000000000:parameter/notes/key") == "k"


def test_a_secret_that_cannot_be_read_keeps_the_task_from_starting(
    client: Callable[[str], Any],
) -> None:
    secrets = Secrets(client("secretsmanager"), client("ssm"))
    arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:none-abcdef"
    for resolve in (secrets, no_secrets):
        with pytest.raises(SecretError) as failed:
            resolve(arn)
        expected = "ResourceInitializationError: unable to pull secrets or registry auth: "
        assert str(failed.value).startswith(f"{expected}unable to retrieve secret {arn}")


def container(image: str = "repo:v1", **definition: Any) -> ContainerSpec:
    return ContainerSpec("web", image, DIGEST, {"name": "web", **definition})


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("host:5000/team/notes:v1", f"host:5000/team/notes@{DIGEST}"),
        ("host:5000/team/notes", f"host:5000/team/notes@{DIGEST}"),
        ("host/notes@sha256:" + "b" * 64, f"host/notes@{DIGEST}"),
    ],
)
def test_what_was_resolved_is_what_is_fetched(image: str, expected: str) -> None:
    assert pinned(container(image)) == expected


def test_definition_and_caller_override_the_image_and_the_host_is_the_tasks(
    tmp_path: Path,
) -> None:
    (tmp_path / "app").mkdir()
    config = {
        "Env": ["A=image", "B=image", "C=image", "PATH=/opt/bin"],
        "Entrypoint": ["env"],
        "Cmd": ["image"],
        "WorkingDir": "/app",
    }
    environment = [{"name": "B", "value": "definition"}, {"name": "C", "value": "definition"}]
    spec = ContainerSpec(
        "web", "repo:v1", DIGEST, {"environment": environment}, ["run"], {"C": "caller"}
    )
    found = program(spec, tmp_path, config, {"HOST": "127.1.2.3"}, Path("/image/bin"))

    assert (found.arguments[0].rpartition("/")[2], found.arguments[1:]) == ("env", ["run"])
    assert found.folder == tmp_path / "app"
    path = "/image/bin:/opt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert found.environment == {
        "HOME": "/tmp",
        "A": "image",
        "B": "definition",
        "C": "caller",
        "HOST": "127.1.2.3",
        "PATH": path,
    }


def test_an_entry_point_of_the_definition_drops_the_images_command(tmp_path: Path) -> None:
    config = {"Entrypoint": ["env"], "Cmd": ["image"]}
    found = program(container(entryPoint=["true"]), tmp_path, config, {}, None)
    assert [each.rpartition("/")[2] for each in found.arguments] == ["true"]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "no command specified"),
        ({"Cmd": ["true"], "WorkingDir": "/none"}, "no folder /none"),
        ({"Cmd": ["no-such-program"]}, "executable file not found"),
    ],
)
def test_a_program_that_cannot_be_made_out_says_why(
    tmp_path: Path, config: dict[str, Any], words: str
) -> None:
    with pytest.raises(CannotStartError, match=words):
        program(container(), tmp_path, config, {}, None)
