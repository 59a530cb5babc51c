"""A live twin for tests, with a web program of the standard library in an image of its own."""

import random
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from cloud.image import build_image, push_image
from cloud.live.harness import LiveCloud, Settings
from cloud.twin.twin import Twin
from cloud.twin.world import Event

REGISTRY = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
WAIT_SECONDS = 40.0

# Answers its version everywhere; SLOW, HEALTH and CRASH change its manners.
PROGRAM = """
import http.server, os, signal, sys, threading, time
print("starting", os.environ["VERSION"], flush=True)
if os.environ.get("CRASH"):
    sys.exit(int(os.environ["CRASH"]))
time.sleep(float(os.environ.get("START_SECONDS", "0")))

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/slow":
            time.sleep(0.5)
        status = int(os.environ.get("HEALTH", "200")) if self.path == "/health" else 200
        body = os.environ["VERSION"].encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = False

server = Server((os.environ["HOST"], int(os.environ.get("PORT", "8000"))), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever(0.05)
server.server_close()
"""


class LiveTwin:
    """A running twin and clients for it."""

    def __init__(self, folder: Path, speed: float = 20.0, **settings: Any) -> None:
        image_bin = Path(sys.executable).parent
        self.cloud = LiveCloud(Settings(state=folder, speed=speed, **settings))
        # Databases need their own programs; tasks only need this interpreter.
        self.cloud.tasks._outside.image_bin = image_bin
        self.url = self.cloud.start()
        self.ecs = self.client("ecs")
        self.elbv2 = self.client("elbv2")
        self.ecr = self.client("ecr")
        self.cloudwatch = self.client("cloudwatch")

    @property
    def twin(self) -> Twin:
        return self.cloud.twin

    @property
    def events(self) -> list[Event]:
        return list(self.cloud.sink.emitted)

    def client(self, service: str) -> Any:
        session: Any = boto3.Session("test", "test", region_name="us-east-1")
        return session.client(service, endpoint_url=self.url)

    def push(self, version: str, **env: str) -> str:
        """Push the program under the version as tag; the image by digest."""
        names = [
            each["repositoryName"] for each in self.ecr.describe_repositories()["repositories"]
        ]
        if "web" not in names:
            self.ecr.create_repository(repositoryName="web")
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "program.py").write_text(PROGRAM)
            image = build_image(
                Path(folder), ("python", "program.py"), {"VERSION": version, **env}, {}
            )
        return f"{REGISTRY}/web@{push_image(self.url, 'web', version, image)}"

    def register(self, image: str, family: str = "web", **container: Any) -> str:
        definition = {
            "name": "web",
            "image": image,
            "portMappings": [{"containerPort": 8000}],
            **container,
        }
        answer = self.ecs.register_task_definition(family=family, containerDefinitions=[definition])
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def load_balancer(self, name: str = "web", delay: int = 20) -> tuple[str, str]:
        """A load balancer before a new target group: the group's ARN and the URL."""
        group = self.elbv2.create_target_group(
            Name=name,
            Port=8000,
            Protocol="HTTP",
            TargetType="ip",
            VpcId="vpc-1",
            HealthCheckPath="/health",
            HealthCheckIntervalSeconds=10,
        )["TargetGroups"][0]["TargetGroupArn"]
        self.elbv2.modify_target_group_attributes(
            TargetGroupArn=group,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": str(delay)}],
        )
        balancer = self.elbv2.create_load_balancer(Name=name, Subnets=["subnet-1"])[
            "LoadBalancers"
        ][0]
        listener = self.elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Port=8080,
            Protocol="HTTP",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )["Listeners"][0]
        return str(group), f"http://{balancer['DNSName']}:{listener['Port']}"

    def service(self, definition: str, group: str, name: str = "web", **settings: Any) -> None:
        self.ecs.create_cluster(clusterName="main")
        self.ecs.create_service(
            cluster="main",
            serviceName=name,
            taskDefinition=definition,
            desiredCount=2,
            loadBalancers=[
                {"targetGroupArn": group, "containerName": "web", "containerPort": 8000}
            ],
            deploymentConfiguration={
                "deploymentCircuitBreaker": {"enable": True, "rollback": True}
            },
            **settings,
        )

    def deployment(self, name: str = "web") -> Any:
        """The newest service deployment of a service, in brief."""
        listed = self.ecs.list_service_deployments(cluster="main", service=name)
        return listed["serviceDeployments"][0]

    def wait_for_deployment(self, status: str, name: str = "web") -> None:
        wait_for(lambda: self.deployment(name)["status"] == status, f"{name} being {status}")

    def stop(self) -> None:
        self.cloud.stop()


@contextmanager
def live_twin(folder: Path, **settings: Any) -> Iterator[LiveTwin]:
    """A live twin for as long as the block lasts."""
    twin = LiveTwin(folder, **settings)
    try:
        yield twin
    finally:
        twin.stop()


class Load:
    """Threads that ask a URL without a pause; every answer is counted."""

    def __init__(self, url: str, threads: int = 4) -> None:
        self.answers: list[str] = []
        self.failures: list[str] = []
        self._url = url
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                path = random.choice(("/", "/", "/", "/slow"))
                self.answers.append(fetch(self._url + path))
            except (urllib.error.URLError, OSError) as failure:
                if isinstance(failure, urllib.error.HTTPError):
                    failure.close()
                self.failures.append(repr(failure))
            time.sleep(0.005)


def fetch(url: str, data: bytes | None = None) -> str:
    with urllib.request.urlopen(url, data, timeout=10) as answer:
        return str(answer.read().decode())


def refused(url: str, data: bytes | None = None) -> int:
    """The status with which the request is refused."""
    try:
        text = fetch(url, data)
    except urllib.error.HTTPError as answer:
        answer.close()
        return answer.code
    raise AssertionError(f"not refused, but answered: {text}")


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """The first true answer of the condition; fails naming what did not happen in time."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen within {WAIT_SECONDS:.0f} s")
