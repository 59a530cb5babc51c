"""One run: a scenario on a fresh cloud with its faults, until everything is quiet."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from cloud.simulation.cloud import Cloud
from cloud.simulation.faults import Plan
from cloud.simulation.invariants import violations_of, watch_run
from cloud.simulation.people import Decides, Operator, Person
from cloud.simulation.prepared import fresh_cloud, push
from cloud.simulation.world import Image

# Nothing in a scenario takes longer: the longest approval is an hour, the longest patience less
# than two, and whatever is lost on the way is found by a timer of a quarter of an hour.
LIMIT_SECONDS = 12 * 3600.0
# In every fourth everybody was woken who waits, and a function that outlived its execution is over.
_SWEEPS = 5
_MOST_STEPS = 400_000


class Scenario(Protocol):
    """What people and pipelines do in a run."""

    @property
    def name(self) -> str:
        """What it is called on the command line."""

    def play(self, run: "Run") -> None:
        """Set the run's first things going."""


@dataclass
class Run:
    """A run in progress: what a scenario acts on, and what it turned out to be."""

    scenario: Scenario
    plan: Plan
    seed: int
    cloud: Cloud = field(default_factory=fresh_cloud)
    pending: int = 0
    pushes: list[tuple[str, str, str]] = field(default_factory=list)
    # When each digest was pushed or tagged last, by the registry's clock.
    pushed_at: dict[str, datetime] = field(default_factory=dict)
    artifacts: set[str] = field(default_factory=set)
    requests: list[dict[str, Any]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    deregistered: list[str] = field(default_factory=list)
    # Digests that somebody else has deleted.
    deleted: set[str] = field(default_factory=set)
    person: Person | None = None
    quiet: bool = False
    violations: list[str] = field(default_factory=list)

    def finish(self) -> "Run":
        """Play to the end and judge."""
        self.cloud.begin(self.plan, self.seed)
        watch = watch_run(self)
        self.scenario.play(self)
        self.quiet = self._until_quiet()
        self.violations = violations_of(watch)
        return self

    # What scenarios do

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something later; the run is not over before."""
        self.pending += 1
        self.cloud.clock.call_later(seconds, partial(self._due, action))

    def push(self, image: Image, tag: str) -> None:
        """A pipeline pushes an image now."""
        self.pushes.append((image.repository, tag, image.digest))
        self.pushed_at[image.digest] = self.cloud.clock.now()
        push(self.cloud, image, tag)
        self.cloud.trace.said(self.cloud.clock.elapsed, "pipeline", f"pushes {tag}")

    def approver(self, decides: Decides, delay: float = 30.0, second: str | None = None) -> None:
        """Somebody answers approvals so many seconds after Slack asked, and maybe a second."""
        self.person = Person(self.cloud, decides, delay, second)

    def ask(self, detail_type: str, detail: dict[str, Any]) -> None:
        """A person's wish, as an event on Slipway's bus."""
        if detail_type == "Deployment Requested":
            self.requests.append(detail)
        entry = {"Source": "slipway", "DetailType": detail_type, "Detail": json.dumps(detail)}
        self.cloud.bus.put_events({"Entries": [entry]})

    def when(self, deployment_id: str, state: str, action: Callable[[], None]) -> None:
        """Do something once, soon after a deployment has entered a state."""
        earlier = self.cloud.on_state
        done: list[bool] = []

        def entered(name: str, entered_state: str) -> None:
            if earlier is not None:
                earlier(name, entered_state)
            if (name, entered_state) == (deployment_id, state) and not done:
                done.append(True)
                self.at(self.cloud.rng.uniform(0.0, 3.0), action)

        self.cloud.on_state = entered

    def stop(self, deployment_id: str) -> None:
        """An operator stops the execution in the console."""
        self.stopped.append(deployment_id)
        arn = self.cloud.machine.executions[deployment_id].arn
        self.cloud.machine.stop_execution({"executionArn": arn, "cause": "stopped by hand"})
        self.cloud.trace.said(self.cloud.clock.elapsed, "operator", f"stops {deployment_id}")

    @property
    def operator(self) -> Operator:
        """Whoever steps in from the command line."""
        return Operator(self.cloud)

    def call(self, client: str, operation: str, params: dict[str, Any]) -> Any:
        """Something else in the account makes a call."""
        return self.cloud.twin.call(client, operation, params)

    def lose(self, detail_type: str) -> None:
        """No event of this type arrives from now on."""
        self.cloud.bus.lost.add(detail_type)

    def _due(self, action: Callable[[], None]) -> None:
        self.pending -= 1
        action()

    # Until it is over

    def _until_quiet(self) -> bool:
        """Whether all came to rest; five sweeps in a row must then find nothing to do."""
        clock, trace = self.cloud.clock, self.cloud.trace
        end = clock.elapsed + LIMIT_SECONDS
        while clock.elapsed < end:
            if not self._run_while(lambda: not self._resting(), end):
                return False
            writes, swept = len(trace.writes), trace.swept
            if not self._run_while(partial(self._sweeping, swept + _SWEEPS), end):
                return False
            if len(trace.writes) == writes:
                return True
        return False

    def _sweeping(self, wanted: int) -> bool:
        return self.cloud.trace.swept < wanted or not self._resting()

    def _run_while(self, condition: Callable[[], bool], end: float) -> bool:
        clock = self.cloud.clock
        for _ in range(_MOST_STEPS):
            if not condition():
                return True
            if clock._heap[0][0] > end:
                return False
            clock.run_next()
        return False

    def _resting(self) -> bool:
        cloud = self.cloud
        if cloud.busy or self.pending or cloud.machine.running or cloud.stream.pending:
            return False
        if self.person is not None and self.person.pending:
            return False
        return all(one.current is None for one in cloud.services()) and not self._one_offs()

    def _one_offs(self) -> bool:
        return any(task.service is None for task in self.cloud.engines.tasks.running())
