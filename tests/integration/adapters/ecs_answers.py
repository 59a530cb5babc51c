"""What ECS answers, in the shapes of its API reference."""

from datetime import timedelta
from typing import Any

from tests.builders.documents import NOON

_ARN = "arn:aws:ecs:us-east-1:000000000000:"
OLD = f"{_ARN}task-definition/notes:7"
NEW = f"{_ARN}task-definition/notes:8"
SERVICE = f"{_ARN}service/production/notes"
TASK = f"{_ARN}task/production/0123456789abcdef"
GROUP = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/notes/1"
DIGEST = "sha256:" + "b" * 64
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/notes"


def a_service(primary: str = OLD, state: str = "COMPLETED", **changes: Any) -> dict[str, Any]:
    service: dict[str, Any] = {
        "serviceArn": SERVICE,
        "serviceName": "notes",
        "status": "ACTIVE",
        "desiredCount": 2,
        "runningCount": 2,
        "taskDefinition": primary,
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": ["subnet-1"],
                "securityGroups": ["sg-1"],
                "assignPublicIp": "DISABLED",
            }
        },
        "loadBalancers": [{"targetGroupArn": GROUP, "containerName": "app", "containerPort": 8000}],
        "deployments": [
            {"id": "ecs-svc/2", "status": "PRIMARY", "taskDefinition": primary}
            | {"rolloutState": state, "rolloutStateReason": f"deployment {state.lower()}"},
            {"id": "ecs-svc/1", "status": "ACTIVE", "taskDefinition": OLD},
        ],
        "events": [{"message": f"event {number}"} for number in range(9)],
    }
    return service | changes


def services(*described: dict[str, Any]) -> dict[str, Any]:
    return {"services": list(described), "failures": []}


def a_definition(arn: str = OLD, **changes: Any) -> dict[str, Any]:
    definition: dict[str, Any] = {
        "taskDefinitionArn": arn,
        "family": "notes",
        "containerDefinitions": [
            {"name": "proxy", "image": "envoy@sha256:1"},
            {
                "name": "app",
                "image": f"{IMAGE}@sha256:old",
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": "/ecs/notes",
                        "awslogs-region": "us-east-1",
                        "awslogs-stream-prefix": "run",
                    },
                },
            },
        ],
    }
    return {"taskDefinition": definition | changes}


def a_service_deployment(number: int, status: str, **changes: Any) -> dict[str, Any]:
    return {
        "serviceDeploymentArn": f"{_ARN}service-deployment/production/notes/{number}",
        "createdAt": NOON + timedelta(minutes=number),
        "targetServiceRevisionArn": service_revision_arn(number),
        "status": status,
        "statusReason": f"because of {status}",
    } | changes


def a_service_revision(number: int, task_definition: str, digest: str = DIGEST) -> dict[str, Any]:
    return {
        "serviceRevisionArn": service_revision_arn(number),
        "taskDefinition": task_definition,
        "containerImages": [
            {"containerName": "app", "image": f"{IMAGE}@{digest}", "imageDigest": digest},
            {"containerName": "proxy", "image": "envoy"},
        ],
    }


def service_revision_arn(number: int) -> str:
    return f"{_ARN}service-revision/production/notes/{number}"
