"""The simulated cloud: one account with Slipway deployed into it, in virtual time."""

import random
from collections.abc import Callable
from typing import Any

from cloud.simulation.bus import EventBus
from cloud.simulation.calls import TWIN, Calls
from cloud.simulation.engines import Engines
from cloud.simulation.execution import Ended, Execution
from cloud.simulation.faults import Plan
from cloud.simulation.invocations import Lambdas
from cloud.simulation.outside import Logs, Secrets, Slack
from cloud.simulation.sites import Web
from cloud.simulation.step_functions import StateMachine
from cloud.simulation.stream import Stream
from cloud.simulation.table import Table
from cloud.simulation.template import STATE_MACHINE_ARN, template
from cloud.simulation.trace import Trace
from cloud.twin.clock import VirtualClock
from cloud.twin.cloudwatch import CloudWatchModel
from cloud.twin.ecr.api import EcrModel
from cloud.twin.ecs.api import EcsModel
from cloud.twin.ecs.services import Service
from cloud.twin.elbv2.api import Elbv2Model
from cloud.twin.rds.api import RdsModel
from cloud.twin.scripted import NoTraffic
from cloud.twin.twin import Twin
from cloud.twin.world import World


class Cloud:
    """The models, what connects them, and what is kept of one run."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.rng = random.Random(0)
        self.trace = Trace()
        # How many invocations, deliveries and retries are under way.
        self.busy = 0
        # What the functions have logged, where somebody listens.
        self.logged: list[str] = []
        self.on_state: Callable[[str, str], None] | None = None
        self._connect()
        self._build_twin()
        self._build_models()

    def _connect(self) -> None:
        self.calls = Calls(self)
        self.lambdas = Lambdas(self)
        self.bus = EventBus(self)
        self.stream = Stream(self)
        self.web = Web(self)

    def _build_twin(self) -> None:
        world = World(self.clock, random.Random(0), self.bus.emit)
        self.engines = Engines(self.clock)
        self.twin = Twin(world)
        self.ecr = EcrModel(world)
        self.elbv2 = Elbv2Model(world, self.engines.probe, NoTraffic())
        self.cloudwatch = CloudWatchModel(world)
        self.ecs = EcsModel(
            world, self.engines.tasks, self.elbv2, self.cloudwatch, self.ecr.resolve_image
        )
        self.rds = RdsModel(world)
        for name in TWIN:
            self.twin.add(name, getattr(self, name))

    def _build_models(self) -> None:
        self.table = Table()
        self.table.written = self.stream.append
        self.machine = StateMachine(self)
        self.slack = Slack()
        self.secrets = Secrets()
        self.logs = Logs(self.engines.log)

    def begin(self, plan: Plan, seed: int) -> None:
        """Begin a run: chance from the seed, faults from the plan."""
        self.rng.seed(seed)
        self.twin.world.random.seed(seed + 1)
        self.calls.begin(plan)
        self.bus.begin(plan)
        for name, seconds in template().schedules.items():
            self.lambdas.schedule(name, seconds)

    def forget(self) -> None:
        """Drop what a run must not see of the time before it."""
        self.clock._heap.clear()
        self.twin.calls.clear()
        self.trace = Trace()
        self.calls.forget()
        self.bus.forget()
        self.lambdas.instances.clear()
        self.machine.forget_tokens()
        self.table.forget_tokens()
        self.slack.messages.clear()

    def services(self) -> list[Service]:
        """Every ECS service."""
        return list(self.ecs._services.services.values())

    # What Step Functions asks for

    def invoke(self, function_arn: str, payload: dict[str, Any], ended: Ended) -> None:
        self.lambdas.invoke(function_arn, payload, ended)

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
        event = self.bus.envelope("aws.states", kind, detail)
        self.bus.emit({**event, "resources": [execution.arn]})

    def state_entered(self, execution: Execution, state: str) -> None:
        self.trace.state(self.clock.elapsed, execution.name, state)
        if self.on_state is not None:
            self.on_state(execution.name, state)
