"""The input of the notify function: writes from the table's stream, or the sweep's Tell Again."""

from collections.abc import Callable
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from slipway.domain.errors import Reason, Rejected
from slipway.domain.notice import SLACK, state_of
from slipway.notices.notify import NotifyAllResult, NotifyRequest
from slipway.notices.outbox import NotifyStatus
from slipway.ports.records import Records
from slipway.runtime.observability import logger

_KIND: Final = "Deployment"
# An operator has to look: the message was rejected, or it may or may not have arrived.
_FOR_OPERATORS: Final = (NotifyStatus.REFUSED, NotifyStatus.UNCLEAR)


class _Lenient(BaseModel):
    """Ignores unknown fields, because AWS adds fields to its events."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class _Undelivered(_Lenient):
    deployment_id: str = Field(min_length=1, max_length=80)
    # The sweep of Slipway 0.1.0 does not send it.
    destination: str = Field(default=SLACK, min_length=1, max_length=80)


class _TellAgainEvent(_Lenient):
    id: str = Field(min_length=1, max_length=128)
    detail: _Undelivered


def deployment_writes(event: dict[str, Any]) -> list[NotifyRequest]:
    """The writes of deployments in a batch of the stream (view type NEW_AND_OLD_IMAGES).

    Incomplete writes are included: notify reports them as unreadable and goes on.
    """
    items = event.get("Records")
    changes = [_at(item, "dynamodb") for item in items] if isinstance(items, list) else []
    return [_request(change) for change in changes if _text(change, "NewImage", "kind") == _KIND]


def undelivered(event: dict[str, Any], records: Records) -> list[NotifyRequest]:
    """The deployment that the sweep found unreported at a destination, as it is now.

    Empty for any other event, and when the destination has caught up or the deployment has moved
    on: the stream reports newer states. Rejected when the event is malformed or names no
    deployment.
    """
    if event.get("detail-type") != "Tell Again":
        return []
    checked = _parse(event)
    number, asked = checked.id, checked.detail
    deployment, destination = records.deployment(asked.deployment_id), asked.destination
    if not records.notice(deployment.deployment_id, destination).lacks(state_of(deployment)):
        return []
    after = deployment.model_dump_json()
    return [
        NotifyRequest(sequence_number=number, before=None, after=after, destination=destination)
    ]


def _parse(event: dict[str, Any]) -> _TellAgainEvent:
    try:
        return _TellAgainEvent.model_validate(event)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "event"
        raise Rejected(Reason.EVENT_MALFORMED, f"{field}: {first['msg']}") from None


def _request(change: Any) -> NotifyRequest:
    return NotifyRequest(
        sequence_number=str(_at(change, "SequenceNumber") or ""),
        before=_text(change, "OldImage", "document") or None,
        after=_text(change, "NewImage", "document"),
    )


def _text(change: Any, image: str, attribute: str) -> str:
    """A text attribute of the item before or after the write; empty when missing."""
    found = _at(change, image, attribute, "S")
    return found if isinstance(found, str) else ""


def _at(value: Any, *path: str) -> Any:
    """The value at a path of nested objects; None when missing."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def log_results(batch: NotifyAllResult) -> None:
    """Log the result of every notification; the UntoldAlarm of template.yaml counts errors."""
    for result in batch.results:
        _log_at(result.ending)("notification processed", extra=result.model_dump(mode="json"))
    if batch.failed is not None:
        extra = {"from": batch.failed, "problem": batch.problem}
        logger.warning("notifications will be retried", extra=extra)


def _log_at(ending: NotifyStatus) -> Callable[..., None]:
    if ending in _FOR_OPERATORS:
        return logger.error
    return logger.warning if ending is NotifyStatus.LATER else logger.info
