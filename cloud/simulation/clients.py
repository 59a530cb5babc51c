"""The boto3 boundary: clients that answer from the model, and where calls can go wrong."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Protocol

from botocore import xform_name
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator

from cloud.simulation.faults import CallKind
from cloud.simulation.table import Unmodelled
from cloud.twin.errors import AwsError

Params = dict[str, Any]
# Paginators by what carries the next page from answer to request, and the page size's name.
_PAGES = {
    ("dynamodb", "query"): ("LastEvaluatedKey", "ExclusiveStartKey", "Limit"),
    ("stepfunctions", "list_executions"): ("nextToken", "nextToken", "maxResults"),
    ("ecr", "describe_images"): ("nextToken", "nextToken", "maxResults"),
    ("ecs", "list_tasks"): ("nextToken", "nextToken", "maxResults"),
    ("elbv2", "describe_listeners"): ("NextMarker", "Marker", "PageSize"),
    ("elbv2", "describe_rules"): ("NextMarker", "Marker", "PageSize"),
}
_CODES = {
    CallKind.PERMANENT: ("AccessDeniedException", 400),
    CallKind.THROTTLE: ("ThrottlingException", 400),
    CallKind.SERVER_ERROR: ("InternalServerError", 500),
}
# Answers that are the model's own state, which a caller must not get hold of.
_SHARED = frozenset({"DescribeTaskDefinition", "RegisterTaskDefinition", "DescribeAlarms"})
_ENDPOINT = "https://aws.example.com"


class Boundary(Protocol):
    """Where a call goes: the model behind it, with the faults of the run."""

    def perform(self, service: str, operation: str, params: Params) -> Params:
        """The answer of the model; AwsError when AWS would refuse, CallFailed at a fault."""


class CallFailed(Exception):
    """A call that failed as the plan of faults wants it."""

    def __init__(self, kind: CallKind) -> None:
        super().__init__(kind)
        self.kind = kind


class Client:
    """A boto3 client of the simulated cloud."""

    def __init__(self, service: str, boundary: Callable[[], Boundary]) -> None:
        self._service = service
        self._boundary = boundary
        self.meta = _Meta(service)

    def __getattr__(self, name: str) -> Callable[..., Params]:
        operation = operations(self._service).get(name)
        if operation is None:
            raise AttributeError(f"{self._service} has no operation {name}")

        def call(**params: Any) -> Params:
            _validate(self._service, operation, params)
            return answered(self._boundary(), self._service, operation, params)

        setattr(self, name, call)
        return call

    def get_paginator(self, name: str) -> "_Paginator":
        """The pages of one operation."""
        return _Paginator(getattr(self, name), *_PAGES[self._service, name])


class _Meta:
    """What adapters ask of a client's description."""

    partition = "aws"
    region_name = "us-east-1"

    def __init__(self, service: str) -> None:
        self._service = service

    @property
    def service_model(self) -> ServiceModel:
        return model(self._service)


class _Paginator:
    def __init__(self, call: Callable[..., Params], out: str, into: str, size: str) -> None:
        self._call, self._out, self._into, self._size = call, out, into, size

    def paginate(self, **params: Any) -> Iterator[Params]:
        config = params.pop("PaginationConfig", {})
        if config.keys() - {"PageSize"}:
            raise Unmodelled(f"PaginationConfig {config}")
        if "PageSize" in config:
            params[self._size] = config["PageSize"]
        while True:
            page = self._call(**params)
            yield page
            if not page.get(self._out):
                return
            params[self._into] = page[self._out]


def answered(boundary: Boundary, service: str, operation: str, params: Params) -> Params:
    """The answer, or what botocore would raise in its place."""
    try:
        answer = boundary.perform(service, operation, params)
    except AwsError as refused:
        raise _client_error(refused, operation) from None
    except CallFailed as failed:
        raise _raised(failed.kind, operation) from None
    return copied(answer) if operation in _SHARED else answer


def copied(value: Any) -> Any:
    """JSON-like data without anything shared, as it comes off the wire."""
    kind = type(value)
    if kind is dict:
        return {name: copied(one) for name, one in value.items()}
    if kind is list:
        return [copied(one) for one in value]
    return value


def _client_error(refused: AwsError, operation: str) -> ClientError:
    response = {
        "Error": {"Code": refused.code, "Message": refused.message},
        "ResponseMetadata": {"HTTPStatusCode": refused.status},
        **refused.members,
    }
    return ClientError(response, operation)  # type: ignore[arg-type]


def _raised(kind: CallKind, operation: str) -> Exception:
    if kind in _CODES:
        code, status = _CODES[kind]
        message = f"injected: {kind}"
        return _client_error(AwsError(code, message, status), operation)
    if kind is CallKind.TIMEOUT:
        return ConnectTimeoutError(endpoint_url=_ENDPOINT)
    return ReadTimeoutError(endpoint_url=_ENDPOINT)


@cache
def model(service: str) -> ServiceModel:
    """AWS's own description of a service, by the name of its boto3 client."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


@cache
def operations(service: str) -> dict[str, str]:
    """The operations of a service by their method's name."""
    return {xform_name(name): name for name in model(service).operation_names}


_validated: set[tuple[str, str, frozenset[str]]] = set()


def _validate(service: str, operation: str, params: Params) -> None:
    """Refuse what botocore would refuse; once for each set of parameter names."""
    shape = (service, operation, frozenset(params))
    if shape in _validated:
        return
    described = model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(params, described or Shape("Nothing", {}))
    if report.has_errors():
        raise Unmodelled(f"{service} {operation}: {report.generate_report()}")
    _validated.add(shape)
