"""DynamoDB's stream: the record's outbox, item by item in the order of the writes."""

from typing import Any, Final

from slipway.domain.notice import state_of
from slipway.ports import Records
from slipway.runtime.observability import logger
from slipway.steps.notify import Ending, NotifyAllResult, NotifyRequest

_KIND: Final = "Deployment"


def deployment_writes(event: dict[str, Any]) -> list[NotifyRequest]:
    """The writes of deployments in a batch of the stream (view type NEW_AND_OLD_IMAGES)."""
    changes = [record["dynamodb"] for record in event.get("Records", [])]
    return [_request(change) for change in changes if _is_deployment(change)]


def told_again(event: dict[str, Any], records: Records) -> list[NotifyRequest]:
    """The deployment whose end the sweep found refused, as it is now; nothing otherwise.

    What it has reached since then the stream still has to tell.
    """
    if event.get("detail-type") != "Tell Again":
        return []
    deployment = records.deployment(event["detail"]["deployment_id"])
    if not records.notice(deployment.deployment_id).lacks(state_of(deployment)):
        return []
    after = deployment.model_dump_json()
    return [NotifyRequest(sequence_number=event["id"], before=None, after=after)]


def _is_deployment(change: dict[str, Any]) -> bool:
    return bool(change.get("NewImage", {}).get("kind", {}).get("S") == _KIND)


def _request(change: dict[str, Any]) -> NotifyRequest:
    before = change.get("OldImage")
    return NotifyRequest(
        sequence_number=change["SequenceNumber"],
        before=before["document"]["S"] if before else None,
        after=change["NewImage"]["document"]["S"],
    )


def log_endings(told: NotifyAllResult) -> None:
    """Say what became of every state: a person has to look at a refusal."""
    for result in told.results:
        say = logger.error if result.ending is Ending.REFUSED else logger.info
        say("notified", extra=result.model_dump(mode="json"))
    if told.failed is not None:
        logger.warning("comes again", extra={"from": told.failed, "problem": told.problem})
