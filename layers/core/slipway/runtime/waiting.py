"""Park, start, check: how a step waits without sleeping and without a poll loop.

A step that may take long is called with a task token. It parks the token under the keys it is
going to wait for *before* it looks (looking first could lose the wake-up between look and park),
and answers by token. The same function listens to the service events behind those keys: an event
resumes whoever is parked under it, and the same look is taken again. An event is only a hint.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, Protocol, TypeVar

from slipway.domain.errors import ControlPlaneError, Reason, Transient
from slipway.domain.model import Model
from slipway.domain.text import cut
from slipway.journal import retry_when_moved
from slipway.ports.waiting import Parked, Parking
from slipway.steps.step import StepRequest, StepResult
from slipway.waits import Key

Request = TypeVar("Request", bound=StepRequest)

# Two looks at one record can meet; the one that lost looks again.
_LOOKS: Final = 6
# Step Functions refuses a cause of more than 32,768 characters, and then nobody would be answered.
_CAUSE: Final = 4000
# The table forgets a parked request long after any deadline; forgetting decides nothing.
_KEPT: Final = timedelta(days=30)


class Tokens(Protocol):
    """Step Functions' answers by task token; False when a later try owns the state."""

    def success(self, token: str, output: str) -> bool: ...

    def failure(self, token: str, error: str, cause: str) -> bool: ...


class Call(Model):
    """What the state machine sends: the request, and the token to answer with."""

    request: dict[str, Any]
    task_token: str | None = None


class Found(Model):
    """What one look found, for the log."""

    deployment_id: str
    done: bool
    reason: Reason
    message: str


@dataclass(frozen=True)
class Step(Generic[Request]):
    """A waiting step: how to read its request, what it waits for, and how it looks."""

    name: str
    request: type[Request]
    keys: Callable[[Request], tuple[Key, ...]]
    look: Callable[[Request], StepResult]


@dataclass(frozen=True)
class Waiting:
    """The waiting room: where requests are parked and how they are answered."""

    parking: Parking
    tokens: Tokens
    now: Callable[[], datetime]

    def serve(
        self, step: Step[Request], event: dict[str, Any], woken_by: Iterable[Key]
    ) -> list[Found]:
        """Take a look for every request behind this event.

        ``woken_by`` are the keys that an outside event names; the state machine's own call names
        none. Without a token the look's result is all there is.
        """
        if "detail-type" in event:
            return self._resume_all(step, self._woken(step, woken_by))
        call = Call.model_validate(event)
        request = step.request.model_validate(call.request)
        if call.task_token is None:
            return [_found(request, _settled_look(step, request))]
        return [self._answer(step, request, self._park(step, request, call.task_token))]

    def _woken(self, step: Step[Request], keys: Iterable[Key]) -> list[Parked]:
        found = [parked for key in keys for parked in self.parking.parked_under(_place(step, key))]
        return list({parked.token: parked for parked in found}.values())

    def _park(self, step: Step[Request], request: Request, token: str) -> list[Parked]:
        parked = _parked(step, request, token, self.now() + _KEPT)
        self.parking.park(parked)
        return parked

    def _resume_all(self, step: Step[Request], woken: Iterable[Parked]) -> list[Found]:
        """Look for everybody who was woken; one that has to be called again stops no other."""
        found: list[Found] = []
        again: Transient | None = None
        for parked in woken:
            try:
                found.append(self._resume(step, parked))
            except Transient as error:
                again = error
        if again is not None:
            raise again
        return found

    def _resume(self, step: Step[Request], parked: Parked) -> Found:
        request = step.request.model_validate_json(parked.request)
        everywhere = _parked(step, request, parked.token, parked.expires_at)
        return self._answer(step, request, everywhere)

    def _answer(self, step: Step[Request], request: Request, parked: list[Parked]) -> Found:
        token = parked[0].token
        try:
            result = _settled_look(step, request)
        except Transient:
            # The state's own Retry, or the event's, calls again; the request stays parked.
            raise
        except ControlPlaneError as error:
            self.tokens.failure(token, type(error).__name__, cut(str(error), _CAUSE))
            self.parking.leave(parked)
            return Found(
                deployment_id=request.deployment_id,
                done=True,
                reason=error.reason,
                message=error.message,
            )
        if result.done:
            self.tokens.success(token, result.model_dump_json())
            self.parking.leave(parked)
        return _found(request, result)


def _place(step: Step[Request], key: Key) -> str:
    """Where a step parks under a key: two steps of one deployment wait for the same."""
    return f"{step.name}:{key}"


def _parked(
    step: Step[Request], request: Request, token: str, expires_at: datetime
) -> list[Parked]:
    return [
        Parked(
            key=_place(step, key),
            waiting_id=request.deployment_id,
            token=token,
            request=request.model_dump_json(),
            expires_at=expires_at,
        )
        for key in step.keys(request)
    ]


def _settled_look(step: Step[Request], request: Request) -> StepResult:
    """The step's result; a record that moved on meanwhile is read again at once."""
    return retry_when_moved(
        lambda: step.look(request),
        attempts=_LOOKS,
        otherwise=f"{request.deployment_id} is being written too often.",
    )


def _found(request: StepRequest, result: StepResult) -> Found:
    return Found(
        deployment_id=request.deployment_id,
        done=result.done,
        reason=result.reason,
        message=result.message,
    )
