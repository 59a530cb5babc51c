"""Executions that ended without Settle: stopped, timed out, or failed inside Step Functions."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from slipway.domain.deployment import CHANGING_PHASES, Deployment, Phase
from slipway.domain.errors import Reason, Rejected, Transient
from slipway.ports.control import Executions
from slipway.ports.records import Records
from slipway.steps.settle import SettleRequest
from slipway.steps.step import Caught


class _Detail(BaseModel):
    """Step Functions' own words for an execution whose status changed."""

    model_config = ConfigDict(extra="ignore")

    name: str = ""
    deployment_id: str = ""
    status: str = "LOST"
    error: str | None = None
    cause: str | None = None


def settle_request(
    event: dict[str, Any], *, records: Records, executions: Executions
) -> SettleRequest:
    """What is to be settled: the state machine's own request, or one made of an event.

    An event is only a hint, so the execution is looked up: one that runs is not settled.
    """
    if "detail-type" not in event:
        return SettleRequest.model_validate(event)
    try:
        detail = _Detail.model_validate(event.get("detail"))
    except ValidationError:
        raise Rejected(Reason.EVENT_MALFORMED, "The event names no execution.") from None
    deployment = records.deployment(detail.name or detail.deployment_id)
    if deployment.outcome is None:
        _refuse_while_running(deployment, executions)
    return _request(deployment, detail)


def _refuse_while_running(deployment: Deployment, executions: Executions) -> None:
    """Raise Rejected while the execution runs, Transient while its last function may.

    Until a snapshot is requested, a late function only finds that the record has moved on.
    Afterwards it may be about to change the world, and the lane is not freed under it.
    """
    if executions.running(deployment.deployment_id):
        message = f"The execution of {deployment.deployment_id} is still running."
        raise Rejected(Reason.EXECUTION_RUNNING, message)
    if may_still_change(deployment, executions):
        message = f"The last function of {deployment.deployment_id} may still be running."
        raise Transient(Reason.CALL_UNDER_WAY, message)


def may_still_change(deployment: Deployment, executions: Executions) -> bool:
    """Whether an ended execution may have left a function behind that changes something."""
    changing = deployment.phase in CHANGING_PHASES | {Phase.BACKING_UP}
    return changing and executions.at_work(deployment.deployment_id)


def request_for_lost(deployment: Deployment) -> SettleRequest:
    """The request to settle a deployment whose execution is gone, and whose event never came."""
    return _request(deployment, _Detail())


def _request(deployment: Deployment, detail: _Detail) -> SettleRequest:
    return SettleRequest(
        deployment_id=deployment.deployment_id,
        lane=deployment.lane_id,
        failure=Caught(state=deployment.phase, error="ExecutionStopped", cause=_cause_text(detail)),
    )


def _cause_text(detail: _Detail) -> str:
    why = ": ".join(part for part in (detail.error, detail.cause) if part)
    said = f"The execution ended as {detail.status}" + (f" ({why})." if why else ".")
    return f"{Reason.EXECUTION_STOPPED}: {said}"
