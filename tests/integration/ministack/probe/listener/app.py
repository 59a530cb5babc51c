"""Writes every event it hears to its log, and fails the ones that ask for it."""

import json
from typing import Any


class Transient(Exception):
    """The same call may succeed."""


def lambda_handler(event: dict[str, Any], context: Any) -> None:
    print(json.dumps({"heard": event}))
    if "fail" in json.dumps(event.get("detail", {})):
        raise Transient("asked to fail")
