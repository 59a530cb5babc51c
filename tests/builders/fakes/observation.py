"""Alarms and a website that answer what a test told them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from slipway.domain.verdict import AlarmsSeen, HttpAnswer, HttpRequest


@dataclass
class StubAlarms:
    """``speaking`` are the alarms that fire, ``silent`` those without data."""

    speaking: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()

    def look(self, names: Sequence[str]) -> AlarmsSeen:
        return AlarmsSeen(
            firing=tuple(name for name in names if name in self.speaking),
            without_data=tuple(name for name in names if name in self.silent),
        )


@dataclass
class StubWebsite:
    """``answers`` by URL; every other address is unreachable. ``in_turn`` answers come first."""

    answers: dict[str, HttpAnswer] = field(default_factory=dict)
    in_turn: list[HttpAnswer] = field(default_factory=list)
    asked: list[HttpRequest] = field(default_factory=list)

    def get_all(self, requests: Sequence[HttpRequest], seconds: float) -> tuple[HttpAnswer, ...]:
        return tuple(self._get(request) for request in requests)

    def _get(self, request: HttpRequest) -> HttpAnswer:
        self.asked.append(request)
        if self.in_turn:
            return self.in_turn.pop(0)
        nobody = HttpAnswer(url=request.url, status=0, body="nobody answers")
        return self.answers.get(request.url, nobody)
