"""CloudWatch alarms: their settings and states, and the event of a change of state."""

from collections.abc import Callable
from typing import Any

from cloud.twin.errors import AwsError
from cloud.twin.world import World

SOURCE = "aws.cloudwatch"
STATE_CHANGE = "CloudWatch Alarm State Change"
STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")
UNCHECKED = "Unchecked: Initial alarm creation"
LONGEST_BAKE_SECONDS = 600.0
MOST_RECORDS = 50

Alarm = dict[str, Any]


class CloudWatchModel:
    """Every alarm by name; a state changes only when somebody sets it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._metric: dict[str, Alarm] = {}
        self._composite: dict[str, Alarm] = {}
        self._listeners: list[Callable[[str, str], None]] = []

    def put_metric_alarm(self, params: dict[str, Any]) -> dict[str, Any]:
        return self._put(self._metric, params)

    def put_composite_alarm(self, params: dict[str, Any]) -> dict[str, Any]:
        return self._put(self._composite, params)

    def delete_alarms(self, params: dict[str, Any]) -> dict[str, Any]:
        """Take alarms away; ResourceNotFound if one of several is not there."""
        missing = [name for name in params["AlarmNames"] if self._find(name) is None]
        if missing:
            raise AwsError("ResourceNotFound", f"Unknown alarms: {', '.join(missing)}", 404)
        for name in params["AlarmNames"]:
            self._metric.pop(name, None)
            self._composite.pop(name, None)
        return {}

    def describe_alarms(self, params: dict[str, Any]) -> dict[str, Any]:
        """The alarms asked for; composite ones only if `AlarmTypes` names them."""
        types = params.get("AlarmTypes") or ["MetricAlarm"]
        metric = self._metric.values() if "MetricAlarm" in types else ()
        composite = self._composite.values() if "CompositeAlarm" in types else ()
        found = [each for each in (*metric, *composite) if _matches(each, params)]
        start = int(params.get("NextToken", "0"))
        end = start + params.get("MaxRecords", MOST_RECORDS)
        shown = found[start:end]
        answer: dict[str, Any] = {
            "MetricAlarms": [each for each in shown if "AlarmRule" not in each],
            "CompositeAlarms": [each for each in shown if "AlarmRule" in each],
        }
        return {**answer, "NextToken": str(end)} if end < len(found) else answer

    def set_alarm_state(self, params: dict[str, Any]) -> dict[str, Any]:
        """Set a state by hand, as AWS allows for tests; a change is told to everyone."""
        alarm = self._find(params["AlarmName"])
        if alarm is None:
            raise AwsError("ResourceNotFound", "Unknown alarm", 404)
        if params["StateValue"] not in STATES:
            message = f"StateValue is {params['StateValue']}; expected one of {', '.join(STATES)}."
            raise AwsError("ValidationError", message)
        before = _state(alarm)
        now = self._world.clock.now()
        alarm["StateValue"] = params["StateValue"]
        alarm["StateReason"] = params["StateReason"]
        alarm["StateReasonData"] = params.get("StateReasonData")
        alarm["StateUpdatedTimestamp"] = now
        if before["value"] != params["StateValue"]:
            alarm["StateTransitionedTimestamp"] = now
            self._tell(alarm, before)
        return {}

    def subscribe(self, listener: Callable[[str, str], None]) -> None:
        """Be told of each change of state: the alarm's name and its new state."""
        self._listeners.append(listener)

    def firing(self, names: list[str]) -> set[str]:
        """Those of the named alarms that are in ALARM."""
        found = {name: self._find(name) for name in names}
        return {name for name, alarm in found.items() if alarm and alarm["StateValue"] == "ALARM"}

    def evaluation_seconds(self, names: list[str]) -> float:
        """How long the slowest of the named metric alarms takes to notice a change."""
        alarms = [self._metric[name] for name in names if name in self._metric]
        longest = max(
            (each.get("Period", 60) * each.get("EvaluationPeriods", 1) for each in alarms),
            default=60,
        )
        return min(float(longest), LONGEST_BAKE_SECONDS)

    def state(self) -> dict[str, Any]:
        """What there is, for people and tests."""
        return {name: each["StateValue"] for name, each in (self._metric | self._composite).items()}

    def _put(self, alarms: dict[str, Alarm], params: dict[str, Any]) -> dict[str, Any]:
        name = params["AlarmName"]
        now = self._world.clock.now()
        initial = {
            "StateValue": "INSUFFICIENT_DATA",
            "StateReason": UNCHECKED,
            "StateUpdatedTimestamp": now,
            "StateTransitionedTimestamp": now,
        }
        state = {member: alarms[name][member] for member in initial} if name in alarms else initial
        alarms[name] = {
            "ActionsEnabled": True,
            "AlarmArn": self._world.arn("cloudwatch", f"alarm:{name}"),
            "OKActions": [],
            "AlarmActions": [],
            "InsufficientDataActions": [],
            **{member: value for member, value in params.items() if member != "Tags"},
            "AlarmConfigurationUpdatedTimestamp": now,
            **state,
        }
        return {}

    def _find(self, name: str) -> Alarm | None:
        return self._metric.get(name) or self._composite.get(name)

    def _tell(self, alarm: Alarm, before: dict[str, Any]) -> None:
        detail = {
            "alarmName": alarm["AlarmName"],
            "state": _state(alarm),
            "previousState": before,
            "configuration": _event_configuration(alarm),
        }
        self._world.tell(SOURCE, STATE_CHANGE, [alarm["AlarmArn"]], detail)
        for listener in self._listeners:
            listener(alarm["AlarmName"], alarm["StateValue"])


def _state(alarm: Alarm) -> dict[str, Any]:
    stamp = alarm["StateUpdatedTimestamp"].strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
    state = {"value": alarm["StateValue"], "reason": alarm["StateReason"], "timestamp": stamp}
    if alarm.get("StateReasonData"):
        state["reasonData"] = alarm["StateReasonData"]
    return state


def _event_configuration(alarm: Alarm) -> dict[str, Any]:
    if "AlarmRule" in alarm:
        return {"alarmRule": alarm["AlarmRule"], "actionsSuppressor": {}}
    metric = {
        "namespace": alarm.get("Namespace"),
        "name": alarm.get("MetricName"),
        "dimensions": {each["Name"]: each["Value"] for each in alarm.get("Dimensions", [])},
    }
    stat = {
        "metric": metric,
        "period": alarm.get("Period", 60),
        "stat": alarm.get("Statistic", "Average"),
    }
    return {"metrics": [{"id": "metric", "metricStat": stat, "returnData": True}]}


def _matches(alarm: Alarm, params: dict[str, Any]) -> bool:
    names = params.get("AlarmNames")
    state = params.get("StateValue")
    prefix = params.get("AlarmNamePrefix", "")
    if names and alarm["AlarmName"] not in names:
        return False
    return alarm["AlarmName"].startswith(prefix) and state in (None, alarm["StateValue"])
