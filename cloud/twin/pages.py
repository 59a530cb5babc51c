"""Long answers in pages, and how much one request may ask for, as each service has it."""

from collections.abc import Callable
from typing import Any

from cloud.twin.errors import AwsError

PAGE_SIZE = 100

Params = dict[str, Any]


def page(
    name: str, items: list[Any], params: Params, size: int = PAGE_SIZE, most: int = PAGE_SIZE
) -> Params:
    """One page of the items under the name; the token is the place where the next one starts.

    The `maxResults` and `nextToken` of ECS and ECR; InvalidParameterException for what is out of
    range.
    """
    wanted = params.get("maxResults")
    if wanted is not None and not 1 <= wanted <= most:
        message = f"maxResults should be between 1 and {most}; it is {wanted}."
        raise AwsError("InvalidParameterException", message)
    found, token = _cut(items, params.get("nextToken"), wanted or size, _invalid_token)
    return {name: found, **({"nextToken": token} if token else {})}


def marked_page(
    name: str, items: list[Any], params: Params, size: str, least: int, most: int
) -> Params:
    """As `page`, in the words of ELBv2 and RDS: `Marker`, and the size under its own name."""
    wanted = params.get(size)
    if wanted is not None and not least <= wanted <= most:
        message = f"{size} should be between {least} and {most}; it is {wanted}."
        raise AwsError(_OUT_OF_RANGE[size], message)
    found, token = _cut(items, params.get("Marker"), wanted or most, _invalid_marker)
    return {name: found, **({_NEXT[size]: token} if token else {})}


def at_most(most: int, name: str, params: Params) -> list[Any]:
    """What a request asks for under this name; InvalidParameterException for more than so many."""
    asked: list[Any] = params[name]
    if len(asked) > most:
        words = f"{name[0].upper()}{name[1:]}"
        message = f"{words} cannot have more than {most} elements."
        raise AwsError("InvalidParameterException", message)
    return asked


_OUT_OF_RANGE = {"PageSize": "ValidationError", "MaxRecords": "InvalidParameterValue"}
_NEXT = {"PageSize": "NextMarker", "MaxRecords": "Marker"}


def _cut(
    items: list[Any], token: str | None, size: int, invalid: Callable[[], AwsError]
) -> tuple[list[Any], str | None]:
    if token is not None and not token.isdigit():
        raise invalid()
    start = int(token or 0)
    end = start + size
    return items[start:end], str(end) if end < len(items) else None


def _invalid_token() -> AwsError:
    return AwsError("InvalidParameterException", "Invalid token.")


def _invalid_marker() -> AwsError:
    return AwsError("ValidationError", "Invalid marker.")
