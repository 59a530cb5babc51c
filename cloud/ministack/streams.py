"""Feeds DynamoDB streams to functions as Lambda does: partial failures, retries, bisection.

MiniStack takes a reported partial failure for a success, and repeats a failing batch for ever.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cloud.ministack import private

_PAUSE = 1.0  # seconds between two tries of the same records

Mapping = dict[str, Any]
Records = list[dict[str, Any]]


@dataclass
class _Reader:
    """Where an event source mapping stands with the records it is stuck on."""

    size: int | None = None
    tries: int = 0
    not_before: float = 0.0


_readers: dict[str, _Reader] = {}


def install() -> None:
    """Read the streams from here; called again and again by MiniStack's poller."""
    private.replace("services.lambda_svc._poll_dynamodb_streams", poll)


def poll() -> bool:
    """Give every waiting function its next records; true if any of them got on."""
    return any([_read(table, mapping) for table, mapping in _mappings()])


def _mappings() -> Iterator[tuple[str, Mapping]]:
    scope = private.function("core.responses.request_scope")
    for account, region, mapping in private.function("services.lambda_svc._iter_all_esms")():
        table = _table(mapping)
        if table and mapping.get("Enabled", True):
            with scope(account, region):
                yield table, mapping


def _table(mapping: Mapping) -> str | None:
    arn = mapping.get("EventSourceArn", "")
    _, _, resource = arn.partition(":table/")
    return resource.partition("/stream/")[0] if ":dynamodb:" in arn else None


def _read(table: str, mapping: Mapping) -> bool:
    """Hand over the next records and move on as far as they were handled."""
    reader = _readers.setdefault(mapping["UUID"], _Reader())
    records = _next(table, mapping, reader.size or mapping.get("BatchSize", 100))
    if not records or time.monotonic() < reader.not_before:
        return False
    handled = _invoke(mapping, records)
    if handled == 0 and _bisected(mapping, reader, records):
        return True
    if handled == 0 and not _given_up(mapping, reader):
        reader.not_before = time.monotonic() + _PAUSE
        return False
    _readers[mapping["UUID"]] = _Reader()
    _advance(table, mapping, handled or len(records))
    return True


def _bisected(mapping: Mapping, reader: _Reader, records: Records) -> bool:
    if not mapping.get("BisectBatchOnFunctionError") or len(records) == 1:
        return False
    reader.size = len(records) // 2
    return True


def _given_up(mapping: Mapping, reader: _Reader) -> bool:
    """Count a failed try; true when they are used up and the records have to be let go."""
    limit: int = mapping.get("MaximumRetryAttempts", -1)
    reader.tries += 1
    return limit >= 0 and reader.tries > limit


def _next(table: str, mapping: Mapping, size: int) -> Records:
    since = private.function("services.dynamodb.stream_records_since")
    records: Records = since(table, _position(table, mapping), size)
    return records


def _position(table: str, mapping: Mapping) -> int:
    positions = private.value("services.lambda_svc._dynamodb_stream_positions")
    start: int = private.function("services.dynamodb.stream_start_position")(table)
    kept: int = positions.get(mapping["UUID"], start)
    return max(start, kept)


def _advance(table: str, mapping: Mapping, count: int) -> None:
    positions = private.value("services.lambda_svc._dynamodb_stream_positions")
    positions[mapping["UUID"]] = _position(table, mapping) + count


def _invoke(mapping: Mapping, records: Records) -> int:
    """How many records from the front were handled."""
    wanted = private.function("services.lambda_svc._apply_filter_criteria")(records, mapping)
    if not wanted:
        return len(records)
    find = private.function("services.lambda_svc._get_func_record_for_qualifier")
    function, _ = find(mapping["FunctionName"], mapping.get("Qualifier"))
    result = private.function("services.lambda_svc._execute_function")(
        function, {"Records": wanted}
    )
    if result.get("error"):
        return 0
    return _first_failure(mapping, records, result.get("body"))


def _first_failure(mapping: Mapping, records: Records, answer: Any) -> int:
    """The index of the earliest record reported as failed; an unknown one fails the whole batch."""
    if "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", []):
        return len(records)
    failures = (answer or {}).get("batchItemFailures") or []
    if not failures:
        return len(records)
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    reported = [failure.get("itemIdentifier") for failure in failures]
    known = [numbers.index(number) for number in reported if number in numbers]
    return min(known) if len(known) == len(reported) else 0
