"""ECS task definition revisions: copies of the live one with another image in one container."""

from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import ClientError

from slipway.adapters.ecs.containers import container_of, family_of
from slipway.adapters.errors import aws_errors, code_of
from slipway.domain.errors import Broken, Reason

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import (
        RegisterTaskDefinitionRequestTypeDef,
        TagTypeDef,
        TaskDefinitionTypeDef,
    )

# The last two are no calls: registering a revision with tags and roles needs them.
PERMISSIONS: Final = (
    "ecs:ListTaskDefinitions",
    "ecs:DescribeTaskDefinition",
    "ecs:RegisterTaskDefinition",
    "ecs:TagResource",
    "iam:PassRole",
)

DEPLOYMENT_TAG: Final = "slipway:deployment"
FENCING_TAG: Final = "slipway:fencing"

_NEWEST: Final = 10


class EcsRevisions:
    """Task definition revisions, marked with the deployment that registered them."""

    def __init__(self, client: "ECSClient") -> None:
        self._client = client

    @aws_errors()
    def find(self, base_arn: str, deployment_id: str) -> str | None:
        """The revision that an earlier attempt registered for this deployment, by its tag."""
        wanted = {"key": DEPLOYMENT_TAG, "value": deployment_id}
        for arn in self._list_newer(base_arn):
            if wanted in self._describe(arn)[1]:
                return arn
        return None

    @aws_errors()
    def register(
        self, base_arn: str, container: str, image_uri: str, deployment_id: str, fencing: int
    ) -> str:
        """Register a copy of the base with another image in one container; its ARN.

        RegisterTaskDefinition has no client token: after a lost response use find().
        """
        definition, tags = self._describe(base_arn)
        container_of(definition, container)["image"] = image_uri
        request = self._registration(definition)
        request["tags"] = _with_our_tags(tags, deployment_id, fencing)
        answer = self._client.register_task_definition(**request)
        return answer["taskDefinition"]["taskDefinitionArn"]

    @aws_errors()
    def register_again(self, revision_arn: str, name: str, fencing: int) -> str:
        """Register a copy of a deregistered revision, tagged with this name; its ARN.

        UpdateService accepts no deregistered revision, but ECS still describes it.
        """
        try:
            definition, tags = self._describe(revision_arn)
        except ClientError as error:
            if code_of(error) not in {"ClientException", "InvalidParameterException"}:
                raise
            message = f"The task definition {revision_arn} was deleted; rolling back is impossible."
            raise Broken(Reason.NOTHING_TO_ROLL_BACK_TO, message) from error
        request = self._registration(definition)
        request["tags"] = _with_our_tags(tags, name, fencing)
        answer = self._client.register_task_definition(**request)
        return answer["taskDefinition"]["taskDefinitionArn"]

    def _list_newer(self, base_arn: str) -> list[str]:
        """The newest revisions of the base's family, newest first, down to the base."""
        answer = self._client.list_task_definitions(
            familyPrefix=family_of(base_arn), sort="DESC", maxResults=_NEWEST
        )
        return [arn for arn in answer["taskDefinitionArns"] if _number(arn) > _number(base_arn)]

    def _describe(self, arn: str) -> "tuple[TaskDefinitionTypeDef, list[TagTypeDef]]":
        answer = self._client.describe_task_definition(taskDefinition=arn, include=["TAGS"])
        return answer["taskDefinition"], answer.get("tags", [])

    def _registration(
        self, definition: "TaskDefinitionTypeDef"
    ) -> "RegisterTaskDefinitionRequestTypeDef":
        """The part of a description that RegisterTaskDefinition accepts, by botocore's model.

        A hand-written list of fields would silently drop what AWS adds later.
        """
        operation = self._client.meta.service_model.operation_model("RegisterTaskDefinition")
        accepted = operation.input_shape.members if operation.input_shape else {}
        copied: dict[str, Any] = {
            key: value for key, value in definition.items() if key in accepted
        }
        return cast("RegisterTaskDefinitionRequestTypeDef", copied)


def _with_our_tags(
    tags: "list[TagTypeDef]", deployment_id: str, fencing: int
) -> "list[TagTypeDef]":
    """The tags with ours replaced; nobody but AWS may set tags that begin with aws:."""
    ours: list[TagTypeDef] = [
        {"key": DEPLOYMENT_TAG, "value": deployment_id},
        {"key": FENCING_TAG, "value": str(fencing)},
    ]
    kept = [tag for tag in tags if not tag["key"].startswith(("aws:", "slipway:"))]
    return kept + ours


def _number(arn: str) -> int:
    return int(arn.rsplit(":", 1)[-1])
