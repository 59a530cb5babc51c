"""CloudWatch: which alarms speak against a deployment."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from slipway.adapters.errors import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

PERMISSIONS: Final = ("cloudwatch:DescribeAlarms",)

# DescribeAlarms takes no more names, and answers no more records, than this.
_PER_CALL: Final = 100


class CloudWatchAlarms:
    """Metric and composite alarms."""

    def __init__(self, client: "CloudWatchClient") -> None:
        self._client = client

    @aws_errors()
    def firing(self, names: Sequence[str]) -> tuple[str, ...]:
        """The named alarms that are in alarm, and every one that does not exist (it says so).

        An alarm that somebody renamed must not let a deployment through.
        """
        states: dict[str, str] = {}
        for start in range(0, len(names), _PER_CALL):
            states |= self._states(names[start : start + _PER_CALL])
        return tuple(_speaking(names, states))

    def _states(self, names: Sequence[str]) -> dict[str, str]:
        answer = self._client.describe_alarms(
            AlarmNames=names,
            # Without this the answer has metric alarms only.
            AlarmTypes=["CompositeAlarm", "MetricAlarm"],
            MaxRecords=_PER_CALL,
        )
        metric = {one["AlarmName"]: str(one["StateValue"]) for one in answer["MetricAlarms"]}
        composite = {one["AlarmName"]: str(one["StateValue"]) for one in answer["CompositeAlarms"]}
        return metric | composite


def _speaking(names: Sequence[str], states: dict[str, str]) -> Iterator[str]:
    for name in dict.fromkeys(names):
        if name not in states:
            yield f"{name} (does not exist)"
        elif states[name] == "ALARM":
            yield name
