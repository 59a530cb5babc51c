"""What a deployed stack says that it is reached by."""

from datetime import UTC, datetime
from typing import Any

import pytest

from slipway.adapters.stacks import CloudFormationStacks
from slipway.domain.errors import Broken, Reason, Transient
from tests.integration.adapters.stubbed import refuse, stubbed


def described(**more: Any) -> dict[str, Any]:
    stack = {
        "StackName": "slipway",
        "CreationTime": datetime(2026, 11, 2, tzinfo=UTC),
        "StackStatus": "CREATE_COMPLETE",
        **more,
    }
    return {"Stacks": [stack]}


def test_the_outputs_are_read_by_name() -> None:
    outputs = [
        {"OutputKey": "TableName", "OutputValue": "slipway-Table-1", "Description": "The record"},
        {"OutputKey": "BusName", "OutputValue": "slipway"},
    ]
    with stubbed("cloudformation") as (client, stub):
        stub.add_response("describe_stacks", described(Outputs=outputs), {"StackName": "slipway"})

        assert CloudFormationStacks(client).outputs("slipway") == {
            "TableName": "slipway-Table-1",
            "BusName": "slipway",
        }


def test_a_stack_without_outputs_has_none() -> None:
    with stubbed("cloudformation") as (client, stub):
        stub.add_response("describe_stacks", described())

        assert CloudFormationStacks(client).outputs("slipway") == {}


def test_a_stack_that_is_not_there_is_told_with_the_region() -> None:
    with pytest.raises(Broken) as raised, stubbed("cloudformation") as (client, stub):
        missing = "Stack with id slipwya does not exist"
        refuse(stub, "describe_stacks", "ValidationError", missing)
        CloudFormationStacks(client).outputs("slipwya")

    assert (raised.value.reason, raised.value.message) == (
        Reason.SETTING_MISSING,
        "There is no stack 'slipwya' in us-east-1: Stack with id slipwya does not exist.",
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [("ExpiredToken", Broken), ("AccessDenied", Broken), ("Throttling", Transient)],
)
def test_another_refusal_stays_what_aws_says(code: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as raised, stubbed("cloudformation") as (client, stub):
        refuse(stub, "describe_stacks", code, "not now")
        CloudFormationStacks(client).outputs("slipway")

    assert raised.value.args == (f"{raised.value.reason}: DescribeStacks: not now ({code})",)  # type: ignore[attr-defined]
