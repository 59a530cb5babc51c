"""How records lie in DynamoDB, what its refusals mean, and what a look costs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from mypy_boto3_dynamodb import DynamoDBClient

from slipway.adapters import items
from slipway.adapters.records import DynamoDBRecords
from slipway.domain.errors import Broken, ControlPlaneError, Reason, Transient
from slipway.domain.lane import Lane
from slipway.domain.notice import SLACK, MessagePlace
from slipway.domain.outcome import Outcome
from slipway.ports.records import Fence
from tests.builders.documents import a_deployment, an_entry
from tests.integration.adapters.conftest import REGION, TABLE

GOLDEN = Path(__file__).parents[2] / "unit" / "golden"


def _stored(client: DynamoDBClient, pk: str, sk: str) -> dict[str, Any]:
    item = client.get_item(TableName=TABLE, Key={"pk": {"S": pk}, "sk": {"S": sk}})["Item"]
    return {name: value for name, value in item.items() if name != "document"}


def test_a_notice_of_0_1_0_is_slacks_and_is_written_over(dynamodb: DynamoDBClient) -> None:
    document = (GOLDEN / "notice-0.1.0.json").read_text()
    pk = "DEPLOYMENT#fastapi-rds-production-7"
    item: Any = {
        "pk": {"S": pk},
        "sk": {"S": "NOTICE"},
        "kind": {"S": "Notice"},
        "version": {"N": "4"},
        "document": {"S": document},
    }
    dynamodb.put_item(TableName=TABLE, Item=item)
    records = DynamoDBRecords(dynamodb, TABLE)

    found = records.notice("fastapi-rds-production-7", SLACK)
    records.write([found.confirmed("BackingUp")])

    assert found.place == MessagePlace(channel="C0123456789", message="1763717400.000100")
    assert _stored(dynamodb, pk, "NOTICE")["version"] == {"N": "5"}
    again = records.notice("fastapi-rds-production-7", SLACK)
    assert again == found.confirmed("BackingUp").model_copy(update={"version": 5})


def test_a_deployment_lies_with_what_indexes_and_people_need(dynamodb: DynamoDBClient) -> None:
    DynamoDBRecords(dynamodb, TABLE).write([a_deployment()])

    assert _stored(dynamodb, "DEPLOYMENT#notes-staging-1", "DEPLOYMENT") == {
        "pk": {"S": "DEPLOYMENT#notes-staging-1"},
        "sk": {"S": "DEPLOYMENT"},
        "kind": {"S": "Deployment"},
        "version": {"N": "1"},
        "requested_at": {"S": "2026-11-02T12:01:00.000000+00:00"},
        "unsettled": {"S": "yes"},
    }


def test_a_settled_deployment_leaves_the_index_of_unsettled_ones(dynamodb: DynamoDBClient) -> None:
    DynamoDBRecords(dynamodb, TABLE).write([a_deployment(outcome=Outcome.SUCCEEDED)])

    item = _stored(dynamodb, "DEPLOYMENT#notes-staging-1", "DEPLOYMENT")
    assert (item.get("unsettled"), item.get("requested_at")) == (None, None)


def test_evidence_lies_beside_its_deployment_in_the_order_of_its_numbers(
    dynamodb: DynamoDBClient,
) -> None:
    DynamoDBRecords(dynamodb, TABLE).write([], evidence=[an_entry("notes-staging-1", 12)])

    assert _stored(dynamodb, "DEPLOYMENT#notes-staging-1", "EVIDENCE#000012") == {
        "pk": {"S": "DEPLOYMENT#notes-staging-1"},
        "sk": {"S": "EVIDENCE#000012"},
        "kind": {"S": "Evidence"},
        "version": {"N": "1"},
    }


def test_a_lane_shows_its_holder_and_fencing_number(dynamodb: DynamoDBClient) -> None:
    records = DynamoDBRecords(dynamodb, TABLE)
    _, taken = records.lane("notes", "staging").enter("notes-staging-1")
    records.write([taken])

    item = _stored(dynamodb, "LANE#notes/staging", "LANE")
    assert (item["holder"], item["fencing"]) == ({"S": "notes-staging-1"}, {"N": "1"})


def test_the_newest_deployments_are_one_request_that_reads_no_more_than_it_answers(
    dynamodb: DynamoDBClient,
) -> None:
    records = DynamoDBRecords(dynamodb, TABLE)
    records.write([a_deployment(number) for number in range(1, 31)])
    calls = _recorded(dynamodb)

    records.recent(Lane(application="notes", environment="staging", next_number=31), 20)

    assert [(name, len(answer["Responses"][TABLE])) for name, answer in calls] == [
        ("BatchGetItem", 20)
    ]


def _recorded(client: DynamoDBClient) -> list[tuple[str, Any]]:
    calls: list[tuple[str, Any]] = []

    def record(parsed: Any, model: Any, **_: Any) -> None:
        calls.append((model.name, parsed))

    client.meta.events.register("after-call.dynamodb", record)
    return calls


def test_every_page_of_the_unsettled_deployments_is_read(dynamodb: DynamoDBClient) -> None:
    records = DynamoDBRecords(dynamodb, TABLE)
    records.write([a_deployment(number) for number in range(1, 6)])
    dynamodb.meta.events.register(
        "provide-client-params.dynamodb.Query", lambda params, **_: params | {"Limit": 2}
    )

    assert [one.number for one in records.unsettled()] == [1, 2, 3, 4, 5]


def _cancelled(*codes: str) -> Callable[[Stubber], None]:
    def answer(stub: Stubber) -> None:
        stub.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            "Transaction cancelled, please refer cancellation reasons for specific reasons",
            http_status_code=400,
            modeled_fields={"CancellationReasons": [{"Code": code} for code in codes]},
        )

    return answer


@pytest.mark.parametrize(
    ("codes", "error", "reason"),
    [
        (("TransactionConflict", "None"), Transient, Reason.RECORD_MOVED),
        (("None", "ConditionalCheckFailed"), Transient, Reason.RECORD_MOVED),
        (("ThrottlingError", "None"), Transient, Reason.AWS_UNAVAILABLE),
        (("ProvisionedThroughputExceeded", "None"), Transient, Reason.AWS_UNAVAILABLE),
        (("ValidationError", "None"), Broken, Reason.AWS_REFUSED),
    ],
)
def test_a_cancelled_transaction_says_whether_to_read_again(
    codes: tuple[str, ...], error: type[ControlPlaneError], reason: Reason
) -> None:
    client = boto3.client("dynamodb", region_name=REGION)
    with Stubber(client) as stub, pytest.raises(error) as refused:
        _cancelled(*codes)(stub)
        DynamoDBRecords(client, TABLE).write([a_deployment()])

    assert refused.value.reason is reason


def test_a_fenced_write_is_one_transaction_with_a_token_and_few_forms_of_condition() -> None:
    client = boto3.client("dynamodb", region_name=REGION)
    fence = Fence(lane_id="notes/staging", deployment_id="notes-staging-1", fencing=4)
    deployment = a_deployment().model_copy(update={"version": 3})
    values = {":deployment": {"S": "notes-staging-1"}, ":fencing": {"N": "4"}}
    expected = [
        {
            "Put": {
                "TableName": TABLE,
                "ConditionExpression": "version = :read",
                "ExpressionAttributeValues": {":read": {"N": "3"}},
            }
        },
        {
            "ConditionCheck": {
                "TableName": TABLE,
                "Key": {"pk": {"S": "LANE#notes/staging"}, "sk": {"S": "LANE"}},
                "ConditionExpression": "holder = :deployment AND fencing = :fencing",
                "ExpressionAttributeValues": values,
            }
        },
    ]
    sent: list[Any] = []
    client.meta.events.register(
        "provide-client-params.dynamodb.TransactWriteItems",
        lambda params, **_: sent.append(params),
    )

    with Stubber(client) as stub:
        stub.add_response("transact_write_items", {})
        DynamoDBRecords(client, TABLE).write([deployment], fence=fence)

    assert len(sent[0].pop("ClientRequestToken")) == 36
    assert sent[0]["TransactItems"][0]["Put"].pop("Item")["version"] == {"N": "4"}
    assert sent == [{"TransactItems": expected}]


def test_keys_that_dynamodb_did_not_process_are_asked_for_again(dynamodb: DynamoDBClient) -> None:
    key = items.lane_key("notes/staging")
    left: Any = {TABLE: {"Keys": [key], "ConsistentRead": True}}
    lane = items.versioned_item(Lane(application="notes", environment="staging", fencing=3))
    with Stubber(dynamodb) as stub:
        nothing = {"Responses": {TABLE: []}, "UnprocessedKeys": left}
        stub.add_response("batch_get_item", nothing, {"RequestItems": left})
        found = {"Responses": {TABLE: [lane]}, "UnprocessedKeys": {}}
        stub.add_response("batch_get_item", found, {"RequestItems": left})

        assert DynamoDBRecords(dynamodb, TABLE).lanes(["notes/staging"])[0].fencing == 3


def test_keys_that_dynamodb_never_processes_are_transient(dynamodb: DynamoDBClient) -> None:
    left: Any = {TABLE: {"Keys": [items.lane_key("notes/staging")], "ConsistentRead": True}}
    with Stubber(dynamodb) as stub:
        for _ in range(10):
            stub.add_response("batch_get_item", {"Responses": {TABLE: []}, "UnprocessedKeys": left})

        with pytest.raises(Transient, match="left some keys unprocessed"):
            DynamoDBRecords(dynamodb, TABLE).lanes(["notes/staging"])
