"""The launcher ends with whoever started it, stands beside others, and knows its MiniStack."""

import io
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.ministack import private
from cloud.ministack.launch import MiniStack, NotStarted
from packing import interpreters
from tests.integration.ministack.cloud import Cloud, eventually
from tests.integration.ministack.conftest import PROBE

ROOT = Path(__file__).resolve().parents[3]

STARTER = """
import sys, time
from pathlib import Path
from cloud.ministack.launch import MiniStack
ministack = MiniStack(Path(sys.argv[1])).start()
print(ministack.pid, flush=True)
time.sleep(600)
"""


def lives(pid: int) -> bool:
    """Whether a process runs; one that waits to be collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def created(ministack: MiniStack) -> str:
    """A function of its own, without a stack around it."""
    role = ministack.client("iam").create_role(RoleName="any", AssumeRolePolicyDocument="{}")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.write(PROBE.parent / "web" / "app.py", "app.py")
    function: str = ministack.client("lambda").create_function(
        FunctionName="alone",
        Runtime=f"python{interpreters.AT_HAND}",
        Handler="app.lambda_handler",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": content.getvalue()},
    )["FunctionName"]
    return function


@pytest.fixture
def starter(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", STARTER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_ministack_ends_when_its_starter_is_ended(
    starter: subprocess.Popen[str], how: signal.Signals
) -> None:
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    assert lives(pid)

    os.kill(starter.pid, how)

    eventually(lambda: not lives(pid))


def test_two_ministacks_stand_beside_each_other(tmp_path: Path, cloud: Cloud) -> None:
    with MiniStack(tmp_path) as beside:
        assert beside.endpoint_url != cloud.ministack.endpoint_url
        assert beside.client("lambda").list_functions()["Functions"] == []
    assert cloud.client("lambda").list_functions()["Functions"] != []


def test_functions_end_with_ministack(tmp_path: Path) -> None:
    with MiniStack(tmp_path) as ministack:
        function = created(ministack)
        ministack.client("lambda").invoke(FunctionName=function, Payload=b"{}")
        (worker,) = ministack.workers()
        assert lives(worker["pid"])

    assert not lives(worker["pid"])


def test_another_version_of_ministack_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(private, "VERSION", "0.0.1")

    with pytest.raises(private.UnexpectedMiniStack) as caught:
        private.check()

    assert str(caught.value) == "MiniStack 0.0.1 is expected, but 1.5.33 is installed."


def test_a_private_function_that_changed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(private.FUNCTIONS, "core.responses.now_iso", ("zone",))
    monkeypatch.setitem(private.VALUES, "core.lambda_runtime._gone", "dict")

    with pytest.raises(private.UnexpectedMiniStack) as caught:
        private.check()

    assert str(caught.value) == (
        "MiniStack 1.5.33 has changed: core.responses.now_iso takes () instead of (zone); "
        "core.lambda_runtime._gone is missing instead of dict."
    )


def test_a_start_that_fails_tells_why(tmp_path: Path) -> None:
    in_the_way = tmp_path / "tmp"
    in_the_way.write_text("a file where a folder is needed")

    with pytest.raises(NotStarted, match=r"MiniStack ended while starting: .*ministack\.log"):
        MiniStack(tmp_path).start()
