"""Connects to a deployed stack with the operator's own AWS credentials."""

import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import boto3
import requests
from botocore.config import Config

from slipway.adapters.announcements import EventBridgeAnnouncements
from slipway.adapters.downloads import Downloads
from slipway.adapters.ecr import LARGEST, EcrRegistry
from slipway.adapters.errors import aws_errors
from slipway.adapters.executions import StepFunctionsExecutions
from slipway.adapters.identity import StsIdentity
from slipway.adapters.records import DynamoDBRecords
from slipway.adapters.stacks import CloudFormationStacks
from slipway.catalog_build.entries import read_catalog
from slipway.catalog_build.mistakes import CatalogMistakes
from slipway.domain.catalog import Catalog
from slipway.operate.desk import Desk, Refusal

_CLIENT: Final = Config(connect_timeout=5, read_timeout=20)


def connect(stack: str, catalog: Path) -> Desk:
    """The desk of a stack; ``catalog`` is the directory of the YAML files.

    Region, profile, credentials and endpoints come from the AWS configuration, as for the AWS CLI.
    Raises Refusal, Broken or Transient.
    """
    outputs = CloudFormationStacks(_client("cloudformation")).outputs(stack)
    table, bus, machine = (
        _output(outputs, name, stack) for name in ("TableName", "BusName", "StateMachineArn")
    )
    return Desk(
        records=DynamoDBRecords(_client("dynamodb"), table),
        registry=EcrRegistry(_client("ecr"), Downloads(requests.Session(), LARGEST)),
        executions=StepFunctionsExecutions(_client("stepfunctions"), machine, _now),
        announcements=EventBridgeAnnouncements(_client("events"), bus),
        caller=lambda: StsIdentity(_client("sts")).arn(),
        catalog=cache(lambda: _catalog(catalog)),
        now=_now,
        sleep=time.sleep,
        new_id=lambda: str(uuid4()),
    )


def _now() -> datetime:
    return datetime.now(UTC)


@aws_errors()
def _client(service: str) -> Any:
    try:
        return boto3.client(service, config=_CLIENT)  # type: ignore[call-overload]
    except ValueError as error:
        # botocore raises a ValueError without a type of its own for an invalid endpoint URL.
        raise Refusal(f"The AWS configuration is invalid: {error}.") from error


def _output(outputs: dict[str, str], name: str, stack: str) -> str:
    if name not in outputs:
        raise Refusal(f"The stack '{stack}' has no output {name}. Is it a Slipway stack?")
    return outputs[name]


def _catalog(directory: Path) -> Catalog:
    try:
        return read_catalog(directory)
    except CatalogMistakes as mistakes:
        raise Refusal(f"{mistakes}") from mistakes
