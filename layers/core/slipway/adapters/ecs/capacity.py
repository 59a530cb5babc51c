"""What a refusal of RunTask means: no room for now, or no task ever."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from slipway.adapters.errors import code_of, message_of
from slipway.domain.errors import Broken, ControlPlaneError, Reason, Transient
from slipway.domain.text import plain

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import FailureTypeDef

# "API failure reasons" in the ECS developer guide. RESOURCE:CPU and the like: no instance has as
# much left. AGENT: the instance's agent is not connected.
_BEGINS: Final = ("resource:", "agent")
# "Capacity is unavailable at this time", EMPTY CAPACITY PROVIDER, throttled placements, instances
# that are being replaced, and the quotas of what runs or is provisioned at the same time.
_HOLDS: Final = (
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


def not_placed(failures: Sequence["FailureTypeDef"]) -> ControlPlaneError:
    """Why ECS has answered without a task: Transient while only room is missing."""
    told = [plain(f"{one.get('reason', '')} {one.get('detail', '')}") for one in failures[:5]]
    why = "; ".join(dict.fromkeys(told)) or "no reason given"
    message = f"ECS placed no task: {why}."
    if failures and all(_passes(one.get("reason", "")) for one in failures):
        return Transient(Reason.CAPACITY_UNAVAILABLE, message)
    return Broken(Reason.AWS_REFUSED, message)


def lacks_room(error: ClientError) -> Transient | None:
    """A refusal that only tells of a quota of running tasks; None for every other one."""
    words = plain(message_of(error))
    if code_of(error) not in _QUOTA_CODES or words.lower() == "rate exceeded":
        return None
    if not _passes(words):
        return None
    return Transient(Reason.CAPACITY_UNAVAILABLE, f"ECS placed no task: {words}")


def _passes(reason: str) -> bool:
    lower = reason[:1000].lower()
    return lower.startswith(_BEGINS) or any(words in lower for words in _HOLDS)
