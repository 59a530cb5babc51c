"""DynamoDB, exactly as far as the adapters use it: anything else is refused aloud."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from cloud.twin.errors import AwsError

Item = Mapping[str, Mapping[str, Any]]
Params = dict[str, Any]
Term = Callable[[Item | None, Params], bool]


class Unmodelled(Exception):
    """The simulator was asked for something of AWS that it does not model."""


class Change(NamedTuple):
    """One write of one item."""

    key: tuple[str, str]
    before: Item | None
    after: Item | None


class Operation(NamedTuple):
    """One part of a write: Put, Delete or ConditionCheck, with the item before and after it."""

    kind: str
    before: Item | None
    after: Item | None


# Of keys only, as template.yaml has it.
INDEXES = {"open": ("unsettled", "requested_at")}
_PAGE = 50
_KEYS = 100


class Table:
    """One table with a string partition key ``pk`` and a string sort key ``sk``."""

    def __init__(self) -> None:
        self.partitions: dict[str, dict[str, Item]] = {}
        self._indexed: dict[str, dict[tuple[str, str], Item]] = {name: {} for name in INDEXES}
        self.written: Callable[[list[Change]], None] | None = None
        self.operated: Callable[..., None] | None = None
        self._tokens: set[str] = set()
        # How an index gets to know of a write: at once, or later.
        self.later: Callable[[Callable[[], None]], None] | None = None
        # Whether BatchGetItem leaves half of the keys for the next call.
        self.halves = False

    def item(self, pk: str, sk: str) -> Item | None:
        """The item as last written."""
        return self.partitions.get(pk, {}).get(sk)

    def get_item(self, params: Params) -> Params:
        _only(params, "TableName", "Key", "ConsistentRead")
        found = self.item(*_place(params["Key"]))
        return {"Item": found} if found is not None else {}

    def batch_get_item(self, params: Params) -> Params:
        _only(params, "RequestItems")
        found: dict[str, list[Item]] = {}
        left: Params = {}
        for name, wanted in params["RequestItems"].items():
            _only(wanted, "Keys", "ConsistentRead")
            keys = wanted["Keys"]
            places = [_place(key) for key in keys]
            if len(places) > _KEYS or len(set(places)) != len(places):
                raise AwsError("ValidationException", "Too many items, or duplicates among them")
            done = (len(keys) + 1) // 2 if self.halves else len(keys)
            if keys[done:]:
                left[name] = {**wanted, "Keys": keys[done:]}
            items = [self.item(*place) for place in places[:done]]
            found[name] = [item for item in items if item is not None]
        return {"Responses": found, "UnprocessedKeys": left}

    def query(self, params: Params) -> Params:
        _only(
            params,
            "TableName",
            "IndexName",
            "ConsistentRead",
            "KeyConditionExpression",
            "ExpressionAttributeValues",
            "ScanIndexForward",
            "Limit",
            "ExclusiveStartKey",
        )
        found = self._found(params)
        if not params.get("ScanIndexForward", True):
            found.reverse()
        start = int(params.get("ExclusiveStartKey", {}).get("offset", {}).get("N", 0))
        end = start + params.get("Limit", _PAGE)
        answer: Params = {"Items": found[start:end], "Count": len(found[start:end])}
        if end < len(found):
            answer["LastEvaluatedKey"] = {"offset": {"N": str(end)}}
        return answer | {"ScannedCount": answer["Count"]}

    def put_item(self, params: Params) -> Params:
        self._write([("Put", params)], single=True)
        return {}

    def delete_item(self, params: Params) -> Params:
        self._write([("Delete", params)], single=True)
        return {}

    def transact_write_items(self, params: Params) -> Params:
        _only(params, "TransactItems", "ClientRequestToken")
        token = params.get("ClientRequestToken")
        if token in self._tokens:
            return {}
        self._write([next(iter(one.items())) for one in params["TransactItems"]], single=False)
        if token is not None:
            self._tokens.add(token)
        return {}

    def batch_write_item(self, params: Params) -> Params:
        _only(params, "RequestItems")
        for requests in params["RequestItems"].values():
            for request in requests:
                _only(request, "PutRequest")
                self._write([("Put", {"Item": request["PutRequest"]["Item"]})], single=True)
        return {"UnprocessedItems": {}}

    def forget_tokens(self) -> None:
        """Idempotency tokens are kept for ten minutes only."""
        self._tokens.clear()

    def _found(self, params: Params) -> list[Item]:
        if "IndexName" in params:
            return self._in_index(params)
        pk, prefix = _partition(params)
        items = self.partitions.get(pk, {})
        return [items[sk] for sk in sorted(items) if sk.startswith(prefix)]

    def _in_index(self, params: Params) -> list[Item]:
        partition, sort = INDEXES[params["IndexName"]]
        (_, name, value), *others = _equalities(params["KeyConditionExpression"])
        known = [("from", sort)] if others else []
        if name != partition or params.get("ConsistentRead"):
            raise Unmodelled(f"query {params}")
        if [(operator, key) for operator, key, _ in others] != known:
            raise Unmodelled(f"query {params}")
        values = params["ExpressionAttributeValues"]
        items = self._indexed[params["IndexName"]].values()
        found = [item for item in items if item[partition] == values[value]]
        for _, _, least in others:
            found = [item for item in found if _sortable(item[sort]) >= _sortable(values[least])]
        found.sort(key=lambda item: _sortable(item[sort]))
        kept = [projected(params["IndexName"], item) for item in found]
        return [item for item in kept if item is not None]

    def _write(self, operations: list[tuple[str, Params]], *, single: bool) -> None:
        places = [_place(params.get("Key") or params["Item"]) for _, params in operations]
        if len(set(places)) != len(places):
            message = "Transaction request cannot include multiple operations on one item"
            raise AwsError("ValidationException", message)
        holds = [
            _holds(params, self.item(*place))
            for (_, params), place in zip(operations, places, strict=True)
        ]
        if not all(holds):
            raise _refused(holds, single)
        if self.operated is not None:
            self.operated(self._operations(operations, places), single=single)
        changes = [
            self._apply(kind, params, place)
            for (kind, params), place in zip(operations, places, strict=True)
            if kind != "ConditionCheck"
        ]
        if self.written is not None:
            self.written(changes)

    def _operations(
        self, operations: list[tuple[str, Params]], places: list[tuple[str, str]]
    ) -> list[Operation]:
        befores = [self.item(*place) for place in places]
        return [
            Operation(kind, before, before if kind == "ConditionCheck" else params.get("Item"))
            for (kind, params), before in zip(operations, befores, strict=True)
        ]

    def _apply(self, kind: str, params: Params, place: tuple[str, str]) -> Change:
        pk, sk = place
        before = self.item(pk, sk)
        if kind == "Put":
            _only(params, *_WRITE, "Item")
            self.partitions.setdefault(pk, {})[sk] = params["Item"]
            self._known_to_indexes(place, params["Item"])
            return Change(place, before, params["Item"])
        if kind == "Delete":
            _only(params, *_WRITE, "Key")
            self.partitions.get(pk, {}).pop(sk, None)
            self._known_to_indexes(place, {})
            return Change(place, before, None)
        raise Unmodelled(f"write operation {kind}")

    def _known_to_indexes(self, place: tuple[str, str], item: Item) -> None:
        if self.later is None:
            self._index(place, item)
        else:
            self.later(lambda: self._index(place, item))

    def _index(self, place: tuple[str, str], item: Item) -> None:
        """An index holds the items that carry both of its attributes."""
        for name, (partition, sort) in INDEXES.items():
            if partition in item and sort in item:
                self._indexed[name][place] = item
            else:
                self._indexed[name].pop(place, None)


def projected(index: str, item: Item | None) -> Item | None:
    """What an index holds of an item; None when it lacks one of the index's keys."""
    partition, sort = INDEXES[index]
    if item is None or partition not in item or sort not in item:
        return None
    return {name: item[name] for name in ("pk", "sk", partition, sort)}


_WRITE = (
    "TableName",
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
)


def _place(key: Item) -> tuple[str, str]:
    return key["pk"]["S"], key["sk"]["S"]


def _only(params: Params, *known: str) -> None:
    unknown = params.keys() - set(known)
    if unknown:
        raise Unmodelled(f"parameters {sorted(unknown)} in {params}")


def _refused(holds: list[bool], single: bool) -> AwsError:
    if single:
        return AwsError("ConditionalCheckFailedException", "The conditional request failed")
    codes = [{"Code": "None" if held else "ConditionalCheckFailed"} for held in holds]
    message = "Transaction cancelled, please refer cancellation reasons for specific reasons"
    return AwsError("TransactionCanceledException", message, CancellationReasons=codes)


def _holds(params: Params, item: Item | None) -> bool:
    expression = params.get("ConditionExpression")
    return expression is None or all(term(item, params) for term in _terms(expression))


@cache
def _terms(expression: str) -> tuple[Term, ...]:
    return tuple(_term(part.strip()) for part in expression.split(" AND "))


def _term(text: str) -> Term:
    if absent := re.fullmatch(r"attribute_not_exists\((#?\w+)\)", text):
        name = absent[1]
        return lambda item, params: item is None or _named(name, params) not in item
    if equal := re.fullmatch(r"(#?\w+) = (:\w+)", text):
        name, value = equal[1], equal[2]
        return lambda item, params: (
            item is not None
            and item.get(_named(name, params)) == params["ExpressionAttributeValues"][value]
        )
    raise Unmodelled(f"condition '{text}'")


def _named(name: str, params: Params) -> str:
    return params["ExpressionAttributeNames"][name] if name.startswith("#") else name


@cache
def _equalities(expression: str) -> tuple[tuple[str, str, str], ...]:
    found = []
    for part in expression.split(" AND "):
        if equal := re.fullmatch(r"(\w+) = (:\w+)", part):
            found.append(("=", equal[1], equal[2]))
        elif prefix := re.fullmatch(r"begins_with\((\w+), (:\w+)\)", part):
            found.append(("begins_with", prefix[1], prefix[2]))
        elif least := re.fullmatch(r"(\w+) >= (:\w+)", part):
            found.append(("from", least[1], least[2]))
        else:
            raise Unmodelled(f"key condition '{part}'")
    return tuple(found)


def _partition(params: Params) -> tuple[str, str]:
    """The partition and the sort key's prefix that a query asks for."""
    values = params["ExpressionAttributeValues"]
    named = {
        (op, name): values[value]["S"]
        for op, name, value in _equalities(params["KeyConditionExpression"])
    }
    if not named.keys() <= {("=", "pk"), ("begins_with", "sk")}:
        raise Unmodelled(f"key condition '{params['KeyConditionExpression']}'")
    return named["=", "pk"], named.get(("begins_with", "sk"), "")


def _sortable(value: Mapping[str, Any]) -> Any:
    return float(value["N"]) if "N" in value else value["S"]
