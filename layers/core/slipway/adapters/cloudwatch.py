"""CloudWatch: which alarms speak against a deployment."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from slipway.adapters.errors import aws_errors
from slipway.domain.verdict import AlarmsSeen

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
    def look(self, names: Sequence[str]) -> AlarmsSeen:
        """What the named alarms say; one that does not exist counts as firing and says so.

        An alarm that somebody renamed must not let a deployment through. An alarm without data
        does not fire, as for ECS and CodeDeploy: only ALARM does.
        """
        asked = list(dict.fromkeys(names))
        states: dict[str, str] = {}
        for start in range(0, len(asked), _PER_CALL):
            states |= self._states(asked[start : start + _PER_CALL])
        return AlarmsSeen(
            firing=tuple(_speaking(asked, states)),
            without_data=tuple(one for one in asked if states.get(one) == "INSUFFICIENT_DATA"),
        )

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
    for name in names:
        if name not in states:
            yield f"{name} (does not exist)"
        elif states[name] == "ALARM":
            yield name
