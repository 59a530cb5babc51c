"""The contract of Parking, kept by the table and by the fake that stands for it."""

import boto3
import pytest
from botocore.stub import ANY, Stubber
from mypy_boto3_dynamodb import DynamoDBClient

from slipway.adapters.parking import DynamoDBParking
from slipway.domain.errors import Reason, Transient
from slipway.ports.waiting import Parking
from tests.builders.documents import NOON, a_parked_request
from tests.builders.fakes.waiting import InMemoryParking
from tests.integration.adapters.conftest import REGION, TABLE

SNAPSHOT = "backup:snapshot:notes-staging-1"


@pytest.fixture(params=["in-memory", "dynamodb"])
def parking(request: pytest.FixtureRequest) -> Parking:
    if request.param == "in-memory":
        return InMemoryParking()
    return DynamoDBParking(request.getfixturevalue("dynamodb"), TABLE)


def test_a_request_is_found_under_each_of_its_keys_and_no_other(parking: Parking) -> None:
    one, other = a_parked_request(SNAPSHOT), a_parked_request("backup:deployment:notes-staging-1")

    parking.park([one, other])

    assert parking.parked_under(SNAPSHOT) == [one]
    assert parking.parked_under(other.key) == [other]
    assert parking.parked_under("backup:snapshot") == []


def test_everybody_who_waits_for_a_key_is_found(parking: Parking) -> None:
    waiting = [a_parked_request("enter:lane", waiting_id=f"notes-{n:02}") for n in range(30)]

    parking.park(waiting)

    assert parking.parked_under("enter:lane") == waiting


def test_parking_again_replaces_the_token(parking: Parking) -> None:
    later = a_parked_request(SNAPSHOT, token="t2")
    parking.park([a_parked_request(SNAPSHOT)])

    parking.park([later])

    assert parking.parked_under(SNAPSHOT) == [later]


def test_whoever_was_answered_is_forgotten(parking: Parking) -> None:
    parked = a_parked_request(SNAPSHOT)
    parking.park([parked])

    parking.leave([parked])
    parking.leave([parked])

    assert parking.parked_under(SNAPSHOT) == []


def test_a_later_try_stays_parked_when_an_earlier_one_leaves(parking: Parking) -> None:
    later = a_parked_request(SNAPSHOT, token="t2")
    parking.park([later])

    parking.leave([a_parked_request(SNAPSHOT, token="t1")])

    assert parking.parked_under(SNAPSHOT) == [later]


def test_a_parked_request_expires_in_epoch_seconds(dynamodb: DynamoDBClient) -> None:
    DynamoDBParking(dynamodb, TABLE).park([a_parked_request("k")])

    key = {"pk": {"S": "PARKED#k"}, "sk": {"S": "notes-staging-1"}}
    item = dynamodb.get_item(TableName=TABLE, Key=key)["Item"]
    assert item["expires"] == {"N": str(int(NOON.timestamp()) + 86_400)}


def test_a_request_that_dynamodb_left_out_is_transient() -> None:
    client = boto3.client("dynamodb", region_name=REGION)
    left_out = {TABLE: [{"PutRequest": {"Item": {"pk": {"S": "PARKED#k"}}}}]}
    with Stubber(client) as stub, pytest.raises(Transient) as refused:
        stub.add_response("batch_write_item", {"UnprocessedItems": left_out}, {"RequestItems": ANY})
        DynamoDBParking(client, TABLE).park([a_parked_request("k")])

    assert refused.value.reason is Reason.AWS_UNAVAILABLE
