"""Events of AWS services arrive through the deployed rules, whole and with AWS's retries."""

import json
import urllib.error
import urllib.request
import uuid
from typing import Any

import pytest

from tests.builders import samples
from tests.integration.ministack.cloud import Cloud, eventually


def push(tag: str = "1.0", **detail: Any) -> dict[str, Any]:
    """An ECR push event, as the sample shows it, with an id of its own."""
    told = samples.push(**{"repository-name": "shop", "image-tag": tag, **detail})
    return told | {"id": str(uuid.uuid4())}


def test_an_event_of_a_service_arrives_as_it_was_sent(cloud: Cloud) -> None:
    event = push()

    cloud.ministack.send_event(event)

    assert eventually(lambda: [e for e in cloud.heard("ListenerFunction") if e == event])


def test_an_event_that_no_rule_wants_goes_nowhere(cloud: Cloud) -> None:
    unwanted, wanted = push(result="FAILURE"), push()

    cloud.ministack.send_event(unwanted, wanted)

    eventually(lambda: wanted in cloud.heard("ListenerFunction"))
    assert unwanted not in cloud.heard("ListenerFunction")


def test_a_function_that_fails_on_an_event_is_tried_three_times(cloud: Cloud) -> None:
    event = push(tag="fail")

    cloud.ministack.send_event(event)

    eventually(lambda: cloud.heard("ListenerFunction").count(event) == 3)


def test_an_own_event_arrives_through_the_custom_bus(cloud: Cloud) -> None:
    entry = {
        "EventBusName": cloud.outputs["Bus"],
        "Source": "slipway",
        "DetailType": "Lane Released",
        "Detail": json.dumps({"lane": str(uuid.uuid4())}),
    }

    answer = cloud.client("events").put_events(Entries=[entry])

    assert answer["FailedEntryCount"] == 0
    wanted = json.loads(str(entry["Detail"]))
    assert eventually(
        lambda: [e for e in cloud.heard("ListenerFunction") if e.get("detail") == wanted]
    )


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{no", "The body is not the expected JSON."),
        (b'["text"]', "An event is a JSON object."),
        (b'{"id": "1", "source": "aws.ecr"}', "The event lacks account"),
    ],
)
def test_a_bad_event_gets_a_sentence(cloud: Cloud, body: bytes, sentence: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{cloud.ministack.door_url}/events", data=body)

    with caught.value as answer:
        assert answer.code == 400
        assert json.load(answer)["error"].startswith(sentence)


def test_the_door_opens_only_with_its_secret(cloud: Cloud) -> None:
    address = cloud.ministack.door_url.rpartition("/")[0]

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{address}/wrong/calls")

    with caught.value as answer:
        assert answer.code == 404
