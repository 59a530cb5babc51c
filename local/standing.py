"""A cloud that stays: where it is reached, and how another terminal finds it."""

import contextlib
import json
import os
import signal
import threading
from pathlib import Path

from local.cloud import Cloud
from local.narrator import Narrator
from slipway.domain.approval import signature

ROOT = Path(__file__).resolve().parents[1]
APPLICATION = "fastapi-rds"
STANDING = ROOT / ".build" / "standing.json"


def announce(cloud: Cloud, narrator: Narrator) -> None:
    """Print the addresses, and leave them where `make push` and `make down` find them."""
    STANDING.parent.mkdir(exist_ok=True)
    STANDING.write_text(json.dumps(_addresses(cloud), indent=2) + "\n")
    narrator.title("The cloud stays up")
    for application in cloud.catalog.applications.values():
        for name in application.environments:
            url = cloud.service_url(application.application, name)
            narrator.say(f"{application.application}/{name:<12} {url}")
    narrator.say(f"Slack                    {cloud.twin.url}/slack/")
    narrator.say(f"Slipway's status page    {status_link(cloud)}")
    narrator.say("push another image       make push VERSION=v6")
    narrator.say('the AWS CLI and SAM      eval "$(make env)"')
    narrator.say("end it                   Ctrl-C here, or make down")


def _addresses(cloud: Cloud) -> dict[str, object]:
    environments = cloud.catalog.applications[APPLICATION].environments
    return {
        "pid": os.getpid(),
        "registry": cloud.twin.url,
        "door": cloud.ministack.door_url,
        "architecture": cloud.image_architecture,
        "fed": {name: environment.after is None for name, environment in environments.items()},
        "status": status_link(cloud),
        "environment": cloud.environment(),
        "stack": vars(cloud.stack),
    }


def status_link(cloud: Cloud) -> str:
    """The status page, with the signature that opens it."""
    secret = cloud.client("secretsmanager").get_secret_value(SecretId=cloud.stack.link_secret_arn)
    key = json.loads(secret["SecretString"])["link_key"]
    return f"{cloud.stack.web_url}/?sig={signature(key, 'view', 'status')}"


def wait_for_the_end() -> None:
    """Wait for Ctrl-C or SIGTERM."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with contextlib.suppress(KeyboardInterrupt):
        ended.wait()
    STANDING.unlink(missing_ok=True)
