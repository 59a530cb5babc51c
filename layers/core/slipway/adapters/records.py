"""Records in DynamoDB: every write is one transaction over the versions that were read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from botocore.exceptions import ClientError

from slipway.adapters import items
from slipway.adapters.errors import aws_errors, code_of, message_of
from slipway.domain.approval import Approval
from slipway.domain.deployment import Deployment, unstored_plans
from slipway.domain.errors import Broken, ControlPlaneError, Reason, Rejected, Transient
from slipway.domain.evidence import Evidence
from slipway.domain.lane import DatabaseSlot, Lane
from slipway.domain.model import Versioned
from slipway.domain.notice import Notice
from slipway.domain.plan import Plan
from slipway.domain.seen import SeenTags
from slipway.ports.records import Admission, Fence

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        KeysAndAttributesOutputTypeDef,
        KeysAndAttributesTypeDef,
        TransactWriteItemTypeDef,
        UniversalAttributeValueTypeDef,
    )

# TransactWriteItems is no IAM action: each part is authorised as the operation it stands for.
PERMISSIONS: Final = (
    "dynamodb:GetItem",
    "dynamodb:BatchGetItem",
    "dynamodb:Query",
    "dynamodb:PutItem",
    "dynamodb:ConditionCheckItem",
)

_IS_NEW: Final = "attribute_not_exists(pk)"
_IS_AS_READ: Final = "version = :read"
_IS_HELD: Final = "holder = :deployment AND fencing = :fencing"

_MOVED: Final = frozenset({"ConditionalCheckFailed", "TransactionConflict"})
_BUSY: Final = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})


# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
_KEYS_AT_ONCE: Final = 100
_ATTEMPTS: Final = 10


class DynamoDBRecords:
    """Records in one DynamoDB table."""

    def __init__(self, client: "DynamoDBClient", table_name: str) -> None:
        self._client = client
        self._table = table_name

    def deployment(self, deployment_id: str) -> Deployment:
        """The deployment as last written; Rejected when it does not exist."""
        found = self.deployments([deployment_id])
        if not found:
            raise Rejected(Reason.DEPLOYMENT_UNKNOWN, f"There is no deployment '{deployment_id}'.")
        return found[0]

    def plan(self, deployment_id: str) -> Plan | None:
        """The deployment's plan; None before it is made."""
        return self._read(items.plan_key(deployment_id), Plan)

    def lane(self, application: str, environment: str) -> Lane:
        """The lane; a new one when nothing was ever deployed there."""
        new = Lane(application=application, environment=environment)
        return self._read(items.lane_key(new.lane_id), Lane) or new

    def database_slot(self, database_id: str) -> DatabaseSlot:
        """Who migrates this database."""
        found = self._read(items.slot_key(database_id), DatabaseSlot)
        return found or DatabaseSlot(database_id=database_id)

    def approval(self, deployment_id: str) -> Approval | None:
        """The deployment's approval; None before it is requested."""
        return self._read(items.approval_key(deployment_id), Approval)

    def notice(self, deployment_id: str, destination: str) -> Notice:
        """The deployment's notice for this destination; a new one when nothing was sent."""
        found = self._read(items.notice_key(deployment_id, destination), Notice)
        return found or Notice(deployment_id=deployment_id, destination=destination)

    def admission(self, admission_id: str) -> Admission | None:
        """The admission of this wish; None when it was not seen before."""
        return self._read(items.admission_key(admission_id), Admission)

    def deployments(self, deployment_ids: Sequence[str]) -> list[Deployment]:
        """The deployments that exist, as last written, with their plans, in no order."""
        ids = list(dict.fromkeys(deployment_ids))
        keys = [key(one) for one in ids for key in (items.deployment_key, items.plan_key)]
        found = [items.deployment_or_plan(item) for item in self._read_items(keys)]
        plans = {one.deployment_id: one for one in found if isinstance(one, Plan)}
        kept = [one for one in found if isinstance(one, Deployment)]
        return [one.read_with(plans.get(one.deployment_id)) for one in kept]

    def lanes(self, lane_ids: Sequence[str]) -> list[Lane]:
        """The lanes; new ones where nothing was ever deployed."""
        found = {one.lane_id: one for one in self._read_all(lane_ids, items.lane_key, Lane)}
        return [found.get(lane_id) or Lane.new(lane_id) for lane_id in lane_ids]

    def database_slots(self, database_ids: Sequence[str]) -> list[DatabaseSlot]:
        """The slots of databases that were migrated before, in no order."""
        return self._read_all(database_ids, items.slot_key, DatabaseSlot)

    def admitted(self, admission_ids: Sequence[str]) -> frozenset[str]:
        """The wishes that a deployment serves."""
        found = self._read_all(admission_ids, items.admission_key, Admission)
        return frozenset(one.admission_id for one in found if one.deployment_id)

    def seen_tags(self, repositories: Sequence[str]) -> list[SeenTags]:
        """The tags of the repositories that were read before, in no order."""
        return self._read_all(repositories, items.seen_key, SeenTags)

    def untold(self, since: datetime) -> list[Notice]:
        """Notices not delivered since then; the index is eventually consistent."""
        keys = [items.key_of(item) for item in self._query_open(items.UNTOLD, since)]
        return [items.document_of(item, Notice) for item in self._read_items(keys)]

    @aws_errors()
    def evidence(self, deployment_id: str) -> list[Evidence]:
        """Every entry of the deployment's record, oldest first."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={
                ":pk": items.deployment_key(deployment_id)["pk"],
                ":prefix": {"S": items.EVIDENCE_PREFIX},
            },
        )
        return [items.document_of(item, Evidence) for page in pages for item in page["Items"]]

    def recent(self, lane: Lane, limit: int) -> list[Deployment]:
        """The newest deployments of a lane, at most 100, newest first, without their plans."""
        newest = lane.newest_ids(limit)
        return sorted(self._read_without_plans(newest), key=lambda one: one.number, reverse=True)

    def unsettled(self) -> list[Deployment]:
        """Every deployment without an outcome, oldest first, without its plan.

        The index is eventually consistent.
        """
        ids = [items.id_of(item) for item in self._query_open(items.UNSETTLED)]
        return sorted(self._read_without_plans(ids), key=lambda one: one.requested_at)

    def write(
        self,
        documents: Sequence[Versioned],
        *,
        evidence: Sequence[Evidence] = (),
        admission: Admission | None = None,
        fence: Fence | None = None,
    ) -> None:
        """Write all or nothing, in one transaction.

        Transient(RecordMoved) when a document has moved on since it was read, Rejected(LaneLost)
        when the fence no longer holds.
        """
        operations = [self._put_versioned(document, fence) for document in documents]
        operations += [self._put_new(items.plan_item(plan)) for plan in unstored_plans(documents)]
        operations += [self._put_new(items.evidence_item(entry)) for entry in evidence]
        if admission is not None:
            operations.append(self._put_new(items.admission_item(admission)))
        if fence is not None and not any(_is_fenced(document, fence) for document in documents):
            operations.append(self._fence_check(fence))
        self._transact(operations, fence)

    @aws_errors()
    def _read(self, key: "items.Key", model: type[items.M]) -> items.M | None:
        answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        item = answer.get("Item")
        return items.document_of(item, model) if item else None

    def _read_all(
        self, ids: Iterable[str], key: "Callable[[str], items.Key]", model: type[items.M]
    ) -> list[items.M]:
        """The documents with these keys, read consistently; missing ones are left out."""
        found = self._read_items([key(one) for one in dict.fromkeys(ids)])
        return [items.document_of(item, model) for item in found]

    def _read_without_plans(self, deployment_ids: Iterable[str]) -> list[Deployment]:
        return self._read_all(deployment_ids, items.deployment_key, Deployment)

    @aws_errors()
    def _read_items(self, keys: "Sequence[items.Key]") -> "list[items.Read]":
        found: list[items.Read] = []
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            found += self._read_some(keys[start : start + _KEYS_AT_ONCE])
        return found

    def _read_some(self, keys: "Sequence[items.Key]") -> "list[items.Read]":
        found: list[items.Read] = []
        left: Mapping[str, KeysAndAttributesTypeDef | KeysAndAttributesOutputTypeDef]
        left = {self._table: {"Keys": keys, "ConsistentRead": True}}
        for _ in range(_ATTEMPTS):
            answer = self._client.batch_get_item(RequestItems=left)
            found += answer["Responses"][self._table]
            # DynamoDB returns what exceeds 16 MB or the current throughput, to be asked for again.
            left = answer["UnprocessedKeys"]
            if not left:
                return found
        raise Transient(
            Reason.AWS_UNAVAILABLE, "BatchGetItem: DynamoDB repeatedly left some keys unprocessed."
        )

    @aws_errors()
    def _query_open(self, what: str, since: datetime | None = None) -> "list[items.Read]":
        """The keys in the open index under this name; it projects nothing else."""
        # A key attribute cannot be empty; every time sorts after "0".
        earliest = items.sortable(since) if since else "0"
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=items.OPEN,
            KeyConditionExpression="unsettled = :what AND requested_at >= :since",
            ExpressionAttributeValues={":what": {"S": what}, ":since": {"S": earliest}},
        )
        return [item for page in pages for item in page["Items"]]

    @aws_errors()
    def _transact(
        self, operations: "Sequence[TransactWriteItemTypeDef]", fence: Fence | None
    ) -> None:
        try:
            # With the token, botocore can safely retry a call whose response was lost.
            self._client.transact_write_items(
                TransactItems=operations, ClientRequestToken=str(uuid4())
            )
        except ClientError as error:
            if code_of(error) != "TransactionCanceledException":
                raise
            raise self._cancellation_error(error, fence) from error

    def _cancellation_error(self, error: ClientError, fence: Fence | None) -> ControlPlaneError:
        codes = _reason_codes(error)
        if codes & _MOVED:
            if fence is not None and not self._is_holding(fence):
                return _lane_lost_error(fence)
            return Transient(
                Reason.RECORD_MOVED, "The record was changed after it was read; read it again."
            )
        if codes & _BUSY:
            return Transient(Reason.AWS_UNAVAILABLE, f"TransactWriteItems: {message_of(error)}")
        return Broken(Reason.AWS_REFUSED, f"TransactWriteItems: {message_of(error)}")

    def _is_holding(self, fence: Fence) -> bool:
        """Whether the fence still holds.

        The cancellation reasons do not show it: when the lane itself is written, version and
        fence are one condition.
        """
        lane = self._read(items.lane_key(fence.lane_id), Lane)
        return lane is not None and (lane.holder, lane.fencing) == (
            fence.deployment_id,
            fence.fencing,
        )

    def _put_versioned(
        self, document: Versioned, fence: Fence | None
    ) -> "TransactWriteItemTypeDef":
        item = items.versioned_item(document)
        condition, values = _as_read(document)
        # A transaction may contain one operation per item, so a lane checks the fence itself.
        if fence is not None and _is_fenced(document, fence):
            condition, values = f"{condition} AND {_IS_HELD}", values | _fence_values(fence)
        if not values:
            return self._put_new(item)
        return {
            "Put": {
                "TableName": self._table,
                "Item": item,
                "ConditionExpression": condition,
                "ExpressionAttributeValues": values,
            }
        }

    def _put_new(self, item: "items.Item") -> "TransactWriteItemTypeDef":
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": _IS_NEW}}

    def _fence_check(self, fence: Fence) -> "TransactWriteItemTypeDef":
        return {
            "ConditionCheck": {
                "TableName": self._table,
                "Key": items.lane_key(fence.lane_id),
                "ConditionExpression": _IS_HELD,
                "ExpressionAttributeValues": _fence_values(fence),
            }
        }


def _as_read(document: Versioned) -> "tuple[str, dict[str, UniversalAttributeValueTypeDef]]":
    if document.version == 0:
        return _IS_NEW, {}
    return _IS_AS_READ, {":read": {"N": str(document.version)}}


def _fence_values(fence: Fence) -> "dict[str, UniversalAttributeValueTypeDef]":
    return {":deployment": {"S": fence.deployment_id}, ":fencing": {"N": str(fence.fencing)}}


def _is_fenced(document: Versioned, fence: Fence) -> bool:
    return isinstance(document, Lane) and document.lane_id == fence.lane_id


def _lane_lost_error(fence: Fence) -> Rejected:
    return Rejected(
        Reason.LANE_LOST, f"{fence.deployment_id} no longer holds {fence.lane_id} and must stop."
    )


def _reason_codes(error: ClientError) -> set[str]:
    reasons = error.response.get("CancellationReasons", [])
    return {reason.get("Code", "") for reason in reasons} - {"", "None"}
