"""Watches deployments from outside: by Slipway's own record, as an operator would."""

import time
from collections.abc import Callable
from typing import TypeVar

from cloud.embedded import Cloud
from slipway.adapters.records import DynamoDBRecords
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.evidence import chain_errors

_LOOK_SECONDS = 0.25

T = TypeVar("T")
OnPhase = Callable[[Deployment], None]


class TooLate(Exception):
    """What was waited for did not happen in time."""


class Observer:
    """Reads the record until what is waited for is there."""

    def __init__(self, cloud: Cloud) -> None:
        self.records = DynamoDBRecords(cloud.client("dynamodb"), cloud.stack.table)

    def admitted(
        self, application: str, environment: str, digest: str, timeout_seconds: float = 60
    ) -> Deployment:
        """The newest deployment of this digest on a lane, once there is one."""
        wanted = f"a deployment of {digest[:19]} to {application}/{environment}"
        return self._until(
            lambda: self._newest(application, environment, digest), wanted, timeout_seconds
        )

    def _newest(self, application: str, environment: str, digest: str) -> Deployment | None:
        recent = self.records.recent(self.records.lane(application, environment), 10)
        return next((found for found in recent if found.release.digest == digest), None)

    def in_phase(
        self, deployment_id: str, phase: Phase, on_phase: OnPhase, timeout_seconds: float = 120
    ) -> Deployment:
        """The deployment, once it is in this phase or settled."""
        seen: list[Phase] = []

        def look() -> Deployment | None:
            deployment = self.records.deployment(deployment_id)
            if not seen or seen[-1] is not deployment.phase:
                seen.append(deployment.phase)
                on_phase(deployment)
            done = deployment.phase is phase or deployment.outcome is not None
            return deployment if done else None

        return self._until(look, f"{deployment_id} to be {phase}", timeout_seconds)

    def until_decided(self, deployment_id: str, timeout_seconds: float) -> None:
        """Wait while a deployment waits for a person."""

        def look() -> Deployment | None:
            deployment = self.records.deployment(deployment_id)
            return None if deployment.phase is Phase.AWAITING_APPROVAL else deployment

        self._until(look, f"a decision on {deployment_id}", timeout_seconds)

    def settled(
        self, deployment_id: str, on_phase: OnPhase, timeout_seconds: float = 180
    ) -> Deployment:
        """The deployment, once it has its outcome."""
        return self.in_phase(deployment_id, Phase.SETTLED, on_phase, timeout_seconds)

    def record_of(self, deployment: Deployment) -> tuple[int, list[str]]:
        """How many entries the deployment's record has, and what is wrong with its chain."""
        entries = self.records.evidence(deployment.deployment_id)
        return len(entries), chain_errors(deployment, entries)

    def _until(self, look: Callable[[], T | None], wanted: str, timeout_seconds: float) -> T:
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            found = look()
            if found is not None:
                return found
            time.sleep(_LOOK_SECONDS)
        raise TooLate(f"Waited {timeout_seconds:.0f} s for {wanted}.")
