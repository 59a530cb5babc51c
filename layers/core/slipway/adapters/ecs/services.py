"""ECS services, read only: what is live, and how the rollout of a revision is going."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from slipway.adapters.ecs.containers import container_of
from slipway.adapters.ecs.described import describe_service, primary_of, strategy_of
from slipway.adapters.ecs.endings import Ending
from slipway.adapters.errors import aws_errors, code_of
from slipway.domain.errors import Broken, Reason
from slipway.domain.plan import LiveService
from slipway.domain.preflight import Revision, RevisionState
from slipway.domain.target import EcsTarget
from slipway.domain.verdict import Rollout, RolloutState

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import (
        DeploymentTypeDef,
        ServiceDeploymentBriefTypeDef,
        ServiceRevisionTypeDef,
        ServiceTypeDef,
    )

PERMISSIONS: Final = (
    "ecs:DescribeServices",
    "ecs:DescribeTaskDefinition",
    "ecs:ListServiceDeployments",
    "ecs:DescribeServiceRevisions",
)

_EVENTS: Final = 5
# DescribeServiceRevisions takes 20 ARNs; the service's current revisions are among them.
_DEPLOYMENTS: Final = 15
_REVISIONS: Final = 20
# DELETE_IN_PROGRESS counts as deleted: nothing can be registered from it any more.
_REVISION_STATES: Final = {
    "ACTIVE": RevisionState.REGISTERED,
    "INACTIVE": RevisionState.DEREGISTERED,
}


class EcsServices:
    """Services, read only."""

    def __init__(self, client: "ECSClient") -> None:
        self._client = client

    @aws_errors()
    def live(self, target: EcsTarget) -> LiveService:
        """The service as it is now, without its URL; Broken when it cannot be deployed to."""
        service = describe_service(self._client, target)
        _refuse_foreign_controller(service)
        revision_arn = primary_of(service, target)["taskDefinition"]
        definition = self._client.describe_task_definition(taskDefinition=revision_arn)[
            "taskDefinition"
        ]
        platform = definition.get("runtimePlatform", {})
        groups = _target_groups(service, target.container)
        return LiveService(
            service_arn=service["serviceArn"],
            revision_arn=revision_arn,
            image_uri=container_of(definition, target.container).get("image", ""),
            architecture=platform.get("cpuArchitecture", "X86_64"),
            desired_count=service["desiredCount"],
            target_group_arn=next(iter(groups), None),
            target_group_arns=groups,
            base_url=None,
            is_registered=definition.get("status", "ACTIVE") == "ACTIVE",
            operating_system=platform.get("operatingSystemFamily", "LINUX"),
            scheduling=service.get("schedulingStrategy", "REPLICA").lower(),
            strategy=strategy_of(service),
            zone_rebalancing=service.get("availabilityZoneRebalancing") == "ENABLED",
        )

    @aws_errors()
    def revision(self, revision_arn: str) -> Revision:
        """Whether a task definition revision can still be used, or registered again.

        ECS still describes a deregistered revision, but not a deleted one.
        """
        try:
            answer = self._client.describe_task_definition(taskDefinition=revision_arn)
        except ClientError as error:
            if code_of(error) in {"ClientException", "InvalidParameterException"}:
                return Revision(arn=revision_arn, state=RevisionState.DELETED)
            raise
        status = answer["taskDefinition"].get("status", "ACTIVE")
        return Revision(arn=revision_arn, state=_REVISION_STATES.get(status, RevisionState.DELETED))

    @aws_errors()
    def rollout(self, target: EcsTarget, revision_arn: str) -> Rollout:
        """The PRIMARY deployment, and the state of this revision's rollout.

        One call while the rollout is in progress; three, with digests, once it has ended.
        """
        service = describe_service(self._client, target)
        primary = primary_of(service, target)
        if _is_rolling_out(primary, revision_arn):
            return _rollout(service, primary, Ending("IN_PROGRESS"), ())
        deployments = self._list_newest_deployments(target)
        revisions = self._describe_revisions(service, deployments)
        return _rollout_of_revision(service, primary, revision_arn, deployments, revisions)

    def _list_newest_deployments(self, target: EcsTarget) -> "list[ServiceDeploymentBriefTypeDef]":
        answer = self._client.list_service_deployments(
            cluster=target.cluster, service=target.service, maxResults=_DEPLOYMENTS
        )
        # The order of the answer is undocumented.
        found = answer["serviceDeployments"]
        return sorted(found, key=lambda one: one["createdAt"], reverse=True)

    def _describe_revisions(
        self,
        service: "ServiceTypeDef",
        deployments: "Sequence[ServiceDeploymentBriefTypeDef]",
    ) -> "dict[str, ServiceRevisionTypeDef]":
        current = [one.get("arn", "") for one in service.get("currentServiceRevisions", [])]
        targets = [_target_revision(one) for one in deployments]
        arns = [arn for arn in dict.fromkeys(current + targets) if arn][:_REVISIONS]
        if not arns:
            return {}
        answer = self._client.describe_service_revisions(serviceRevisionArns=arns)
        return {one["serviceRevisionArn"]: one for one in answer["serviceRevisions"]}


def _is_rolling_out(primary: "DeploymentTypeDef", revision_arn: str) -> bool:
    return (
        primary.get("rolloutState") == "IN_PROGRESS"
        and primary.get("taskDefinition") == revision_arn
    )


def _rollout_of_revision(
    service: "ServiceTypeDef",
    primary: "DeploymentTypeDef",
    revision_arn: str,
    deployments: "Sequence[ServiceDeploymentBriefTypeDef]",
    revisions: "dict[str, ServiceRevisionTypeDef]",
) -> Rollout:
    """The rollout by the newest service deployment that targets the revision.

    ECS keeps service deployments for 90 days only, and a rollback to an older revision has none
    that targets it. In both cases the PRIMARY deployment decides.
    """
    if primary.get("taskDefinition") == revision_arn and primary.get("rolloutState") == "FAILED":
        # A rollback to this revision failed; that its own deployment once succeeded is outdated.
        ending = Ending("ROLLBACK_FAILED", primary.get("rolloutStateReason", ""))
        return _rollout(service, primary, ending, ())
    for deployment in deployments:
        revision = revisions.get(_target_revision(deployment))
        if revision is not None and revision.get("taskDefinition") == revision_arn:
            ending = Ending(deployment.get("status", ""), deployment.get("statusReason", ""))
            return _rollout(service, primary, ending, _digests(revision))
    if primary.get("taskDefinition") == revision_arn and primary.get("rolloutState") == "COMPLETED":
        running = [one for one in revisions.values() if one.get("taskDefinition") == revision_arn]
        digests = _digests(running[0]) if running else ()
        return _rollout(service, primary, Ending("SUCCESSFUL"), digests)
    return _rollout(service, primary, None, ())


def _rollout(
    service: "ServiceTypeDef",
    primary: "DeploymentTypeDef",
    ending: Ending | None,
    digests: tuple[str, ...],
) -> Rollout:
    return Rollout(
        primary_deployment_id=primary["id"],
        primary_revision_arn=primary["taskDefinition"],
        state=ending.state if ending else RolloutState.ABSENT,
        told=ending.told if ending else "unknown: ECS lists no deployment of this revision",
        reason=ending.reason if ending else None,
        digests=digests,
        desired_count=service["desiredCount"],
        running_count=service["runningCount"],
        events=tuple(event.get("message", "") for event in service.get("events", [])[:_EVENTS]),
    )


def _target_revision(deployment: "ServiceDeploymentBriefTypeDef") -> str:
    return deployment.get("targetServiceRevisionArn", "")


def _digests(revision: "ServiceRevisionTypeDef") -> tuple[str, ...]:
    """The digests that the revision's images resolved to.

    Without version consistency ECS resolves none, and the digest in the image URI counts.
    """
    images = revision.get("containerImages", [])
    found = [one.get("imageDigest") or one.get("image", "").partition("@")[2] for one in images]
    return tuple(digest for digest in found if digest)


def _target_groups(service: "ServiceTypeDef", container: str) -> tuple[str, ...]:
    """All target groups of the service, those of the container first."""
    balancers = [one for one in service.get("loadBalancers", []) if "targetGroupArn" in one]
    ours_first = sorted(balancers, key=lambda one: one.get("containerName") != container)
    return tuple(dict.fromkeys(one["targetGroupArn"] for one in ours_first))


def _refuse_foreign_controller(service: "ServiceTypeDef") -> None:
    """Refuse what UpdateService would reject, before anything has changed."""
    controller = service.get("deploymentController", {}).get("type", "ECS")
    if controller != "ECS":
        raise Broken(
            Reason.SERVICE_UNAVAILABLE,
            f"The service '{service['serviceName']}' uses the deployment controller {controller}; "
            "Slipway supports the controller ECS only.",
        )
