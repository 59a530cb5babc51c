"""The AWS wire protocols: an HTTP request into a call of the models, its answer into HTTP."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from botocore.utils import parse_timestamp
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug import Request, Response

from cloud.twin.errors import AwsError

# The signing name in the credential scope, and the boto3 client it stands for.
CLIENTS = {
    "ecs": "ecs",
    "ecr": "ecr",
    "rds": "rds",
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
}
_SCOPE = re.compile(r"Credential=[^/]*/[^/]*/[^/]*/([^/]*)/aws4_request")


@dataclass(frozen=True)
class Operation:
    """One request, read: which operation of which client, and in which protocol."""

    client: str
    protocol: str
    model: OperationModel
    params: dict[str, Any]


def read(request: Request) -> Operation:
    """Read a signed AWS request (JSON 1.x or Query); raises AwsError if it cannot be read."""
    client = client_of(request)
    service = _service(client)
    protocol = "json" if "X-Amz-Target" in request.headers else "query"
    model = _operation(service, _operation_name(request))
    parser = PROTOCOL_PARSERS[protocol](model, timestamp_parser=_aware)
    try:
        params = parser.parse(_as_moto_reads(request))
    except (ValueError, KeyError) as cause:
        raise AwsError("SerializationException", f"The request is unreadable: {cause}") from cause
    return Operation(client, protocol, model, params)


def client_of(request: Request) -> str:
    """The boto3 client name of a signed request, from its credential scope."""
    scope = _SCOPE.search(request.headers.get("Authorization", ""))
    client = CLIENTS.get(scope.group(1)) if scope else None
    if client is None:
        raise AwsError(
            "MissingAuthenticationToken",
            f"The request is not signed for one of {', '.join(sorted(CLIENTS))}.",
            403,
        )
    return client


def write(operation: Operation, result: dict[str, Any]) -> Response:
    """The HTTP response of a successful call."""
    serializer = get_serializer_class(operation.client, operation.protocol)(operation.model)
    answer = serializer.serialize(result)
    return Response(answer["body"], answer["status_code"], headers=dict(answer["headers"]))


def write_error(protocol: str, error: AwsError) -> Response:
    """The HTTP response of a refused call."""
    if protocol == "json":
        body = json.dumps({"__type": error.code, "message": error.message, **error.members})
        return Response(body, error.status, content_type="application/x-amz-json-1.1")
    fault = "Sender" if error.status < 500 else "Receiver"
    body = (
        f"<ErrorResponse><Error><Type>{fault}</Type><Code>{escape(error.code)}</Code>"
        f"<Message>{escape(error.message)}</Message></Error>"
        "<RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"
    )
    return Response(body, error.status, content_type="text/xml")


@cache
def _service(client: str) -> ServiceModel:
    return get_service_model(client)


def _operation(service: ServiceModel, name: str) -> OperationModel:
    if name not in service.operation_names:
        raise AwsError("UnknownOperationException", f"{service.service_name} has no {name}.")
    model: OperationModel = service.operation_model(name)
    return model


def _operation_name(request: Request) -> str:
    target = request.headers.get("X-Amz-Target")
    return target.rpartition(".")[2] if target else request.values.get("Action", "")


def _as_moto_reads(request: Request) -> Any:
    # The form is read first: werkzeug empties the stream with it, and JSON has none.
    values = request.values
    return {
        "body": request.get_data(),
        "headers": request.headers,
        "method": request.method,
        "url_params": {},
        "url_path": request.path,
        "values": values,
    }


def _aware(value: Any) -> datetime:
    return parse_timestamp(value)
