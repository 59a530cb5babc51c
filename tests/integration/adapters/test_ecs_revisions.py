"""Task definition revisions: copied whole, changed in one place, found again by their tag."""

import boto3
import pytest
from mypy_boto3_ecs import ECSClient

from slipway.adapters.ecs.revisions import EcsRevisions
from slipway.domain.errors import Broken, Reason
from tests.integration.adapters.conftest import REGION
from tests.integration.adapters.ecs_answers import IMAGE

NEW_IMAGE = f"{IMAGE}@sha256:{'c' * 64}"


@pytest.fixture
def ecs(aws: None) -> ECSClient:
    return boto3.client("ecs", region_name=REGION)


@pytest.fixture
def base_arn(ecs: ECSClient) -> str:
    answer = ecs.register_task_definition(
        family="notes",
        containerDefinitions=[
            {"name": "app", "image": "old", "environment": [{"name": "MODE", "value": "live"}]},
            {"name": "proxy", "image": "envoy", "essential": False},
        ],
        cpu="256",
        memory="512",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        executionRoleArn="arn:aws:iam::000000000000:role/execution",
        taskRoleArn="arn:aws:iam::000000000000:role/task",
        runtimePlatform={"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        volumes=[{"name": "scratch"}],
        tags=[{"key": "team", "value": "notes"}, {"key": "slipway:deployment", "value": "older"}],
    )
    return answer["taskDefinition"]["taskDefinitionArn"]


def test_a_revision_is_the_base_with_another_image_in_one_container(
    ecs: ECSClient, base_arn: str
) -> None:
    arn = EcsRevisions(ecs).register(base_arn, "app", NEW_IMAGE, "notes-staging-1", 4)

    before = ecs.describe_task_definition(taskDefinition=base_arn)["taskDefinition"]
    after = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    own = {"taskDefinitionArn", "revision", "registeredAt"}
    before["containerDefinitions"][0]["image"] = NEW_IMAGE
    assert {key: value for key, value in after.items() if key not in own} == {
        key: value for key, value in before.items() if key not in own
    }
    assert after["revision"] == before["revision"] + 1


def test_a_revision_keeps_the_tags_and_names_its_deployment(ecs: ECSClient, base_arn: str) -> None:
    arn = EcsRevisions(ecs).register(base_arn, "app", NEW_IMAGE, "notes-staging-1", 4)

    tags = ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])["tags"]
    assert {tag["key"]: tag["value"] for tag in tags} == {
        "team": "notes",
        "slipway:deployment": "notes-staging-1",
        "slipway:fencing": "4",
    }


def test_a_revision_is_found_again_by_its_deployment(ecs: ECSClient, base_arn: str) -> None:
    revisions = EcsRevisions(ecs)
    ours = revisions.register(base_arn, "app", NEW_IMAGE, "notes-staging-1", 4)
    revisions.register(base_arn, "app", NEW_IMAGE, "notes-production-1", 1)

    assert revisions.find(base_arn, "notes-staging-1") == ours


def test_no_revision_is_found_for_a_deployment_that_registered_none(
    ecs: ECSClient, base_arn: str
) -> None:
    revisions = EcsRevisions(ecs)
    revisions.register(base_arn, "app", NEW_IMAGE, "notes-staging-1", 4)

    assert revisions.find(base_arn, "notes-staging-2") is None


def test_a_container_that_the_base_does_not_have_is_broken(ecs: ECSClient, base_arn: str) -> None:
    with pytest.raises(Broken) as raised:
        EcsRevisions(ecs).register(base_arn, "web", NEW_IMAGE, "notes-staging-1", 4)

    assert raised.value.reason is Reason.SERVICE_UNAVAILABLE


def test_a_base_that_does_not_exist_is_refused_by_aws(ecs: ECSClient, base_arn: str) -> None:
    with pytest.raises(Broken) as raised:
        EcsRevisions(ecs).register(f"{base_arn}9", "app", NEW_IMAGE, "notes-staging-1", 4)

    assert raised.value.reason is Reason.AWS_REFUSED


def test_a_deregistered_revision_is_registered_again_as_it_was(
    ecs: ECSClient, base_arn: str
) -> None:
    ecs.deregister_task_definition(taskDefinition=base_arn)
    revisions = EcsRevisions(ecs)

    arn = revisions.register_again(base_arn, "notes-staging-1/rollback", 4)

    before = ecs.describe_task_definition(taskDefinition=base_arn)["taskDefinition"]
    after = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    own = {"taskDefinitionArn", "revision", "registeredAt", "deregisteredAt", "status"}
    assert {key: value for key, value in after.items() if key not in own} == {
        key: value for key, value in before.items() if key not in own
    }
    assert after["status"] == "ACTIVE"
    assert revisions.find(base_arn, "notes-staging-1/rollback") == arn
    assert revisions.find(base_arn, "notes-staging-1") is None


def test_a_deleted_revision_cannot_be_registered_again(ecs: ECSClient, base_arn: str) -> None:
    gone = base_arn.rsplit(":", 1)[0] + ":99"

    with pytest.raises(Broken, match="was deleted") as raised:
        EcsRevisions(ecs).register_again(gone, "notes-staging-1/rollback", 4)

    assert raised.value.reason is Reason.NOTHING_TO_ROLL_BACK_TO
