"""A step of the probe machine: it does what its event asks for."""

import importlib
import os
import pathlib
import sys
import time
from typing import Any


class Transient(Exception):
    """The same call may succeed."""


class Broken(Exception):
    """A person has to look."""


def lambda_handler(event: dict[str, Any], context: Any) -> Any:
    print("asked for", event.get("do"))
    match event.get("do"):
        case "raise transient":
            raise Transient("try again")
        case "raise broken":
            raise Broken("look here")
        case "exit":
            os._exit(3)
        case "sleep":
            time.sleep(event["seconds"])
        case "describe":
            return _surroundings(context)
    return event


def _surroundings(context: Any) -> dict[str, Any]:
    return {
        "lent_module": importlib.import_module("lent").ORIGIN,
        "lent_file": pathlib.Path(os.environ["LENT"]).read_text(),
        "environment": dict(os.environ),
        "path": sys.path,
        "version": f"{sys.version_info.major}.{sys.version_info.minor}",
        "function_name": context.function_name,
        "function_arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "request_id": context.aws_request_id,
        "remaining": context.get_remaining_time_in_millis(),
    }
