"""What a rejected RunTask means: no capacity at the moment, or a request that can never work."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from slipway.adapters.errors import code_of, message_of
from slipway.domain.errors import Broken, ControlPlaneError, Reason, Transient
from slipway.domain.text import plain

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import FailureTypeDef

# "API failure reasons" in the ECS developer guide. RESOURCE:CPU and the like: no instance has
# enough left. AGENT: the instance's agent is disconnected.
_PREFIXES: Final = ("resource:", "agent")
# "Capacity is unavailable at this time", EMPTY CAPACITY PROVIDER, throttled placements, instances
# being replaced, and the quotas of concurrently running or provisioning tasks.
_PHRASES: Final = (
    "capacity",
    "throttl",
    "rate exceeded",
    "no container instances",
    "no active instances",
    "you can run concurrently",
    "provisioning state",
)
_QUOTA_CODES: Final = frozenset(
    {
        "ClientException",
        "InvalidParameterException",
        "LimitExceededException",
        "ThrottlingException",
    }
)


def placement_error(failures: Sequence["FailureTypeDef"]) -> ControlPlaneError:
    """Why RunTask returned no task: Transient when only capacity is missing."""
    reasons = [plain(f"{one.get('reason', '')} {one.get('detail', '')}") for one in failures[:5]]
    why = "; ".join(dict.fromkeys(reasons)) or "no reason given"
    message = f"ECS placed no task: {why}."
    if failures and all(_is_temporary(one.get("reason", "")) for one in failures):
        return Transient(Reason.CAPACITY_UNAVAILABLE, message)
    return Broken(Reason.AWS_REFUSED, message)


def quota_error(error: ClientError) -> Transient | None:
    """The error of a RunTask that exceeds a quota of running tasks; None for any other error."""
    message = plain(message_of(error))
    if code_of(error) not in _QUOTA_CODES or message.lower() == "rate exceeded":
        return None
    if not _is_temporary(message):
        return None
    return Transient(Reason.CAPACITY_UNAVAILABLE, f"ECS placed no task: {message}")


def _is_temporary(reason: str) -> bool:
    lower = reason[:1000].lower()
    return lower.startswith(_PREFIXES) or any(phrase in lower for phrase in _PHRASES)
