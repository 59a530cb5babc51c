"""The call log names every AWS call: service, operation, caller and error."""

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.integration.ministack.cloud import Cloud


def test_a_call_is_recorded_with_its_caller_and_error(cloud: Cloud) -> None:
    named = Config(user_agent_appid="slipway-deploy")  # type: ignore[call-arg]
    client = cloud.ministack.client("dynamodb", config=named)
    cloud.ministack.clear_calls()

    client.list_tables()
    with pytest.raises(ClientError):
        client.describe_table(TableName="nothing")

    calls = cloud.ministack.calls()
    assert [{k: v for k, v in call.items() if k != "time"} for call in calls] == [
        {
            "service": "dynamodb",
            "operation": "ListTables",
            "caller": "slipway-deploy",
            "error": None,
        },
        {
            "service": "dynamodb",
            "operation": "DescribeTable",
            "caller": "slipway-deploy",
            "error": "ResourceNotFoundException",
        },
    ]


def test_a_query_protocol_call_is_recorded_by_its_action(cloud: Cloud) -> None:
    cloud.ministack.clear_calls()

    cloud.client("sts").get_caller_identity()

    assert [(c["service"], c["operation"]) for c in cloud.ministack.calls()] == [
        ("sts", "GetCallerIdentity")
    ]
