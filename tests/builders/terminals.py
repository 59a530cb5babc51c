"""Somebody at a terminal: the operator's command line in front of a world."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from slipway.domain.errors import Reason, Rejected, Transient
from slipway.operate.__main__ import main
from slipway.operate.desk import Desk
from slipway.requests.admit import admit
from slipway.requests.wishes import wishes
from tests.builders.worlds import World


class Operator:
    """Somebody at a terminal, in front of a world."""

    def __init__(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        self.world = world
        self.listens = True
        self.arn: str | None = None
        self.slept = 0.0
        self._heard: set[str] = set()
        self._capsys = capsys

    def desk(self, stack: str, catalog: Path) -> Desk:
        world = self.world
        return Desk(
            records=world.records,
            registry=world.registry,
            executions=world.executions,
            announcements=world.announcements,
            caller=self._caller,
            catalog=lambda: world.catalog,
            now=lambda: world.now,
            sleep=self._sleep,
            new_id=lambda: "request-1",
        )

    def _caller(self) -> str:
        if self.arn is None:
            raise Transient(Reason.AWS_UNAVAILABLE, "AWS did not answer")
        return self.arn

    def _sleep(self, seconds: float) -> None:
        """Time passes, and Slipway takes the request up when it listens."""
        self.slept += seconds
        for what, detail in list(self.world.announcements.published) if self.listens else []:
            if what == "Deployment Requested" and detail["request_id"] not in self._heard:
                self._heard.add(detail["request_id"])
                self._admit(detail)

    def _admit(self, detail: dict[str, str]) -> None:
        event: dict[str, Any] = {
            "id": "1",
            "source": "slipway",
            "detail-type": "Deployment Requested",
            "account": "000000000000",
            "region": "us-east-1",
            "time": "2026-11-21T09:00:00Z",
            "detail": detail,
        }
        place = {"account": "000000000000", "region": "us-east-1"}
        world = self.world
        wanted = wishes(event, **place, catalog=world.catalog, records=world.records)
        ports = world.ports("registry", "executions", "announcements")
        for one in wanted:
            with suppress(Rejected):
                admit(one, **ports, catalog=world.catalog)

    def says(self, *arguments: str) -> str:
        """What the command answers; it must not refuse."""
        code = main([*arguments], connect=self.desk)
        said = self._capsys.readouterr()
        assert (code, said.err) == (0, "")
        return said.out

    def refused(self, *arguments: str) -> str:
        """The one sentence of a refusal."""
        assert main([*arguments], connect=self.desk) == 1
        return self._capsys.readouterr().err.removesuffix("\n")

    def not_understood(self, *arguments: str) -> str:
        """The last line of what the command line itself says."""
        with pytest.raises(SystemExit) as ended:
            main([*arguments], connect=self.desk)
        assert ended.value.code == 2
        return self._capsys.readouterr().err.splitlines()[-1].partition(": error: ")[2]
