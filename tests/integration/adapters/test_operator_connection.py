"""The operator's command line against AWS's own answers: where it looks, and what it is refused."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from slipway.adapters.records import DynamoDBRecords
from slipway.domain.evidence import Note
from slipway.journal import Journal
from slipway.operate.__main__ import main
from tests.builders.documents import NOON, a_deployment
from tests.integration.adapters.conftest import TABLE

CORE = Path(__file__).resolve().parents[3] / "layers" / "core"
XMLNS = 'xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"'
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:slipway"
OUTPUTS = {"TableName": TABLE, "BusName": "slipway", "StateMachineArn": MACHINE}
CATALOG = """\
application: notes
environments:
  staging:
    push: {repository: notes, tags: ["v*"]}
    target: {cluster: staging, service: notes, container: app}
"""


@dataclass
class CloudFormation:
    """CloudFormation's query API, as far as DescribeStacks; ``error`` is answered instead."""

    url: str = ""
    outputs: dict[str, str] = field(default_factory=lambda: dict(OUTPUTS))
    error: tuple[int, str, str] | None = None
    asked: list[str] = field(default_factory=list)

    def answer(self, body: str) -> tuple[int, str]:
        self.asked.append(body)
        if self.error is not None:
            status, code, message = self.error
            told = f"<Code>{code}</Code><Message>{message}</Message>"
            return status, f"<ErrorResponse {XMLNS}><Error>{told}</Error></ErrorResponse>"
        members = "".join(
            f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
            for key, value in self.outputs.items()
        )
        stack = (
            "<StackName>slipway</StackName><CreationTime>2026-11-02T00:00:00Z</CreationTime>"
            f"<StackStatus>CREATE_COMPLETE</StackStatus><Outputs>{members}</Outputs>"
        )
        result = f"<DescribeStacksResult><Stacks><member>{stack}</member></Stacks>"
        closing = "</DescribeStacksResult></DescribeStacksResponse>"
        return 200, f"<DescribeStacksResponse {XMLNS}>{result}{closing}"


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudFormation]:
    """A CloudFormation on this machine, where boto3 finds it by the environment alone."""
    served = CloudFormation()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, answer = served.answer(body)
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        served.url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", served.url)
        yield served
        server.shutdown()
        thread.join()


@pytest.fixture
def catalog(tmp_path: Path) -> str:
    folder = tmp_path / "catalog"
    folder.mkdir()
    (folder / "notes.yaml").write_text(CATALOG)
    return str(folder)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main([*arguments]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def test_the_stack_says_where_the_record_is(
    cloudformation: CloudFormation,
    dynamodb: DynamoDBClient,
    catalog: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    records = DynamoDBRecords(dynamodb, TABLE)
    lane = records.lane("notes", "staging").model_copy(update={"next_number": 2})
    Journal(records, NOON).write(a_deployment(), Note(what="admitted"), others=[lane])

    code = main(["--stack", "slipway-eu", "--catalog", catalog, "verify-records", "--all"])

    assert (code, capsys.readouterr().out) == (
        0,
        "1 record with 1 entry: all chains intact.\n",
    )
    assert "StackName=slipway-eu" in cloudformation.asked[0]


def test_a_request_reaches_the_stacks_bus_with_the_digest_behind_the_tag(
    cloudformation: CloudFormation,
    dynamodb: DynamoDBClient,
    catalog: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    digest, queue = an_image("v1"), a_listener("slipway")
    monkeypatch.setattr("slipway.operate.request._LOOK_SECONDS", 0.0)
    words = ("--by", "ada", "--reason", "It cannot wait.")

    told = refused(capsys, "--catalog", catalog, "deploy", "notes/staging", "--tag", "v1", *words)

    (message,) = boto3.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    event = json.loads(message["Body"])
    request_id = event["detail"].pop("request_id")
    assert (event["source"], event["detail-type"]) == ("slipway", "Deployment Requested")
    assert event["detail"] == {
        "application": "notes",
        "environment": "staging",
        "repository": "notes",
        "digest": digest,
        "tag": "v1",
        "requested_by": "ada (arn:aws:sts::123456789012:user/moto)",
        "reason": "It cannot wait.",
    }
    assert told.startswith(f"The request {request_id} was sent, but not admitted within ")


def an_image(tag: str) -> str:
    """The digest of an image in ECR."""
    ecr = boto3.client("ecr")
    ecr.create_repository(repositoryName="notes")
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"digest": f"sha256:{'c' * 64}", "size": 2},
        "layers": [],
    }
    pushed = ecr.put_image(repositoryName="notes", imageTag=tag, imageManifest=json.dumps(manifest))
    return pushed["image"]["imageId"]["imageDigest"]


def a_listener(bus: str) -> str:
    """The URL of a queue that gets everything of a new bus."""
    events, sqs = boto3.client("events"), boto3.client("sqs")
    queue = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    events.create_event_bus(Name=bus)
    events.put_rule(Name="all", EventBusName=bus, EventPattern='{"source": ["slipway"]}')
    targets: list[Any] = [{"Id": "1", "Arn": arn["Attributes"]["QueueArn"]}]
    events.put_targets(Rule="all", EventBusName=bus, Targets=targets)
    return queue


def test_a_stack_that_is_not_slipways_is_refused(
    cloudformation: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    del cloudformation.outputs["BusName"]

    assert refused(capsys, "waiting") == (
        "The stack 'slipway' has no output BusName. Is it a Slipway stack?\n"
    )


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            (400, "ValidationError", "Stack with id slipway does not exist"),
            "There is no stack 'slipway' in us-east-1: Stack with id slipway does not exist.\n",
        ),
        (
            (403, "ExpiredToken", "The security token included in the request is expired"),
            "DescribeStacks: The security token included in the request is expired "
            "(ExpiredToken)\n",
        ),
        (
            (403, "AccessDenied", "User ada is not authorized"),
            "DescribeStacks: User ada is not authorized (AccessDenied)\n",
        ),
    ],
)
def test_what_cloudformation_refuses_is_one_sentence(
    cloudformation: CloudFormation,
    capsys: pytest.CaptureFixture[str],
    error: tuple[int, str, str],
    told: str,
) -> None:
    cloudformation.error = error

    assert refused(capsys, "waiting") == told


def test_a_table_that_is_gone_is_one_sentence(
    cloudformation: CloudFormation, aws: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(capsys, "show", "notes-staging-1") == (
        "BatchGetItem: Requested resource not found (ResourceNotFoundException)\n"
    )


def test_a_catalog_that_cannot_be_read_is_told(
    cloudformation: CloudFormation,
    dynamodb: DynamoDBClient,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert refused(capsys, "--catalog", str(tmp_path), "status") == (
        f"{tmp_path}: expected at least one <application>.yaml, got none\n"
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"AWS_DEFAULT_REGION": None},
            "AWS could not be called: You must specify a region.",
        ),
        (
            {"AWS_ACCESS_KEY_ID": None},
            "AWS could not be called: Unable to locate credentials",
        ),
        (
            {"AWS_PROFILE": "nobody"},
            "AWS could not be called: The config profile (nobody) could not be found",
        ),
        (
            {"AWS_ENDPOINT_URL": "somewhere"},
            "The AWS configuration is invalid: Invalid endpoint: somewhere.",
        ),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"},
            "AWS did not answer: Could not connect to the endpoint URL: ",
        ),
    ],
)
def test_settings_that_do_not_do_are_one_sentence(
    changes: dict[str, str | None],
    told: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    for name, value in changes.items():
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)

    said = refused(capsys, "waiting")

    assert said.startswith(told)
    assert len(said.splitlines()) == 1


def test_it_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "slipway.operate", "show", "7"]
    environment = {**os.environ, "PYTHONPATH": str(CORE)}

    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines()[-1] == (
        "python -m slipway.operate show: error: argument ID: "
        "expected a deployment ID such as shop-production-7, got '7'"
    )
