"""Every entry of the record has one subject, and the code writes each of them."""

import ast
from pathlib import Path

import pytest

from slipway.domain.gates import GateVerdict
from slipway.domain.progress import SchemaWork
from slipway.domain.what import TaskEvent, What, of_gate, of_task

SLIPWAY = Path(__file__).parents[2] / "layers" / "core" / "slipway"


def named_in_the_code() -> set[str]:
    """The members that some module names."""
    files = [path for path in SLIPWAY.rglob("*.py") if path.name != "what.py"]
    return {
        node.attr
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "What"
    }


def test_no_subject_is_there_that_nothing_writes() -> None:
    of_tasks = {of_task(work, event).name for work in SchemaWork for event in TaskEvent}
    gates = {what.name for what in What if what.startswith("gate: ")}

    assert {what.name for what in What} == named_in_the_code() | of_tasks | gates


def gates_in_the_code() -> list[str]:
    """The names that domain/gates.py gives its verdicts."""
    tree = ast.parse((SLIPWAY / "domain" / "gates.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    made = [
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in ("_pass", "_fail")
        if isinstance(call.args[0], ast.Constant)
    ]
    return sorted({str(name) for name in made})


@pytest.mark.parametrize("gate", gates_in_the_code())
def test_every_gate_has_its_subject(gate: str) -> None:
    assert GateVerdict.model_fields.keys() >= {"gate"}
    assert of_gate(gate) == f"gate: {gate}"


def test_there_is_no_subject_without_a_gate() -> None:
    subjects = [what.removeprefix("gate: ") for what in What if what.startswith("gate: ")]

    assert sorted(subjects) == gates_in_the_code()
