"""EventBridge: which functions an event starts, and what may go wrong with it on the way."""

import json
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from cloud.simulation.faults import EventKind, EventSite, Plan
from cloud.simulation.template import template
from cloud.twin.world import event_time

if TYPE_CHECKING:
    from cloud.simulation.cloud import Cloud

Params = dict[str, Any]
_LATE_SECONDS = 1200.0
_STALE_SECONDS = 1800.0
_REORDERED_SECONDS = 45.0


class EventBus:
    """The default bus of the account and Slipway's own, with the rules of template.yaml."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        # Detail-types of which no event arrives.
        self.lost: set[str] = set()
        self.begin(Plan())
        self.forget()

    def begin(self, plan: Plan) -> None:
        """Take the faults from a plan."""
        self._faults = dict(plan.events)
        # How often each digest was pushed in this run.
        self.pushes: Counter[str] = Counter()

    def forget(self) -> None:
        """Count the events from the beginning."""
        # How many events there were of each detail-type that a rule accepts.
        self.counts: dict[str, int] = {}

    def put_events(self, params: Params) -> Params:
        """Events of Slipway's own, onto its bus."""
        for entry in params["Entries"]:
            detail = json.loads(entry["Detail"])
            self._route(self.envelope(entry["Source"], entry["DetailType"], detail), "own")
        return {"FailedEntryCount": 0, "Entries": [{} for _ in params["Entries"]]}

    def emit(self, event: Params) -> None:
        """An event of an AWS service, onto the default bus."""
        if event["detail-type"] == "ECR Image Action":
            self.pushes[event["detail"]["image-digest"]] += 1
        self._route(event, "default")

    def envelope(self, source: str, detail_type: str, detail: Params) -> Params:
        """An event of this account, now."""
        world = self._cloud.twin.world
        return {
            "version": "0",
            "id": world.uuid(),
            "detail-type": detail_type,
            "source": source,
            "account": world.account,
            "time": event_time(self._cloud.clock.now()),
            "region": world.region,
            "resources": [],
            "detail": detail,
        }

    def _route(self, event: Params, bus: str) -> None:
        targets = _targets(event, bus)
        if not targets:
            return
        detail_type = event["detail-type"]
        number = self.counts[detail_type] = self.counts.get(detail_type, 0) + 1
        kind = self._faults.get(EventSite(detail_type, number))
        kind = EventKind.DROP if detail_type in self.lost else kind
        self._cloud.trace.event(self._cloud.clock.elapsed, event, number, kind)
        for copy, delay in self._copies(event, kind):
            self._deliver(copy, targets if copy is event else _targets(copy, bus), delay)

    def _copies(self, event: Params, kind: EventKind | None) -> list[tuple[Params, float]]:
        """What is delivered in place of one event, and after how many seconds."""
        rng = self._cloud.rng
        usual = rng.uniform(0.1, 1.0)
        match kind:
            case None:
                return [(event, usual)]
            case EventKind.DROP:
                return []
            case EventKind.DUPLICATE:
                return [(event, usual), (event, rng.uniform(0.1, 5.0))]
            case EventKind.LATE:
                return [(event, _LATE_SECONDS)]
            case EventKind.REORDER:
                return [(event, _REORDERED_SECONDS)]
            case EventKind.BEFORE_PARKING:
                return [(event, 0.0)]
            case EventKind.STALE:
                return [(event, usual), (event, _STALE_SECONDS)]
            case EventKind.FOREIGN:
                return [({**event, "account": "999999999999"}, 0.05), (event, usual)]
            case EventKind.MALFORMED:
                return [*((one, 0.05) for one in _malformed(event)), (event, usual)]

    def _deliver(self, event: Params, targets: list[str], delay: float) -> None:
        for function in targets:
            self._cloud.busy += 1
            self._cloud.clock.call_later(delay, partial(self._arrive, function, event))

    def _arrive(self, function: str, event: Params) -> None:
        self._cloud.busy -= 1
        self._cloud.lambdas.invoke_async(function, event)


def _targets(event: Params, bus: str) -> list[str]:
    rules = template().rules.get((bus, event["source"], event["detail-type"]), ())
    return [rule.function for rule in rules if rule.accepts(event)]


def _malformed(event: Params) -> list[Params]:
    """The event without its detail's fields, with other types in them, and with none."""
    nonsense = {name: [None, {"x": 1}] for name in event["detail"]}
    numbers = {name: 7 for name in event["detail"]}
    return [{**event, "detail": detail} for detail in ({}, nonsense, numbers)]
