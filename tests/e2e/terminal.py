"""A person's second terminal: types what the pages print, at a cloud that stands under a name."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from cloud.embedded import ROOT, Cloud
from demo.standing.announcement import standing_of
from demo.standing.lock import announce, claim
from demo.standing.reached import signed_links
from tests.unit.printed import printed

_PAGES: Final = ("README.md", "docs/embedded-cloud.md", "docs/operate.md")
# What starts or ends a cloud, takes minutes, or changes what others look at.
_NOT_TYPED: Final = {
    "make demo": "starts a cloud of its own; `make demo` itself is run before a release",
    "make up": "this cloud stands already",
    "make down": "would end the cloud that other stories are played on",
    "make deploy": "needs an AWS account",
    "make test": "runs this test",
    "make setup": "has been run",
    "make env": "typed inside `eval`",
    "make push VERSION=v2 ENV=production": "would replace what another test looks at",
    "make pictures": "starts a cloud of its own, and needs Chromium",
}
# A release that is meant to fail.
_FAILS: Final = re.compile(r"push VERSION=v[345]\b")
_PATIENCE_SECONDS: Final = 300


class Terminal:
    """Runs commands as they are printed, for the cloud of this name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def printed(self) -> list[str]:
        """What README and the page about this cloud tell people to type, each once."""
        lines = [line.text.partition(" #")[0].strip() for line in printed() if line.page in _PAGES]
        ours = [line for line in lines if line.startswith(("make ", "PYTHONPATH=", "eval "))]
        return [line for line in dict.fromkeys(ours) if self._typed(line)]

    def expected(self, command: str) -> int:
        """The exit code: make answers 2 when its command fails."""
        return 2 if _FAILS.search(command) else 0

    def types(self, command: str) -> subprocess.CompletedProcess[str]:
        """The command's end, with what it said."""
        named = re.sub(r"\bmake ([a-z-]+)", rf"make \1 NAME={self._name}", command)
        if named.startswith("PYTHONPATH="):
            named = f'eval "$(make env NAME={self._name})" && {named}'
        return subprocess.run(
            ["sh", "-c", named],
            cwd=ROOT,
            # A profile of one's own must not matter.
            env={**os.environ, "AWS_PROFILE": "somebody", "NAME": "HOST", "ENV": "/etc/shrc"},
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_SECONDS,
        )

    def _typed(self, line: str) -> bool:
        if "NAME=" in line or line == "make push":
            return False
        others = (name for name in _NOT_TYPED if name != "make push")
        return not any(line == other or line.startswith(f"{other} ") for other in others)


@contextmanager
def standing(cloud: Cloud) -> Iterator[Terminal]:
    """Let other terminals find the cloud, under a name that is this run's own."""
    name = f"e2e-{os.getpid()}"
    secrets = cloud.client("secretsmanager")
    links = signed_links(secrets, cloud.stack.web_url, cloud.stack.link_secret_arn)
    with claim(name):
        announce(standing_of(cloud, name).model_copy(update={"status": links.status()}))
        yield Terminal(name)
