"""Lambda's side of an invocation: who asks for it, when it starts, and when it is over."""

from functools import partial
from typing import TYPE_CHECKING, Any

from cloud.simulation.execution import Ended, Failed
from cloud.simulation.faults import CallKind
from cloud.simulation.lambdas import Invocation, Killed, timed_out
from cloud.simulation.template import Function, template

if TYPE_CHECKING:
    from cloud.simulation.cloud import Cloud

Params = dict[str, Any]
# Lambda retries a failed asynchronous invocation twice, after one minute and after two.
_ASYNC_RETRY_SECONDS = (60.0, 120.0)
_ERRORS = {
    CallKind.PERMANENT: "Lambda.ResourceNotFoundException",
    CallKind.THROTTLE: "Lambda.TooManyRequestsException",
    CallKind.SERVER_ERROR: "Lambda.ServiceException",
    CallKind.TIMEOUT: "Lambda.SdkClientException",
    CallKind.CRASH_BEFORE: "Lambda.ServiceException",
}


class Lambdas:
    """The functions of template.yaml and their invocations."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._numbers = 0
        # What each function's process keeps from one invocation to the next.
        self.instances: dict[str, dict[Any, Any]] = {}

    def invoke(self, function_arn: str, payload: Params, ended: Ended) -> None:
        """Step Functions invokes a function; the Invoke call itself can fail."""
        cloud = self._cloud
        function = template().functions[function_arn.rsplit("-", 1)[-1]]
        kind = cloud.calls.next_fault("states", "lambda", f"Invoke-{function.name}")
        if kind in _ERRORS:
            failed = Failed(_ERRORS[kind], f"injected: {kind}")
            cloud.clock.call_later(0.1, lambda: ended(None, failed))
            return
        if kind in (CallKind.LOST, CallKind.CRASH_AFTER):
            self.start(function, payload, _ignore)
            failed = Failed("Lambda.Unknown", f"injected: {kind}")
            cloud.clock.call_later(0.1, lambda: ended(None, failed))
            return
        if kind is CallKind.REPEATED:
            self.start(function, payload, _ignore)
        delay = 50.0 if kind is CallKind.SLOW else 0.02
        cloud.clock.call_later(delay, lambda: self.start(function, payload, ended))

    def invoke_async(self, name: str, event: Params, retries: int = 0) -> None:
        """An asynchronous invocation, retried as Lambda does."""
        cloud = self._cloud
        cloud.busy += 1

        def ended(_: Any, failed: Failed | None) -> None:
            cloud.busy -= 1
            if failed is not None and retries < len(_ASYNC_RETRY_SECONDS):
                cloud.busy += 1
                cloud.clock.call_later(_ASYNC_RETRY_SECONDS[retries], retry)

        def retry() -> None:
            cloud.busy -= 1
            self.invoke_async(name, event, retries + 1)

        self.start(template().functions[name], event, ended)

    def schedule(self, name: str, seconds: float) -> None:
        """Invoke a function at a rate."""
        self._cloud.clock.call_later(seconds, partial(self._tick, name, seconds))

    def _tick(self, name: str, seconds: float) -> None:
        self.schedule(name, seconds)
        self.invoke_async(name, self._cloud.bus.envelope("aws.events", "Scheduled Event", {}))

    def start(self, function: Function, event: Params, ended: Ended) -> None:
        """Run a function's code until its first call, and again after each."""
        cloud = self._cloud
        self._numbers += 1
        invocation = Invocation(function, event, self._numbers, ended)
        invocation.instance = self.instances.setdefault(function.name, {})
        cloud.busy += 1
        cloud.trace.invoked(cloud.clock.elapsed, invocation)
        cloud.clock.call_later(function.timeout, lambda: self._time_out(invocation))
        self.resume(invocation)

    def resume(self, invocation: Invocation) -> None:
        """Let an invocation go on after a call, unless it is over."""
        if invocation.over:
            return
        invocation.switch()
        if invocation.dead:
            self._finish(invocation, invocation.result, invocation.failed)

    def kill(self, invocation: Invocation, failed: Failed) -> None:
        """End a function's process from outside; the next invocation gets a fresh one."""
        self.instances.pop(invocation.function.name, None)
        if not invocation.dead:
            invocation.throw(Killed)
        self._finish(invocation, None, failed)

    def _time_out(self, invocation: Invocation) -> None:
        if not invocation.over:
            self.kill(invocation, timed_out(invocation.function))

    def _finish(self, invocation: Invocation, result: Any, failed: Failed | None) -> None:
        invocation.over = True
        self._cloud.busy -= 1
        self._cloud.trace.ended(self._cloud.clock.elapsed, invocation, result, failed)
        invocation.ended(result, failed)


def _ignore(result: Any, failed: Failed | None) -> None:
    """Whoever asked for the invocation does not learn how it ended."""
