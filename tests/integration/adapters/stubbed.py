"""A boto3 client whose answers are told beforehand, checked against botocore's own shapes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.stub import Stubber

from tests.integration.adapters.conftest import REGION


@contextmanager
def stubbed(service: str) -> Iterator[tuple[Any, Stubber]]:
    """A client and its stub; every answer that was told must have been asked for."""
    client: Any = boto3.client(service, region_name=REGION)  # type: ignore[call-overload]
    with Stubber(client) as stub:
        yield client, stub
        stub.assert_no_pending_responses()


def refuse(stub: Stubber, operation: str, code: str, message: str = "no", **fields: object) -> None:
    """Answer the next call of an operation with an AWS error."""
    stub.add_client_error(operation, code, message, http_status_code=400, modeled_fields=fields)
