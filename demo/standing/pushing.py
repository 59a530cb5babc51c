"""`make push`: push a version of the example, and say what that has started, or why nothing."""

import getpass
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cloud.image import push_version
from demo.standing.follow import Follower
from demo.standing.lock import APPLICATION, Standing, suffix
from demo.standing.reached import Reached
from demo.standing.story import LIVE, Nothing, as_typed, way_on, why_nothing
from examples.notes.versions import VERSIONS
from slipway.domain.deployment import Deployment
from slipway.domain.guidance import what_next
from slipway.domain.outcome import Outcome
from slipway.operate import __main__ as operate
from slipway.operate.desk import Place, Refusal

# What is in the base image of a new environment; nobody pushes it.
PUSHABLE: Final = tuple(name for name in VERSIONS if name != "bootstrap")
# How long to look for the deployment: after a request that was admitted, where the record knows
# why there may be none, and where it knows nothing.
_ASKED_SECONDS: Final = 2.0
_KNOWN_SECONDS: Final = 5.0
_ADMITTED_SECONDS: Final = 15.0
_PLANNED_SECONDS: Final = 6.0
_FOLLOWED_SECONDS: Final = 5.0
_LATEST: Final = 100


@dataclass(frozen=True)
class Push:
    """A version of the example on its way to one environment of a standing cloud."""

    standing: Standing
    version: str
    place: Place

    @property
    def fed(self) -> bool:
        """Whether the push alone starts a deployment there."""
        return self.standing.fed[self.place.environment]

    @property
    def tag(self) -> str:
        """The tag to push; an environment that no push feeds is asked for under one of its own."""
        return self.version if self.fed else f"{self.place.environment}-{self.version}"


def wanted(standing: Standing, version: str, environment: str) -> Push:
    """The push that is asked for; raises Refusal when there is no such version or environment."""
    if version not in PUSHABLE:
        known = ", ".join(PUSHABLE)
        raise Refusal(f"The example has no version '{version}' (known: {known}).")
    if environment not in standing.fed:
        known = ", ".join(sorted(standing.fed))
        raise Refusal(f"{APPLICATION} has no environment '{environment}' (known: {known}).")
    return Push(standing, version, Place(APPLICATION, environment))


def push(wish: Push, reached: Reached, say: Callable[[str], None], *, wait: bool) -> int:
    """Push and tell: 0 when the release is live or on its way, with ``wait`` when it is live."""
    pushing = _Pushing(wish, reached, say)
    number = reached.desk.records.lane(*wish.place).next_number
    expected = pushing.ask()
    if expected is None:
        return 1
    started = pushing.started(number, expected)
    if started is not None:
        return pushing.waited(started) if wait else pushing.begun(started)
    code, under_way = pushing.nothing(), pushing.under_way()
    return pushing.waited(under_way) if wait and under_way else code


class _Pushing:
    """One push while it is told."""

    def __init__(self, wish: Push, reached: Reached, say: Callable[[str], None]) -> None:
        self._wish = wish
        self._reached = reached
        self._say = say
        self._follower = Follower(reached, say)
        self._digest = ""

    def ask(self) -> float | None:
        """Push, and ask where no push feeds.

        How many seconds the admission may take from here; None when the request was refused.
        """
        wish, standing = self._wish, self._wish.standing
        self._digest = push_version(
            standing.registry, APPLICATION, wish.tag, wish.version, (standing.architecture,)
        )
        self._say(f"pushed {APPLICATION}:{wish.tag} {self._digest}")
        if not wish.fed:
            return self._request()
        return _ADMITTED_SECONDS if self._reason() is None else _KNOWN_SECONDS

    def _request(self) -> float | None:
        """What `operate deploy` does, by its rules and in its words."""
        desk, wish = self._reached.desk, self._wish
        words = ["deploy", str(wish.place), "--tag", wish.tag, "--by", _user()]
        code = operate.main([*words, "--reason", "make push"], connect=lambda *_: desk)
        return _ASKED_SECONDS if code == 0 else None

    def started(self, number: int, seconds: float) -> Deployment | None:
        """The deployment that this push has started, with at least this number."""
        return self._follower.started(self._wish.place, self._digest, number, seconds)

    def nothing(self) -> int:
        """Say why nothing was started, and what helps."""
        unknown = Nothing("Slipway has admitted nothing; the log of its admit function says why.")
        reason = self._reason() or unknown
        self._say(f"nothing started: {reason.why}")
        under_way = self.under_way()
        if under_way is not None:
            self._follower.tell(under_way)
        self._hint(reason.way_on)
        return 0 if reason.good else 1

    def under_way(self) -> Deployment | None:
        """An earlier deployment of the same digest that has not ended."""
        same = (each for each in self._recent() if each.release.digest == self._digest)
        return next((each for each in same if each.outcome is None), None)

    def begun(self, started: Deployment) -> int:
        """Say how it begins."""
        planned = self._follower.planned(started.deployment_id, _PLANNED_SECONDS)
        standing = self._wish.standing
        self._say(f"more: make status{suffix(standing.name)}, or {standing.status}")
        return 0 if planned.outcome is None else self._ended(planned)

    def waited(self, started: Deployment) -> int:
        """Say every state until the end, and what the success has started."""
        ended = self._follower.ended(started.deployment_id)
        if ended.outcome is Outcome.SUCCEEDED:
            self._promoted(ended)
        return self._ended(ended)

    def _promoted(self, ended: Deployment) -> None:
        applications = self._reached.desk.catalog().applications
        for name in applications[ended.application].followers(ended.environment):
            # The promotion comes with the event of the end.
            place = Place(ended.application, name)
            follower = self._follower.started(place, self._digest, 1, _FOLLOWED_SECONDS)
            if follower is not None:
                self._follower.planned(follower.deployment_id, _PLANNED_SECONDS)

    def _ended(self, deployment: Deployment) -> int:
        if deployment.outcome is None or deployment.outcome in LIVE:
            return 0
        self._say(what_next(deployment))
        self._hint(way_on(self._reached.desk.records.lane(*self._wish.place)))
        return 1

    def _hint(self, command: str) -> None:
        if command:
            self._say(f"way on: {as_typed(command, self._wish.standing.name)}")

    def _reason(self) -> Nothing | None:
        lane = self._reached.desk.records.lane(*self._wish.place)
        return why_nothing(lane, self._recent(), self._digest)

    def _recent(self) -> list[Deployment]:
        records = self._reached.desk.records
        return records.recent(records.lane(*self._wish.place), _LATEST)


def _user() -> str:
    """Who is recorded; a container's user may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
