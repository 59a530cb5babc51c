"""Park, start, check: how a step waits without sleeping and without polling.

A step that may take long is called with a task token. It parks the token under the keys that it
waits for *before* it checks the state of the world (an event between check and park would be lost)
and answers by token. The same function receives the service events behind those keys: an event
resumes the steps parked under its keys, and each of them checks again. An event is only a hint.
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

# Two checks may write one record at the same time; the one that loses starts over.
_LOOKS: Final = 6
# Step Functions rejects a cause of more than 32,768 characters, and the state would never end.
_CAUSE: Final = 4000
# DynamoDB deletes a parked request long after any deadline; nothing depends on it.
_KEPT: Final = timedelta(days=30)


class Tokens(Protocol):
    """Answers to Step Functions by task token; False when nothing waits for the token any more."""

    def success(self, token: str, output: str) -> bool: ...

    def failure(self, token: str, error: str, cause: str) -> bool: ...


class Call(Model):
    """What the state machine sends: the request, and the token to answer with."""

    request: dict[str, Any]
    task_token: str | None = None


class Check(Model):
    """The result of one check, for the log."""

    deployment_id: str
    done: bool
    reason: Reason
    message: str


@dataclass(frozen=True)
class Step(Generic[Request]):
    """A waiting step: its request, the keys that it waits for, and how it checks."""

    name: str
    request: type[Request]
    keys: Callable[[Request], tuple[Key, ...]]
    look: Callable[[Request], StepResult]


@dataclass(frozen=True)
class Waiting:
    """Parks requests, resumes them and answers them."""

    parking: Parking
    tokens: Tokens
    now: Callable[[], datetime]

    def serve(
        self, step: Step[Request], event: dict[str, Any], woken_by: Iterable[Key]
    ) -> list[Check]:
        """Check every step that this event is about.

        ``woken_by`` are the keys of a service event; the call of the state machine has none. A
        call without a token is only checked, not parked.
        """
        if "detail-type" in event:
            return self._resume_all(step, self._parked_under(step, woken_by))
        call = Call.model_validate(event)
        request = step.request.model_validate(call.request)
        if call.task_token is None:
            return [_check(request, _look(step, request))]
        return [self._answer(step, request, self._park(step, request, call.task_token))]

    def _parked_under(self, step: Step[Request], keys: Iterable[Key]) -> list[Parked]:
        found = [parked for key in keys for parked in self.parking.parked_under(_place(step, key))]
        return list({parked.token: parked for parked in found}.values())

    def _park(self, step: Step[Request], request: Request, token: str) -> list[Parked]:
        parked = _parkings(step, request, token, self.now() + _KEPT)
        self.parking.park(parked)
        return parked

    def _resume_all(self, step: Step[Request], woken: Iterable[Parked]) -> list[Check]:
        """Check every step that was woken; one that has to be retried does not stop the others."""
        checks: list[Check] = []
        failed: Transient | None = None
        for parked in woken:
            try:
                checks.append(self._resume(step, parked))
            except Transient as error:
                failed = error
        if failed is not None:
            raise failed
        return checks

    def _resume(self, step: Step[Request], parked: Parked) -> Check:
        request = step.request.model_validate_json(parked.request)
        everywhere = _parkings(step, request, parked.token, parked.expires_at)
        return self._answer(step, request, everywhere)

    def _answer(self, step: Step[Request], request: Request, parked: list[Parked]) -> Check:
        token = parked[0].token
        try:
            result = _look(step, request)
        except Transient:
            # Step Functions, or Lambda for an event, retries; the request stays parked.
            raise
        except ControlPlaneError as error:
            self.tokens.failure(token, type(error).__name__, cut(str(error), _CAUSE))
            self.parking.leave(parked)
            return Check(
                deployment_id=request.deployment_id,
                done=True,
                reason=error.reason,
                message=error.message,
            )
        if result.done:
            self.tokens.success(token, result.model_dump_json())
            self.parking.leave(parked)
        return _check(request, result)


def _place(step: Step[Request], key: Key) -> str:
    """The key with the step's name: two steps of one deployment may wait for the same key."""
    return f"{step.name}:{key}"


def _parkings(
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


def _look(step: Step[Request], request: Request) -> StepResult:
    """The step's result; it starts over at once when the record has moved on meanwhile."""
    return retry_when_moved(
        lambda: step.look(request),
        attempts=_LOOKS,
        otherwise=f"{request.deployment_id} is being written too often.",
    )


def _check(request: StepRequest, result: StepResult) -> Check:
    return Check(
        deployment_id=request.deployment_id,
        done=result.done,
        reason=result.reason,
        message=result.message,
    )
