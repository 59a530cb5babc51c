"""The table's layout: keys of the documents, and the attributes for conditions and indexes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import BaseModel

from slipway.domain.approval import Approval
from slipway.domain.deployment import Deployment
from slipway.domain.evidence import Evidence
from slipway.domain.lane import DatabaseSlot, Lane
from slipway.domain.model import Versioned
from slipway.domain.notice import SLACK, Notice
from slipway.domain.plan import Plan
from slipway.domain.seen import SeenTags
from slipway.ports.records import Admission

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, UniversalAttributeValueTypeDef

    Key = dict[str, UniversalAttributeValueTypeDef]
    Item = dict[str, UniversalAttributeValueTypeDef]
    Read = Mapping[str, AttributeValueTypeDef]

M = TypeVar("M", bound=BaseModel)

# The index of deployments without an outcome and of notices that were not delivered. It projects
# keys only, so updating an item that stays open does not write to the index.
OPEN: Final = "open"
UNSETTLED: Final = "yes"
UNTOLD: Final = "untold"
EVIDENCE_PREFIX: Final = "EVIDENCE#"
_DEPLOYMENT: Final = "DEPLOYMENT#"


def deployment_key(deployment_id: str) -> "Key":
    """The key of a deployment; its evidence, approval and notices share the partition."""
    return _key(f"{_DEPLOYMENT}{deployment_id}", "DEPLOYMENT")


def plan_key(deployment_id: str) -> "Key":
    """The key of a deployment's plan, which is written once."""
    return _key(f"{_DEPLOYMENT}{deployment_id}", "PLAN")


def approval_key(deployment_id: str) -> "Key":
    """The key of a deployment's approval."""
    return _key(f"{_DEPLOYMENT}{deployment_id}", "APPROVAL")


def notice_key(deployment_id: str, destination: str) -> "Key":
    """The key of a deployment's notice for a destination.

    Slack's is the key under which Slipway 0.1.0 kept the only one.
    """
    sort_key = "NOTICE" if destination == SLACK else f"NOTICE#{destination}"
    return _key(f"{_DEPLOYMENT}{deployment_id}", sort_key)


def lane_key(lane_id: str) -> "Key":
    """The key of a lane."""
    return _key(f"LANE#{lane_id}", "LANE")


def slot_key(database_id: str) -> "Key":
    """The key of a database's slot."""
    return _key(f"DATABASE#{database_id}", "SLOT")


def admission_key(admission_id: str) -> "Key":
    """The key of an admission."""
    return _key(f"ADMISSION#{admission_id}", "ADMISSION")


def seen_key(repository: str) -> "Key":
    """The key of what a repository's tags pointed to when they were last read."""
    return _key(f"REPOSITORY#{repository}", "SEEN")


def evidence_item(entry: Evidence) -> "Item":
    """One entry of a deployment's record, sorted by its number."""
    key = _key(f"{_DEPLOYMENT}{entry.deployment_id}", f"{EVIDENCE_PREFIX}{entry.number:06d}")
    return _item(key, entry, 1)


def plan_item(plan: Plan) -> "Item":
    """The plan as it is stored, once."""
    sealed = {"document": {"S": plan.text}}
    return _item(plan_key(plan.deployment_id), plan, 1) | sealed


def admission_item(admission: Admission) -> "Item":
    """The admission as it is stored."""
    return _item(admission_key(admission.admission_id), admission, 1)


def versioned_item(document: Versioned) -> "Item":
    """The document with its version increased by one, as the next write stores it."""
    written = document.model_copy(update={"version": document.version + 1})
    match written:
        case Deployment():
            return _item(deployment_key(written.deployment_id), written, written.version) | (
                _deployment_attributes(written)
            )
        case Approval():
            return _item(approval_key(written.deployment_id), written, written.version)
        case Notice():
            key = notice_key(written.deployment_id, written.destination)
            return _item(key, written, written.version) | _notice_attributes(written)
        case Lane():
            return _item(lane_key(written.lane_id), written, written.version) | (
                _lane_attributes(written)
            )
        case DatabaseSlot():
            return _item(slot_key(written.database_id), written, written.version)
        case SeenTags():
            return _item(seen_key(written.repository), written, written.version)
    raise TypeError(f"{type(document).__name__} is not stored in the table")


def document_of(item: "Read", model: type[M]) -> M:
    """The document in an item.

    Unknown fields are ignored: after a rollback to an older Slipway, what a newer one wrote must
    stay readable.
    """
    return model.model_validate_json(item["document"]["S"], extra="ignore")


def deployment_or_plan(item: "Read") -> Deployment | Plan:
    """A deployment or its plan, whichever the item is."""
    if item["kind"]["S"] == Plan.__name__:
        return document_of(item, Plan)
    return document_of(item, Deployment)


def key_of(item: "Read") -> "Key":
    """The key of an item."""
    return _key(item["pk"]["S"], item["sk"]["S"])


def id_of(item: "Read") -> str:
    """The deployment that an item belongs to, by its key."""
    return item["pk"]["S"].removeprefix(_DEPLOYMENT)


def _key(pk: str, sk: str) -> "Key":
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _item(key: "Key", document: BaseModel, version: int) -> "Item":
    return key | {
        "kind": {"S": type(document).__name__},
        "version": {"N": str(version)},
        "document": {"S": document.model_dump_json()},
    }


def _deployment_attributes(deployment: Deployment) -> "Item":
    # NotifyFunction's event filter accepts only items with this attribute.
    attributes: Item = {"news": {"S": "yes"}} if deployment.is_news else {}
    # An item without the index's keys is not in the index: a settled deployment leaves it.
    if deployment.outcome is not None:
        return attributes
    since = sortable(deployment.requested_at)
    return attributes | {"unsettled": {"S": UNSETTLED}, "requested_at": {"S": since}}


def _notice_attributes(notice: Notice) -> "Item":
    """Notices that were not delivered are in the open index, under a key of their own."""
    since = notice.lacking_since
    if since is None:
        return {}
    return {"unsettled": {"S": UNTOLD}, "requested_at": {"S": sortable(since)}}


def _lane_attributes(lane: Lane) -> "Item":
    attributes: Item = {"fencing": {"N": str(lane.fencing)}}
    if lane.holder is None:
        return attributes
    return attributes | {"holder": {"S": lane.holder}}


def sortable(moment: datetime) -> str:
    """A time as text that sorts chronologically."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
