"""The simulated cloud: the twin, the table, the state machine, the rules and the functions."""

import json
import random
import re
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from typing import Any

from botocore import xform_name
from greenlet import getcurrent

from cloud.simulation.clients import CallFailed
from cloud.simulation.engines import Engines, NoTraffic, health_page
from cloud.simulation.faults import CallKind, EventKind, EventSite, Plan, Site
from cloud.simulation.lambdas import Invocation, Killed, crashed, timed_out
from cloud.simulation.outside import Logs, Secrets, Slack, slack_answer
from cloud.simulation.states import Ended, Execution, Failed, StateMachine
from cloud.simulation.table import Change, Table
from cloud.simulation.template import STATE_MACHINE_ARN, Function, template
from cloud.simulation.trace import Trace
from cloud.twin.clock import VirtualClock
from cloud.twin.cloudwatch import CloudWatchModel
from cloud.twin.ecr.api import EcrModel
from cloud.twin.ecs.api import EcsModel
from cloud.twin.ecs.services import Service
from cloud.twin.elbv2.api import Elbv2Model
from cloud.twin.errors import AwsError
from cloud.twin.rds.api import RdsModel
from cloud.twin.twin import Twin
from cloud.twin.world import World, event_time

Params = dict[str, Any]
_TWIN = ("ecs", "ecr", "rds", "elbv2", "cloudwatch")
# How long a call takes that never gets an answer: four tries of the SDK, ten seconds each.
_UNANSWERED_SECONDS = 43.0
_REFUSED = (CallKind.PERMANENT, CallKind.THROTTLE, CallKind.SERVER_ERROR)
_TRANSIENT = (CallKind.THROTTLE, CallKind.SERVER_ERROR, CallKind.TIMEOUT)
_ASYNC_RETRY_SECONDS = (60.0, 120.0)
_STREAM_SECONDS = 0.2
_STREAM_RETRY_SECONDS = 5.0
_BATCH = 10
_LATE_SECONDS = 1200.0
_STALE_SECONDS = 1800.0


class Cloud:
    """One account with Slipway deployed into it, in virtual time."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.rng = random.Random(0)
        world = World(self.clock, random.Random(0), self.emit)
        self.engines = Engines(self.clock)
        self.twin = Twin(world)
        self.ecr = EcrModel(world)
        self.elbv2 = Elbv2Model(world, self.engines, NoTraffic())
        self.cloudwatch = CloudWatchModel(world)
        self.ecs = EcsModel(
            world, self.engines, self.elbv2, self.cloudwatch, self.ecr.resolve_image
        )
        self.rds = RdsModel(world)
        for name in _TWIN:
            self.twin.add(name, getattr(self, name))
        self.table = Table()
        self.machine = StateMachine()
        self.machine.host = self
        self.slack = Slack()
        self.secrets = Secrets()
        self.logs = Logs(self.engines.words)
        self.stream: deque[tuple[int, Change]] = deque()
        self.sequence = 0
        self.table.written = self.table_written
        self._numbers = 0
        # What belongs to one run and is not kept with a prepared cloud.
        self.plan = Plan()
        self.trace = Trace()
        self.faults: dict[Site | EventSite, CallKind | EventKind] = {}
        self.sites: dict[tuple[str, str, str], int] = {}
        self.event_sites: dict[str, int] = {}
        self.called: list[tuple[str, str, str, int]] = []
        self.instances: dict[str, dict[Any, Any]] = {}
        self.busy = 0
        self._reading_stream = False
        self.slow_parking = False
        self.lost: set[str] = set()
        self.pushed: Counter[str] = Counter()
        # What the functions have logged, where somebody listens.
        self.logged: list[str] = []
        self.on_state: Callable[[str, str], None] | None = None
        # What a site answers to a URL in place of its page: status, body and perhaps headers.
        self.site_says: Callable[[str], Params | None] | None = None

    def begin(self, plan: Plan, seed: int) -> None:
        """Begin a run: chance from the seed, faults from the plan."""
        self.plan = plan
        self.rng.seed(seed)
        self.pushed = Counter()
        self.twin.world.random.seed(seed + 1)
        self.faults = {**dict(plan.calls), **dict(plan.events)}
        self.slow_parking = EventKind.BEFORE_PARKING in dict(plan.events).values()
        for name, seconds in template().schedules.items():
            self.clock.call_later(seconds, partial(self._scheduled, name, seconds))

    # Functions

    def invoke(self, function_arn: str, payload: Params, ended: Ended) -> None:
        """Step Functions invokes a function; the service itself can fail."""
        function = template().functions[function_arn.rsplit("-", 1)[-1]]
        kind = self._fault_at("states", "lambda", f"Invoke-{function.name}")
        refused = {
            CallKind.PERMANENT: "Lambda.ResourceNotFoundException",
            CallKind.THROTTLE: "Lambda.TooManyRequestsException",
            CallKind.SERVER_ERROR: "Lambda.ServiceException",
            CallKind.TIMEOUT: "Lambda.SdkClientException",
            CallKind.CRASH_BEFORE: "Lambda.ServiceException",
        }
        if kind in refused:
            failed = Failed(refused[kind], f"injected: {kind}")
            self.clock.call_later(0.1, lambda: ended(None, failed))
            return
        if kind in (CallKind.LOST, CallKind.CRASH_AFTER):
            self._start(function, payload, _nobody)
            failed = Failed("Lambda.Unknown", f"injected: {kind}")
            self.clock.call_later(0.1, lambda: ended(None, failed))
            return
        if kind is CallKind.REPEATED:
            self._start(function, payload, _nobody)
        delay = 50.0 if kind is CallKind.SLOW else 0.02
        self.clock.call_later(delay, lambda: self._start(function, payload, ended))

    def invoke_later(self, name: str, event: Params, tried: int = 0) -> None:
        """An asynchronous invocation: Lambda tries a failed one twice more."""
        self.busy += 1

        def ended(_: Any, failed: Failed | None) -> None:
            self.busy -= 1
            if failed is not None and tried < len(_ASYNC_RETRY_SECONDS):
                self.busy += 1
                self.clock.call_later(_ASYNC_RETRY_SECONDS[tried], again)

        def again() -> None:
            self.busy -= 1
            self.invoke_later(name, event, tried + 1)

        self._start(template().functions[name], event, ended)

    def _start(self, function: Function, event: Params, ended: Ended) -> None:
        self._numbers += 1
        invocation = Invocation(function, event, self._numbers, ended)
        invocation.instance = self.instances.setdefault(function.name, {})
        self.busy += 1
        self.trace.invoked(self.clock.elapsed, invocation)
        self.clock.call_later(function.timeout, lambda: self._expire(invocation))
        self._run(invocation)

    def _run(self, invocation: Invocation) -> None:
        if invocation.over:
            return
        invocation.switch()
        if invocation.dead:
            self._finish(invocation, invocation.result, invocation.failed)

    def _expire(self, invocation: Invocation) -> None:
        if not invocation.over:
            self.kill(invocation, timed_out(invocation.function))

    def kill(self, invocation: Invocation, failed: Failed) -> None:
        """End a function's process from outside; the next invocation gets a fresh one."""
        self.instances.pop(invocation.function.name, None)
        if not invocation.dead:
            invocation.throw(Killed)
        self._finish(invocation, None, failed)

    def _finish(self, invocation: Invocation, result: Any, failed: Failed | None) -> None:
        invocation.over = True
        self.busy -= 1
        self.trace.ended(self.clock.elapsed, invocation, result, failed)
        invocation.ended(result, failed)

    def _scheduled(self, name: str, seconds: float) -> None:
        self.clock.call_later(seconds, partial(self._scheduled, name, seconds))
        event = self._envelope("aws.events", "Scheduled Event", {})
        self.invoke_later(name, event)

    # Calls

    def perform(self, service: str, operation: str, params: Params) -> Params:
        """One call of a handler: it waits its turn, meets its fault, takes effect."""
        invocation = getcurrent()
        if not isinstance(invocation, Invocation):
            return self._effect(service, operation, params)
        kind = self._fault_at(invocation.function.name, service, operation)
        self._pause(invocation, self._latency(invocation.function.name, operation, kind))
        if kind is None:
            return self._logged(invocation, service, operation, params)
        return self._faulty(invocation, kind, service, operation, params)

    def _fault_at(self, function: str, service: str, operation: str) -> CallKind | None:
        place = (function, service, operation)
        number = self.sites[place] = self.sites.get(place, 0) + 1
        if not self.faults and not self.plan.transient_share:
            self.called.append((function, service, operation, number))
            return None
        kind = self.faults.get(Site(function, service, operation, number))
        if kind is not None:
            self.trace.fault(self.clock.elapsed, f"{function}/{service}/{operation}/{number}", kind)
            return CallKind(kind)
        if self.plan.transient_share and self.rng.random() < self.plan.transient_share:
            return self.rng.choice(_TRANSIENT) if function != "states" else CallKind.THROTTLE
        return None

    def _slow_park(self, function: str) -> float:
        """The first parking of each function takes so long that everything overtakes it."""
        first = self.sites[function, "dynamodb", "BatchWriteItem"] == 1
        return 40.0 if first else 0.03

    def _latency(self, function: str, operation: str, kind: CallKind | None) -> float:
        if kind in (CallKind.TIMEOUT, CallKind.LOST):
            return _UNANSWERED_SECONDS
        if self.slow_parking and operation == "BatchWriteItem":
            return self._slow_park(function)
        spread = self.rng.random()
        # Most calls are quick; one in fifty takes long enough for others to overtake it.
        return 0.01 + 0.05 * spread if spread < 0.98 else 2.0 * spread

    def _pause(self, invocation: Invocation, seconds: float) -> None:
        self.clock.call_later(seconds, lambda: self._run(invocation))
        invocation.wait()

    def _faulty(
        self, invocation: Invocation, kind: CallKind, service: str, operation: str, params: Params
    ) -> Params:
        if kind in _REFUSED or kind is CallKind.TIMEOUT:
            self.trace.called(self.clock.elapsed, invocation, service, operation, params, kind)
            raise CallFailed(kind)
        if kind is CallKind.CRASH_BEFORE:
            self._die(invocation, crashed())
        if kind is CallKind.REPEATED:
            self._ignoring(invocation, service, operation, params)
            return self._logged(invocation, service, operation, params)
        self._ignoring(invocation, service, operation, params)
        if kind is CallKind.CRASH_AFTER:
            self._die(invocation, crashed())
        if kind is CallKind.SLOW:
            self._pause(invocation, 10 * invocation.function.timeout)
        raise CallFailed(kind)

    def _ignoring(
        self, invocation: Invocation, service: str, operation: str, params: Params
    ) -> None:
        """The effect of a call whose answer nobody gets."""
        try:
            self._logged(invocation, service, operation, params)
        except AwsError:
            return

    def _die(self, invocation: Invocation, failed: Failed) -> None:
        self.clock.call_later(0.0, lambda: self.kill(invocation, failed))
        invocation.wait()

    def _logged(
        self, invocation: Invocation, service: str, operation: str, params: Params
    ) -> Params:
        for key in _keys_read(operation, params):
            pk = key["pk"]["S"]
            if pk.startswith("DEPLOYMENT#"):
                invocation.subject = pk[11:]
        self.trace.actor = invocation
        try:
            answer = self._effect(service, operation, params)
        except AwsError as refused:
            self.trace.called(
                self.clock.elapsed, invocation, service, operation, params, refused.code
            )
            raise
        finally:
            self.trace.actor = None
        nothing = _started_nothing(operation, answer)
        self.trace.called(self.clock.elapsed, invocation, service, operation, params, nothing)
        return answer

    def _effect(self, service: str, operation: str, params: Params) -> Params:
        if service in _TWIN:
            return self.twin.call(service, operation, params)
        if service == "slack":
            return slack_answer(self.slack, operation, params)
        model = {
            "dynamodb": self.table,
            "stepfunctions": self.machine,
            "events": self,
            "logs": self.logs,
            "secretsmanager": self.secrets,
            "website": self,
            "registry": self,
        }[service]
        method: Callable[[Params], Params] = getattr(model, xform_name(operation))
        return method(params)

    # The web outside

    def get_blob(self, params: Params) -> Params:
        """What ECR's download URLs lead to."""
        blob = self.ecr.blobs.get(params["url"].rsplit("/", 1)[-1])
        return {"status": 404, "body": b""} if blob is None else {"status": 200, "body": blob}

    def get(self, params: Params) -> Params:
        """One request to a deployed service, answered by a task that serves."""
        found = re.match(r"http://([\w-]+)\.us-east-1\.elb", params["url"])
        services = {one.cluster_arn.rsplit("/", 1)[-1]: one for one in self.services()}
        service = services.get(found[1]) if found else None
        serving = _serving(service) if service else []
        if not serving:
            return {"status": 503, "body": b""}
        if self.site_says is not None and (odd := self.site_says(params["url"])) is not None:
            return odd
        return health_page(self.engines.images.get(self.rng.choice(serving)))

    def services(self) -> list[Service]:
        """Every ECS service."""
        return list(self.ecs._services.services.values())

    # Events

    def put_events(self, params: Params) -> Params:
        """Events of Slipway's own, onto its bus."""
        for entry in params["Entries"]:
            detail = json.loads(entry["Detail"])
            event = self._envelope(entry["Source"], entry["DetailType"], detail)
            self._route(event, "own")
        return {"FailedEntryCount": 0, "Entries": [{} for _ in params["Entries"]]}

    def emit(self, event: Params) -> None:
        """An event of an AWS service, onto the default bus."""
        if event["detail-type"] == "ECR Image Action":
            self.pushed[event["detail"]["image-digest"]] += 1
        self._route(event, "default")

    def _envelope(self, source: str, detail_type: str, detail: Params) -> Params:
        return {
            "version": "0",
            "id": self.twin.world.uuid(),
            "detail-type": detail_type,
            "source": source,
            "account": self.twin.world.account,
            "time": event_time(self.clock.now()),
            "region": self.twin.world.region,
            "resources": [],
            "detail": detail,
        }

    def _route(self, event: Params, bus: str) -> None:
        targets = _targets(event, bus)
        if not targets:
            return
        detail_type = event["detail-type"]
        number = self.event_sites[detail_type] = self.event_sites.get(detail_type, 0) + 1
        kind = self.faults.get(EventSite(detail_type, number)) if self.faults else None
        kind = EventKind.DROP if detail_type in self.lost else kind
        self.trace.event(self.clock.elapsed, event, number, kind)
        for copy, delay in self._copies(event, kind):
            self._deliver(copy, targets if copy is event else _targets(copy, bus), delay)

    def _copies(self, event: Params, kind: Any) -> list[tuple[Params, float]]:
        """What is delivered in place of one event, and when."""
        usual = self.rng.uniform(0.1, 1.0)
        match kind:
            case None:
                return [(event, usual)]
            case EventKind.DROP:
                return []
            case EventKind.DUPLICATE:
                return [(event, usual), (event, self.rng.uniform(0.1, 5.0))]
            case EventKind.LATE:
                return [(event, _LATE_SECONDS)]
            case EventKind.REORDER:
                return [(event, 45.0)]
            case EventKind.BEFORE_PARKING:
                return [(event, 0.0)]
            case EventKind.STALE:
                return [(event, usual), (event, _STALE_SECONDS)]
            case EventKind.FOREIGN:
                return [({**event, "account": "999999999999"}, 0.05), (event, usual)]
            case EventKind.MALFORMED:
                return [*((one, 0.05) for one in _mangled(event)), (event, usual)]
        raise AssertionError(kind)

    def _deliver(self, event: Params, targets: list[str], delay: float) -> None:
        for function in targets:
            self.busy += 1
            self.clock.call_later(delay, partial(self._arrived, function, event))

    def _arrived(self, function: str, event: Params) -> None:
        self.busy -= 1
        self.invoke_later(function, event)

    # Step Functions' host

    def execution_changed(self, execution: Execution) -> None:
        detail = {
            "executionArn": execution.arn,
            "stateMachineArn": STATE_MACHINE_ARN,
            "name": execution.name,
            "status": execution.status,
            "error": execution.error,
            "cause": execution.cause,
        }
        self.trace.execution(self.clock.elapsed, execution)
        kind = "Step Functions Execution Status Change"
        event = self._envelope("aws.states", kind, detail)
        self.emit({**event, "resources": [execution.arn]})

    def state_entered(self, execution: Execution, state: str) -> None:
        self.trace.state(self.clock.elapsed, execution.name, state)
        if self.on_state is not None:
            self.on_state(execution.name, state)

    # The table's stream

    def table_written(self, changes: list[Change]) -> None:
        self.trace.wrote(self.clock.elapsed, changes)
        accepts = template().stream_accepts
        for change in changes:
            self.sequence += 1
            if change.after is not None and accepts(_stream_record(self.sequence, change)):
                self.stream.append((self.sequence, change))
        if self.stream and not self._reading_stream:
            self._reading_stream = True
            self.clock.call_later(_STREAM_SECONDS, self._read_stream)

    def _read_stream(self) -> None:
        size = min(_BATCH, len(self.stream))
        batch = [self.stream[place] for place in range(size)]
        event = {"Records": [_stream_record(*one) for one in batch]}
        ended = partial(self._streamed, size)
        self._start(template().functions[template().stream_function], event, ended)

    def _streamed(self, size: int, result: Any, failed: Failed | None) -> None:
        done, pause = size, _STREAM_SECONDS
        if failed is not None:
            done, pause = 0, _STREAM_RETRY_SECONDS
        elif result["batchItemFailures"]:
            first = int(result["batchItemFailures"][0]["itemIdentifier"])
            done = sum(self.stream[place][0] < first for place in range(size))
            pause = _STREAM_RETRY_SECONDS
        for _ in range(done):
            self.stream.popleft()
        self._reading_stream = bool(self.stream)
        if self.stream:
            self.clock.call_later(pause, self._read_stream)


def _targets(event: Params, bus: str) -> list[str]:
    rules = template().rules.get((bus, event["source"], event["detail-type"]), ())
    return [rule.function for rule in rules if rule.accepts(event)]


def _nobody(result: Any, failed: Failed | None) -> None:
    """Whoever asked for the invocation does not hear of its end."""


def _keys_read(operation: str, params: Params) -> list[Params]:
    """The keys of the table that a call reads."""
    if operation == "GetItem":
        return [params["Key"]]
    if operation == "BatchGetItem":
        return [key for one in params["RequestItems"].values() for key in one["Keys"]]
    return []


def _started_nothing(operation: str, answer: Params) -> str | None:
    """RunTask may answer with HTTP 200 that it has placed no task."""
    unplaced = operation == "RunTask" and not answer["tasks"]
    return "no task was placed" if unplaced else None


def _serving(service: Service) -> list[str]:
    return [
        digest
        for deployment in service.deployments
        for task in deployment.tasks.values()
        if task.healthy
        for digest in task.images.values()
    ]


def _mangled(event: Params) -> list[Params]:
    """The event without its detail's fields, with other types in them, and with none."""
    nonsense = {name: [None, {"x": 1}] for name in event["detail"]}
    numbers = {name: 7 for name in event["detail"]}
    return [{**event, "detail": detail} for detail in ({}, nonsense, numbers)]


def _stream_record(sequence: int, change: Change) -> Params:
    images: Params = {"SequenceNumber": str(sequence)}
    if change.before is not None:
        images["OldImage"] = change.before
    if change.after is not None:
        images["NewImage"] = change.after
    return {"dynamodb": images}
