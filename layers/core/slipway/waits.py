"""Which steps wait, and for what: one row per step, and one function per kind of key.

A step parks its task token under its keys first and looks at the world after: an event between a
look and a later park would be missed. An event wakes whatever is parked under a key that it names;
it is only a hint, and the step looks for itself. Both sides make the key with the same function, so
they cannot drift apart.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, NewType

from slipway.domain.deployment import Phase

# What a step waits for.
Key = NewType("Key", str)


def snapshot_key(snapshot_id: str) -> Key:
    """A database's snapshot, by its name."""
    return Key(f"snapshot:{snapshot_id}")


def task_key(started_by: str) -> Key:
    """A one-off task, by whom it was started."""
    return Key(f"task:{started_by}")


def service_key(service_arn: str) -> Key:
    """What happens to a service."""
    return Key(f"service:{service_arn}")


def scan_key(image: str) -> Key:
    """The scan of an image, which is "repository@digest"."""
    return Key(f"scan:{image}")


def deployment_key(deployment_id: str) -> Key:
    """Whatever concerns a deployment, such as a decision, a cancellation or the sweep."""
    return Key(f"deployment:{deployment_id}")


def lane_key(lane: str) -> Key:
    """Whatever concerns a lane, which is "application/environment"."""
    return Key(f"lane:{lane}")


def databases_key() -> Key:
    """Whatever may free a database: lanes can share one."""
    return Key("databases")


# ----------------------------------------------------------------------------------------- hints
class Hint(NamedTuple):
    """An event that may wake a step: its source, its detail-type, and which keys it names.

    ``names`` gets the event's detail and resources, in which anything may stand.
    """

    source: str
    detail_type: str
    names: Callable[[Mapping[str, Any], Sequence[str]], Iterable[Key]]


def _snapshot(detail: Mapping[str, Any], _: Sequence[str]) -> Iterable[Key]:
    return (snapshot_key(str(detail.get("SourceIdentifier"))),)


def _task(detail: Mapping[str, Any], _: Sequence[str]) -> Iterable[Key]:
    return (task_key(str(detail.get("startedBy"))),)


def _services(_: Mapping[str, Any], resources: Sequence[str]) -> Iterable[Key]:
    return map(service_key, resources)


def _scan(detail: Mapping[str, Any], _: Sequence[str]) -> Iterable[Key]:
    """ECR names the repository; Inspector its ARN, whose last part is the repository's own name."""
    named = str(detail.get("repository-name"))
    repository = named.partition(":repository/")[2] or named
    return (scan_key(f"{repository}@{detail.get('image-digest')}"),)


def _ours(detail: Mapping[str, Any], _: Sequence[str]) -> Iterable[Key]:
    if isinstance(deployment_id := detail.get("deployment_id"), str):
        yield deployment_key(deployment_id)
    if isinstance(lane := detail.get("lane"), str):
        yield lane_key(lane)
    yield databases_key()


_SNAPSHOT: Final = Hint("aws.rds", "RDS DB Snapshot Event", _snapshot)
_CLUSTER_SNAPSHOT: Final = Hint("aws.rds", "RDS DB Cluster Snapshot Event", _snapshot)
_TASK: Final = Hint("aws.ecs", "ECS Task State Change", _task)
_ROLLOUT: Final = Hint("aws.ecs", "ECS Deployment State Change", _services)
_SCANNED: Final = Hint("aws.ecr", "ECR Image Scan", _scan)
_INSPECTED: Final = Hint("aws.inspector2", "Inspector2 Scan", _scan)
_ADMITTED: Final = Hint("slipway", "Candidate Admitted", _ours)
_CANCELLED: Final = Hint("slipway", "Cancel Requested", _ours)
_DECIDED: Final = Hint("slipway", "Approval Decided", _ours)
_SETTLED: Final = Hint("slipway", "Deployment Settled", _ours)
# How the sweep wakes every step that may be waiting.
LOOK_AGAIN: Final = Hint("slipway", "Look Again", _ours)


# ----------------------------------------------------------------------------------------- steps
class Wait(NamedTuple):
    """A step that waits: in which phases, for which keys, and woken by which events.

    A phase begins when the state before it ends, so two steps may be the one that waits.
    """

    step: str
    phases: tuple[Phase, ...]
    keys: tuple[Callable[..., Key], ...]
    hints: tuple[Hint, ...]


WAITS: Final = (
    Wait(
        "check",
        (Phase.PLANNING, Phase.AWAITING_LANE),
        (scan_key, deployment_key),
        (_SCANNED, _INSPECTED, _ADMITTED, _CANCELLED),
    ),
    Wait(
        "approve",
        (Phase.AWAITING_APPROVAL,),
        (deployment_key, lane_key),
        (_DECIDED, _ADMITTED, _CANCELLED),
    ),
    Wait(
        "enter",
        (Phase.AWAITING_LANE,),
        (lane_key, deployment_key, databases_key),
        (_SETTLED, _ADMITTED, _CANCELLED),
    ),
    Wait(
        "backup",
        (Phase.BACKING_UP,),
        (snapshot_key, deployment_key),
        (_SNAPSHOT, _CLUSTER_SNAPSHOT, _CANCELLED),
    ),
    Wait("migrate", (Phase.MIGRATING,), (task_key, deployment_key), (_TASK,)),
    Wait("deploy", (Phase.DEPLOYING,), (service_key, deployment_key), (_ROLLOUT, _CANCELLED)),
    Wait(
        "verify",
        (Phase.DEPLOYING, Phase.VERIFYING, Phase.ROLLING_BACK),
        (deployment_key,),
        (_CANCELLED,),
    ),
    Wait(
        "rollback",
        (Phase.ROLLING_BACK,),
        (service_key, task_key, deployment_key),
        (_ROLLOUT, _TASK),
    ),
)


def waiting_in(phase: Phase) -> tuple[str, ...]:
    """The steps that may be waiting while a deployment is in this phase."""
    return tuple(wait.step for wait in WAITS if phase in wait.phases)
