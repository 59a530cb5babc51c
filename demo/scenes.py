"""The demo's story: five pushes to one application, and how each of them ends."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import requests

from cloud.embedded import Cloud
from cloud.schema import schema_revision
from demo.approver import approval_link, decide
from demo.counts import Mark, counted, last, pushed_at, told
from demo.load import Load
from demo.narrator import Check, Narrator, Scene
from demo.observer import Observer
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.errors import Reason
from slipway.domain.outcome import Outcome
from slipway.requests.lift import lift

APPLICATION: Final = "fastapi-rds"
STAGING: Final = "staging"
PRODUCTION: Final = "production"
APPROVER: Final = "ada"
_PATIENCE_SECONDS: Final = 3600


@dataclass
class Stage:
    """Everything that a scene plays with, and the rows it leaves."""

    cloud: Cloud
    narrator: Narrator
    observer: Observer
    by_browser: bool
    scenes: list[Scene] = field(default_factory=list)

    def push(self, version: str) -> str:
        """Push a version; its digest."""
        digest = self.cloud.push(version)
        self.narrator.say(f"pushed {APPLICATION}:{version} ({digest[:19]})")
        return digest

    def play(
        self,
        title: str,
        digest: str,
        environment: str,
        expected: Outcome,
        look: Callable[[Deployment], list[Check]] = lambda deployment: [],
    ) -> Deployment:
        """Follow a digest's deployment to its end, approving where it waits for a person."""
        admitted = self.observer.admitted(APPLICATION, environment, digest)
        self._approve(admitted.deployment_id)
        ended = self.observer.settled(admitted.deployment_id, self.narrator.phase)
        seconds = ((ended.settled_at or datetime.now(UTC)) - ended.requested_at).total_seconds()
        self.scenes.append(
            Scene(
                title=title,
                deployment_id=ended.deployment_id,
                expected=expected,
                outcome=ended.outcome or "",
                seconds=seconds,
                checks=(self._record(ended), *look(ended)),
            )
        )
        return ended

    def _approve(self, deployment_id: str) -> None:
        if not self._asks(deployment_id):
            return
        waiting = Phase.AWAITING_APPROVAL
        asked = self.observer.in_phase(deployment_id, waiting, self.narrator.phase)
        if asked.phase is not waiting:
            return
        link = approval_link(self.cloud, deployment_id)
        if self.by_browser:
            self.narrator.say(f"open Slack ({self.cloud.twin.url}/slack/) or decide here: {link}")
            self.observer.until_decided(deployment_id, _PATIENCE_SECONDS)
            return
        self.narrator.say(f"Slack says: {link.split('?')[0]}?…")
        answer = decide(link, "approve", APPROVER, "Looks good.")
        self.narrator.say(f"{APPROVER} presses Approve ({answer.status_code})")

    def _asks(self, deployment_id: str) -> bool:
        deployment = self.observer.records.deployment(deployment_id)
        settings = self.cloud.catalog.environment(deployment.application, deployment.environment)
        return settings is not None and settings.approval is not None

    def address(self, environment: str) -> str:
        """Where the service of an environment is reached."""
        return self.cloud.service_url(APPLICATION, environment)

    def _record(self, deployment: Deployment) -> Check:
        entries, errors = self.observer.record_of(deployment)
        told = "; ".join(errors) or "chain intact"
        return Check(f"{entries} entries, {told}", not errors)

    def serves(self, environment: str, version: str) -> Check:
        """Whether the environment's service says that it is this version."""
        answer = requests.get(f"{self.address(environment)}/health", timeout=10)
        said = answer.json()["version"]
        return Check(f"version {said} serves", said == version)

    def schema(self, environment: str) -> str:
        """The schema revision of the environment's database."""
        settings = self.cloud.catalog.applications[APPLICATION].environments[environment]
        return schema_revision(self.cloud, settings)


def first_release(stage: Stage) -> None:
    """v1 goes live on staging by itself and on production once a person has approved."""
    stage.narrator.title("1  The first release: staging by itself, production after approval")
    digest = stage.push("v1")
    stage.play("v1 to staging", digest, STAGING, Outcome.SUCCEEDED)
    stage.play("v1 to production", digest, PRODUCTION, Outcome.SUCCEEDED)


def additive_release(stage: Stage) -> None:
    """v2 moves the schema while requests go on."""
    stage.narrator.title("2  A release with a migration, under load")
    with Load(*(f"{stage.address(name)}/notes" for name in (STAGING, PRODUCTION))) as load:
        begun = pushed_at(datetime.now(UTC))
        digest = stage.push("v2")
        staged = stage.play("v2 to staging", digest, STAGING, Outcome.SUCCEEDED, _snapshot)
        promoted = told(stage.cloud, stage.observer, staged)
        live = stage.play("v2 to production", digest, PRODUCTION, Outcome.SUCCEEDED, _snapshot)
        ended = last(told(stage.cloud, stage.observer, live))
    costs = (_cost(stage, staged, begun, promoted), _cost(stage, live, promoted, ended))
    stage.scenes += [_requests(load), Scene("what v2 took", "", "", "", 0, costs)]


def _requests(load: Load) -> Scene:
    failed = f"{len(load.failures)} failed"
    checks = tuple(Check(failure, holds=False) for failure in load.failures[:5])
    return Scene("requests during v2", "", "0 failed", failed, 0, (Check(str(load)), *checks))


def _cost(stage: Stage, deployment: Deployment, begun: Mark, ended: Mark) -> Check:
    used = counted(stage.cloud, deployment.deployment_id, begun, ended)
    stage.narrator.say(f"{deployment.deployment_id} took {used}")
    return Check(f"{deployment.environment}: {used}", used.whole)


def unhealthy_release(stage: Stage, *, lift: bool = True) -> None:
    """v3 comes up but its /health fails: it is rolled back, and a person lifts the hold."""
    stage.narrator.title("3  A release that is not healthy")
    digest = stage.push("v3")
    stage.play(
        "v3: /health fails",
        digest,
        STAGING,
        Outcome.ROLLED_BACK,
        lambda d: [stage.serves(STAGING, "2"), *_held(stage, digest)],
    )
    if lift:
        _lift(stage)


def half_migrated_release(stage: Stage) -> None:
    """v4's migration fails half-way: nothing is deployed and the schema goes back."""
    stage.narrator.title("4  A migration that fails half-way")
    before = stage.schema(STAGING)
    digest = stage.push("v4")
    stage.play(
        "v4: migration fails",
        digest,
        STAGING,
        Outcome.ROLLED_BACK,
        lambda d: [_nothing_deployed(d), _schema_kept(stage, before), stage.serves(STAGING, "2")],
    )
    _lift(stage)


def crashing_release(stage: Stage) -> None:
    """v5 crashes at start: ECS's circuit breaker trips, and that is no success."""
    stage.narrator.title("5  A release that crashes at start")
    digest = stage.push("v5")
    stage.play(
        "v5: crashes at start",
        digest,
        STAGING,
        Outcome.ROLLED_BACK,
        lambda d: [_tripped(d), stage.serves(STAGING, "2")],
    )


SCENES: Final = (
    first_release,
    additive_release,
    unhealthy_release,
    half_migrated_release,
    crashing_release,
)


def _snapshot(deployment: Deployment) -> list[Check]:
    backups = deployment.progress.backups.values()
    return [Check(f"snapshot {one.handle}", one.succeeded is True) for one in backups]


def _held(stage: Stage, digest: str) -> list[Check]:
    lane = stage.observer.records.lane(APPLICATION, STAGING)
    return [
        Check("lane on hold" if lane.hold else "lane not on hold", lane.hold is not None),
        Check("digest marked bad", digest in lane.bad_digests),
    ]


def _nothing_deployed(deployment: Deployment) -> Check:
    return Check("nothing deployed", not deployment.progress.has_deployed)


def _schema_kept(stage: Stage, before: str) -> Check:
    after = stage.schema(STAGING)
    told = "as before" if after == before else f"moved from {before}"
    return Check(f"schema {after}, {told}", after == before)


def _tripped(deployment: Deployment) -> Check:
    reason = deployment.cause.reason if deployment.cause else ""
    return Check(reason, reason == Reason.CIRCUIT_BREAKER_TRIPPED)


def _lift(stage: Stage) -> None:
    now = datetime.now(UTC)
    lift(APPLICATION, STAGING, by=APPROVER, records=stage.observer.records, now=now)
    stage.narrator.say(f"a person lifts the hold on {APPLICATION}/{STAGING}")
