"""Reads a table's stream and reports the records named `poison` as failed."""

import json
from typing import Any


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    print(json.dumps({"heard": [_name(record) for record in event["Records"]]}))
    failed = [record for record in event["Records"] if _name(record) == "poison"]
    numbers = [record["dynamodb"]["SequenceNumber"] for record in failed]
    return {"batchItemFailures": [{"itemIdentifier": number} for number in numbers[:1]]}


def _name(record: dict[str, Any]) -> str:
    name: str = record["dynamodb"]["Keys"]["pk"]["S"]
    return name
