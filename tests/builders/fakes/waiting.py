"""Parked requests and task tokens in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from slipway.ports.waiting import Parked


class InMemoryParking:
    """Parking in a dict."""

    def __init__(self) -> None:
        self._parked: dict[tuple[str, str], Parked] = {}

    def park(self, parked: Sequence[Parked]) -> None:
        self._parked |= {(one.key, one.waiting_id): one for one in parked}

    def parked_under(self, key: str) -> list[Parked]:
        found = [one for one in self._parked.values() if one.key == key]
        return sorted(found, key=lambda one: one.waiting_id)

    def leave(self, parked: Sequence[Parked]) -> None:
        for one in parked:
            known = self._parked.get((one.key, one.waiting_id))
            if known is not None and known.token == one.token:
                del self._parked[one.key, one.waiting_id]


@dataclass
class InMemoryTokens:
    """Answers by token; ``gone`` are tokens that a later try owns."""

    answered: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def success(self, token: str, output: str) -> bool:
        return self._answer(token, output)

    def failure(self, token: str, error: str, cause: str) -> bool:
        return self._answer(token, f"{error}: {cause}")

    def _answer(self, token: str, answer: str) -> bool:
        if token in self.gone or token in self.answered:
            return False
        self.answered[token] = answer
        return True
