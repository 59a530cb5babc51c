"""CloudWatch alarms as documented, on the model in virtual time."""

from typing import Any

import pytest

from cloud.twin.errors import AwsError
from tests.integration.twin.virtual import VirtualCloud


@pytest.fixture
def cloud() -> VirtualCloud:
    cloud = VirtualCloud()
    cloud.cloudwatch(
        "PutMetricAlarm",
        AlarmName="errors",
        Namespace="AWS/ApplicationELB",
        MetricName="HTTPCode_Target_5XX_Count",
        Dimensions=[{"Name": "TargetGroup", "Value": "t"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloud.cloudwatch("PutCompositeAlarm", AlarmName="all", AlarmRule="ALARM(errors)")
    return cloud


def set_state(cloud: VirtualCloud, name: str, value: str) -> None:
    cloud.cloudwatch("SetAlarmState", AlarmName=name, StateValue=value, StateReason="by hand")


def names(answer: dict[str, Any]) -> tuple[list[str], list[str]]:
    return (
        [each["AlarmName"] for each in answer["MetricAlarms"]],
        [each["AlarmName"] for each in answer["CompositeAlarms"]],
    )


def test_composite_alarms_are_shown_only_if_their_type_is_asked_for(cloud: VirtualCloud) -> None:
    wanted = ["errors", "all"]
    both = ["CompositeAlarm", "MetricAlarm"]

    assert names(cloud.cloudwatch("DescribeAlarms", AlarmNames=wanted)) == (["errors"], [])
    answer = cloud.cloudwatch("DescribeAlarms", AlarmNames=wanted, AlarmTypes=both)
    assert names(answer) == (["errors"], ["all"])
    answer = cloud.cloudwatch("DescribeAlarms", AlarmTypes=["CompositeAlarm"])
    assert names(answer) == ([], ["all"])


def test_a_new_alarm_has_insufficient_data_and_is_found_by_its_state(
    cloud: VirtualCloud,
) -> None:
    found = cloud.cloudwatch("DescribeAlarms", StateValue="INSUFFICIENT_DATA")
    assert names(found) == (["errors"], [])
    set_state(cloud, "errors", "ALARM")

    assert names(cloud.cloudwatch("DescribeAlarms", StateValue="INSUFFICIENT_DATA")) == ([], [])
    assert names(cloud.cloudwatch("DescribeAlarms", StateValue="ALARM")) == (["errors"], [])


def test_a_change_of_state_is_told_once_with_both_states(cloud: VirtualCloud) -> None:
    set_state(cloud, "errors", "ALARM")
    set_state(cloud, "errors", "ALARM")

    assert len(cloud.events) == 1
    event = cloud.events[0]
    assert (event["source"], event["detail-type"], event["resources"]) == (
        "aws.cloudwatch",
        "CloudWatch Alarm State Change",
        ["arn:aws:cloudwatch:us-east-1:000000000000:alarm:errors"],
    )
    stamp = "2026-01-05T09:00:00.000+0000"
    metric = {
        "namespace": "AWS/ApplicationELB",
        "name": "HTTPCode_Target_5XX_Count",
        "dimensions": {"TargetGroup": "t"},
    }
    stat = {"metric": metric, "period": 60, "stat": "Sum"}
    assert event["detail"] == {
        "alarmName": "errors",
        "state": {"value": "ALARM", "reason": "by hand", "timestamp": stamp},
        "previousState": {
            "value": "INSUFFICIENT_DATA",
            "reason": "Unchecked: Initial alarm creation",
            "timestamp": stamp,
        },
        "configuration": {"metrics": [{"id": "metric", "metricStat": stat, "returnData": True}]},
    }


def test_an_alarm_that_is_not_there_cannot_be_set(cloud: VirtualCloud) -> None:
    with pytest.raises(AwsError) as refused:
        set_state(cloud, "none", "ALARM")
    assert (refused.value.code, refused.value.status) == ("ResourceNotFound", 404)


def test_to_put_an_alarm_again_keeps_its_state(cloud: VirtualCloud) -> None:
    set_state(cloud, "all", "ALARM")
    cloud.cloudwatch("PutCompositeAlarm", AlarmName="all", AlarmRule="ALARM(other)")

    found = cloud.cloudwatch("DescribeAlarms", AlarmTypes=["CompositeAlarm"])
    shown = found["CompositeAlarms"][0]
    assert (shown["StateValue"], shown["AlarmRule"]) == ("ALARM", "ALARM(other)")
