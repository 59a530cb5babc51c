"""Calls of the handlers to everything outside: each takes its time, meets its fault, has effect."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore import xform_name
from greenlet import getcurrent

from cloud.simulation.clients import CallFailed
from cloud.simulation.execution import Failed
from cloud.simulation.faults import CallKind, EventKind, EventSite, Plan, Site
from cloud.simulation.lambdas import Invocation, crashed
from cloud.simulation.outside import slack_answer
from cloud.twin.errors import AwsError

if TYPE_CHECKING:
    from cloud.simulation.cloud import Cloud

Params = dict[str, Any]
TWIN = ("ecs", "ecr", "rds", "elbv2", "cloudwatch")
# How long a call takes that never gets an answer: four attempts of the SDK, ten seconds each.
_UNANSWERED_SECONDS = 43.0
_REFUSED = (CallKind.PERMANENT, CallKind.THROTTLE, CallKind.SERVER_ERROR)
_TRANSIENT = (CallKind.THROTTLE, CallKind.SERVER_ERROR, CallKind.TIMEOUT)


class Calls:
    """The boundary between the handlers and the models, with the faults of the run."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self.begin(Plan())
        self.forget()

    def begin(self, plan: Plan) -> None:
        """Take the faults from a plan."""
        self._faults: dict[Site | EventSite, CallKind | EventKind] = dict(plan.calls)
        self._transient_share = plan.transient_share
        self._slow_parking = EventKind.BEFORE_PARKING in dict(plan.events).values()

    def forget(self) -> None:
        """Count the calls from the beginning."""
        self._counts: dict[tuple[str, str, str], int] = {}
        # Every call of a run without faults, which is where faults can be planned.
        self.sites: list[Site] = []

    def perform(self, service: str, operation: str, params: Params) -> Params:
        """One call of a handler: it waits its turn, meets its fault, takes effect."""
        invocation = getcurrent()
        if not isinstance(invocation, Invocation):
            return self._answer(service, operation, params)
        kind = self.next_fault(invocation.function.name, service, operation)
        self._pause(invocation, self._latency(invocation.function.name, operation, kind))
        if kind is None:
            return self._take_effect(invocation, service, operation, params)
        return self._fail(invocation, kind, service, operation, params)

    def next_fault(self, function: str, service: str, operation: str) -> CallKind | None:
        """Count a call; the fault that is planned for it, or that chance gives it."""
        cloud = self._cloud
        place = (function, service, operation)
        number = self._counts[place] = self._counts.get(place, 0) + 1
        site = Site(*place, number)
        if not self._faults and not self._transient_share:
            self.sites.append(site)
            return None
        kind = self._faults.get(site)
        if kind is not None:
            cloud.trace.fault(cloud.clock.elapsed, str(site), kind)
            return CallKind(kind)
        if self._transient_share and cloud.rng.random() < self._transient_share:
            return cloud.rng.choice(_TRANSIENT) if function != "states" else CallKind.THROTTLE
        return None

    def _latency(self, function: str, operation: str, kind: CallKind | None) -> float:
        if kind in (CallKind.TIMEOUT, CallKind.LOST):
            return _UNANSWERED_SECONDS
        if self._slow_parking and operation == "BatchWriteItem":
            return self._parking_latency(function)
        spread = self._cloud.rng.random()
        # Most calls are quick; one in fifty takes long enough for others to overtake it.
        return 0.01 + 0.05 * spread if spread < 0.98 else 2.0 * spread

    def _parking_latency(self, function: str) -> float:
        """The first parking of each function takes so long that everything overtakes it."""
        first = self._counts[function, "dynamodb", "BatchWriteItem"] == 1
        return 40.0 if first else 0.03

    def _pause(self, invocation: Invocation, seconds: float) -> None:
        cloud = self._cloud
        cloud.clock.call_later(seconds, lambda: cloud.lambdas.resume(invocation))
        invocation.wait()

    def _fail(
        self, invocation: Invocation, kind: CallKind, service: str, operation: str, params: Params
    ) -> Params:
        trace, elapsed = self._cloud.trace, self._cloud.clock.elapsed
        if kind in _REFUSED or kind is CallKind.TIMEOUT:
            trace.called(elapsed, invocation, service, operation, params, kind)
            raise CallFailed(kind)
        if kind is CallKind.CRASH_BEFORE:
            self._crash(invocation, crashed())
        self._take_effect_unanswered(invocation, service, operation, params)
        if kind is CallKind.REPEATED:
            return self._take_effect(invocation, service, operation, params)
        if kind is CallKind.CRASH_AFTER:
            self._crash(invocation, crashed())
        if kind is CallKind.SLOW:
            self._pause(invocation, 10 * invocation.function.timeout)
        raise CallFailed(kind)

    def _take_effect_unanswered(
        self, invocation: Invocation, service: str, operation: str, params: Params
    ) -> None:
        try:
            self._take_effect(invocation, service, operation, params)
        except AwsError:
            return

    def _crash(self, invocation: Invocation, failed: Failed) -> None:
        cloud = self._cloud
        cloud.clock.call_later(0.0, lambda: cloud.lambdas.kill(invocation, failed))
        invocation.wait()

    def _take_effect(
        self, invocation: Invocation, service: str, operation: str, params: Params
    ) -> Params:
        for key in _keys_read(operation, params):
            pk = key["pk"]["S"]
            if pk.startswith("DEPLOYMENT#"):
                invocation.subject = pk[11:]
        trace, elapsed = self._cloud.trace, self._cloud.clock.elapsed
        trace.actor = invocation
        try:
            answer = self._answer(service, operation, params)
        except AwsError as refused:
            trace.called(elapsed, invocation, service, operation, params, refused.code)
            raise
        finally:
            trace.actor = None
        unplaced = _unplaced(operation, answer)
        trace.called(elapsed, invocation, service, operation, params, unplaced)
        return answer

    def _answer(self, service: str, operation: str, params: Params) -> Params:
        cloud = self._cloud
        if service in TWIN:
            return cloud.twin.call(service, operation, params)
        if service == "slack":
            return slack_answer(cloud.slack, operation, params)
        model = {
            "dynamodb": cloud.table,
            "stepfunctions": cloud.machine,
            "events": cloud.bus,
            "logs": cloud.logs,
            "secretsmanager": cloud.secrets,
            "website": cloud.web,
            "registry": cloud.web,
        }[service]
        method: Callable[[Params], Params] = getattr(model, xform_name(operation))
        return method(params)


def _keys_read(operation: str, params: Params) -> list[Params]:
    """The keys of the table that a call reads."""
    if operation == "GetItem":
        return [params["Key"]]
    if operation == "BatchGetItem":
        return [key for one in params["RequestItems"].values() for key in one["Keys"]]
    return []


def _unplaced(operation: str, answer: Params) -> str | None:
    """RunTask may answer with HTTP 200 that it has placed no task."""
    unplaced = operation == "RunTask" and not answer["tasks"]
    return "no task was placed" if unplaced else None
