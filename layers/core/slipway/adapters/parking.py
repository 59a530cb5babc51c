"""Parked requests of waiting steps: task tokens by the keys they wait for, until answered."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from slipway.adapters.errors import aws_errors, code_of
from slipway.domain.errors import Reason, Transient
from slipway.ports.waiting import Parked

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        DeleteTypeDef,
        UniversalAttributeValueTypeDef,
        WriteRequestTypeDef,
    )

PERMISSIONS: Final = ("dynamodb:BatchWriteItem", "dynamodb:Query", "dynamodb:DeleteItem")

_BATCH: Final = 25


class DynamoDBParking:
    """Parking in Slipway's table; ``expires`` is DynamoDB's TTL attribute and decides nothing."""

    def __init__(self, client: "DynamoDBClient", table_name: str) -> None:
        self._client = client
        self._table = table_name

    def park(self, parked: Sequence[Parked]) -> None:
        """Store the requests under their keys; parking again overwrites."""
        for start in range(0, len(parked), _BATCH):
            self._put([_item(one) for one in parked[start : start + _BATCH]])

    @aws_errors()
    def parked_under(self, key: str) -> list[Parked]:
        """Every request that waits for this key."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"PARKED#{key}"}},
        )
        return [_parked(key, item) for page in pages for item in page["Items"]]

    @aws_errors()
    def leave(self, parked: Sequence[Parked]) -> None:
        """Delete the requests, unless a later attempt has parked with another token.

        All or nothing: a later attempt parks under the same keys, so one changed token means all.
        """
        try:
            self._client.transact_write_items(
                TransactItems=[{"Delete": self._delete_operation(one)} for one in parked]
            )
        except ClientError as error:
            if code_of(error) != "TransactionCanceledException":
                raise

    @aws_errors()
    def _put(self, parked: "list[dict[str, UniversalAttributeValueTypeDef]]") -> None:
        requests: list[WriteRequestTypeDef] = [{"PutRequest": {"Item": item}} for item in parked]
        answer = self._client.batch_write_item(RequestItems={self._table: requests})
        if answer.get("UnprocessedItems"):
            raise Transient(Reason.AWS_UNAVAILABLE, "BatchWriteItem: DynamoDB is busy.")

    def _delete_operation(self, parked: Parked) -> "DeleteTypeDef":
        return {
            "TableName": self._table,
            "Key": {"pk": {"S": f"PARKED#{parked.key}"}, "sk": {"S": parked.waiting_id}},
            "ConditionExpression": "#token = :token",
            "ExpressionAttributeNames": {"#token": "token"},
            "ExpressionAttributeValues": {":token": {"S": parked.token}},
        }


def _item(parked: Parked) -> "dict[str, UniversalAttributeValueTypeDef]":
    return {
        "pk": {"S": f"PARKED#{parked.key}"},
        "sk": {"S": parked.waiting_id},
        "kind": {"S": "Parked"},
        "token": {"S": parked.token},
        "request": {"S": parked.request},
        "expires": {"N": str(int(parked.expires_at.timestamp()))},
    }


def _parked(key: str, item: "Mapping[str, AttributeValueTypeDef]") -> Parked:
    return Parked(
        key=key,
        waiting_id=item["sk"]["S"],
        token=item["token"]["S"],
        request=item["request"]["S"],
        expires_at=datetime.fromtimestamp(int(item["expires"]["N"]), UTC),
    )
