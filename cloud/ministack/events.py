"""Delivers events of AWS services through the EventBridge rules, with AWS's own retries."""

import json
from typing import Any

from cloud.ministack import private


class BadEvent(Exception):
    """The posted text is not an EventBridge event."""


def install() -> None:
    """Give functions behind rules the two retries of an asynchronous invocation."""

    def dispatch(arn: str, payload: str) -> None:
        find = private.function("services.lambda_svc._get_func_record_for_ref")
        func, config, _ = find(arn)
        if func and config:
            record = private.function("services.lambda_svc._execution_record_for_config")
            invoke = private.function("services.lambda_svc.invoke_async_with_retry")
            invoke(record(func, config), json.loads(payload))

    private.replace("services.eventbridge._dispatch_to_lambda", dispatch)


def deliver(envelope: dict[str, Any], account: str, region: str) -> None:
    """Deliver a whole event through the rules of the default bus of this account and region.

    PutEvents refuses events of AWS services and gives each event a new id and time. Here the
    envelope arrives as it was sent, so that a redelivered event keeps its id.
    """
    scope = private.function("core.responses.request_scope")
    with scope(account, region):
        private.function("services.eventbridge._dispatch_event")(record(envelope))


def record(envelope: dict[str, Any]) -> dict[str, Any]:
    """MiniStack's record of an event; raises BadEvent naming what is missing."""
    wanted = ("id", "source", "account", "time", "region", "resources", "detail-type", "detail")
    missing = [name for name in wanted if name not in envelope]
    if missing:
        raise BadEvent(f"The event lacks {', '.join(missing)}.")
    return {
        "EventId": envelope["id"],
        "Source": envelope["source"],
        "DetailType": envelope["detail-type"],
        "Detail": json.dumps(envelope["detail"]),
        "EventBusName": "default",
        "Time": envelope["time"],
        "Resources": envelope["resources"],
        "Account": envelope["account"],
        "Region": envelope["region"],
    }
