"""What a run's writes cost in DynamoDB's write units, counted for the table and for its index.

A write takes a unit for every KB of the larger of the item before and after it, in a transaction
two, and so does the condition check of a transaction. An index is written when the item that it
holds changes, and twice when that moves to another key: see "Write capacity units" and "Data
synchronization between tables and GSIs" in the DynamoDB developer guide.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from cloud.simulation.table import INDEXES, Item, Operation, Table, projected

_KB = 1024


@dataclass
class WriteUnits:
    """The units that a table has taken since the counting began."""

    table: int = 0
    index: int = 0

    def count(self, operations: list[Operation], *, single: bool) -> None:
        """Add one call, of one write or of a transaction."""
        for operation in operations:
            size = max(_size(operation.before), _size(operation.after))
            self.table += max(1, ceil(size / _KB)) * (1 if single else 2)
            if operation.kind != "ConditionCheck":
                self.index += sum(_index_units(name, operation) for name in INDEXES)


def counted(table: Table) -> WriteUnits:
    """The units of everything that is written to the table from now on."""
    units = WriteUnits()
    table.operated = units.count
    return units


def _index_units(name: str, operation: Operation) -> int:
    before, after = projected(name, operation.before), projected(name, operation.after)
    if before == after:
        return 0
    if before is None or after is None:
        return ceil(_size(before or after) / _KB)
    moved = any(before[key] != after[key] for key in INDEXES[name])
    largest = ceil(max(_size(before), _size(after)) / _KB)
    return 2 * largest if moved else largest


def _size(item: Item | None) -> int:
    """The bytes of an item: those of its attributes' names and values."""
    return sum(len(name) + _bytes(value) for name, value in (item or {}).items())


def _bytes(value: Mapping[str, Any]) -> int:
    (content,) = value.values()
    return len(str(content).encode())
