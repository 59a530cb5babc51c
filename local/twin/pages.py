"""Long answers in pages: the `maxResults` and `nextToken` of ECS."""

from typing import Any

from local.twin.errors import AwsError

PAGE_SIZE = 100


def page(
    name: str, items: list[Any], params: dict[str, Any], size: int = PAGE_SIZE
) -> dict[str, Any]:
    """One page of the items under the name; the token is the place where the next one starts."""
    token = params.get("nextToken", "0")
    if not token.isdigit():
        raise AwsError("InvalidParameterException", "Invalid token.")
    start = int(token)
    end = start + (params.get("maxResults") or size)
    answer: dict[str, Any] = {name: items[start:end]}
    if end < len(items):
        answer["nextToken"] = str(end)
    return answer
