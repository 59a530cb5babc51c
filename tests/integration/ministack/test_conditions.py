"""A role may do what its conditions allow: IAM knows the keys that AWS documents for a request."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.integration.ministack.cloud import Cloud

# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html,
# list_amazondynamodb.html and list_amazoncloudwatchlogs.html name keys and resources.
POLICY = [
    {
        "Effect": "Allow",
        "Action": "events:PutEvents",
        "Resource": "*",
        "Condition": {
            "StringEquals": {"events:source": "slipway", "events:detail-type": ["Looked", "Told"]}
        },
    },
    {
        "Effect": "Allow",
        "Action": "dynamodb:PutItem",
        "Resource": "*",
        "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["DEPLOYMENT#*"]}},
    },
    {
        "Effect": "Allow",
        "Action": "logs:GetLogEvents",
        "Resource": "arn:aws:logs:*:*:log-group:/ecs/notes-*:log-stream:*",
    },
]


@pytest.fixture
def as_role(cloud: Cloud) -> Iterator[Any]:
    iam = cloud.client("iam")
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "*"}]}
    role = iam.create_role(RoleName="narrow", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": POLICY})
    iam.put_role_policy(RoleName="narrow", PolicyName="narrow", PolicyDocument=policy)
    taken = cloud.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")

    def client(service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            region_name="us-east-1",
            endpoint_url=cloud.ministack.endpoint_url,
            aws_access_key_id=taken["Credentials"]["AccessKeyId"],
            aws_secret_access_key=taken["Credentials"]["SecretAccessKey"],
            aws_session_token=taken["Credentials"]["SessionToken"],
        )

    yield client
    iam.delete_role_policy(RoleName="narrow", PolicyName="narrow")
    iam.delete_role(RoleName="narrow")


def answer(action: Any, **arguments: Any) -> str:
    """'allowed', or the code of the refusal."""
    try:
        action(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "allowed"


@pytest.mark.parametrize(
    ("source", "kinds", "expected"),
    [
        ("slipway", ["Looked"], "allowed"),
        ("slipway", ["Told"], "allowed"),
        ("slipway", ["Deployment Requested"], "AccessDeniedException"),
        ("slipway", ["Looked", "Deployment Requested"], "AccessDeniedException"),
        ("aws.ecr", ["Looked"], "AccessDeniedException"),
    ],
)
def test_a_role_says_only_what_it_may_say(
    cloud: Cloud, as_role: Any, source: str, kinds: list[str], expected: str
) -> None:
    entries = [
        {
            "EventBusName": cloud.outputs["Bus"],
            "Source": source,
            "DetailType": kind,
            "Detail": "{}",
        }
        for kind in kinds
    ]

    assert answer(as_role("events").put_events, Entries=entries) == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["DEPLOYMENT#a"], "allowed"),
        (["DEPLOYMENT#a", "DEPLOYMENT#b"], "allowed"),
        (["LANE#a"], "AccessDeniedException"),
        (["DEPLOYMENT#a", "LANE#a"], "AccessDeniedException"),
    ],
)
def test_a_role_writes_only_below_its_keys(
    cloud: Cloud, as_role: Any, keys: list[str], expected: str
) -> None:
    table = cloud.client("dynamodb").list_tables()["TableNames"][0]
    puts = [{"Put": {"TableName": table, "Item": {"pk": {"S": key}}}} for key in keys]

    assert answer(as_role("dynamodb").transact_write_items, TransactItems=puts) == expected
    item = {"pk": {"S": keys[-1]}}
    assert answer(as_role("dynamodb").put_item, TableName=table, Item=item) == expected


@pytest.mark.parametrize(
    ("group", "expected"),
    [("/ecs/notes-staging", "ResourceNotFoundException"), ("/ecs/other", "AccessDeniedException")],
)
def test_a_role_reads_only_the_streams_of_its_log_groups(
    as_role: Any, group: str, expected: str
) -> None:
    names = {"logGroupName": group, "logStreamName": "app/app/1"}

    assert answer(as_role("logs").get_log_events, **names) == expected
