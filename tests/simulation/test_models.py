"""The simulator's own models keep the contracts of what they stand for."""

import inspect
import json
from datetime import UTC, datetime
from enum import StrEnum
from types import ModuleType
from typing import Any

import pytest

from cloud.simulation.asl import check_definition
from cloud.simulation.clients import Client
from cloud.simulation.lambdas import delivered
from cloud.simulation.patterns import matches
from cloud.simulation.query import by_library, plain_path
from cloud.simulation.table import Table, Unmodelled
from cloud.simulation.template import template
from slipway.adapters.parking import DynamoDBParking
from slipway.adapters.records import DynamoDBRecords
from slipway.ports.records import Records
from slipway.ports.waiting import Parking
from tests.integration.adapters import test_parking, test_records
from tests.integration.adapters.conftest import TABLE

held = test_records.held


def _contract(module: ModuleType) -> dict[str, Any]:
    """The adapter's contract: the tests that run on the fake as well as on the table."""
    found = {name: test for name, test in vars(module).items() if name.startswith("test_")}
    return {
        name: test
        for name, test in found.items()
        if {"records", "parking", "held"} & set(inspect.signature(test).parameters)
    }


# They are collected here as well, with the fixtures below.
globals().update(_contract(test_records) | _contract(test_parking))


class _Spoken(StrEnum):
    WORD = "word"


def test_an_event_arrives_as_its_json_would() -> None:
    sent: dict[str, Any] = {"a": [1, 2.5, True, None, {"b": _Spoken.WORD}], "pair": (1, "x")}

    arrived = delivered(sent)

    assert arrived == {"a": [1, 2.5, True, None, {"b": "word"}], "pair": [1, "x"]}
    assert type(arrived["a"][4]["b"]) is str
    arrived["a"].append("more")
    assert len(sent["a"]) == 5


def test_an_event_that_json_cannot_carry_is_refused() -> None:
    with pytest.raises(TypeError):
        delivered({"at": datetime(2026, 1, 5, tzinfo=UTC)})


class _Direct:
    """A boundary that leads straight to one table."""

    def __init__(self) -> None:
        self._table = Table()

    def perform(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        methods = {
            "GetItem": self._table.get_item,
            "BatchGetItem": self._table.batch_get_item,
            "Query": self._table.query,
            "TransactWriteItems": self._table.transact_write_items,
            "BatchWriteItem": self._table.batch_write_item,
        }
        return methods[operation](params)


@pytest.fixture
def records() -> Records:
    boundary = _Direct()
    return DynamoDBRecords(Client("dynamodb", lambda: boundary), TABLE)  # type: ignore[arg-type]


@pytest.fixture
def parking() -> Parking:
    boundary = _Direct()
    return DynamoDBParking(Client("dynamodb", lambda: boundary), TABLE)  # type: ignore[arg-type]


def test_the_table_refuses_conditions_that_it_does_not_know() -> None:
    put = {"Item": {"pk": {"S": "a"}, "sk": {"S": "b"}}, "ConditionExpression": "size(pk) > :one"}

    with pytest.raises(Unmodelled):
        Table().put_item(put)


def test_the_state_machine_uses_no_more_of_asl_than_is_interpreted() -> None:
    check_definition(template().definition)


@pytest.mark.parametrize(
    "change",
    [{"Type": "Map"}, {"Type": "Task", "HeartbeatSeconds": 5}, {"Type": "Wait", "Seconds": 5}],
)
def test_an_unknown_state_or_field_is_refused(change: dict[str, Any]) -> None:
    definition = json.loads(json.dumps(template().definition))
    definition["States"]["Plan"] |= change

    with pytest.raises(Unmodelled):
        check_definition(definition)


@pytest.mark.parametrize(
    "path", ["$plan.service_arn", "$deployment_id", "$states.result", "$states.result.nested.x"]
)
def test_a_plain_path_is_what_the_library_finds(path: str) -> None:
    scope = {
        "plan": {"service_arn": "arn"},
        "deployment_id": "d",
        "states": {"result": {"nested": {"x": 1}}},
    }

    assert plain_path(path, scope) == by_library(path, scope)


@pytest.mark.parametrize(
    ("pattern", "event", "expected"),
    [
        ({"a": ["x", "y"]}, {"a": "y"}, True),
        ({"a": ["x"]}, {"a": ["z", "x"]}, True),
        ({"a": ["x"]}, {}, False),
        ({"a": [{"exists": True}]}, {"a": None}, True),
        ({"a": [{"exists": True}]}, {}, False),
        ({"a": [{"prefix": "slipway/"}]}, {"a": "slipway/x"}, True),
        ({"a": {"b": ["x"]}}, {"a": "x"}, False),
    ],
)
def test_an_event_pattern_matches_as_eventbridge_documents(
    pattern: dict[str, Any], event: dict[str, Any], expected: bool
) -> None:
    assert matches(pattern, event) is expected


def test_an_unknown_pattern_is_refused() -> None:
    with pytest.raises(Unmodelled):
        matches({"a": [{"numeric": [">", 1]}]}, {"a": 2})
