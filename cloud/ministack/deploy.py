"""Deploys a template to the embedded cloud the ordinary way: `sam build`, then `sam deploy`."""

import fcntl
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import boto3

from packing import interpreters

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build"

Report = Callable[[str], None]

_COMPLETED = re.compile(r"(CREATE|UPDATE|DELETE)_COMPLETE +(AWS::\S+) +(\S+)")


class NotDeployed(Exception):
    """A stack could not be built or deployed; the message ends with SAM's own words."""


def deploy(
    template: Path,
    environment: Mapping[str, str],
    parameters: Mapping[str, str],
    *,
    stack: str = "slipway",
    report: Report = print,
) -> dict[str, str]:
    """Build and deploy with samconfig's `local` section; returns the stack's outputs.

    The environment is that of `MiniStack.environment()`. Runtime and Architecture are those of this
    machine unless they are given. Two runs may deploy at the same time: one builds after the other,
    and each deploys its own copy of what was built. Raises NotDeployed.
    """
    parameters = {**_of_this_machine(), **parameters}
    with tempfile.TemporaryDirectory(prefix="deploy-", dir=_folder()) as folder:
        built = Path(folder) / "built"
        options = ["--parameter-overrides", *(f"{k}={v}" for k, v in parameters.items())]
        settings = {**environment, **_settings(parameters)}
        report(f"building {template.name}")
        with _one_at_a_time():
            target = BUILD / "sam" / stack
            command = ["build", "--template-file", str(template), "--build-dir", str(target)]
            _sam([*command, *options], settings, report)
            shutil.copytree(target, built, copy_function=os.link)
        report(f"deploying stack {stack}")
        command = ["deploy", "--template-file", str(built / "template.yaml")]
        _sam([*command, "--stack-name", stack, *options], settings, report)
    return outputs(stack, environment)


def outputs(stack: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The outputs of a deployed stack, by name."""
    client = boto3.client(
        "cloudformation",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    described = client.describe_stacks(StackName=stack)["Stacks"][0]
    return {found["OutputKey"]: found["OutputValue"] for found in described.get("Outputs", [])}


def _of_this_machine() -> dict[str, str]:
    architecture = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    return {"Runtime": f"python{interpreters.best()}", "Architecture": architecture}


def _settings(parameters: Mapping[str, str]) -> dict[str, str]:
    """What the layers' Makefiles and SAM itself are told by the environment."""
    home = _folder("sam-home")
    # SAM asks the network once a week for a newer version of itself; here the check is never due.
    (home / "metadata.json").write_text(json.dumps({"lastVersionCheck": 4102444800}))
    return {
        "__SAM_CLI_APP_DIR": str(home),
        "SLIPWAY_ARCHITECTURE": parameters["Architecture"],
        "COLUMNS": "200",  # a narrow table breaks the resources' names
        "SLIPWAY_PYTHON": sys.executable,
        "SLIPWAY_RUNTIME": parameters["Runtime"],
        "SAM_CLI_POLL_DELAY": "0.2",
        "SAM_CLI_TELEMETRY": "0",
    }


def _sam(arguments: list[str], settings: Mapping[str, str], report: Report) -> None:
    verb = arguments[0]
    command = [str(Path(sys.executable).parent / "sam"), *arguments]
    command += ["--config-file", str(ROOT / "samconfig.toml"), "--config-env", "local"]
    said: list[str] = []
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, **settings},
    ) as process:
        for line in process.stdout or ():
            said.append(line)
            _report_progress(line, report)
    if process.returncode:
        raise NotDeployed(f"sam {verb} failed:\n{''.join(said).strip()}")


def _report_progress(line: str, report: Report) -> None:
    completed = _COMPLETED.search(line)
    if completed:
        verb, kind, name = completed.groups()
        report(f"{verb.lower()}d {name} ({kind})")


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with (_folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _folder(name: str = "") -> Path:
    folder = BUILD / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
