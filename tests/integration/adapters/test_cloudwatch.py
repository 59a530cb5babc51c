"""Which alarms speak against a deployment."""

import boto3
import pytest
from mypy_boto3_cloudwatch import CloudWatchClient
from mypy_boto3_cloudwatch.literals import StateValueType

from slipway.adapters.cloudwatch import CloudWatchAlarms
from slipway.domain.errors import Transient
from slipway.domain.verdict import AlarmsSeen
from tests.integration.adapters.conftest import REGION
from tests.integration.adapters.stubbed import refuse, stubbed


@pytest.fixture
def cloudwatch(aws: None) -> CloudWatchClient:
    return boto3.client("cloudwatch", region_name=REGION)


def _alarm(client: CloudWatchClient, name: str, state: StateValueType) -> None:
    client.put_metric_alarm(
        AlarmName=name,
        MetricName="5XX",
        Namespace="notes",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    client.set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")


def test_alarms_that_fire_and_alarms_that_do_not_exist_speak_in_the_order_asked(
    cloudwatch: CloudWatchClient,
) -> None:
    _alarm(cloudwatch, "quiet", "OK")
    _alarm(cloudwatch, "loud", "ALARM")
    _alarm(cloudwatch, "new", "INSUFFICIENT_DATA")
    _alarm(cloudwatch, "not asked for", "ALARM")

    seen = CloudWatchAlarms(cloudwatch).look(["renamed", "quiet", "new", "loud", "loud"])

    assert seen == AlarmsSeen(firing=("renamed (does not exist)", "loud"), without_data=("new",))


def test_composite_alarms_count() -> None:
    with stubbed("cloudwatch") as (client, stub):
        stub.add_response(
            "describe_alarms",
            {
                "MetricAlarms": [{"AlarmName": "errors", "StateValue": "OK"}],
                "CompositeAlarms": [{"AlarmName": "site", "StateValue": "ALARM"}],
            },
            {
                "AlarmNames": ["errors", "site"],
                "AlarmTypes": ["CompositeAlarm", "MetricAlarm"],
                "MaxRecords": 100,
            },
        )

        assert CloudWatchAlarms(client).look(["errors", "site"]).firing == ("site",)


def test_more_than_a_hundred_alarms_are_asked_for_in_turns(cloudwatch: CloudWatchClient) -> None:
    names = [f"alarm-{number:03}" for number in range(101)]
    for name in names:
        _alarm(cloudwatch, name, "ALARM")

    assert CloudWatchAlarms(cloudwatch).look(names).firing == tuple(names)


def test_no_alarm_is_no_call() -> None:
    with stubbed("cloudwatch") as (client, _):
        assert CloudWatchAlarms(client).look([]) == AlarmsSeen()


def test_alarms_that_cannot_be_read_are_not_quiet() -> None:
    with pytest.raises(Transient), stubbed("cloudwatch") as (client, stub):
        refuse(stub, "describe_alarms", "Throttling")
        CloudWatchAlarms(client).look(["errors"])
