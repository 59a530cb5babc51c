"""The proof of permissions follows annotations: whatever holds a port, its calls are found.

Each case adds lines to a handler, where every function counts as reached. Nothing is written.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.unit.calls import grant_violations, needed
from tests.unit.reach import WIRING, adapters, ports, reached
from tests.unit.source import edited
from tests.unit.stack import granted

PLAN_APP = "functions.plan.app"
JOURNAL = "slipway.journal"
HOLDERS = """
from dataclasses import dataclass
from typing import NamedTuple


class Base:
    pass


@dataclass(frozen=True)
class Ledger(Base):
    records: Records

    def write(self) -> None:
        self.records.evidence([])


class Named(NamedTuple):
    name: str
    seen: Records | None


class Keeper:
    def __init__(self, some: Records, name: str) -> None:
        self._some, self._name = some, name

    def keep(self) -> None:
        self._some.evidence([])


class Fixed:
    def __init__(self, some: Records) -> None:
        self.some: Final = some


class Boxed(Keeper):
    pass


class Plan:
    evidence: int

    def find(self, text: str) -> None: ...


def same(thing: T) -> T:
    return thing


def one_of(several: list[Records]) -> Records:
    return several[0]
"""
IMPORTS = """
from collections.abc import Callable
from functools import partial
from operator import methodcaller
from typing import Any, Protocol

from slipway.journal import Base, Boxed, Fixed, Keeper, Ledger, Named, Plan, one_of, same
from slipway.ports.observation import Alarms
from slipway.ports.records import Records

Look = Callable[[], Records]
"""


@pytest.fixture(autouse=True, scope="module")
def _holders() -> Iterator[None]:
    with edited(JOURNAL, {}, HOLDERS):
        yield


def violations(source: str) -> list[str]:
    """What the proof says when the handler of plans has these lines more."""
    with edited(PLAN_APP, {}, f"{IMPORTS}{source}"):
        return grant_violations({"plan": granted("plan")})


# Every one of these is a call of the table's ``evidence``, which is a Query.
REACHES = {
    "a parameter of any name": "def extra(seen: Records): seen.evidence([])",
    "a parameter that may be missing": 'def extra(seen: "Records | None"): seen.evidence([])',
    "a method that is handed on": "def extra(seen: Records): return partial(seen.evidence, [])",
    "what wiring builds": "def extra(): wiring.records().evidence([])",
    "a local variable": "def extra(seen: Records):\n    mine = seen\n    mine.evidence([])",
    "a variable from wiring": "def extra():\n    a, b = wiring.records(), 1\n    a.evidence([])",
    "one of two": "def extra(a: Records, b: Alarms):\n    c = a if b else None\n    c.evidence([])",
    "one that was unpacked": "def extra(many: dict[str, Records]):\n"
    "    for name, one in many.items(): one.evidence([])",
    "a list that is filled": "def extra(seen: Records):\n"
    "    many = []\n    many.append(seen)\n    many[0].evidence([])",
    "a comprehension": "def extra(many: list[Records]): [one.evidence([]) for one in sorted(many)]",
    "a lambda": "def extra(seen: Records): return lambda: seen.evidence([])",
    "a lambda's answer": "def extra(seen: Records):\n"
    "    ask = lambda: seen\n    ask().evidence([])",
    "a lambda's parameter": "def extra(many: list[Records]):\n"
    "    max(many, key=lambda a: a.evidence([]))",
    "an inner function": "def extra(seen: Records):\n"
    "    def inner() -> Records: return seen\n    inner().evidence([])",
    "a callable": "def extra(look: Callable[[], Records]): look().evidence([])",
    "an alias": "def extra(look: Look): look().evidence([])",
    "a generic function": "def extra(seen: Records): same(seen).evidence([])",
    "a function's answer": "def extra(many: list[Records]): one_of(many).evidence([])",
    "a field of a dataclass": "def extra(ledger: Ledger): ledger.records.evidence([])",
    "a method of a dataclass": "def extra(ledger: Ledger): ledger.write()",
    "a dataclass that is made here": "def extra(): Ledger(wiring.records()).write()",
    "an attribute of an object": "def extra(keeper: Keeper): keeper.keep()",
    "a final attribute": "def extra(fixed: Fixed): fixed.some.evidence([])",
    "an inherited attribute": "def extra(boxed: Boxed): boxed.keep()",
    "a captured field": "def extra(named: Named):\n    match named:\n"
    "        case Named(seen=Records() as found): found.evidence([])",
    "what is asked for its kind": "def extra(it: Keeper | Base):\n"
    "    if isinstance(it, Ledger): it.records.evidence([])",
    "a variable of the module": "HELD = Ledger(wiring.records())\ndef extra(): HELD.write()",
    "a method by its written name": "def extra(seen: Records): getattr(seen, 'evidence')([])",
    "a table of functions": "def inner(seen: Records): seen.evidence([])\n"
    "_ALL = {'x': inner}\ndef extra(): return _ALL['x']",
}


@pytest.mark.parametrize("case", REACHES)
def test_a_call_is_found_whatever_holds_the_port(case: str) -> None:
    assert violations(REACHES[case]) == ["plan: dynamodb:Query is called but not granted"]


HARMLESS = {
    "another object's method of the same name": "def extra(plan: Plan): plan.find('a')",
    "a field of the same name": "def extra(plan: Plan): plan.evidence",
    "a text's method": "def extra(text: str): text.find('a')",
    "a field by its written name": "def extra(value: Any): getattr(value, 'kind', None)",
    "a model made of anything": "def extra(value: Any): Plan.model_validate(value).find('a')",
    "JSON": "def extra(event: dict[str, Any]): event.get('detail')",
    "a port that is only handed on": "def extra(seen: Records): same(seen)",
    "an adapter that is only built": "def extra(): wiring.one_offs()",
}


@pytest.mark.parametrize("case", HARMLESS)
def test_what_only_looks_like_a_call_of_a_port_is_none(case: str) -> None:
    assert violations(HARMLESS[case]) == []


UNTOLD = "may be a port's; annotate what it is called on"
DOUBTS = {
    "no annotation": ("def extra(seen): seen.evidence([])", f"seen.evidence {UNTOLD}"),
    "Any": ("def extra(seen: Any): seen.evidence([])", f"seen.evidence {UNTOLD}"),
    "object": ("def extra(seen: object): seen.evidence", f"seen.evidence {UNTOLD}"),
    "more arguments": (
        "def extra(**all: Any): all['a'].evidence()",
        f"all['a'].evidence {UNTOLD}",
    ),
    "one of many of Any": (
        "def extra(many: list[Any]):\n    for one in many: one.evidence([])",
        f"one.evidence {UNTOLD}",
    ),
    "a lambda of ours": (
        "def extra(): same(lambda seen: seen.evidence([]))",
        f"seen.evidence {UNTOLD}",
    ),
    "a lambda in a table": ("def extra(): {1: lambda a: a.evidence([])}", f"a.evidence {UNTOLD}"),
    "a method by its name": (
        "def extra(seen: Records, name: str): getattr(seen, name)()",
        "getattr(seen, name) reaches for a method by its name",
    ),
    "a caller by a name": (
        "def extra(seen: Records): methodcaller('evidence', [])(seen)",
        "methodcaller('evidence', []) reaches for a method by its name",
    ),
    "a written name of anything": (
        "def extra(seen: Any): getattr(seen, 'evidence')([])",
        "seen.evidence " + UNTOLD,
    ),
    "a port without an adapter": (
        "class Port(Protocol):\n    def shout(self) -> None: ...\n"
        "def extra(port: Port): port.shout()",
        "port.shout is of the port Port, which has no adapter",
    ),
}


@pytest.mark.parametrize("case", DOUBTS)
def test_what_nobody_can_tell_fails_the_proof(case: str) -> None:
    source, doubt = DOUBTS[case]

    (found,) = violations(source)
    assert found.startswith(f"plan: {PLAN_APP}, line ")
    assert found.endswith(f": {doubt}")


FRONT = '''

class SomeAlarms:
    """A front, whose second kind starts an execution."""

    def __init__(self, alarms: CloudWatchAlarms, executions: StepFunctionsExecutions) -> None:
        self._alarms, self._executions = alarms, executions

    def look(self, names: Sequence[str]) -> AlarmsSeen:
        match names:
            case []:
                return self._alarms.look(names)
            case _:
                self._executions.start(*names)
'''
CLOUDWATCH = "slipway.adapters.cloudwatch"
CHECK = "functions.check.app"
IMPORT = "from slipway.adapters.executions import StepFunctionsExecutions\n"
MADE = """

class Named(Protocol):
    @property
    def shown(self) -> str: ...


class Shown:
    shown = "as a field"


def some_alarms() -> "Alarms":
    return SomeAlarms(CloudWatchAlarms(None), DynamoDBRecords(None, ""))
"""
NAMES_IT = "\n    from slipway.adapters.cloudwatch import SomeAlarms\n"
# The composition root may leave the choice to a function.
NAMED = {
    "itself": NAMES_IT,
    "in a function": "\n    from slipway.adapters.cloudwatch import some_alarms\n",
}


@contextmanager
def wired(names: str) -> Iterator[None]:
    """As if the front existed, and the composition root had these lines more."""
    with ExitStack() as several:
        several.enter_context(edited(CLOUDWATCH, {}, f"\n{IMPORT}{FRONT}{MADE}"))
        several.enter_context(edited(WIRING, {}, f"\ndef more() -> None:{names}"))
        yield


@pytest.mark.parametrize("where", NAMED)
def test_a_port_is_every_adapter_that_the_composition_root_names_for_it(where: str) -> None:
    alarms = ("slipway.ports.observation", "Alarms")
    before = adapters(alarms)

    with wired("\n    pass\n"):
        assert adapters(alarms) == before
    with wired(NAMED[where]):
        assert set(adapters(alarms)) == {*before, (CLOUDWATCH, "SomeAlarms")}


def test_a_property_of_a_port_may_be_a_field_of_its_adapter() -> None:
    with wired("\n    from slipway.adapters.cloudwatch import Shown\n"):
        assert adapters((CLOUDWATCH, "Named")) == ((CLOUDWATCH, "Shown"),)


def test_what_is_behind_a_front_of_several_kinds_is_reached_by_whoever_reaches_the_front() -> None:
    assert "states:StartExecution" not in needed("check")

    with wired(NAMES_IT):
        assert {"cloudwatch:DescribeAlarms", "states:StartExecution"} <= needed("check")
        assert "states:StartExecution" not in needed("approve")
        assert reached("check").doubts == set()


def test_every_port_has_an_adapter() -> None:
    assert {name for where, name in ports() if adapters((where, name)) == ()} == set()


def test_methods_of_one_name_do_not_make_an_adapter_of_another_port() -> None:
    """One-off tasks are looked at too, by other arguments than alarms are."""
    look = {
        name: adapters((where, name)) for where, name in ports() if name in ("Alarms", "OneOffs")
    }

    assert look["Alarms"] != look["OneOffs"]
    assert not set(look["Alarms"]) & set(look["OneOffs"])
