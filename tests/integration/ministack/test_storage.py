"""What Slipway needs of DynamoDB and Secrets Manager, deployed by CloudFormation."""

import re
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.ministack.cloud import Cloud, eventually


@pytest.fixture
def table(cloud: Cloud) -> Any:
    return cloud.client("dynamodb")


def put(cloud: Cloud, key: str, **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": cloud.outputs["Table"], "Item": {"pk": {"S": key}}, **more}}


def test_a_transaction_whose_condition_fails_writes_nothing(cloud: Cloud, table: Any) -> None:
    taken, free = str(uuid.uuid4()), str(uuid.uuid4())
    new = {"ConditionExpression": "attribute_not_exists(pk)"}
    table.transact_write_items(TransactItems=[put(cloud, taken, **new)])

    with pytest.raises(ClientError) as caught:
        table.transact_write_items(TransactItems=[put(cloud, free), put(cloud, taken, **new)])

    reasons = [reason["Code"] for reason in caught.value.response["CancellationReasons"]]
    assert reasons == ["None", "ConditionalCheckFailed"]
    found = table.get_item(
        TableName=cloud.outputs["Table"], Key={"pk": {"S": free}}, ConsistentRead=True
    )
    assert "Item" not in found


def test_a_failed_condition_can_return_the_old_item(cloud: Cloud, table: Any) -> None:
    key = str(uuid.uuid4())
    item = {"pk": {"S": key}, "holder": {"S": "a"}}
    table.put_item(TableName=cloud.outputs["Table"], Item=item)

    with pytest.raises(ClientError) as caught:
        table.put_item(
            TableName=cloud.outputs["Table"],
            Item={"pk": {"S": key}},
            ConditionExpression="holder = :b",
            ExpressionAttributeValues={":b": {"S": "b"}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

    response: Any = caught.value.response
    assert response["Item"] == item


def test_several_items_are_read_in_one_transaction(cloud: Cloud, table: Any) -> None:
    keys = [str(uuid.uuid4()) for _ in range(2)]
    table.transact_write_items(TransactItems=[put(cloud, key) for key in keys])
    name = cloud.outputs["Table"]

    answer = table.transact_get_items(
        TransactItems=[{"Get": {"TableName": name, "Key": {"pk": {"S": key}}}} for key in keys]
    )

    assert [found["Item"]["pk"]["S"] for found in answer["Responses"]] == keys


def test_the_tables_settings_are_those_of_the_template(cloud: Cloud, table: Any) -> None:
    name = cloud.outputs["Table"]
    described = table.describe_table(TableName=name)["Table"]
    ttl = table.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    backups = table.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]

    assert described["DeletionProtectionEnabled"] is True
    assert ttl == {"AttributeName": "expires", "TimeToLiveStatus": "ENABLED"}
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_a_change_of_the_table_reaches_the_stream_function(cloud: Cloud, table: Any) -> None:
    key = str(uuid.uuid4())

    table.put_item(TableName=cloud.outputs["Table"], Item={"pk": {"S": key}})

    eventually(lambda: [batch for batch in cloud.heard("StreamFunction") if key in batch])


def test_a_record_reported_as_failed_is_tried_again_alone_and_then_let_go(
    cloud: Cloud, table: Any
) -> None:
    before, after = str(uuid.uuid4()), str(uuid.uuid4())
    table.transact_write_items(
        TransactItems=[put(cloud, before), put(cloud, "poison"), put(cloud, after)]
    )

    def times(key: str) -> int:
        return sum(batch.count(key) for batch in cloud.heard("StreamFunction"))

    eventually(lambda: [after] in cloud.heard("StreamFunction"))
    assert times(before) == 1
    assert cloud.heard("StreamFunction").count(["poison"]) == 3


def test_a_generated_secret_has_the_asked_shape_and_an_arn(cloud: Cloud) -> None:
    assert re.fullmatch(
        r"arn:aws:secretsmanager:us-east-1:000000000000:secret:probe-Secret-.+-[A-Za-z0-9]{6}",
        cloud.outputs["Secret"],
    )
    secret = cloud.client("secretsmanager").get_secret_value(SecretId=cloud.outputs["Secret"])
    assert re.fullmatch(r"[A-Za-z0-9]{40}", secret["SecretString"])
