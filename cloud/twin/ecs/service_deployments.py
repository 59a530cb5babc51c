"""Service deployments: each change asked of a service, its monitors and its outcome."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cloud.twin.ecs.circuit_breaker import CircuitBreaker
from cloud.twin.present import present

if TYPE_CHECKING:
    from cloud.twin.ecs.services import Deployment, Revision, Service

_FINISHED = ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")


@dataclass(slots=True, eq=False)
class AlarmWatch:
    """The deployment alarms; one that fires already at the start is ignored to the end."""

    names: list[str]
    enabled: bool
    rollback: bool
    ignored: set[str]
    triggered: list[str] = field(default_factory=list)

    def describe(self, over: bool) -> dict[str, Any]:
        """As `describe_service_deployments` shows it."""
        return {
            "status": self._status(over),
            "alarmNames": self.names,
            "triggeredAlarmNames": self.triggered,
        }

    def _status(self, over: bool) -> str:
        if not self.enabled:
            return "DISABLED"
        if self.triggered:
            return "TRIGGERED"
        return "MONITORING_COMPLETE" if over else "MONITORING"


@dataclass(slots=True, eq=False)
class ServiceDeployment:
    """One change asked of a service, from the request to its end or its rollback's end.

    `baked` is None before the alarms' bake, False during it and True after it.
    """

    arn: str
    deployment: "Deployment"
    sources: "list[Revision]"
    configuration: dict[str, Any]
    breaker: CircuitBreaker
    alarms: AlarmWatch
    created_at: datetime
    updated_at: datetime
    target: "Revision"
    status: str = "PENDING"
    reason: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    stopped_at: datetime | None = None
    rollback: dict[str, Any] | None = None
    baked: bool | None = None
    rollback_may_end: bool = False

    @property
    def finished(self) -> bool:
        return self.status in _FINISHED

    @property
    def rolling_back(self) -> bool:
        return self.status in ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")

    def brief(self, service: "Service") -> dict[str, Any]:
        """As `list_service_deployments` shows it."""
        return present(
            {
                "serviceDeploymentArn": self.arn,
                "serviceArn": service.arn,
                "clusterArn": service.cluster_arn,
                "createdAt": self.created_at,
                "startedAt": self.started_at,
                "finishedAt": self.finished_at,
                "targetServiceRevisionArn": self.target.arn,
                "status": self.status,
                "statusReason": self.reason,
            }
        )

    def describe(self, service: "Service") -> dict[str, Any]:
        """As `describe_service_deployments` shows it."""
        answer = self.brief(service)
        del answer["targetServiceRevisionArn"]
        return answer | present(
            {
                "updatedAt": self.updated_at,
                "stoppedAt": self.stopped_at,
                "sourceServiceRevisions": [service.summary(each) for each in self.sources],
                "targetServiceRevision": service.summary(self.target),
                "deploymentConfiguration": self.configuration,
                "deploymentCircuitBreaker": self.breaker.describe(self.finished),
                "alarms": self.alarms.describe(self.finished),
                "rollback": self.rollback,
            }
        )
