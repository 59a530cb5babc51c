"""What a seeded design bug is: an edit of one function's text, put in force while runs are made."""

import importlib
import inspect
import itertools
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from cloud.simulation import campaign, template

Patch = Callable[[], Callable[[], None]]


@dataclass(frozen=True)
class Mutant:
    """One design bug: what it breaks, its patches, and the stories that show it first."""

    name: str
    patches: tuple[Patch, ...]
    stories: tuple[str, ...]
    # More where two writers have to meet by chance.
    seeds: int = 8


class DoesNotApply(Exception):
    """The code that a mutant changes is gone: the mutant must be rewritten."""


def edit(place: str, *texts: str) -> Patch:
    """Change one function's own text: old, new, old, new; ``place`` is module:qualified.name."""

    def apply() -> Callable[[], None]:
        function = _function(place)
        source = textwrap.dedent(inspect.getsource(function))
        for old, new in zip(texts[::2], texts[1::2], strict=True):
            if source.count(old) != 1:
                raise DoesNotApply(f"{place} has {source.count(old)} times: {old}")
            source = source.replace(old, new)
        before = function.__code__
        function.__code__ = _compile(function, source).__code__

        def undo() -> None:
            function.__code__ = before

        return undo

    return apply


def rewire(state: str, **changes: Any) -> Patch:
    """Change a state of the state machine; ``catch`` is where its Catch leads."""

    def apply() -> Callable[[], None]:
        found = template.template().definition["States"][state]
        before = {"Next": found.get("Next"), "Catch": found.get("Catch")}
        if "catch" in changes:
            found["Catch"] = [{**one, "Next": changes["catch"]} for one in before["Catch"] or []]
        if "next" in changes:
            found["Next"] = changes["next"]

        def undo() -> None:
            found.update({name: value for name, value in before.items() if value is not None})

        return undo

    return apply


def deaths(state: str, most: int) -> Patch:
    """How often a state whose function died is retried."""

    def apply() -> Callable[[], None]:
        retries = template.template().definition["States"][state]["Retry"]
        found = next(one for one in retries if "Sandbox.Timedout" in one["ErrorEquals"])
        before, found["MaxAttempts"] = found["MaxAttempts"], most

        def undo() -> None:
            found["MaxAttempts"] = before

        return undo

    return apply


def _function(place: str) -> FunctionType:
    module, _, name = place.partition(":")
    found: Any = importlib.import_module(f"slipway.{module}")
    for part in name.split("."):
        if part not in vars(found):
            raise DoesNotApply(f"there is no {place}")
        found = vars(found)[part]
    if isinstance(found, property):
        found = found.fget
    found = inspect.unwrap(found)
    if not isinstance(found, FunctionType):
        raise DoesNotApply(f"{place} is no function")
    return found


def _compile(function: FunctionType, source: str) -> FunctionType:
    lines = source.splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith("def "))
    scope: dict[str, Any] = {}
    exec(  # The text is this project's own, with the edit of a mutant.
        compile("\n".join(lines[first:]), function.__code__.co_filename, "exec"),
        function.__globals__,
        scope,
    )
    made = scope[function.__name__]
    assert isinstance(made, FunctionType)
    return made


@contextmanager
def in_force(mutant: Mutant) -> Iterator[None]:
    """Apply the mutant for as long as the block lasts."""
    with ExitStack() as stack:
        for patch in mutant.patches:
            stack.callback(patch())
        yield


def caught_by(mutant: Mutant, most: int = 600) -> tuple[campaign.Job, list[str]] | None:
    """The first run of the campaign that notices the mutant."""
    # Listed before the mutant is in force: the calls to fail are counted from sound runs.
    jobs = list(_jobs(mutant))
    with in_force(mutant):
        for job in itertools.islice(jobs, most):
            found = campaign.violations_of(job)
            if found:
                return job, found
    return None


def _jobs(mutant: Mutant) -> Iterator[campaign.Job]:
    """The stories that should show it, with and without faults; then random seeds."""
    for name in mutant.stories:
        scenario, _, plan = name.partition("|")
        yield from (campaign.Job(scenario, plan, seed) for seed in range(mutant.seeds))
    yield from campaign.random_jobs(600)
