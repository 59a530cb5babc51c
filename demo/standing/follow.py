"""Follows deployments by Slipway's own record and says each state once."""

import time
from collections.abc import Callable, Iterator
from typing import Final

from demo.standing.reached import Reached
from demo.standing.story import row
from slipway.domain.deployment import Deployment, Phase
from slipway.operate.desk import Place

_LOOK_SECONDS: Final = 0.5
_LATEST: Final = 20


class Follower:
    """Says what is new of the deployments that it is shown."""

    def __init__(self, reached: Reached, say: Callable[[str], None]) -> None:
        self.reached = reached
        self._say = say
        self._said: dict[str, str] = {}

    def tell(self, deployment: Deployment) -> bool:
        """Say where the deployment stands, unless that was said; whether it was news."""
        said = self.reached.state(deployment)
        if self._said.get(deployment.deployment_id) == said:
            return False
        self._said[deployment.deployment_id] = said
        self._say(row(deployment, said))
        return True

    def started(
        self, place: Place, digest: str, since_number: int, seconds: float
    ) -> Deployment | None:
        """The lane's deployment of a digest with at least this number, once there is one."""
        records = self.reached.desk.records
        for _ in _looks(seconds):
            recent = records.recent(records.lane(*place), _LATEST)
            for deployment in recent:
                if deployment.release.digest == digest and deployment.number >= since_number:
                    return deployment
        return None

    def planned(self, deployment_id: str, seconds: float) -> Deployment:
        """The deployment as soon as it is planned or has ended, or after this time."""
        for _ in _looks(seconds):
            deployment = self.reached.desk.records.deployment(deployment_id)
            if deployment.phase is not Phase.PLANNING:
                break
        self.tell(deployment)
        return deployment

    def ended(self, deployment_id: str) -> Deployment:
        """The deployment once it has its outcome; says every state on the way."""
        while True:
            deployment = self.reached.desk.records.deployment(deployment_id)
            self.tell(deployment)
            if deployment.outcome is not None:
                return deployment
            time.sleep(_LOOK_SECONDS)


def _looks(seconds: float) -> Iterator[None]:
    """Looks with a pause between them, at least one."""
    deadline = time.monotonic() + seconds
    while True:
        yield
        if time.monotonic() >= deadline:
            return
        time.sleep(_LOOK_SECONDS)
