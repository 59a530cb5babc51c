"""The embedded cloud as a whole: MiniStack, the twin, the user's environments and Slipway's stack.

with Cloud(folder) as cloud:
    cloud.deploy()
    cloud.push("v1")
"""

import json
import platform
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3

from cloud.environments import build_environments
from cloud.image import push_version
from cloud.ministack.deploy import deploy
from cloud.ministack.launch import MiniStack
from cloud.twin_process import TwinDoor, TwinProcess
from cloud.web_door import WebDoor
from slipway.catalog_build.entries import read_catalog
from slipway.domain.catalog import Catalog

ROOT = Path(__file__).resolve().parents[1]
APP_BIN = ROOT / ".venv-app" / "bin"
WEBHOOK_PATH = "/slack/services/T00000000/B00000000/local"

# The parts of AWS that the twin plays; botocore reads these service names from the environment.
TWIN_SERVICES = ("ECS", "ECR", "RDS", "ELASTIC_LOAD_BALANCING_V2", "CLOUDWATCH")

Report = Callable[[str], None]


@dataclass(frozen=True)
class Stack:
    """What a deployed Slipway is reached by."""

    table: str
    bus: str
    state_machine_arn: str
    web_url: str
    link_secret_arn: str


class Cloud:
    """A whole AWS on this machine; everything ends with it."""

    def __init__(
        self,
        folder: Path,
        *,
        speed: float = 10.0,
        catalog_dir: Path = ROOT / "catalog",
        report: Report = lambda line: None,
    ) -> None:
        self.folder = folder
        self.catalog: Catalog = read_catalog(catalog_dir)
        self._catalog_dir = catalog_dir
        self._speed = speed
        self._report = report
        self._closing = ExitStack()
        self.client = cache(self._client)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._closing.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.close()

    def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        twin_port = _free_port()
        twin_url = f"http://127.0.0.1:{twin_port}"
        self._report("starting MiniStack")
        self.ministack = MiniStack(self.folder / "ministack", twin_url).start()
        self._closing.callback(self.ministack.stop)
        self._report("starting the twin (ECS, ECR, RDS, load balancers, alarms, Slack)")
        twin = TwinProcess(self.folder / "twin", self._twin_arguments(twin_port))
        self._closing.callback(twin.stop)
        self.twin: TwinDoor = twin
        self.web = WebDoor()
        self._closing.callback(self.web.close)

    def _twin_arguments(self, port: int) -> list[str]:
        return [
            *("--port", str(port)),
            *("--event-door", f"{self.ministack.door_url}/events"),
            *("--endpoint-url", self.ministack.endpoint_url),
            *("--speed", str(self._speed)),
            *("--image-bin", str(APP_BIN)),
        ]

    def deploy(self, **parameters: str) -> Stack:
        """Build the user's environments, then Slipway itself with `sam build && sam deploy`."""
        for application in self.catalog.applications:
            self._report(f"building the environments of {application}")
            self.build(application)
        return self.install(**parameters)

    def build(self, application: str, desired_count: int = 2) -> None:
        """Build the user's environments of an application, each with so many tasks."""
        entry = self.catalog.applications[application]
        build_environments(entry, self.client, self.twin.url, _architecture(), desired_count)

    def install(self, **parameters: str) -> Stack:
        """Deploy Slipway itself with `sam build && sam deploy`."""
        webhook = {"webhook_url": f"{self.twin.url}{WEBHOOK_PATH}"}
        secret = self.client("secretsmanager").create_secret(
            Name="slipway/slack", SecretString=json.dumps(webhook)
        )
        environment = {**self.ministack.environment(), "CATALOG_DIR": str(self._catalog_dir)}
        outputs = deploy(
            ROOT / "template.yaml",
            environment,
            {"SlackSecretArn": secret["ARN"], "PublicUrl": self.web.url, **parameters},
            report=self._report,
        )
        self.web.lead_to(outputs["WebUrl"], self.ministack.endpoint_url)
        self.stack = Stack(
            table=outputs["TableName"],
            bus=outputs["BusName"],
            state_machine_arn=outputs["StateMachineArn"],
            web_url=self.web.url,
            link_secret_arn=outputs["LinkSecretArn"],
        )
        return self.stack

    def push(self, version: str, tag: str | None = None, repository: str = "fastapi-rds") -> str:
        """Push a version of the example application; its digest."""
        architectures = (self.image_architecture,)
        return push_version(self.twin.url, repository, tag or version, version, architectures)

    @property
    def image_architecture(self) -> str:
        """The OCI name of the CPU that the services run on."""
        return "arm64" if _architecture() == "ARM64" else "amd64"

    def service_url(self, application: str, environment: str) -> str:
        """Where people reach a deployed service: its load balancer."""
        cluster = self.catalog.applications[application].environments[environment].target.cluster
        elbv2 = self.client("elbv2")
        balancer = elbv2.describe_load_balancers(Names=[cluster])["LoadBalancers"][0]
        listeners = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])
        return f"http://{balancer['DNSName']}:{listeners['Listeners'][0]['Port']}"

    def environment(self) -> dict[str, str]:
        """With these variables any AWS SDK or tool talks to this cloud."""
        twin = {f"AWS_ENDPOINT_URL_{name}": self.twin.url for name in TWIN_SERVICES}
        return {**self.ministack.environment(), **twin}

    def _client(self, name: str) -> Any:
        settings = self.environment()
        return boto3.client(  # type: ignore[call-overload]
            name,
            region_name=settings["AWS_REGION"],
            aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
            endpoint_url=self.twin.url if name in _TWIN_CLIENTS else self.ministack.endpoint_url,
        )


_TWIN_CLIENTS = frozenset({"ecs", "ecr", "rds", "elbv2", "cloudwatch"})


def _architecture() -> str:
    """ECS's name for the CPU of this machine."""
    return "ARM64" if platform.machine() in ("arm64", "aarch64") else "X86_64"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
