"""Gives IAM the condition keys of a request that MiniStack does not read from it.

By AWS's service authorization reference: `events:source` and `events:detail-type` of PutEvents,
`dynamodb:LeadingKeys` of a request for items, and the log stream that GetLogEvents is judged by.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cloud.ministack import private

# The partition key of Slipway's table and of the probe's.
_KEY: Final = "pk"
_Context = dict[str, Any]


def install() -> None:
    """Let policies be judged by these keys."""
    _add("core.iam_actions.dynamodb_service_context", lambda body: _leading_keys(_json(body)))
    _add(
        "core.iam_actions.request_tag_context",
        lambda service, action, body, params: (
            _announced(_json(body)) if action == "events:PutEvents" else {}
        ),
    )
    _name_log_streams()


def _add(name: str, more: Any) -> None:
    plain = private.function(name)
    private.replace(name, lambda *request: {**plain(*request), **more(*request)})


def _name_log_streams() -> None:
    plain = private.function("core.iam_actions.extract_resource_arn")

    def resource(
        service: str, method: str, path: str, headers: Any, body: bytes, *more: Any
    ) -> Any:
        arn = plain(service, method, path, headers, body, *more)
        stream = _json(body).get("logStreamName") if service == "logs" else None
        reading = str(headers.get("x-amz-target", "")).endswith(".GetLogEvents")
        return f"{arn}:log-stream:{stream}" if reading and stream else arn

    private.replace("core.iam_actions.extract_resource_arn", resource)


def _announced(request: Mapping[str, Any]) -> _Context:
    entries = request.get("Entries") or [{}]
    sources = sorted({str(entry.get("Source", "")) for entry in entries})
    kinds = sorted({str(entry.get("DetailType", "")) for entry in entries})
    # MiniStack judges a request once; a mixture of kinds fits no single name and is refused.
    return {"events:source": ",".join(sources), "events:detail-type": ",".join(kinds)}


def _leading_keys(request: Mapping[str, Any]) -> _Context:
    keys = sorted(set(_partition_keys(request)))
    return {"dynamodb:LeadingKeys": keys} if keys else {}


def _partition_keys(value: Any) -> Iterator[str]:
    """The partition keys of every item that a request names, in a transaction or a batch too."""
    if isinstance(value, list):
        for one in value:
            yield from _partition_keys(one)
    elif isinstance(value, dict):
        match value.get(_KEY):
            case {"S": str(key)}:
                yield key
        for name, one in value.items():
            if name != _KEY:
                yield from _partition_keys(one)


def _json(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body or b"{}")
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
