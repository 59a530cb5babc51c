"""The settings that keep the record, its copies, the logs and what could not be delivered."""

from collections.abc import Iterator
from typing import Any, Final

from tests.unit.roles import Template, transformed

Path = tuple[str, ...]
_QUEUE: Final = {"Fn::GetAtt": ["Undelivered", "Arn"]}
_TO_THE_QUEUE: Final = {"OnFailure": {"Type": "SQS", "Destination": _QUEUE}}
_RULES: Final = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/*"

# Where a setting stands in the template, and what it must be.
SETTINGS: Final[dict[Path, Any]] = {
    ("Resources", "Table", "DeletionPolicy"): "Retain",
    ("Resources", "Table", "UpdateReplacePolicy"): "Retain",
    ("Resources", "Table", "Properties", "BillingMode"): "PAY_PER_REQUEST",
    ("Resources", "Table", "Properties", "DeletionProtectionEnabled"): True,
    ("Resources", "Table", "Properties", "PointInTimeRecoverySpecification"): {
        "PointInTimeRecoveryEnabled": True
    },
    ("Resources", "Table", "Properties", "SSESpecification"): {"SSEEnabled": True},
    ("Resources", "Undelivered", "Properties"): {
        # Fourteen days, the longest that SQS keeps a message.
        "MessageRetentionPeriod": 1_209_600,
        "SqsManagedSseEnabled": True,
    },
    ("Resources", "UndeliveredPolicy", "Properties", "PolicyDocument", "Statement"): [
        {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": _QUEUE,
            "Condition": {"ArnLike": {"aws:SourceArn": {"Fn::Sub": _RULES}}},
        }
    ],
    ("Resources", "LinkSecret", "Properties", "GenerateSecretString"): {
        "SecretStringTemplate": "{}",
        "GenerateStringKey": "link_key",
        "PasswordLength": 48,
        "ExcludePunctuation": True,
    },
    ("Globals", "Function", "Timeout"): 60,
    ("Globals", "Function", "LoggingConfig"): {"LogFormat": "JSON"},
    ("Globals", "Function", "EventInvokeConfig"): {
        "MaximumRetryAttempts": 2,
        "DestinationConfig": _TO_THE_QUEUE,
    },
    ("Globals", "Function", "Environment", "Variables", "POWERTOOLS_LOG_LEVEL"): "INFO",
    ("Resources", "WebFunction", "Properties", "Timeout"): 10,
    ("Resources", "WebFunction", "Properties", "ReservedConcurrentExecutions"): {
        "Fn::If": ["HasWebConcurrency", {"Ref": "WebConcurrency"}, {"Ref": "AWS::NoValue"}]
    },
    ("Resources", "WebFunction", "Properties", "FunctionUrlConfig"): {"AuthType": "NONE"},
    # Execution data would carry task tokens into the log.
    ("Resources", "DeploymentStateMachine", "Properties", "Logging"): {
        "Level": "ERROR",
        "IncludeExecutionData": False,
        "Destinations": [
            {"CloudWatchLogsLogGroup": {"LogGroupArn": {"Fn::GetAtt": ["DeploymentLog", "Arn"]}}}
        ],
    },
    ("Resources", "NotifyFunction", "Properties", "Events", "Record", "Properties"): {
        "Stream": {"Fn::GetAtt": ["Table", "StreamArn"]},
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 10,
        "MaximumRecordAgeInSeconds": 86_400,
        "BisectBatchOnFunctionError": True,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "DestinationConfig": _TO_THE_QUEUE,
        "FilterCriteria": {
            "Filters": [
                {
                    "Pattern": '{"dynamodb": {"NewImage": {"kind": {"S": ["Deployment"]}, '
                    '"news": {"S": ["yes"]}}}}'
                }
            ]
        },
    },
    ("Parameters", "RetentionDays", "Default"): 90,
    ("Parameters", "ClusterArns", "Default"): "",
    ("Parameters", "TaskRoleArns", "Default"): "",
    ("Parameters", "LogGroupPattern", "Default"): "*",
    ("Parameters", "WebConcurrency", "Default"): 0,
    ("Conditions", "HasClusterArns"): {
        "Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "ClusterArns"}]}, ""]}]
    },
    ("Conditions", "HasTaskRoleArns"): {
        "Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "TaskRoleArns"}]}, ""]}]
    },
    ("Conditions", "HasWebConcurrency"): {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "WebConcurrency"}, 0]}]
    },
}
_WHOM: Final = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
# A single one is too many, so nothing is averaged and no threshold is above zero.
_ONE_IS_ENOUGH: Final = {
    "Threshold": 0,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "notBreaching",
    "AlarmActions": _WHOM,
}
ALARMS: Final[dict[str, Template]] = {
    "UndeliveredAlarm": {
        **_ONE_IS_ENOUGH,
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Dimensions": [
            {"Name": "QueueName", "Value": {"Fn::GetAtt": ["Undelivered", "QueueName"]}}
        ],
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
    },
    "SettleErrorsAlarm": {
        **_ONE_IS_ENOUGH,
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": "SettleFunction"}}],
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 3,
    },
    "UntoldAlarm": {
        **_ONE_IS_ENOUGH,
        "Namespace": {"Fn::Sub": "Slipway/${AWS::StackName}"},
        "MetricName": "Untold",
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
    },
}
_RETRIED: Final = {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86_400}
# The next run of the schedule comes soon enough.
_ONCE: Final = {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}


def violations(template: Template) -> list[str]:
    """Every setting that is not as it must be."""
    return sorted(
        [*_settings(template), *_alarms(template), *_logs(template), *_deliveries(template)]
    )


def _settings(template: Template) -> Iterator[str]:
    for path, wanted in SETTINGS.items():
        found = _at(template, path)
        if found != wanted or type(found) is not type(wanted):
            yield f"{'.'.join(path)} is {found!r} instead of {wanted!r}"


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _of_type(template: Template, kind: str) -> dict[str, Template]:
    found = template["Resources"].items()
    return {name: one["Properties"] for name, one in found if one["Type"] == kind}


def _alarms(template: Template) -> Iterator[str]:
    found = {
        name: {key: value for key, value in one.items() if key != "AlarmDescription"}
        for name, one in _of_type(template, "AWS::CloudWatch::Alarm").items()
    }
    for name in {*found, *ALARMS}:
        if found.get(name) != ALARMS.get(name):
            yield f"{name} is {found.get(name)} instead of {ALARMS.get(name)}"


def _logs(template: Template) -> Iterator[str]:
    """Every log group is ours, and ends; one that Lambda makes by itself is kept for ever."""
    groups = _of_type(template, "AWS::Logs::LogGroup")
    wanted = {
        f"/aws/lambda/${{{name}}}" for name in _of_type(template, "AWS::Serverless::Function")
    } | {"/aws/vendedlogs/states/${AWS::StackName}-deployment"}
    named = {str(one["LogGroupName"].get("Fn::Sub")): one for one in groups.values()}
    yield from (f"nobody limits the log {name}" for name in wanted - set(named))
    for name, group in named.items():
        if group.get("RetentionInDays") != {"Ref": "RetentionDays"}:
            yield f"the log {name} is kept for {group.get('RetentionInDays')}"


def _deliveries(template: Template) -> Iterator[str]:
    """What no rule or schedule can deliver is kept."""
    for name, one in transformed(template).items():
        if one["Type"] != "AWS::Events::Rule":
            continue
        retried = _ONCE if "ScheduleExpression" in one["Properties"] else _RETRIED
        for target in one["Properties"]["Targets"]:
            if target.get("DeadLetterConfig") != {"Arn": _QUEUE}:
                yield f"{name} loses what it cannot deliver"
            if target.get("RetryPolicy") != retried:
                yield f"{name} is retried by {target.get('RetryPolicy')}"
