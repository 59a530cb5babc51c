"""The user's side of the demo: the ECS services and databases that Slipway deploys to."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from cloud.image import push_version
from slipway.domain.catalog import Application, Environment
from slipway.domain.target import EcsTarget

ACCOUNT = "000000000000"
REGION = "us-east-1"
PORT = 8000
BOOTSTRAP_TAG = "bootstrap"

Clients = Callable[[str], Any]


def build_environments(
    application: Application,
    aws: Clients,
    registry_url: str,
    architecture: str,
    desired_count: int = 2,
) -> None:
    """Create what infrastructure code would: repositories, databases, balancers, services.

    Each service starts with a bootstrap image that Slipway has never seen, as in an account where
    a service exists before its first deployment.
    """
    for name, environment in application.environments.items():
        repository = application.repository(name)
        _repository(repository, aws, registry_url, architecture)
        _environment(environment, repository, aws, architecture, desired_count)


def _repository(name: str, aws: Clients, registry_url: str, architecture: str) -> None:
    ecr = aws("ecr")
    if name in {found["repositoryName"] for found in ecr.describe_repositories()["repositories"]}:
        return
    ecr.create_repository(repositoryName=name, imageScanningConfiguration={"scanOnPush": True})
    push_version(registry_url, name, BOOTSTRAP_TAG, "bootstrap", (_oci(architecture),))


def _oci(architecture: str) -> str:
    return "arm64" if architecture == "ARM64" else "amd64"


def _environment(
    environment: Environment, repository: str, aws: Clients, architecture: str, desired_count: int
) -> None:
    target = environment.target
    secret = _database_secret(environment, aws)
    group = _balancer(target.cluster, aws)
    for name in (*environment.gates.alarms, *environment.verification.alarms):
        _alarm(name, aws)
    aws("ecs").create_cluster(clusterName=target.cluster)
    log_group = f"/ecs/{target.cluster}/{target.service}"
    aws("logs").create_log_group(logGroupName=log_group)
    container = _container(target.container, repository, log_group, secret)
    revision = _revision(target.cluster, container, architecture, aws)
    _service(target, revision, group, desired_count, aws)


def _database_secret(environment: Environment, aws: Clients) -> str | None:
    if environment.database is None:
        return None
    name = environment.database.identifier
    known = _known_secret(f"{name}/database", aws)
    return known or _new_database(name, aws)


def _known_secret(name: str, aws: Clients) -> str | None:
    """The ARN of a secret if there is one: applications may share a database."""
    secrets = aws("secretsmanager")
    try:
        return str(secrets.describe_secret(SecretId=name)["ARN"])
    except secrets.exceptions.ResourceNotFoundException:
        return None


def _new_database(name: str, aws: Clients) -> str:
    """The ARN of the secret of a new database."""
    rds = aws("rds")
    rds.create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        AllocatedStorage=20,
        StorageEncrypted=True,
        MasterUsername="notes",
        MasterUserPassword="not-a-secret-here",
        DBName="notes",
    )
    rds.get_waiter("db_instance_available").wait(
        DBInstanceIdentifier=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    found = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    content = {
        "username": "notes",
        "password": "not-a-secret-here",
        "host": found["Endpoint"]["Address"],
        "port": found["Endpoint"]["Port"],
        "dbname": "notes",
    }
    secret = aws("secretsmanager").create_secret(
        Name=f"{name}/database", SecretString=json.dumps(content)
    )
    return str(secret["ARN"])


def _balancer(name: str, aws: Clients) -> str:
    """The target group of a new load balancer."""
    elbv2 = aws("elbv2")
    balancer = elbv2.create_load_balancer(Name=name, Subnets=["subnet-a", "subnet-b"])
    group = elbv2.create_target_group(
        Name=name,
        Protocol="HTTP",
        Port=PORT,
        VpcId="vpc-1",
        TargetType="ip",
        # The load balancer asks for `/`: what `/health` says is Slipway's to judge.
        HealthCheckPath="/",
        HealthCheckIntervalSeconds=10,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    elbv2.modify_target_group_attributes(
        TargetGroupArn=group,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "10"}],
    )
    elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return str(group)


def _alarm(name: str, aws: Clients) -> None:
    aws("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/ApplicationELB",
        MetricName="HTTPCode_Target_5XX_Count",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
    )


def _revision(family: str, container: Mapping[str, Any], architecture: str, aws: Clients) -> str:
    """A new revision of a task definition, by its ARN."""
    registered = aws("ecs").register_task_definition(
        family=family,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        runtimePlatform={"cpuArchitecture": architecture, "operatingSystemFamily": "LINUX"},
        executionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/{family}-execution",
        taskRoleArn=f"arn:aws:iam::{ACCOUNT}:role/{family}-task",
        containerDefinitions=[container],
    )
    return str(registered["taskDefinition"]["taskDefinitionArn"])


def _service(
    target: EcsTarget, revision: str, group: str, desired_count: int, aws: Clients
) -> None:
    network = {
        "subnets": ["subnet-a", "subnet-b"],
        "securityGroups": ["sg-1"],
        "assignPublicIp": "DISABLED",
    }
    balancer = {
        "targetGroupArn": group,
        "containerName": target.container,
        "containerPort": PORT,
    }
    aws("ecs").create_service(
        cluster=target.cluster,
        serviceName=target.service,
        taskDefinition=revision,
        desiredCount=desired_count,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": network},
        loadBalancers=[balancer],
        deploymentConfiguration={
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        },
    )


def _container(name: str, repository: str, log_group: str, secret: str | None) -> Mapping[str, Any]:
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{repository}"
    secrets = [{"name": "DATABASE_SECRET", "valueFrom": secret}] if secret else []
    return {
        "name": name,
        "image": f"{image}:{BOOTSTRAP_TAG}",
        "essential": True,
        "portMappings": [{"containerPort": PORT, "protocol": "tcp"}],
        "environment": [{"name": "PORT", "value": str(PORT)}],
        "secrets": secrets,
        "stopTimeout": 10,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": log_group,
                "awslogs-region": REGION,
                "awslogs-stream-prefix": "ecs",
            },
        },
    }
