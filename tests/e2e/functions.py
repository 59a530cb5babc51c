"""The deployed functions: calling one as the Lambda API does, and reading what it logged."""

import json
from functools import cache
from typing import Any

from cloud.embedded import Cloud
from tests.builders.samples import sample


@cache
def _names(cloud: Cloud) -> dict[str, str]:
    stack = cloud.client("cloudformation").describe_stack_resources(StackName="slipway")
    return {
        found["LogicalResourceId"]: found["PhysicalResourceId"]
        for found in stack["StackResources"]
        if found["ResourceType"] == "AWS::Lambda::Function"
    }


def name_of(cloud: Cloud, verb: str) -> str:
    """The deployed function of a verb, by its real name: `deploy` is DeployFunction's."""
    return _names(cloud)[f"{verb.capitalize()}Function"]


def verbs(cloud: Cloud) -> list[str]:
    """The verbs of all deployed functions."""
    return sorted(name.removesuffix("Function").lower() for name in _names(cloud))


def invoke(cloud: Cloud, verb: str, event: Any) -> tuple[Any, str | None]:
    """A function's answer to an event, and the name of its error if it failed."""
    answer = cloud.client("lambda").invoke(
        FunctionName=name_of(cloud, verb), Payload=json.dumps(event)
    )
    content = json.loads(answer["Payload"].read())
    return content, content["errorType"] if "FunctionError" in answer else None


def swept(cloud: Cloud) -> None:
    """Sweep now, and not only when the schedule says so; the stories beside are swept as well."""
    answer, error = invoke(cloud, "sweep", sample("sweep"))
    assert error is None, answer


def logged(cloud: Cloud, verb: str, message: str) -> list[dict[str, Any]]:
    """The lines of a function's log that carry this message, oldest first."""
    pages = cloud.client("logs").get_paginator("filter_log_events")
    lines = [
        event["message"]
        for page in pages.paginate(logGroupName=f"/aws/lambda/{name_of(cloud, verb)}")
        for event in page["events"]
    ]
    read = [json.loads(line) for line in lines if line.startswith("{")]
    return [line for line in read if line.get("message") == message]
