"""DynamoDB's stream: the record's outbox, item by item in the order of the writes."""

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
# What a person has to look at: nobody was told, or nobody knows.
_TROUBLE: Final = (NotifyStatus.REFUSED, NotifyStatus.UNCLEAR)


class _Lenient(BaseModel):
    """AWS adds fields to its events; those that matter here are checked."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class _Untold(_Lenient):
    deployment_id: str = Field(min_length=1, max_length=80)
    # The sweep of Slipway 0.1.0 does not name it.
    destination: str = Field(default=SLACK, min_length=1, max_length=80)


class _TellAgain(_Lenient):
    id: str = Field(min_length=1, max_length=128)
    detail: _Untold


def deployment_writes(event: dict[str, Any]) -> list[NotifyRequest]:
    """The writes of deployments in a batch of the stream (view type NEW_AND_OLD_IMAGES).

    What is no write, or not whole, is left to notify to call unreadable: it holds up nothing.
    """
    items = event.get("Records")
    changes = [_at(item, "dynamodb") for item in items] if isinstance(items, list) else []
    return [_request(change) for change in changes if _text(change, "NewImage", "kind") == _KIND]


def told_again(event: dict[str, Any], records: Records) -> list[NotifyRequest]:
    """The deployment of which the sweep found a destination to lack something, as it is now, for
    that destination alone; nothing otherwise.

    What it has reached since then the stream still has to tell. Rejected when the event cannot be
    read, or names no deployment.
    """
    if event.get("detail-type") != "Tell Again":
        return []
    checked = _checked(event)
    number, asked = checked.id, checked.detail
    deployment, destination = records.deployment(asked.deployment_id), asked.destination
    if not records.notice(deployment.deployment_id, destination).lacks(state_of(deployment)):
        return []
    after = deployment.model_dump_json()
    return [
        NotifyRequest(sequence_number=number, before=None, after=after, destination=destination)
    ]


def _checked(event: dict[str, Any]) -> _TellAgain:
    try:
        return _TellAgain.model_validate(event)
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
    """A text attribute of the item before or after the write; empty when there is none."""
    found = _at(change, image, attribute, "S")
    return found if isinstance(found, str) else ""


def _at(value: Any, *path: str) -> Any:
    """What stands at a path of nested objects; None when there is nothing."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def log_endings(told: NotifyAllResult) -> None:
    """Say what became of every state; an error rings the alarm UntoldAlarm of template.yaml."""
    for result in told.results:
        _say(result.ending)("notified", extra=result.model_dump(mode="json"))
    if told.failed is not None:
        logger.warning(
            "stream batch will be retried", extra={"from": told.failed, "problem": told.problem}
        )


def _say(ending: NotifyStatus) -> Callable[..., None]:
    if ending in _TROUBLE:
        return logger.error
    return logger.warning if ending is NotifyStatus.LATER else logger.info
