"""`make containers`: a way out of a container to a standing cloud, and SAM's template for it."""

import contextlib
import signal
import threading

import boto3

from cloud.container_door import ContainerDoor, bridge_address
from demo.standing import invoke_template
from demo.standing.lock import DEFAULT, Standing, is_up
from demo.standing.reached import STACK, enter


def serve(standing: Standing) -> None:
    """Open a way for containers, write SAM's template for it, and stay while the cloud stands.

    Raises NoBridge without Docker.
    """
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    door = ContainerDoor(bridge_address())
    enter(standing)
    # In capitals only: the runtime's own client, which talks to 127.0.0.1 inside, ignores those.
    proxy = {"HTTP_PROXY": door.url}
    found = invoke_template.deployed(boto3.client("cloudformation"), boto3.client("lambda"), STACK)
    content = invoke_template.template(found, {**standing.environment, **proxy})
    # The section `local` of samconfig.toml names the default cloud's.
    path = invoke_template.path(standing.name)
    invoke_template.write(content, path)
    option = "" if standing.name == DEFAULT else f" --template-file {path}"
    print("Containers reach the cloud until Ctrl-C. In another terminal:")
    print(
        "  .venv/bin/sam local invoke VerifyFunction -e events/verify.json --config-env local"
        + option
    )
    with contextlib.suppress(KeyboardInterrupt):
        while is_up(standing.name) and not ended.wait(1):
            pass
    door.close()
    path.unlink(missing_ok=True)
