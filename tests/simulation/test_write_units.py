"""What a deployment costs in write units: counted, and never more than it takes today."""

import pytest

from cloud.simulation.faults import parsed
from cloud.simulation.named import story
from cloud.simulation.run import Run
from cloud.simulation.table import Operation
from cloud.simulation.units import WriteUnits, counted


def units(name: str) -> tuple[int, int]:
    """The units of the table and of its index, condition checks included."""
    run = Run(story(name), parsed(""), 0)
    found = counted(run.cloud.table)
    run.finish()
    assert run.violations == []
    return found.table, found.index


# The same stories took (428, 236) and (519, 296) while every deployment carried its plan and both
# indexes projected everything.
@pytest.mark.parametrize(("name", "most"), [("success", (322, 2)), ("verify-failure", (397, 2))])
def test_a_deployment_writes_no_more_than_it_has_to(name: str, most: tuple[int, int]) -> None:
    found = units(name)

    assert found[0] <= most[0]
    assert found[1] <= most[1]


def put(before: int | None, after: int | None, **keys: str) -> Operation:
    """A put over an item of so many bytes."""
    return Operation("Put", item(before, {}), item(after, keys))


def item(size: int | None, keys: dict[str, str]) -> dict[str, dict[str, str]] | None:
    """An item whose names and values have so many bytes."""
    if size is None:
        return None
    fields = {"pk": {"S": "p"}, "sk": {"S": "s"}} | {name: {"S": v} for name, v in keys.items()}
    used = sum(len(name) + len(value["S"]) for name, value in fields.items())
    return fields | {"d": {"S": "x" * (size - used - 1)}}


@pytest.mark.parametrize(
    ("operation", "single", "expected"),
    [
        (put(None, 1024), True, (1, 0)),
        (put(None, 1025), True, (2, 0)),
        (put(2049, 1025), True, (3, 0)),
        (put(None, 1025), False, (4, 0)),
        (put(None, 3000, unsettled="yes", requested_at="2026"), True, (3, 1)),
        (Operation("ConditionCheck", item(1500, {}), item(1500, {})), False, (4, 0)),
        (Operation("Delete", item(1500, {}), None), True, (2, 0)),
    ],
    ids=["1 KB", "a byte more", "the larger one", "a transaction", "an index", "a check", "gone"],
)
def test_a_write_costs_what_the_developer_guide_says(
    operation: Operation, single: bool, expected: tuple[int, int]
) -> None:
    found = WriteUnits()
    found.count([operation], single=single)

    assert (found.table, found.index) == expected
