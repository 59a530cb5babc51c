"""What the stories do and look at: a lane, what became of a push, what Slack was told."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import requests

from cloud.embedded import Cloud
from demo.approver import approval_link
from demo.observer import Observer
from slipway.adapters.announcements import EventBridgeAnnouncements
from slipway.adapters.records import DynamoDBRecords
from slipway.domain import lane as domain
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.evidence import Evidence, chain_errors
from slipway.domain.outcome import Outcome
from slipway.domain.release import Release
from tests.e2e.lanes import STAGING

# Far more than anything takes, so that a busy machine fails no test.
PATIENCE_SECONDS = 180.0

T = TypeVar("T")


def eventually(look: Callable[[], T | None], wanted: str) -> T:
    """The first thing found; `wanted` names it when it never comes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"waited {PATIENCE_SECONDS:.0f} s for {wanted}")


@dataclass
class Lane:
    """One lane of the catalog, with the cloud that it is in."""

    cloud: Cloud
    application: str
    environment: str = STAGING

    @cached_property
    def _observer(self) -> Observer:
        return Observer(self.cloud)

    @property
    def records(self) -> DynamoDBRecords:
        """Slipway's own record."""
        return self._observer.records

    @property
    def announcements(self) -> EventBridgeAnnouncements:
        """Slipway's own events, as an operator's tool sends them."""
        return EventBridgeAnnouncements(self.cloud.client("events"), self.cloud.stack.bus)

    @property
    def cluster(self) -> str:
        """The ECS cluster of the environment."""
        entry = self.cloud.catalog.applications[self.application]
        return entry.environments[self.environment].target.cluster

    # ------------------------------------------------------------------------------ deployments
    def push(self, version: str) -> str:
        """Push a version of the example application; its digest."""
        return self.cloud.push(version, repository=self.application)

    def admitted(self, digest: str) -> Deployment:
        """The newest deployment of a digest, once there is one."""
        return self._observer.admitted(self.application, self.environment, digest, PATIENCE_SECONDS)

    def reached(self, digest: str, phase: Phase) -> Deployment:
        """The deployment of a digest, once it is in this phase."""
        deployment_id = self.admitted(digest).deployment_id
        found = self._observer.in_phase(deployment_id, phase, _quietly, PATIENCE_SECONDS)
        assert found.phase is phase, found
        return found

    def ended(self, digest: str) -> Deployment:
        """The deployment of a digest, once it has its outcome."""
        return self.settled(self.admitted(digest).deployment_id)

    def settled(self, deployment_id: str) -> Deployment:
        """A deployment, once it has its outcome."""
        return self._observer.settled(deployment_id, _quietly, PATIENCE_SECONDS)

    def deployed(self, version: str) -> Deployment:
        """The deployment of a version that was pushed, went live and was verified."""
        ended = self.ended(self.push(version))
        assert ended.outcome is Outcome.SUCCEEDED, ended
        return ended

    def requested(self, release: Release) -> Deployment:
        """The deployment of a release that a person asked for, once it has its outcome."""
        before = {each.deployment_id for each in self.all()}
        detail = {
            "application": self.application,
            "environment": self.environment,
            "repository": release.repository,
            "digest": release.digest,
            "tag": release.tag,
            "requested_by": "grace",
        }
        self.announcements.publish("Deployment Requested", detail)
        new = eventually(
            lambda: [each for each in self.all() if each.deployment_id not in before],
            "the deployment that was asked for",
        )
        return self.settled(new[0].deployment_id)

    def revision_of(self, deployment: Deployment) -> str:
        """The task definition revision that a deployment has registered."""
        (service,) = deployment.progress.services.values()
        assert service.revision is not None and service.revision.handle is not None
        return service.revision.handle

    def all(self) -> list[Deployment]:
        """Every deployment of the lane, oldest first."""
        return self.records.recent(self.records.lane(self.application, self.environment), 20)[::-1]

    # ------------------------------------------------------------------------------- the record
    def state(self) -> domain.Lane:
        """The lane as Slipway's record has it."""
        return self.records.lane(self.application, self.environment)

    def evidence(self, deployment: Deployment) -> list[Evidence]:
        """The deployment's record, whose chain has to be whole."""
        entries = self.records.evidence(deployment.deployment_id)
        assert chain_errors(self.records.deployment(deployment.deployment_id), entries) == []
        return entries

    def noted(self, deployment: Deployment) -> list[str]:
        """What the deployment's record notes, in order."""
        return [entry.what for entry in self.evidence(deployment)]

    # -------------------------------------------------------------------------------- the world
    def serves(self) -> str:
        """The version that the service says it is."""
        url = self.cloud.service_url(self.application, self.environment)
        return str(requests.get(f"{url}/health", timeout=30).json()["version"])

    def live_revision(self) -> str:
        """The task definition that the service's PRIMARY deployment runs."""
        ecs = self.cloud.client("ecs")
        found = ecs.describe_services(cluster=self.cluster, services=["api"])["services"][0]
        primary = (each for each in found["deployments"] if each["status"] == "PRIMARY")
        return str(next(primary)["taskDefinition"])

    def rollouts_of(self, revision: str) -> int:
        """How often ECS was told to deploy a revision."""
        ecs = self.cloud.client("ecs")
        found = ecs.list_service_deployments(cluster=self.cluster, service="api")
        targets = [each["targetServiceRevisionArn"] for each in found["serviceDeployments"]]
        described = ecs.describe_service_revisions(serviceRevisionArns=sorted(set(targets)))
        definitions = {
            each["serviceRevisionArn"]: each["taskDefinition"]
            for each in described["serviceRevisions"]
        }
        return sum(definitions[target] == revision for target in targets)

    def execution_arn(self, deployment: Deployment) -> str:
        """The ARN of the deployment's execution."""
        machine = self.cloud.stack.state_machine_arn.replace(":stateMachine:", ":execution:")
        return f"{machine}:{deployment.deployment_id}"

    def execution(self, deployment: Deployment) -> dict[str, Any]:
        """The deployment's execution, once it has ended."""
        states, arn = self.cloud.client("stepfunctions"), self.execution_arn(deployment)

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = states.describe_execution(executionArn=arn)
            return found if found["status"] != "RUNNING" else None

        return eventually(look, f"the end of {arn}")

    def clear_away(self) -> None:
        """Delete the service, so that its processes make room for others."""
        self.cloud.client("ecs").delete_service(cluster=self.cluster, service="api", force=True)

    # ---------------------------------------------------------------------------- what was told
    def approval_link(self, deployment: Deployment) -> str:
        """The approval link that Slack was told."""
        return approval_link(self.cloud, deployment.deployment_id, PATIENCE_SECONDS)

    def told(self, deployment: Deployment) -> list[str]:
        """The states that Slack was told of a deployment, once it knows how it ended."""
        last = _headline(deployment.outcome)
        return eventually(
            lambda: told if last in (told := self.headlines(deployment)) else None,
            f"'{last}' of {deployment.deployment_id} in Slack",
        )

    def message(self, deployment: Deployment, headline: str) -> str:
        """Slack's message of a deployment with this headline: all of its text."""
        found = [m for m in self._messages(deployment) if m["text"].endswith(headline)]
        assert len(found) == 1, found
        return json.dumps(found[0]["blocks"], ensure_ascii=False)

    def headlines(self, deployment: Deployment) -> list[str]:
        """The states that Slack was told of a deployment so far."""
        return [m["text"].partition(": ")[2] for m in self._messages(deployment)]

    def _messages(self, deployment: Deployment) -> list[dict[str, Any]]:
        link = f"|{deployment.deployment_id}>"
        messages: list[dict[str, Any]] = self.cloud.twin.ask("/slack/messages")
        return [m for m in messages if link in json.dumps(m["blocks"][-1])]


def _quietly(deployment: Deployment) -> None:
    """The stories say nothing while they wait."""


# How Slack is told of an end.
_HEADLINES = {
    Outcome.SUCCEEDED: "live and verified",
    Outcome.ROLLED_BACK: "rolled back",
    Outcome.ROLLBACK_FAILED: "ROLLBACK FAILED",
    Outcome.NEEDS_OPERATOR: "NEEDS AN OPERATOR",
    Outcome.FAILED: "failed before anything changed",
    Outcome.REJECTED: "rejected",
    Outcome.EXPIRED: "approval expired",
    Outcome.SUPERSEDED: "replaced by a newer deployment",
    Outcome.BLOCKED: "blocked by a gate",
    Outcome.CANCELLED: "cancelled",
}


def _headline(outcome: Outcome | None) -> str:
    assert outcome is not None
    return _HEADLINES[outcome]
