"""The API of service deployments and service revisions: list, describe, stop."""

from typing import Any

from cloud.twin.ecs.scheduler import Scheduler
from cloud.twin.ecs.service_api import ServiceApi
from cloud.twin.ecs.service_deployments import ServiceDeployment
from cloud.twin.ecs.services import Service
from cloud.twin.errors import AwsError
from cloud.twin.pages import at_most, page

LIST_SIZE = 20
DESCRIBE_MOST = 20
USER_REQUEST = "a user requested it"


class ServiceDeploymentApi:
    """What may be asked of the deployments of all services."""

    def __init__(self, services: ServiceApi, scheduler: Scheduler) -> None:
        self._services = services
        self._scheduler = scheduler

    def list_deployments(self, params: dict[str, Any]) -> dict[str, Any]:
        """The deployments of a service, newest first, by status and time of creation."""
        service = self._services.find(params.get("cluster"), params["service"])
        found = [
            each.brief(service) for each in reversed(service.history) if _matches(each, params)
        ]
        return page("serviceDeployments", found, params, LIST_SIZE)

    def describe(self, params: dict[str, Any]) -> dict[str, Any]:
        """Deployments by ARN; a MISSING failure for each that is not there."""
        arns = at_most(DESCRIBE_MOST, "serviceDeploymentArns", params)
        found = {arn: self._find(arn) for arn in arns}
        return {
            "serviceDeployments": [
                each[1].describe(each[0]) for each in found.values() if each is not None
            ],
            "failures": _missing(found),
        }

    def describe_revisions(self, params: dict[str, Any]) -> dict[str, Any]:
        """Revisions by ARN, with the digests their images were resolved to."""
        arns = at_most(DESCRIBE_MOST, "serviceRevisionArns", params)
        found = {arn: self._describe_revision(arn) for arn in arns}
        return {
            "serviceRevisions": [each for each in found.values() if each is not None],
            "failures": _missing(found),
        }

    def stop(self, params: dict[str, Any]) -> dict[str, Any]:
        """Roll a deployment under way back, whether or not the service asks for rollbacks."""
        arn = params["serviceDeploymentArn"]
        found = self._find(arn)
        if found is None:
            message = "Service deployment not found."
            raise AwsError("ServiceDeploymentNotFoundException", message)
        service, deployment = found
        if params.get("stopType", "ROLLBACK") != "ROLLBACK":
            raise AwsError("InvalidParameterException", "The valid value of stopType is ROLLBACK.")
        if deployment.finished:
            message = f"The service deployment is {deployment.status} and cannot be stopped."
            raise AwsError("ConflictException", message, resourceIds=[arn])
        # Stopping what is being rolled back continues the rollback, as AWS documents it.
        if not deployment.rolling_back:
            self._roll_back(service, deployment)
        return {"serviceDeploymentArn": arn}

    def _roll_back(self, service: Service, deployment: ServiceDeployment) -> None:
        if service.last_completed is None:
            message = "There is no completed deployment to roll back to."
            raise AwsError("ConflictException", message, resourceIds=[deployment.arn])
        deployment.status = "ROLLBACK_REQUESTED"
        self._scheduler.rollout.give_up(service, deployment, USER_REQUEST)

    def _find(self, arn: str) -> tuple[Service, ServiceDeployment] | None:
        service = self._owner(arn, ":service-deployment/")
        for each in service.history if service else []:
            if service is not None and each.arn == arn:
                return service, each
        return None

    def _describe_revision(self, arn: str) -> dict[str, Any] | None:
        service = self._owner(arn, ":service-revision/")
        revision = service.revisions.get(arn) if service else None
        return revision.describe(service) if service and revision else None

    def _owner(self, arn: str, kind: str) -> Service | None:
        service_arn = arn.rpartition("/")[0].replace(kind, ":service/")
        return self._services.services.get(service_arn)


def _matches(deployment: ServiceDeployment, params: dict[str, Any]) -> bool:
    statuses = params.get("status")
    if statuses and deployment.status not in statuses:
        return False
    limits = params.get("createdAt", {})
    after, before = limits.get("after"), limits.get("before")
    created = deployment.created_at
    return not (after and created < after) and not (before and created > before)


def _missing(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"arn": arn, "reason": "MISSING"} for arn, each in found.items() if each is None]
