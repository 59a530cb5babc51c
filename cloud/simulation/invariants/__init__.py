"""The invariants of a run: what must hold whatever goes wrong, each with its number.

``effects`` and ``writes`` are checked at the moment something happens, all others at the end.
``docs/simulation.md`` lists the numbers.
"""

from typing import TYPE_CHECKING

from cloud.simulation.invariants import (
    effects,
    ends,
    functions,
    messages,
    migrations,
    pushes,
    requests,
    stored,
    writes,
)
from cloud.simulation.watch import Invariant, Watch

if TYPE_CHECKING:
    from cloud.simulation.run import Run

# Whatever is written in these modules is checked: nobody can forget to list one.
AT_THE_END = tuple(
    found
    for module in (migrations, ends, pushes, functions, stored, messages, requests)
    for found in vars(module).values()
    if isinstance(found, Invariant)
)


def watch_run(run: "Run") -> Watch:
    """Check every effect and every write of the run from now on."""
    watch = Watch(run)
    trace = run.cloud.trace
    trace.on_effect = lambda effect: effects.check_effect(watch, effect)
    trace.on_write = lambda _, change: writes.check_write(watch, change)
    return watch


def violations_of(watch: Watch) -> list[str]:
    """Every violation of a run that is over."""
    at_the_end = [
        f"({each.number}) {each.sentence}: {what}"
        for each in AT_THE_END
        for what in each.check(watch)
    ]
    return watch.violations + at_the_end
