"""`sam local invoke` against the embedded cloud: the way out of a container, and the template."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import requests

from cloud.container_door import ContainerDoor
from demo.standing.invoke_template import BUILT, ROOT, template

CONFIGURATION = {
    "FunctionName": "slipway-VerifyFunction-1",
    "Handler": "app.lambda_handler",
    "Runtime": "python3.13",
    "Architectures": ["x86_64"],
    "MemorySize": 512,
    "Timeout": 60,
    "LoggingConfig": {"LogFormat": "JSON"},
    "Environment": {"Variables": {"SLIPWAY_TABLE": "slipway-Table-1"}},
}


class Echo(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("X-Path", self.path)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def cloud() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def door() -> Iterator[ContainerDoor]:
    opened = ContainerDoor("127.0.0.1")
    yield opened
    opened.close()


def post(url: str, proxy: str) -> requests.Response:
    return requests.post(url, data=b"hello", proxies={"http": proxy}, timeout=5)


def test_a_container_reaches_the_cloud_through_the_door(cloud: str, door: ContainerDoor) -> None:
    answer = post(f"{cloud}/some/path?a=b", door.url)

    assert (answer.status_code, answer.headers["X-Path"], answer.content) == (
        201,
        "/some/path?a=b",
        b"hello",
    )


def test_the_door_opens_only_with_its_password(cloud: str, door: ContainerDoor) -> None:
    without = f"http://{door.url.rpartition('@')[2]}"

    assert post(cloud, without).status_code == 407


@pytest.mark.parametrize("host", ["192.0.2.1", "example.com", "169.254.169.254"])
def test_the_door_leads_to_loopback_only(door: ContainerDoor, host: str) -> None:
    assert post(f"http://{host}/", door.url).status_code == 403


def test_a_closed_port_behind_the_door_is_told(door: ContainerDoor) -> None:
    answer = post("http://127.0.0.1:1/", door.url)

    assert (answer.status_code, "127.0.0.1:1 does not answer" in answer.text) == (502, True)


def test_the_template_runs_what_is_deployed_with_its_real_values() -> None:
    made = template({"VerifyFunction": CONFIGURATION}, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})

    assert made["Resources"]["VerifyFunction"] == {
        "Type": "AWS::Serverless::Function",
        "Properties": {
            "Handler": "app.lambda_handler",
            "Runtime": "python3.13",
            "Architectures": ["x86_64"],
            "MemorySize": 512,
            "Timeout": 60,
            "LoggingConfig": {"LogFormat": "JSON"},
            "CodeUri": str(ROOT / "functions" / "verify"),
            "Layers": [{"Ref": "VendorLayer"}, {"Ref": "CoreLayer"}, {"Ref": "CatalogLayer"}],
            "Environment": {
                "Variables": {
                    "SLIPWAY_TABLE": "slipway-Table-1",
                    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
                }
            },
        },
    }
    assert made["Resources"]["CoreLayer"]["Properties"] == {"ContentUri": str(BUILT / "CoreLayer")}
