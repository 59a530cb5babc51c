"""CloudWatch: which alarms are firing."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from slipway.adapters.errors import aws_errors
from slipway.domain.verdict import AlarmsSeen

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

PERMISSIONS: Final = ("cloudwatch:DescribeAlarms",)

# The maximum of both AlarmNames and MaxRecords in DescribeAlarms.
_PER_CALL: Final = 100


class CloudWatchAlarms:
    """Metric and composite alarms."""

    def __init__(self, client: "CloudWatchClient") -> None:
        self._client = client

    @aws_errors()
    def look(self, names: Sequence[str]) -> AlarmsSeen:
        """The state of the named alarms; one that does not exist counts as firing.

        Otherwise a renamed alarm would let every deployment through. INSUFFICIENT_DATA does not
        count as firing; ECS and CodeDeploy treat it the same way.
        """
        wanted = list(dict.fromkeys(names))
        states: dict[str, str] = {}
        for start in range(0, len(wanted), _PER_CALL):
            states |= self._states(wanted[start : start + _PER_CALL])
        return AlarmsSeen(
            firing=tuple(_firing(wanted, states)),
            without_data=tuple(one for one in wanted if states.get(one) == "INSUFFICIENT_DATA"),
        )

    def _states(self, names: Sequence[str]) -> dict[str, str]:
        answer = self._client.describe_alarms(
            AlarmNames=names,
            # Without AlarmTypes the answer contains metric alarms only.
            AlarmTypes=["CompositeAlarm", "MetricAlarm"],
            MaxRecords=_PER_CALL,
        )
        metric = {one["AlarmName"]: str(one["StateValue"]) for one in answer["MetricAlarms"]}
        composite = {one["AlarmName"]: str(one["StateValue"]) for one in answer["CompositeAlarms"]}
        return metric | composite


def _firing(names: Sequence[str], states: dict[str, str]) -> Iterator[str]:
    for name in names:
        if name not in states:
            yield f"{name} (does not exist)"
        elif states[name] == "ALARM":
            yield name
