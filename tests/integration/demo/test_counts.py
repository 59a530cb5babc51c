"""A deployment's cost is counted whole: from its admission to the message that tells of its end."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from demo.counts import Counts, Mark, calls_between, confirmed, pushed_at

BEGIN = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)
Call: TypeAlias = dict[str, Any]
WRITE, READ = "TransactWriteItems", "GetItem"


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def call(
    seconds: float, function: str, operation: str, service: str = "dynamodb"
) -> dict[str, Any]:
    return {
        "time": at(seconds).isoformat(),
        "service": service,
        "operation": operation,
        "caller": f"slipway-{function}Function-1A2B" if function else None,
        "error": None,
    }


# Two deployments one after the other, as the recorded calls of a real run: the end of the first
# is told while the second begins.
STAGING = [
    call(0.1, "Admit", READ),
    call(0.2, "Admit", WRITE),
    call(0.3, "Notify", READ),
    call(0.4, "Plan", "DescribeServices", "ecs"),
    call(5.00, "Settle", WRITE),
    call(5.02, "Settle", "PutEvents", "events"),
    call(5.03, "Notify", READ),
    call(5.05, "Notify", WRITE),
    call(5.07, "Notify", WRITE),
]
PRODUCTION = [
    call(5.04, "Admit", READ),
    call(5.06, "Admit", WRITE),
    call(5.08, "Notify", READ),
    call(5.09, "Plan", "DescribeServices", "ecs"),
    call(7.0, "Sweep", "Query"),
    call(9.00, "Settle", WRITE),
    call(9.01, "Admit", READ),
    call(9.05, "Notify", WRITE),
    call(9.07, "Notify", WRITE),
]
OTHERS = [call(-0.1, "Verify", READ), call(1, "", READ), {**call(2, "", READ), "caller": "sam"}]
CALLS = [*STAGING, *PRODUCTION, *OTHERS]

PROMOTED = Mark(ended=at(4.99), told=confirmed(CALLS, at(4.99)))
LAST = Mark(ended=at(10.07), told=at(10.07))


def count(calls: list[dict[str, Any]]) -> dict[str, int]:
    everything = Mark(ended=at(-9), told=at(-9)), Mark(ended=at(99), told=at(99))
    return calls_between(calls, *everything)


def test_the_first_call_and_the_last_one_are_counted() -> None:
    found = calls_between(CALLS, pushed_at(BEGIN), PROMOTED)

    assert found["Admit dynamodb:GetItem"] == 1
    assert found["Notify dynamodb:TransactWriteItems"] == 2
    assert Counts(transitions=1, invocations=1, calls=found).whole


def test_every_call_belongs_to_one_deployment() -> None:
    first = calls_between(CALLS, pushed_at(BEGIN), PROMOTED)
    second = calls_between(CALLS, PROMOTED, LAST)

    assert (first, second) == (count(STAGING), count(PRODUCTION))


def test_a_count_without_the_admission_or_the_message_is_not_whole() -> None:
    """What a count that starts late or stops early would leave out."""
    late = calls_between(CALLS, pushed_at(at(0.35)), PROMOTED)
    early = calls_between(CALLS, pushed_at(BEGIN), Mark(ended=at(4.99), told=at(5.04)))

    for calls in (late, early):
        assert not Counts(transitions=1, invocations=1, calls=calls).whole


def test_the_share_of_sweeps_is_told() -> None:
    counts = Counts(transitions=16, invocations=30, calls={"Sweep dynamodb:Query": 3, "Plan x": 4})

    assert str(counts) == (
        "16 state transitions, 30 Lambda invocations, 7 AWS calls, 3 of them by a sweep"
    )


def test_the_end_of_a_message_is_the_write_that_confirms_it() -> None:
    assert confirmed(CALLS, at(4.99)) == at(5.07) + timedelta(microseconds=1)
